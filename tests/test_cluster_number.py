"""The estimated number of clusters: its score, the search, both estimators."""

import math
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_blobs

from deepdensity import cluster_number, first_clusters
from deepdensity.cluster_number import (
    FIRST,
    best_number,
    cluster_count,
    highest_number,
    try_numbers,
)
from deepdensity.metrics import clustering_accuracy
from deepdensity.starts.trials import Trial, try_start
from deepdensity.training.trainer import Trainer

from .common import (
    BOTH,
    decs,
    digit_images,
    digit_vectors,
    digits_source,
    small_conv,
    trainer,
)


@pytest.mark.parametrize("truth", [1, 2, 3, 6, 8, 10, 14, 20, 33, 43, 50])
def test_the_search_finds_the_highest_score_of_a_single_peak(truth):
    best, scores = best_number(lambda k: -abs(math.log(k / truth)), 10_000)
    assert best == max(truth, FIRST[0])
    assert list(scores) == sorted(scores)
    assert len(scores) <= len(FIRST) + 8


def test_the_search_ends_after_three_numbers_below_the_best():
    scores = best_number(lambda k: -k, 10_000)[1]
    assert list(scores) == [2, 3, 4, 5]
    up_and_down = {2: 1.0, 3: 0.0, 4: 0.0, 5: 2.0, 7: 0.0, 9: 0.0, 12: 0.0}
    scores = best_number(lambda k: up_and_down.get(k, 0.0), 10_000)[1]
    assert max(scores) == 12 and 16 not in scores


def test_of_numbers_that_do_about_the_same_the_smallest_is_taken():
    noisy = {7: 1.24, 9: 1.29, 10: 1.31, 12: 1.3}
    assert best_number(lambda k: noisy.get(k, 1.0), 10_000)[0] == 7
    assert best_number(lambda k: {**noisy, 7: 1.2}.get(k, 1.0), 10_000)[0] == 9
    assert best_number(lambda k: -noisy.get(k, 1.0), 10_000)[0] == 2


def test_the_search_stays_at_twenty_samples_a_cluster():
    best, scores = best_number(lambda k: k, 200)
    assert best == max(scores) == 10
    assert set(best_number(lambda k: k, 30)[1]) == {2}
    assert [highest_number(n) for n in (5, 59, 60, 1000, 10_000)] == [2, 2, 3, 50, 50]


def test_what_is_seven_hundredths_below_the_highest_is_as_good():
    assert best_number(lambda k: {5: 0.93, 7: 1.0}.get(k, 0.5), 10_000)[0] == 5
    assert best_number(lambda k: {5: 0.92, 7: 1.0}.get(k, 0.5), 10_000)[0] == 7


def test_clusters_that_are_all_but_lost_do_not_count():
    labels = np.repeat([0, 1, 2, 4], [500, 400, 95, 5])
    assert cluster_count(labels, 5) == 3
    assert cluster_count(np.repeat([0, 1], [1950, 50]), 2) == 2  # just a twentieth


@pytest.fixture
def trials(monkeypatch):
    """Trials that only tell their arguments: each cluster has samples, but the last."""
    told = []

    def start(Z, views, k, n_runs, seed):
        told.append(("start", seed))
        return np.zeros((k, Z.shape[1])), np.arange(len(Z)) % k

    def tried(trainer, name, centres, labels, n_steps, seed, **more):
        told.append((int(name), seed))
        labels = labels % (len(centres) - 1)
        return Trial(name, 0.0, labels, [labels, labels], {}, 0.0)

    monkeypatch.setattr(cluster_number, "view_mixture_start", start)
    monkeypatch.setattr(cluster_number, "try_start", tried)
    return told


def test_the_number_is_of_the_clusters_that_the_best_trial_has_left(trials):
    run = trainer(digits_source(n=120))
    number, scores = try_numbers(run, run.embed(), 1, seed=7)
    assert {seed for _, seed in trials} == {7}
    assert max(scores, key=scores.get) == 6  # of 2 to 6
    assert number == 5


def test_ctrl_c_leaves_the_numbers_that_were_tried(trials):
    run = trainer(digits_source(n=120))
    run.interruption = SimpleNamespace(asked=True)
    number, scores = try_numbers(run, run.embed(), 1, seed=7)
    assert list(scores) == [2]
    assert number == 1


@pytest.mark.parametrize("short", BOTH)
def test_blobs_are_counted(short):
    X, y = make_blobs(600, centers=4, n_features=8, random_state=5)
    model = short(pretrain_epochs=20).set_params(n_clusters="auto").fit(X)
    assert model.n_clusters == "auto"
    assert model.n_clusters_ == 4
    assert model.predict_proba(X).shape == (600, 4)
    assert 4 in model.n_clusters_scores_
    assert clustering_accuracy(y, model.labels_) > 0.95


