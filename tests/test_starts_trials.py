"""A trial of a start, and a start that is trained alone."""

import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import adjusted_rand_score

from deepdensity.assignment import cluster_means
from deepdensity.starts import trials
from deepdensity.starts.trials import settled, train_start, try_start

from . import reference
from .common import source_of, trainer
from .trial_data import N_STEPS, Exploding, blobs, pretrained, start_of

# -- trials ----------------------------------------------------------------------------


def test_the_weight_of_a_trial_is_that_of_its_loss(monkeypatch):
    run, y = pretrained()
    weights, loss = [], trials.InstabilityLoss

    def spy(*args, **kwargs):
        weights.append(kwargs["balance"])
        return loss(*args, **kwargs)

    monkeypatch.setattr(trials, "InstabilityLoss", spy)
    for weight in (0.0, 2.5):
        trial = try_start(run, "a", *start_of(run, y), 2, 0, balance=weight)
        assert trial.balance == weight
    assert weights == [0.0, 2.5]


def test_a_trial_keeps_the_network_that_it_has_trained():
    run, y = pretrained()
    trial = try_start(run, "a", *start_of(run, y), 5, 0)
    before, after = run.module.state_dict(), trial.state
    assert before.keys() == after.keys()
    encoder = [key for key in after if key.startswith("encoder")]
    assert not any(torch.equal(before[key], after[key]) for key in encoder)


def test_trials_leave_the_trainer_as_it_was():
    run, y = pretrained()
    state, drawn = copy.deepcopy(run.module.state_dict()), run.generator.get_state()
    n_rows = len(run.history)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    centres, labels = start_of(run, y)
    kept = centres.copy(), labels.copy()
    try_start(run, "a", centres, labels, 5, 0)
    assert all(torch.equal(state[key], v) for key, v in run.module.state_dict().items())
    assert torch.equal(run.generator.get_state(), drawn)
    assert len(run.history) == n_rows
    assert_array_equal(centres, kept[0])
    assert_array_equal(labels, kept[1])
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert_array_equal(np.random.get_state()[1], numpy_state)


def test_chance_is_the_same_for_every_start():
    run, y = pretrained()
    centres, labels = start_of(run, y)
    first, second, other = (
        try_start(run, "a", centres, labels, 20, seed) for seed in (1, 1, 2)
    )
    assert first.score == second.score
    assert_array_equal(first.labels, second.labels)
    assert first.name == "a"
    assert any(
        not torch.equal(first.state[key], other.state[key]) for key in other.state
    )


def test_a_trial_is_scored_by_what_four_views_share():
    run, y = pretrained()
    labels = np.random.default_rng(0).integers(4, size=len(y))  # views will differ
    trial = try_start(run, "a", *start_of(run, labels), 5, 0)
    assert len(trial.view_labels) == 4
    assert not np.array_equal(trial.view_labels[0], trial.view_labels[1])
    assert_allclose(trial.score, reference.view_information(trial.view_labels))


@pytest.mark.parametrize("scale", [0.25, 7.0])
def test_the_unit_of_a_trial_is_the_scale_of_its_start_1_at_most(scale, monkeypatch):
    run, y = pretrained()
    scales, loss = [], trials.InstabilityLoss

    def spy(*args, **kwargs):
        scales.append(kwargs["scale"])
        return loss(*args, **kwargs)

    monkeypatch.setattr(trials, "InstabilityLoss", spy)
    monkeypatch.setattr(trials, "kernel_scale", lambda *args: scale)
    try_start(run, "a", *start_of(run, y), 2, 0)
    assert scales == [min(1.0, scale)]


def test_a_start_is_trained_for_the_steps_asked_for():
    run, y = pretrained()
    batches = []
    run.views = {"cluster": lambda x, rows, g: (batches.append(len(rows)), (x, x))[1]}
    train_start(run, *start_of(run, y), 17, 0)
    assert batches == [50] * 17


def test_a_trial_that_diverges_scores_least_and_keeps_its_labels():
    X, y = blobs()
    run = trainer(source_of(X), Exploding())
    trial = try_start(run, "a", *start_of(run, y), 5, 0)
    assert trial.diverged and trial.score == -np.inf
    assert_array_equal(trial.labels, y)
    sound, y = pretrained()
    assert not try_start(sound, "a", *start_of(sound, y), 5, 0).diverged


# -- a start that is trained alone -----------------------------------------------------


def test_a_settled_start_has_the_network_that_it_has_trained():
    run, y = pretrained()
    before, generator = run.embed(), run.generator.get_state()
    labels = y.copy()
    labels[::10] = (labels[::10] + 1) % 4  # a tenth is wrong
    centres, found = settled(run, *start_of(run, labels), N_STEPS, 0, run.embed())
    assert adjusted_rand_score(y, found) > 0.98 > adjusted_rand_score(y, labels)
    Z = run.embed()
    assert not np.allclose(Z, before)
    assert_allclose(centres, cluster_means(Z, found, 4))
    assert torch.equal(run.generator.get_state(), generator)  # has one of its own
    assert len({row["phase"] for row in run.history}) == 1  # and its own history


def test_a_start_settles_without_balance(monkeypatch):
    run, y = pretrained()
    weights = []

    def spy(*args, **kwargs):
        weights.append(kwargs["balance"])
        return train_start(*args, **kwargs)

    monkeypatch.setattr(trials, "train_start", spy)
    settled(run, *start_of(run, y), 2, 0, run.embed())
    assert weights == [0]


@pytest.mark.parametrize("fault", ["lost", "diverged"])
def test_a_start_that_loses_a_cluster_or_diverges_is_left_alone(fault, monkeypatch):
    run, y = pretrained()
    before, start = run.embed(), start_of(run, y)
    if fault == "diverged":
        run.lr = 1e30
    else:

        def merged(*args, **kwargs):
            trained = train_start(*args, **kwargs)
            return trained._replace(labels=np.where(y == 3, 2, y))

        monkeypatch.setattr(trials, "train_start", merged)
    assert settled(run, *start, 5, 0, before) is None
    assert_array_equal(run.embed(), before)
