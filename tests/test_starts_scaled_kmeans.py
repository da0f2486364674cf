"""k-means at several scalings of length, and the choice among its runs."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import pdist, squareform
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import normalize

from deepdensity.assignment import cluster_means
from deepdensity.information import net_information
from deepdensity.starts import STARTS, scaled_kmeans, scaled_kmeans_start, sizes
from deepdensity.starts.scaled_kmeans import adjusted_rand, most_central


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(400, centers=5, n_features=4, cluster_std=0.5, random_state=3)


def directions(spread=0.05):
    """Three clusters a little apart in direction, and from 1 to 4 in length."""
    random = np.random.default_rng(0)
    y = np.arange(600) % 3
    Z = normalize(0.9 + np.eye(3, 8))[y] + spread * random.normal(size=(600, 8))
    return Z * random.uniform(1, 4, size=(600, 1)), y


def test_where_length_says_nothing_directions_make_the_clusters():
    Z, y = directions()
    assert adjusted_rand_score(y, STARTS["k-means"](Z, Z, 3, 5, 0)[1]) < 0.5
    assert adjusted_rand_score(y, scaled_kmeans_start(Z, Z, 3, 5, 0)[1]) > 0.98


def test_where_length_tells_clusters_apart_it_counts():
    y = np.arange(600) % 3
    noise = np.random.default_rng(0).normal(size=(600, 4))
    Z = np.array([1.0, 5.0, 9.0])[y, None] * np.ones(4) + 0.3 * noise
    assert adjusted_rand_score(y, scaled_kmeans_start(Z, Z, 3, 5, 0)[1]) > 0.98


def test_the_labels_are_those_of_the_nearest_centre():
    Z, _ = directions(spread=0.2)
    centres, labels = scaled_kmeans_start(Z, Z, 4, 3, 0)
    distances = ((Z[:, None] - centres) ** 2).sum(2)
    assert_array_equal(labels, distances.argmin(1))


def test_rows_of_zeros_have_no_direction_and_do_no_harm():
    Z, y = directions()
    Z[:5] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        centres, labels = scaled_kmeans_start(Z, Z, 3, 5, 0)
    assert np.isfinite(centres).all()
    assert adjusted_rand_score(y[5:], labels[5:]) > 0.98


def test_runs_are_scored_by_the_clusters_of_neighbours_and_one_of_them_counts(
    monkeypatch,
):
    Z, _ = directions(spread=0.2)
    seen = {}

    def spy(partitions, scores):
        seen.update(partitions=partitions, scores=scores)
        return 7

    monkeypatch.setattr(scaled_kmeans, "most_central", spy)
    _, labels = scaled_kmeans_start(Z, Z, 4, 3, 0)
    assert len(seen["partitions"]) == 6 * 3
    near = np.argsort(squareform(pdist(Z)), axis=1)[:, 1:26]  # 600 / 4 / 6
    for partition, score in zip(seen["partitions"], seen["scores"]):
        pairs = [np.repeat(partition, 25), partition[near].ravel()]
        assert_allclose(score, net_information(pairs))
    assert_array_equal(labels, seen["partitions"][7])


def test_one_partition_in_each_scaling_of_the_vectors_and_of_their_means(monkeypatch):
    Z, _ = directions(spread=0.2)
    fitted = []

    class Spy(scaled_kmeans.KMeans):
        def fit_predict(self, X):
            fitted.append(X)
            return super().fit_predict(X)

    monkeypatch.setattr(scaled_kmeans, "KMeans", Spy)
    scaled_kmeans_start(Z, Z, 4, 2, 0)
    near = np.argsort(squareform(pdist(Z)), axis=1)[:, :10]  # itself and nine others
    expected = [
        A / np.linalg.norm(A, axis=1, keepdims=True) ** power
        for A in (Z, Z[near].mean(1))
        for power in (0, 0.5, 1)
    ]
    assert len(fitted) == 12
    for found, scaled in zip(fitted, 2 * expected):
        assert_allclose(found, scaled)


# -- the most central ------------------------------------------------------------------


def random_partitions(n_partitions, seed=0):
    random = np.random.default_rng(seed)
    base = random.integers(0, 4, size=100)
    return [
        np.where(random.random(100) < 0.1 * i, random.integers(0, 4, size=100), base)
        for i in range(n_partitions)
    ]


def test_the_most_central_partition_by_loops():
    random = np.random.default_rng(1)
    for trial in range(5):
        partitions = random_partitions(8, seed=trial)
        scores = list(random.uniform(1, 1.1, size=8))
        expected = [
            sum(
                np.exp((score - max(scores)) / 0.03) * adjusted_rand_score(a, b)
                for b, score in zip(partitions, scores)
            )
            for a in partitions
        ]
        assert most_central(partitions, scores) == np.argmax(expected)


def test_the_highest_score_of_a_partition_on_its_own_does_not_count():
    a, *others = random_partitions(4)
    alone = np.roll(a, 50)
    assert most_central([alone, a, a, *others], [1.02, 1.0, 1.0, 1.0, 1.0, 1.0]) == 1


def test_many_partitions_of_low_scores_do_not_count():
    a, b, *_ = random_partitions(10)
    many = [np.roll(b, 50)] * 30
    assert most_central([*many, a, b], [0.84] * 30 + [1.0, 0.99]) == 30


def test_what_a_score_is_counted_from_does_not_matter():
    partitions = random_partitions(6)
    scores = np.random.default_rng(0).uniform(0, 0.1, size=6)
    found = {most_central(partitions, list(scores + by)) for by in (-500, 0, 500)}
    assert len(found) == 1
    assert most_central(partitions[:1], [-3.0]) == 0


def test_of_many_samples_some_are_clustered_and_all_go_to_their_nearest(
    blobs, monkeypatch
):
    Z, y = blobs
    monkeypatch.setattr(sizes, "MAX_SAMPLES", 150)
    centres, labels = scaled_kmeans_start(Z, Z, 5, 5, 0)
    assert adjusted_rand_score(y, labels) > 0.98
    distances = ((Z[:, None] - centres) ** 2).sum(2)
    assert_array_equal(labels, distances.argmin(1))
    assert_allclose(centres, cluster_means(Z, labels, 5), atol=0.3)  # not of all


def test_with_few_samples_of_the_draw_for_a_cluster_one_neighbour_is_compared(
    blobs, monkeypatch
):
    Z, _ = blobs
    monkeypatch.setattr(sizes, "MAX_SAMPLES", 60)  # of Z, six for a cluster and fewer
    monkeypatch.setattr(sizes, "MIN_PER_CLUSTER", 1)
    n_clusters = 20
    centres, labels = scaled_kmeans_start(Z, Z, n_clusters, 2, 0)
    assert centres.shape == (n_clusters, Z.shape[1])
    assert len(np.unique(labels)) > 5


@pytest.mark.parametrize("max_cells", [2**20, 100, 1])
def test_the_adjusted_rand_index_is_that_of_scikit_learn(max_cells, monkeypatch):
    monkeypatch.setattr(scaled_kmeans, "MAX_CELLS", max_cells)
    one = np.zeros(100, int)
    partitions = [*random_partitions(5), one, one, np.arange(100), np.arange(100) % 7]
    expected = [[adjusted_rand_score(a, b) for b in partitions] for a in partitions]
    found = adjusted_rand(np.stack(partitions))
    assert_allclose(found, expected, atol=1e-12)