def test_numbers_are_tried_from_mixtures_of_the_mean_views(monkeypatch):
    given, start = [], cluster_number.view_mixture_start

    def spy(Z, views, *args):
        given.append((Z, views))
        return start(Z, views, *args)

    monkeypatch.setattr(cluster_number, "view_mixture_start", spy)
    monkeypatch.setattr(Trainer, "embed_views", lambda self, n: self.embed() + 7 * n)
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 2)
    images, _ = digit_images(120)
    decs(max_iter=0, autoencoder=small_conv).set_params(n_clusters="auto").fit(images)
    assert given
    for Z, views in given:
        assert_allclose(views, Z + 56)


def test_numbers_are_tried_with_a_weight_of_their_own(monkeypatch):
    weights = set()

    def spy(*args, balance, **more):
        weights.add(balance)
        return try_start(*args, balance=balance, **more)

    monkeypatch.setattr(cluster_number, "try_start", spy)
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 2)
    BOTH[0]().set_params(n_clusters="auto").fit(digit_vectors(120)[0])
    assert weights == {0.3}


@pytest.mark.parametrize("short", BOTH)
def test_warm_starts_and_streams_keep_the_number(short, monkeypatch):
    X, _ = digit_vectors(120)
    tried = []
    monkeypatch.setattr(
        first_clusters,
        "try_numbers",
        lambda *_: tried.append(1) or (5, {4: 0.0, 5: 1.0}),
    )
    model = short(warm_start=True).set_params(n_clusters="auto").fit(X)
    assert model.n_clusters_ == 5
    assert model.n_clusters_scores_ == {4: 0.0, 5: 1.0}
    labels = model.labels_
    model.fit(X)
    assert model.n_clusters_ == 5
    assert_array_equal(model.pretrain_labels_, labels)
    assert model.partial_fit(X[:50]).n_clusters_ == 5
    assert tried == [1]


@pytest.mark.parametrize("short", BOTH)
def test_clusters_that_their_trial_has_emptied_are_told_of(short, monkeypatch):
    X, _ = digit_vectors(120)
    found = (1, {2: -0.4, 3: 0.0, 4: -0.5, 5: -0.6})
    monkeypatch.setattr(first_clusters, "try_numbers", lambda *_: found)
    with pytest.warns(UserWarning, match="comes to 1: that many were left"):
        model = short().set_params(n_clusters="auto").fit(X)
    assert model.n_clusters_ == 1


@pytest.mark.parametrize(("images", "n_tried"), [(True, 150), (False, 200)])
def test_of_many_images_some_are_tried(images, n_tried, monkeypatch):
    monkeypatch.setattr(first_clusters, "STARTING", 150)
    monkeypatch.setattr(first_clusters, "STARTING_PER_CLUSTER", 1)
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 2)
    tried, try_numbers = [], first_clusters.try_numbers

    def noted(trainer, views, *args):
        tried.append((len(trainer.source), len(views)))
        return try_numbers(trainer, views, *args)

    monkeypatch.setattr(first_clusters, "try_numbers", noted)
    X = (digit_images if images else digit_vectors)(200)[0]
    network = {"autoencoder": small_conv} if images else {}
    model = BOTH[1](max_iter=0, **network).set_params(n_clusters="auto").fit(X)
    assert tried == [(n_tried, n_tried)]
    assert len(model.labels_) == 200
    assert model.n_clusters_ in range(1, 1 + max(model.n_clusters_scores_))


@pytest.mark.parametrize("short", BOTH)
def test_a_given_number_is_taken(short):
    X, _ = digit_vectors(100)
    model = short().fit(X)
    assert model.n_clusters_ == model.n_clusters == 10
    assert model.n_clusters_scores_ == {}


@pytest.mark.parametrize("short", BOTH)
def test_without_views_there_is_nothing_to_compare(short):
    X, _ = digit_vectors(100)
    model = short(augment=False).set_params(n_clusters="auto")
    with pytest.raises(ValueError, match=r"n_clusters='auto' compares views.*augment"):
        model.fit(X)


@pytest.mark.parametrize("short", BOTH)
def test_one_sample_has_no_number_of_clusters(short):
    model = short(augment="auto").set_params(n_clusters="auto")
    with pytest.raises(ValueError, match="needs more than one sample"):
        model.fit(np.ones((1, 5)))


@pytest.mark.parametrize(("best", "told"), [(10, True), (9, False)])
def test_the_highest_number_as_the_best_is_told(best, told, monkeypatch):
    """Of 200 samples ten clusters are the most that are tried."""
    X, _ = digit_vectors(200)
    found = best, {5: 1.0, 9: 1.5, 10: 1.0, best: 2.0}
    monkeypatch.setattr(first_clusters, "try_numbers", lambda *args: found)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = decs().set_params(n_clusters="auto").fit(X)
    assert model.n_clusters_ == best
    messages = [str(warning.message) for warning in caught]
    assert any("scored highest at 10, the highest" in m for m in messages) == told
