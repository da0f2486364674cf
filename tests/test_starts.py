"""Where the clusters start: partitions of blobs, centres, and the small cases."""

import functools
import os
import warnings

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import pdist, squareform
from sklearn.datasets import load_digits, make_blobs
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from deepdensity.assignment import cluster_means
from deepdensity.information import net_information
from deepdensity.metrics import clustering_accuracy
from deepdensity.starts import (
    STARTS,
    mixtures,
    several,
    several_starts,
    sizes,
    spectral_start,
)
from deepdensity.starts.mixtures import merged_mixtures, side_by_side

SAMPLED = ["gaussian-mixture", "view-mixture", "merged-mixture", "spectral"]


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(400, centers=5, n_features=4, cluster_std=0.5, random_state=3)


@pytest.mark.parametrize("name", STARTS)
def test_blobs_are_found_and_the_centres_are_their_means(name, blobs):
    Z, y = blobs
    centres, labels = STARTS[name](Z, Z, 5, 5, 0)
    assert adjusted_rand_score(y, labels) > 0.98
    assert centres.shape == (5, 4)
    for label in range(5):
        mean = Z[labels == label].mean(0)
        assert_allclose(centres[label], mean, atol=1e-6)


def test_view_mixture_takes_the_mixture_from_the_views_and_the_centres_from_Z(blobs):
    Z, y = blobs
    noise = np.random.default_rng(0).normal(size=Z.shape)
    centres, labels = STARTS["view-mixture"](noise, Z, 5, 5, 0)
    assert adjusted_rand_score(y, labels) > 0.98
    assert_allclose(centres, cluster_means(noise, labels, 5))


@pytest.mark.parametrize("name", ["k-means", "scaled-k-means", "gaussian-mixture"])
def test_the_other_starts_leave_the_views_alone(name, blobs):
    Z, _ = blobs
    noise = np.random.default_rng(0).normal(size=Z.shape)
    found, expected = (STARTS[name](Z, views, 5, 5, 0) for views in (noise, Z))
    assert_array_equal(found[0], expected[0])
    assert_array_equal(found[1], expected[1])


def test_mixtures_part_a_tight_cluster_from_a_wide_one_and_k_means_does_not():
    y = np.arange(600) >= 300
    Z = np.random.default_rng(0).normal(size=(600, 4)) * np.where(y, 0.3, 3)[:, None]
    Z[y, 0] += 4
    for name in ("gaussian-mixture", "view-mixture"):
        assert adjusted_rand_score(y, STARTS[name](Z, Z, 2, 3, 0)[1]) > 0.99
    assert adjusted_rand_score(y, STARTS["k-means"](Z, Z, 2, 3, 0)[1]) < 0.5


def test_merged_mixtures_of_digits_are_better_than_plain_ones():
    X, y = load_digits(return_X_y=True)
    Z = PCA(10, random_state=0).fit_transform(X)
    plain, merged = (
        [clustering_accuracy(y, STARTS[name](Z, Z, 10, 6, s)[1]) for s in range(3)]
        for name in ("view-mixture", "merged-mixture")
    )
    assert np.mean(merged) > np.mean(plain) + 0.03


def test_merged_mixtures_come_in_the_order_of_their_scores():
    Z = np.random.default_rng(0).normal(size=(200, 4))  # with no clusters to find
    found = merged_mixtures(Z, 4, 6, 0)
    near = np.argsort(squareform(pdist(Z)), axis=1)[:, 1:11]
    scores = []
    for labels, parts in found:
        assert len(set(zip(parts, labels))) == len(set(parts)) > 4
        of_sample, of_neighbour = np.repeat(labels, 10), labels[near].ravel()
        # each edge from either end: the graph is symmetric
        ends = [
            np.concatenate([of_sample, of_neighbour]),
            np.concatenate([of_neighbour, of_sample]),
        ]
        scores.append(net_information(ends, price=0.5))
    assert len(found) == 6
    assert scores == sorted(scores, reverse=True) and scores[0] > scores[-1]
    assert all(set(labels) == {0, 1, 2, 3} for labels, _ in found)
    first = STARTS["merged-mixture"](Z - 1, Z, 4, 6, 0)
    assert_array_equal(first[1], found[0][0])


