"""The repair of partitions: normalised cuts, the best cut, what is split and merged."""

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import adjusted_rand_score

from deepdensity.starts import split_merge
from deepdensity.starts.sizes import MAX_SAMPLES
from deepdensity.starts.split_merge import (
    NeighbourGraph,
    best_cut,
    neighbour_graph,
    pair_cuts,
    prefix_cuts,
    split_and_merge,
)

from . import reference


def random_graph(seed, n=12, density=0.5):
    random = np.random.default_rng(seed)
    W = np.triu(
        random.uniform(size=(n, n)) * (random.uniform(size=(n, n)) < density), 1
    )
    return W + W.T


def two_cliques(sizes, bridge=0.5):
    """Complete graphs, with one edge between them."""
    n = sum(sizes)
    W = np.zeros((n, n))
    W[: sizes[0], : sizes[0]] = W[sizes[0] :, sizes[0] :] = 1
    W[sizes[0] - 1, sizes[0]] = W[sizes[0], sizes[0] - 1] = bridge
    np.fill_diagonal(W, 0)
    return W


# -- cuts ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_pair_cuts_agree_with_the_loop(seed):
    W = random_graph(seed)
    labels = np.random.default_rng(seed).integers(3, size=12)
    found = pair_cuts(sparse.csr_matrix(W), labels, 4)
    for a in range(4):
        for b in range(4):
            expected = 0.0
            if a != b and (labels == a).any() and (labels == b).any():
                both = np.flatnonzero((labels == a) | (labels == b))
                side = labels[both] == a
                expected = reference.normalised_cut(W[np.ix_(both, both)], side)
            assert_allclose(found[a, b], expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("seed", range(4))
def test_prefix_cuts_agree_with_the_loop(seed):
    W = random_graph(seed, n=9, density=0.9)
    found = prefix_cuts(sparse.csr_matrix(W))
    expected = [reference.normalised_cut(W, np.arange(9) < i) for i in range(1, 9)]
    assert_allclose(found, expected, rtol=1e-12)


def test_a_node_without_edges_is_no_cheap_cut():
    W = two_cliques((4, 4))
    W[0] = W[:, 0] = 0
    cuts = prefix_cuts(sparse.csr_matrix(W))
    assert cuts[0] == 1
    assert cuts.argmin() == 3


def test_where_there_is_no_edge_every_cut_is_as_bad():
    assert_array_equal(prefix_cuts(sparse.csr_matrix((5, 5))), [2.0] * 4)
    value, side = best_cut(sparse.csr_matrix((5, 5)), 1)
    assert value == 2
    assert 1 <= side.sum() <= 4


@pytest.mark.parametrize("sizes", [(6, 6), (4, 9), (10, 5)])
def test_the_best_cut_goes_between_two_cliques(sizes):
    W = two_cliques(sizes)
    order = np.random.default_rng(0).permutation(len(W))
    value, side = best_cut(sparse.csr_matrix(W[order][:, order]), 2)
    assert adjusted_rand_score(order < sizes[0], side) == 1
    assert_allclose(value, reference.normalised_cut(W, np.arange(len(W)) < sizes[0]))


@pytest.mark.parametrize("seed", range(6))
def test_the_best_cut_is_near_the_lowest_of_all(seed):
    W = random_graph(seed, n=10, density=0.6)
    value, side = best_cut(sparse.csr_matrix(W), 2)
    assert_allclose(value, reference.normalised_cut(W, side), rtol=1e-12)
    every = [
        reference.normalised_cut(W, np.isin(np.arange(10), chosen))
        for size in range(2, 6)
        for chosen in combinations(range(10), size)
    ]
    assert min(every) - 1e-12 <= value <= 1.15 * min(every)


@pytest.mark.parametrize("least", [1, 3, 5])
def test_either_side_of_a_cut_has_the_least_number_of_nodes(least):
    W = two_cliques((2, 9))
    _, side = best_cut(sparse.csr_matrix(W), least)
    assert least <= side.sum() <= 11 - least


@pytest.mark.parametrize(("n", "least"), [(0, 1), (2, 1), (9, 5)])
def test_a_graph_that_is_too_small_is_not_cut(n, least):
    value, side = best_cut(sparse.csr_matrix(np.ones((n, n))), least)
    assert value == np.inf
    assert_array_equal(side, np.zeros(n, bool))


def test_a_graph_in_two_parts_is_cut_between_them_without_a_warning(recwarn):
    value, side = best_cut(sparse.csr_matrix(two_cliques((8, 7), bridge=0)), 3)
    assert value == 0
    assert side.sum() in (7, 8)
    assert not recwarn.list


# -- the graph -------------------------------------------------------------------------


def test_the_graph_joins_nearest_neighbours_either_way():
    points = np.random.default_rng(0).normal(size=(40, 3))
    graph = neighbour_graph(points, np.random.RandomState(0))
    assert_array_equal(graph.rows, np.arange(40))
    distances = ((points[:, None] - points) ** 2).sum(2)
    near = np.zeros((40, 40))
    for i, row in enumerate(distances):
        near[i, [j for j in np.argsort(row) if j != i][:10]] = 1
    assert_allclose(graph.weights.toarray(), (near + near.T) / 2)


def test_of_many_samples_some_are_the_nodes():
    points = np.random.default_rng(0).normal(size=(MAX_SAMPLES + 500, 2))
    graph = neighbour_graph(points, np.random.RandomState(0))
    assert len(np.unique(graph.rows)) == len(graph.rows) == MAX_SAMPLES
    assert graph.weights.shape == (MAX_SAMPLES, MAX_SAMPLES)
    assert (np.diff(graph.rows) > 0).all()


# -- split and merge -------------------------------------------------------------------


def blobs(n_samples=600):
    """Points, and their five clusters: 0 and 1 are close to each other."""
    X, y = make_blobs(n_samples, centers=5, n_features=6, random_state=3)
    X[y == 1] += X[y == 0].mean(0) - X[y == 1].mean(0) + 2.5
    return X, y


def faulty(X, y):
    """Clusters 0 and 1 merged, cluster 4 cut in two."""
    half = (y == 4) & (X[:, 0] > np.median(X[y == 4, 0]))
    return np.where(half, 1, np.where(y == 1, 0, y))


def test_a_small_cluster_that_hangs_together_with_none_is_left_alone():
    random = np.random.default_rng(0)
    centres = [[50, 50], [0, 0], [3, 0], [0, 30]]
    sizes = [12, 100, 100, 100]
    X = np.vstack([random.normal(c, 1, (m, 2)) for c, m in zip(centres, sizes)])
    labels = np.repeat(range(4), sizes)
    graph = neighbour_graph(X, np.random.RandomState(0))
    assert not pair_cuts(graph.weights, labels, 4)[0].any()
    assert split_and_merge(graph, labels, 4) is None


def test_what_was_merged_and_cut_is_mended():
    X, y = blobs()
    graph = neighbour_graph(X, np.random.RandomState(0))
    labels = faulty(X, y)
    kept = labels.copy()
    assert adjusted_rand_score(y, labels) < 0.8
    repair = split_and_merge(graph, labels, 5)
    assert adjusted_rand_score(y, repair.labels) > 0.98
    assert_array_equal(repair.split, labels == 0)
    assert_array_equal(labels, kept)


def test_samples_of_the_graph_go_where_the_cut_puts_them(monkeypatch):
    X, y = blobs()
    labels = faulty(X, y)
    graph = neighbour_graph(X, np.random.RandomState(0))
    members = np.flatnonzero(labels == 0)
    side = np.random.default_rng(0).integers(2, size=len(members)).astype(bool)
    whole = np.zeros(0, bool)

    def cut(weights, least):
        found = weights.shape[0] == len(members)
        return (0.0, side) if found else (np.inf, whole)

    assert [np.sum(labels == j) for j in range(5)].count(len(members)) == 1
    monkeypatch.setattr(split_merge, "best_cut", cut)
    repair = split_and_merge(graph, labels, 5)
    assert_array_equal(repair.split, labels == 0)
    freed = repair.labels[members[side]]
    assert len(np.unique(freed)) == 1
    assert_array_equal(repair.labels[members] == freed[0], side)


def test_the_cluster_that_is_cut_is_not_merged(monkeypatch):
    X, y = blobs()
    labels = faulty(X, y)
    together = np.zeros((5, 5))
    together[0, 2] = together[2, 0] = 1.9  # 0 is cut, whatever else
    together[1, 3] = together[3, 1] = 1.5
    monkeypatch.setattr(split_merge, "pair_cuts", lambda *args: together.copy())
    repair = split_and_merge(neighbour_graph(X, np.random.RandomState(0)), labels, 5)
    assert_array_equal(repair.split, labels == 0)
    assert len(np.unique(repair.labels[(labels == 1) | (labels == 3)])) == 1
    assert_array_equal(repair.labels[labels == 2], 2)


def test_what_has_been_cut_in_vain_is_spared():
    X, y = blobs()
    graph = neighbour_graph(X, np.random.RandomState(0))
    labels = np.where(y == 1, 0, np.where(y == 3, 2, y))  # two merged pairs, 1, 3 free
    first = split_and_merge(graph, labels, 5)
    cut = labels[first.split][0]
    nearly = first.split.copy()  # after training it is not the same to the last sample
    nearly[np.flatnonzero(first.split)[:5]] = False
    second = split_and_merge(graph, labels, 5, [nearly])
    assert {cut, labels[second.split][0]} == {0, 2}
    half = first.split & (np.arange(600) % 2 == 0)
    again = split_and_merge(graph, labels, 5, [half])
    assert_array_equal(again.split, first.split)
    everything = [labels == label for label in range(5)]
    assert split_and_merge(graph, labels, 5, everything) is None


def test_a_right_partition_is_left_as_it_is():
    X, y = blobs()
    assert split_and_merge(neighbour_graph(X, np.random.RandomState(0)), y, 5) is None


@pytest.mark.parametrize("n_left", [0, 1, 20])
def test_the_label_of_a_small_cluster_goes_to_half_of_a_merged_one(n_left):
    X, y = blobs()
    labels = np.where(y == 1, 0, y)
    labels[np.flatnonzero(y == 4)[:n_left]] = 1
    repair = split_and_merge(neighbour_graph(X, np.random.RandomState(0)), labels, 5)
    assert adjusted_rand_score(y, repair.labels) > 0.98


def test_samples_out_of_the_graph_follow_their_neighbours():
    X, y = blobs()
    rows = np.sort(np.random.default_rng(0).choice(600, 300, replace=False))
    whole = neighbour_graph(X[rows], np.random.RandomState(0))
    graph = NeighbourGraph(rows, X, whole.weights)
    repair = split_and_merge(graph, faulty(X, y), 5)
    assert adjusted_rand_score(y, repair.labels) > 0.97


def test_a_single_cluster_cannot_be_mended():
    X, _ = blobs(50)
    graph = neighbour_graph(X, np.random.RandomState(0))
    assert split_and_merge(graph, np.zeros(50, int), 1) is None


def test_digits_that_were_merged_come_apart():
    X, y = load_digits(return_X_y=True)
    labels = np.where(y == 6, 0, y)  # merged
    half = (y == 3) & (X[:, 21] > np.median(X[y == 3, 21]))
    labels[half] = 6
    graph = neighbour_graph(X, np.random.RandomState(0))
    repair = split_and_merge(graph, labels, 10)
    assert adjusted_rand_score(y, repair.labels) > 0.99
