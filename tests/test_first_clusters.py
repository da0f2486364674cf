"""Where the clusters start: by name, by trials, by parts of many samples."""

import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from deepdensity import first_clusters
from deepdensity.assignment import cluster_means
from deepdensity.density_cores import density_core
from deepdensity.networks import MLPAutoencoder
from deepdensity.starts import STARTS
from deepdensity.training.trainer import Trainer

from . import reference
from .common import (
    BOTH,
    N_CLUSTERS,
    decs,
    digit_images,
    digit_vectors,
    idcl,
    only_start,
    small_conv,
)


@pytest.fixture
def short_trials(monkeypatch):
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 5)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("init", ["k-means", "gaussian-mixture", "auto"])
def test_labels_of_k_means_before_training_are_kept(short, init, short_trials):
    images = digit_images(150)[0].astype(np.float32)
    start = only_start(short, autoencoder=small_conv).fit(images)
    kmeans = KMeans(N_CLUSTERS, n_init=3, random_state=start._start_seed)
    labels = kmeans.fit_predict(start.embedding_.astype(np.float64))
    model = short(init=init, autoencoder=small_conv, guard=False).fit(images)
    assert_array_equal(start.pretrain_labels_, labels)
    assert_array_equal(model.pretrain_labels_, labels)
    assert not np.array_equal(model.labels_, labels)


@pytest.mark.parametrize("short", BOTH)
def test_init_auto_starts_from_the_labels_that_scored_most(
    short, short_trials, monkeypatch
):
    images = digit_images(150)[0].astype(np.float32)
    given, tried = [], first_clusters.best_trial

    def spy(trainer, starts, *rest):
        given.append((starts, *tried(trainer, starts, *rest)))
        return given[-1][1:]

    monkeypatch.setattr(first_clusters, "best_trial", spy)
    model = only_start(short, init="auto", autoencoder=small_conv).fit(images)
    ((starts, best, scores),) = given
    names = {name.rstrip(" 123") for name in starts}
    assert names == {"view-mixture", "parts"}
    network = model.module_.state_dict()  # goes on from the one that the trial left
    for name, value in best.state.items():
        if name.startswith("encoder"):
            assert_array_equal(network[name], value)
    assert model.start_scores_ == scores
    assert best.score == scores[best.name] >= 0.98 * max(scores.values())
    Z = model.embedding_.astype(np.float64)
    if short is decs:
        found = np.sort(model.cluster_centers_, axis=0)  # empty clusters come last
        centres = cluster_means(Z, best.labels, N_CLUSTERS)
        assert_allclose(found, np.sort(centres, axis=0), atol=1e-5)
    else:
        cores = density_core(model.density_, best.labels, 0.05)
        expected = np.sort(np.concatenate(list(cores.values())))
        assert_array_equal(model.core_sample_indices_, expected)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("init", [*STARTS, "auto"])
def test_a_start_by_name_is_not_tried_nor_one_of_vectors(short, init):
    X, _ = digit_vectors(150)
    model = only_start(short, init=init).fit(X)
    assert model.start_scores_ == {}
    if init == "auto":
        scaled = only_start(short, init="scaled-k-means").fit(X)
        assert_array_equal(model.labels_, scaled.labels_)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("init", ["auto", "spectral"])
def test_few_samples_a_cluster_start_from_k_means(short, init):
    images, _ = digit_images(99)
    few = only_start(short, init=init, autoencoder=small_conv).fit(images)
    expected = only_start(short, autoencoder=small_conv).fit(images)
    assert few.start_scores_ == {}
    assert_array_equal(few.labels_, expected.labels_)
    one = clone(few).set_params(n_clusters=1).fit(images)
    assert_array_equal(one.pretrain_labels_, 0)


@pytest.mark.parametrize("short", BOTH)
def test_trials_leave_no_trace_but_the_network_of_the_best(short, short_trials):
    images, _ = digit_images(150)
    start = functools.partial(only_start, short, autoencoder=small_conv)
    with_trials, without = start(init="auto").fit(images), start().fit(images)
    assert not np.allclose(with_trials.embedding_, without.embedding_)
    assert_array_equal(with_trials.pretrain_labels_, without.pretrain_labels_)
    assert set(with_trials.history_[:, "phase"]) == {"pretrain", "decoder"}


class Sized(MLPAutoencoder):
    """Its codes are larger or smaller by a factor."""

    def __init__(self, input_shape, n_components, factor):
        super().__init__(input_shape, n_components, hidden=(64,))
        self.factor = factor

    def encode(self, x):
        return super().encode(x) * self.factor

    def decode(self, z):
        return super().decode(z / self.factor)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("factor", [0.03, 30.0])
@pytest.mark.parametrize("augment", [False, lambda x, g: 0.9 * x])
def test_the_kernel_takes_its_unit_from_the_start(short, factor, augment):
    X = digit_vectors(150)[0].astype(np.float32)
    more = {"autoencoder": functools.partial(Sized, factor=factor), "augment": augment}
    start = only_start(decs, **more).fit(X)
    squared = reference.squared_distances_to(start.embedding_, start.cluster_centers_)
    expected = reference.kernel_scale(squared, start.pretrain_labels_)
    assert (expected < 0.1) if factor < 1 else (expected > 10)
    if augment:
        expected = min(1, expected)
    found = short(guard=False, **more).fit(X)
    assert_allclose(found.kernel_scale_, expected, rtol=1e-4)
    given = short(guard=False, kernel_scale=0.7, **more).fit(X)
    assert given.kernel_scale_ == 0.7