def test_runs_take_the_numbers_of_parts_by_turns(blobs, monkeypatch):
    Z, _ = blobs
    numbers = []

    def spy(self, X, y=None):
        numbers.append(self.n_components)
        return fit(self, X)

    fit = mixtures.GaussianMixture.fit
    monkeypatch.setattr(mixtures.GaussianMixture, "fit", spy)
    merged_mixtures(Z, 4, 4, 0)
    assert numbers == [6, 8, 10, 6]
    numbers.clear()
    merged_mixtures(Z[:70], 4, 3, 0)  # ten samples a part at least
    assert numbers == [6, 7, 7]


@pytest.mark.parametrize(
    "n_clusters, n_init, n_runs",
    [(5, 8, 8), (10, 8, 8), (16, 8, 5), (30, 8, 3), (30, 2, 2)],
)
def test_of_many_clusters_there_are_fewer_runs(n_clusters, n_init, n_runs, monkeypatch):
    Z = np.random.default_rng(0).normal(size=(400, 4))
    monkeypatch.setattr(mixtures, "PARTS", (1.2,))
    assert len(merged_mixtures(Z, n_clusters, n_init, 0)) == n_runs


def test_several_starts_are_a_mixture_and_the_parts_of_six_merged_ones():
    Z = np.random.default_rng(0).normal(size=(200, 4))  # with no clusters to find
    starts_ = several_starts(Z, Z + 1, 5, 8, 0)
    assert list(starts_) == ["view-mixture", *(f"parts {i + 1}" for i in range(6))]
    mixture = STARTS["view-mixture"](Z, Z + 1, 5, 2, 0)  # a quarter of the runs
    assert_array_equal(starts_["view-mixture"][1], mixture[1])
    runs = merged_mixtures(Z + 1, 5, 8, 0)
    distinct = []
    for labels, parts in runs:
        if all(adjusted_rand_score(labels, other) < 0.97 for other, _ in distinct):
            distinct.append((labels, parts))
    for i in range(6):
        centres, labels = starts_[f"parts {i + 1}"]
        assert_array_equal(labels, distinct[i][1])
        assert 5 < len(centres) <= 12
        assert_allclose(centres, cluster_means(Z, labels, len(centres)))


def test_of_merged_mixtures_that_are_one_start_the_parts_of_the_first_are_tried(blobs):
    Z, _ = blobs
    assert list(several_starts(Z, Z, 5, 8, 0)) == ["view-mixture", "parts 1"]


@pytest.mark.parametrize("name", STARTS)
def test_the_same_seed_gives_the_same_start(name, blobs):
    Z, _ = blobs
    first, second = (STARTS[name](Z, Z, 5, 5, 7) for _ in range(2))
    assert_array_equal(first[0], second[0])
    assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.parametrize("n_samples", [1, 4, 30])
def test_few_samples_and_a_single_cluster(name, n_samples):
    Z = np.random.default_rng(0).normal(size=(n_samples, 3))
    for n_clusters in {1, min(4, n_samples)}:
        centres, labels = STARTS[name](Z, Z, n_clusters, 3, 0)
        assert centres.shape == (n_clusters, 3)
        assert_array_equal(np.unique(labels), np.arange(n_clusters))


def test_spectral_parts_what_k_means_cannot():
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, size=600)
    radius = np.where(np.arange(600) < 300, 1.0, 3.0)
    rings = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    y = np.arange(600) >= 300
    assert adjusted_rand_score(y, spectral_start(rings, rings, 2, 3, 0)[1]) > 0.99
    assert adjusted_rand_score(y, STARTS["k-means"](rings, rings, 2, 3, 0)[1]) < 0.5


