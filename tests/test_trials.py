"""The choice among several starts: what is tried, how it is scored, what is kept."""

import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from torch import nn

from deepdensity import trials
from deepdensity.assignment import cluster_means
from deepdensity.split_merge import Repair
from deepdensity.trials import best_trial, settled, start_scale, try_start

from . import reference
from .common import source_of, trainer

N_STEPS = 60


# -- trials ----------------------------------------------------------------------------


def blobs():
    return make_blobs(300, centers=4, n_features=8, cluster_std=0.6, random_state=5)


def noisy(x, rows, generator):
    return x + 0.1 * torch.randn(x.shape, generator=generator), x


def pretrained(**more):
    X, y = blobs()
    run = trainer(source_of(X), lr=2e-3, views={"cluster": noisy}, **more)
    run.pretrain(40)
    return run, y


def start_of(run, labels):
    return cluster_means(run.embed(), labels, 4), labels


def wrong_labels(y):
    """Two clusters as one, another cut in two."""
    first = np.flatnonzero(y == 2)[::2]
    wrong = np.where(y == 3, 0, y)
    wrong[first] = 3
    return wrong


def test_the_right_start_scores_more_than_a_wrong_one():
    run, y = pretrained()
    starts = {
        "wrong": start_of(run, wrong_labels(y)),
        "right": start_of(run, y),
        "noise": start_of(run, np.random.default_rng(0).integers(4, size=300)),
    }
    best, scores = best_trial(run, starts, run.embed(), N_STEPS, 0)
    assert best.name.split(",")[0] == "right"
    assert list(scores)[:3] == list(starts)
    assert best.score == scores[best.name] >= 0.98 * max(scores.values())
    assert adjusted_rand_score(y, best.labels) > 0.98


def test_the_best_start_is_repaired_where_that_scores_more():
    run, y = pretrained()
    starts = {"wrong": start_of(run, wrong_labels(y))}
    best, scores = best_trial(run, starts, run.embed(), N_STEPS, 0)
    assert list(scores)[:2] == ["wrong", "repair 1"]
    assert best.name.startswith("repair")
    assert best.score >= 0.98 * max(scores.values()) > scores["wrong"]
    assert adjusted_rand_score(y, best.labels) > 0.98


def test_repairs_in_vain_end_and_are_not_taken(monkeypatch):
    run, y = pretrained()
    given = []

    def repair(graph, labels, k, spared):
        given.append(list(spared))
        return Repair(labels * 0, np.arange(300) == len(given))

    monkeypatch.setattr(trials, "split_and_merge", repair)
    best, scores = best_trial(run, {"right": start_of(run, y)}, run.embed(), 5, 0)
    assert list(scores) == ["right", "repair 1", "repair 2", "right, uneven"]
    assert best.name.startswith("right")
    # what has been cut is not to be cut again
    assert [[int(cut.argmax()) for cut in spared] for spared in given] == [[], [1]]
    monkeypatch.setattr(trials, "PATIENCE", 9)
    _, scores = best_trial(run, {"right": start_of(run, y)}, run.embed(), 5, 0)
    assert len(scores) == 1 + trials.MAX_REPAIRS + 1


def parts_of(y):
    """Each cluster in two."""
    return 2 * y + np.arange(len(y)) % 2


def test_parts_are_trained_merged_and_tried_from_the_network_they_have_trained(
    monkeypatch,
):
    run, y = pretrained()
    calls = []

    def spy(base, name, centres, labels, *args, **kwargs):
        trial = try_start(base, name, centres, labels, *args, **kwargs)
        calls.append((base, len(centres), labels, trial))
        return trial

    monkeypatch.setattr(trials, "try_start", spy)
    parts = cluster_means(run.embed(), parts_of(y), 8), parts_of(y)
    starts = {"wrong": start_of(run, wrong_labels(y)), "parts 1": parts}
    best, scores = best_trial(run, starts, run.embed(), N_STEPS, 0)
    assert [k for _, k, _, _ in calls[:3]] == [4, 8, 4]
    assert list(scores)[:2] == ["wrong", "parts 1"]
    assert scores["parts 1"] == calls[2][3].score > scores["wrong"]
    before, merged = calls[1][3], calls[2]
    assert merged[0] is not run
    state = merged[0].module.state_dict()
    assert all(torch.equal(before.state[key], state[key]) for key in state)
    assert adjusted_rand_score(y, merged[2]) > 0.98
    assert best.labels.max() == 3 and adjusted_rand_score(y, best.labels) > 0.98


