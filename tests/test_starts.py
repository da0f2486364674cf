"""Where the clusters start: partitions of blobs, centres, and the small cases."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from deepdensity import starts
from deepdensity.starts import (
    STARTS,
    cluster_means,
    gaussian_mixture_start,
    several_starts,
    spectral_start,
)


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


@pytest.mark.parametrize("name", ["k-means", "gaussian-mixture"])
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


def test_several_starts_are_those_of_their_names_and_differ_by_seed():
    Z = np.random.default_rng(0).normal(size=(100, 4))  # with no clusters to find
    starts_ = several_starts(Z, Z + 1, 5, 8, 0)
    assert {name.rstrip(" 123") for name in starts_} == STARTS.keys() - {"k-means"}
    for centres, labels in starts_.values():
        assert centres.shape == (5, 4)
        assert_allclose(centres, cluster_means(Z, labels, 5))
    spectral = spectral_start(Z, Z + 1, 5, 8, 0)
    assert_array_equal(starts_["spectral"][1], spectral[1])
    views = [starts_[f"view-mixture {i}"][1] for i in (1, 2, 3)]
    assert adjusted_rand_score(views[0], views[1]) < 0.99
    assert adjusted_rand_score(views[1], views[2]) < 0.99
    mixture = gaussian_mixture_start(Z, Z + 1, 5, 2, 0)  # a quarter of the runs
    assert_array_equal(starts_["gaussian-mixture"][1], mixture[1])


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


@pytest.mark.parametrize("name", ["gaussian-mixture", "view-mixture", "spectral"])
def test_samples_beyond_the_many_that_are_used_join_the_others(
    name, blobs, monkeypatch
):
    Z, y = blobs
    monkeypatch.setattr(starts, "MAX_SAMPLES", 150)
    centres, labels = STARTS[name](Z, Z, 5, 5, 0)
    assert adjusted_rand_score(y, labels) > 0.98
    assert_allclose(centres, cluster_means(Z, labels, 5))


def test_of_more_than_10_000_samples_a_random_10_000_make_the_mixture(monkeypatch):
    Z, y = make_blobs(10_500, centers=3, cluster_std=0.3, random_state=3)
    fit, fitted = starts.GaussianMixture.fit, []

    def spy(self, X, y=None):
        fitted.append(X)
        return fit(self, X)

    monkeypatch.setattr(starts.GaussianMixture, "fit", spy)
    _, labels = STARTS["view-mixture"](Z, Z, 3, 1, 0)
    assert [len(np.unique(X, axis=0)) for X in fitted] == [10_000]
    assert adjusted_rand_score(y, labels) > 0.99


def test_mean_of_a_cluster_that_is_empty_is_that_of_all():
    Z = np.arange(8.0).reshape(4, 2)
    means = cluster_means(Z, np.array([0, 0, 2, 2]), 3)
    assert_allclose(means, [[1, 2], [3, 4], [5, 6]])