def test_spectral_takes_the_graph_from_the_views_and_the_centres_from_Z(blobs):
    Z, y = blobs
    noise = np.random.default_rng(0).normal(size=Z.shape)
    centres, labels = spectral_start(noise, Z, 5, 5, 0)
    assert adjusted_rand_score(y, labels) > 0.98
    assert_allclose(centres, cluster_means(noise, labels, 5))


@pytest.mark.parametrize("name", SAMPLED)
def test_samples_beyond_the_many_that_are_used_join_the_others(
    name, blobs, monkeypatch
):
    Z, y = blobs
    monkeypatch.setattr(sizes, "MAX_SAMPLES", 150)
    centres, labels = STARTS[name](Z, Z, 5, 5, 0)
    assert adjusted_rand_score(y, labels) > 0.98
    assert_allclose(centres, cluster_means(Z, labels, 5))


def test_of_more_than_10_000_samples_a_random_10_000_make_the_mixture(monkeypatch):
    Z, y = make_blobs(10_500, centers=3, cluster_std=0.3, random_state=3)
    fit, fitted = mixtures.GaussianMixture.fit, []

    def spy(self, X, y=None):
        fitted.append(X)
        return fit(self, X)

    monkeypatch.setattr(mixtures.GaussianMixture, "fit", spy)
    _, labels = STARTS["view-mixture"](Z, Z, 3, 1, 0)
    assert [len(np.unique(X, axis=0)) for X in fitted] == [10_000]
    assert adjusted_rand_score(y, labels) > 0.99


def test_runs_side_by_side_come_in_their_order():
    before = torch.get_num_threads()
    try:
        for n_threads in (1, 3):
            torch.set_num_threads(n_threads)
            found = mixtures.side_by_side(pow, [(2, 5), (3, 2), (7, 1), (2, 0)])
            assert found == [32, 9, 7, 1]
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["view-mixture", "merged-mixture"])
def test_mixtures_do_not_depend_on_the_number_of_threads(name, blobs):
    Z, _ = blobs
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        centres, labels = STARTS[name](Z, Z, 7, 6, 0)
        torch.set_num_threads(3)
        others, of_others = STARTS[name](Z, Z, 7, 6, 0)
    finally:
        torch.set_num_threads(before)
    assert_array_equal(labels, of_others)
    assert_array_equal(centres, others)


@pytest.mark.parametrize("name", ["gaussian-mixture", "view-mixture", "merged-mixture"])
def test_a_mixture_that_has_not_converged_will_do(name, blobs, monkeypatch):
    Z, _ = blobs
    short = functools.partial(mixtures.GaussianMixture, max_iter=1)
    monkeypatch.setattr(mixtures, "GaussianMixture", short)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        centres, labels = STARTS[name](Z, Z, 5, 3, 0)
    assert centres.shape == (5, 4)
    assert len(labels) == len(Z)


@pytest.mark.parametrize("scale", [1e-5, 1e-2, 1e4, 1e8])
@pytest.mark.parametrize("name", ["gaussian-mixture", "merged-mixture"])
def test_mixtures_do_not_depend_on_the_scale_of_the_embedding(name, scale, blobs):
    Z, _ = blobs
    _, labels = STARTS[name](Z, Z, 5, 4, 0)
    _, scaled = STARTS[name](scale * Z, scale * Z, 5, 4, 0)
    assert adjusted_rand_score(labels, scaled) == 1


def test_parts_that_are_fewer_than_the_clusters_are_no_start(blobs, monkeypatch):
    Z, y = blobs
    few = [(y, np.zeros_like(y)), (y, y)]
    monkeypatch.setattr(several, "merged_mixtures", lambda *args: few)
    starts = several_starts(Z, Z, 5, 4, 0)
    assert [len(centres) for centres, _ in starts.values()] == [5, 5]


def test_runs_are_threads_whatever_backend_is_chosen():
    def process(_):
        return os.getpid()

    with joblib.parallel_config("multiprocessing", n_jobs=2):
        assert set(side_by_side(process, zip(range(4)))) == {os.getpid()}