def test_parts_are_merged_by_what_views_share_about_them(monkeypatch):
    run, y = pretrained()
    given, merge = [], trials.merge_parts

    def spy(counts, n_clusters):
        given.append((counts, n_clusters))
        return merge(counts, n_clusters)

    monkeypatch.setattr(trials, "merge_parts", spy)
    views = [np.array([0, 1, 2, 2]), np.array([0, 1, 2, 1]), np.array([1, 1, 2, 2])]
    parts = try_start(run, "a", *start_of(run, y), 2, 0)._replace(views=views)
    clusters = trials.clusters_of(parts, 5, 3)
    expected = np.zeros((5, 5))
    for one in range(3):
        for other in range(3):
            for a, b in zip(views[one], views[other]):
                expected[a, b] += one != other
    assert_array_equal(given[0][0], expected)
    assert given[0][1] == 3
    merged, score = merge(expected, 3)
    assert_array_equal(clusters.labels, merged[parts.labels])
    assert clusters.score == score
    assert clusters.state is parts.state


def test_of_merged_parts_those_are_tried_of_which_views_share_most(monkeypatch):
    run, y = pretrained()
    worth = {"parts 1": 0.3, "parts 2": 0.9, "parts 3": 0.1, "parts 4": 0.5}

    def scored(parts, n_parts, n_clusters):
        return parts._replace(score=worth[parts.name], labels=parts.labels // 2)

    monkeypatch.setattr(trials, "clusters_of", scored)
    random = np.random.default_rng(0)
    starts = {"wrong": start_of(run, wrong_labels(y))}
    for name in worth:
        labels = random.permutation(parts_of(y))
        starts[name] = cluster_means(run.embed(), labels, 8), labels
    _, scores = best_trial(run, starts, run.embed(), 5, 0)
    assert list(scores)[:4] == ["wrong", "parts 2", "parts 4", "parts 1"]
    assert "parts 3" not in scores


def test_parts_that_diverge_are_left_out(monkeypatch):
    run, y = pretrained()

    def diverging(base, name, centres, *args, **kwargs):
        trial = try_start(base, name, centres, *args, **kwargs)
        if len(centres) == 8:
            trial = trial._replace(score=-np.inf, views=[])
        return trial

    monkeypatch.setattr(trials, "try_start", diverging)
    parts = cluster_means(run.embed(), parts_of(y), 8), parts_of(y)
    starts = {"right": start_of(run, y), "parts 1": parts}
    _, scores = best_trial(run, starts, run.embed(), 5, 0)
    assert "right" in scores and "parts 1" not in scores


@pytest.mark.parametrize("worth", [0.9, 0.97, 0.99, 1.1])
def test_the_best_start_is_tried_by_the_smaller_weight_and_counts_unless_it_is_worse(
    monkeypatch, worth
):
    run, y = pretrained()
    weights = []

    def spy(*args, **kwargs):
        trial = try_start(*args, **kwargs)
        weights.append((trial.name, trial.balance))
        score = 1 / (len(weights) + 1) if trial.balance == 1.0 else worth / 2
        return trial._replace(score=score)

    monkeypatch.setattr(trials, "try_start", spy)
    starts = {"right": start_of(run, y), "wrong": start_of(run, wrong_labels(y))}
    best, scores = best_trial(run, starts, run.embed(), 2, 0)
    *before, last = weights
    assert {balance for _, balance in before} == {1.0}
    assert last == ("right, uneven", 0.5)
    assert scores["right"] == 0.5
    assert best.name == ("right, uneven" if worth > 0.98 else "right")
    assert best.balance == (0.5 if worth > 0.98 else 1.0)


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


def test_equal_starts_are_tried_once():
    run, y = pretrained()
    renamed = (y + 1) % 4
    nearly = y.copy()
    nearly[0] = (nearly[0] + 1) % 4
    starts = {
        name: start_of(run, labels)
        for name, labels in [
            ("first", y),
            ("renamed", renamed),
            ("nearly", nearly),
            ("wrong", wrong_labels(y)),
        ]
    }
    _, scores = best_trial(run, starts, run.embed(), 5, 0)
    assert list(scores)[:2] == ["first", "wrong"]
    assert not {"renamed", "nearly"} & scores.keys()


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
    assert np.isfinite(other.score)


def test_a_start_is_trained_for_the_steps_asked_for():
    run, y = pretrained()
    batches = []
    run.views = {"cluster": lambda x, rows, g: (batches.append(len(rows)), (x, x))[1]}
    try_start(run, "a", *start_of(run, y), 17, 0, n_views=0)
    assert batches == [50] * 17


class Exploding(nn.Module):
    """Its embedding overflows once its weight has moved."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(8))

    def encode(self, x):
        moved = (self.weight.detach() != 1).any()
        return x * self.weight * torch.where(moved, torch.inf, 1.0)

    def decode(self, z):
        return z


def test_a_trial_that_diverges_scores_least_and_keeps_its_labels():
    X, y = blobs()
    run = trainer(source_of(X), Exploding())
    starts = {"a": start_of(run, y), "b": start_of(run, wrong_labels(y))}
    trial = try_start(run, "b", *starts["b"], 5, 0)
    assert trial.score == -np.inf
    assert_array_equal(trial.labels, wrong_labels(y))
    best, scores = best_trial(run, starts, run.embed(), 5, 0)
    assert scores.keys() >= {"a", "b"}
    assert set(scores.values()) == {-np.inf}
    assert_array_equal(best.labels, y)


@pytest.mark.parametrize("width", [0.1, 10.0])
def test_the_scale_of_a_start_is_that_of_its_clusters(width):
    Z = width * np.random.default_rng(0).standard_normal((40, 3))
    kmeans = KMeans(4, n_init=2, random_state=0).fit(Z)
    distances = reference.squared_distances_to(Z, kmeans.cluster_centers_)
    found = start_scale(Z, kmeans.cluster_centers_, kmeans.labels_)
    assert_allclose(found, reference.kernel_scale(distances, kmeans.labels_))


# -- a start that is trained alone -----------------------------------------------------


def test_a_settled_start_has_the_network_that_it_has_trained():
    run, y = pretrained()
    before, generator = run.embed(), run.generator.get_state()
    labels = y.copy()
    labels[::10] = (labels[::10] + 1) % 4  # a tenth is wrong
    centres, found = settled(run, *start_of(run, labels), N_STEPS, 0)
    assert adjusted_rand_score(y, found) > 0.98 > adjusted_rand_score(y, labels)
    Z = run.embed()
    assert not np.allclose(Z, before)
    assert_allclose(centres, cluster_means(Z, found, 4))
    assert torch.equal(run.generator.get_state(), generator)  # has one of its own
    assert len({row["phase"] for row in run.history}) == 1  # and its own history


@pytest.mark.parametrize("fault", ["lost", "diverged"])
def test_a_start_that_loses_a_cluster_or_diverges_is_left_alone(fault, monkeypatch):
    run, y = pretrained()
    before, start = run.embed(), start_of(run, y)
    if fault == "diverged":
        run.lr = 1e30
    else:

        def merged(*args, **kwargs):
            trial = try_start(*args, **kwargs)
            return trial._replace(labels=np.where(y == 3, 2, y))

        monkeypatch.setattr(trials, "try_start", merged)
    assert settled(run, *start, 5, 0) is None
    assert_array_equal(run.embed(), before)


def test_a_trial_without_views_has_no_score():
    run, y = pretrained()
    trial = try_start(run, "bare", *start_of(run, y), 5, 0, n_views=0)
    assert (trial.views, trial.score) == ([], 0.0)