@pytest.mark.parametrize("short", BOTH)
def test_starts_to_try_are_of_the_mean_of_eight_views(short, monkeypatch):
    given, several = [], first_clusters.several_starts

    def spy(Z, views, *args):
        given.append((Z, views))
        return several(Z, views, *args)

    monkeypatch.setattr(first_clusters, "several_starts", spy)
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 2)
    monkeypatch.setattr(Trainer, "embed_views", lambda self, n: self.embed() + 7 * n)
    images, _ = digit_images(150)
    short(init="auto", n_init=1, autoencoder=small_conv).fit(images)
    [(Z, views)] = given
    assert_allclose(views, Z + 56)


@pytest.mark.parametrize("short", BOTH)
def test_the_start_of_idcl_on_vectors_is_trained_for_a_while(short, short_trials):
    X, _ = make_blobs(
        300, centers=N_CLUSTERS, n_features=8, cluster_std=3.0, random_state=1
    )
    more = {"augment": "auto", "pretrain_epochs": 8}
    model = only_start(short, init="auto", **more).fit(X)
    as_chosen = only_start(short, init="scaled-k-means", **more).fit(X)
    same = np.array_equal(model.embedding_, as_chosen.embedding_)
    assert same is (short is decs)  # whose clustering phase does the same
    # the decoder follows the network, where that has been trained without it
    assert ("decoder" in model.history_[:, "phase"]) is (short is idcl)
    assert "decoder" not in as_chosen.history_[:, "phase"]
    assert model.start_scores_ == {}
    assert_array_equal(model.pretrain_labels_, as_chosen.pretrain_labels_)
    few = only_start(short, init="auto", **more).fit(X[: 10 * N_CLUSTERS - 1])
    assert "decoder" not in few.history_[:, "phase"]


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("ends_at_start", [False, True])
def test_the_decoder_follows_a_start_that_was_tried(short, ends_at_start, monkeypatch):
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 2)
    images = digit_images(200)[0].astype(np.float32)
    model = short(init="auto", autoencoder=small_conv, n_init=1, tol=0)
    if ends_at_start:
        monkeypatch.setattr(model.__class__, "_information", lambda *of: -99.0)
        model.set_params(guard=True, lr=1e-6).fit(images)
        assert model.information_ == model.start_information_
        faults = [row.get("rollback") for row in model.history_]
        assert any(faults)  # lost clusters, or an end that scores less
    else:
        model.set_params(**{"max_iter" if short is decs else "max_epochs": 0})
        model.fit(images)
    phases = model.history_[:, "phase"]
    # a tenth of the 8 epochs of pretraining, or of those of DECS's 12 steps
    assert phases.count("decoder") == 1 and phases[-1] == "decoder"


@pytest.mark.parametrize("init", ["k-means", "auto"])
def test_of_many_samples_some_make_the_start_and_all_follow(init, monkeypatch):
    monkeypatch.setattr(first_clusters, "STARTING", 150)
    monkeypatch.setattr(first_clusters, "STARTING_PER_CLUSTER", 1)
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 2)
    images = digit_images(200)[0]
    model = BOTH[1](init=init, max_iter=0, n_init=1, autoencoder=small_conv).fit(images)
    assert len(model.labels_) == len(model.pretrain_labels_) == 200
    assert bool(model.start_scores_) == (init == "auto")
    nearest = ((model.embedding_[:, None] - model.cluster_centers_) ** 2).sum(2)
    assert_array_equal(model.labels_, nearest.argmin(1))
    if init == "k-means":
        assert_array_equal(model.pretrain_labels_, model.labels_)
        means = np.array(
            [model.embedding_[model.labels_ == j].mean(0) for j in range(10)]
        )
        assert_allclose(means, model.cluster_centers_, atol=0.5)


def test_the_start_of_many_samples_is_of_the_network_that_the_trial_has_trained(
    monkeypatch,
):
    monkeypatch.setattr(first_clusters, "STARTING", 150)
    monkeypatch.setattr(first_clusters, "STARTING_PER_CLUSTER", 1)
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 2)
    seen, kernel_scale = [], first_clusters.kernel_scale

    def spy(Z, *start):
        seen.append(Z)
        return kernel_scale(Z, *start)

    monkeypatch.setattr(first_clusters, "kernel_scale", spy)
    more = {"init": "auto", "max_iter": 0, "n_init": 1, "autoencoder": small_conv}
    model = BOTH[1](**more).fit(digit_images(200)[0])
    assert len(seen) == 1
    assert_allclose(seen[0], model.embedding_, atol=1e-4)


def test_with_many_clusters_no_starts_are_tried(monkeypatch):
    monkeypatch.setattr(first_clusters, "MOST_CLUSTERS", 9)
    model = BOTH[0](init="auto", pretrain_epochs=1, max_epochs=0, autoencoder="mlp")
    assert model.fit(digit_images(200)[0]).start_scores_ == {}
