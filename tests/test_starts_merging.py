"""Parts merged to clusters: against the definition, and what it is for."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from deepdensity.starts.merging import merge_parts, merger_losses, part_counts


def information(shares, price):
    """I(c; c') - price H(c | c') by loops, of joint shares."""
    total = 0.0
    for a, b in itertools.product(range(len(shares)), repeat=2):
        if shares[a, b] > 0:
            independent = shares[a].sum() * shares[:, b].sum()
            total += shares[a, b] * np.log(shares[a, b] / independent)
            total += price * shares[a, b] * np.log(shares[a, b] / shares[:, b].sum())
    return total


def merged(shares, clusters):
    """Joint shares of clusters, from those of their parts, by loops."""
    k = max(clusters) + 1
    joint = np.zeros((k, k))
    for a, b in itertools.product(range(len(shares)), repeat=2):
        joint[clusters[a], clusters[b]] += shares[a, b]
    return joint


def some_counts(n_parts, seed, zeros=0.4):
    random = np.random.default_rng(seed)
    counts = random.integers(1, 9, size=(n_parts, n_parts)) * 1.0
    counts *= random.random((n_parts, n_parts)) > zeros
    return counts + counts.T + np.eye(n_parts)


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_the_edges_between_the_parts(seed):
    random = np.random.default_rng(seed)
    weights = np.triu(random.integers(3, size=(20, 20)), 1)
    weights = weights + weights.T
    parts = random.integers(4, size=20)
    expected = np.zeros((4, 4))
    for i, j in itertools.product(range(20), repeat=2):
        expected[parts[i], parts[j]] += weights[i, j]
    assert_allclose(part_counts(sparse.csr_matrix(weights), parts, 4), expected)


@pytest.mark.parametrize("n_parts", [2, 3, 6])
@pytest.mark.parametrize("price", [0, 0.5, 3])
@pytest.mark.parametrize("seed", range(3))
def test_the_loss_of_a_merger_is_the_score_before_less_that_after(n_parts, price, seed):
    shares = some_counts(n_parts, seed)
    shares /= shares.sum()
    losses = merger_losses(shares, price)
    for a, b in itertools.combinations(range(n_parts), 2):
        clusters = [a if part == b else part for part in range(n_parts)]
        clusters = np.unique(clusters, return_inverse=True)[1]
        after = information(merged(shares, clusters), price)
        expected = information(shares, price) - after
        assert_allclose([losses[a, b], losses[b, a]], expected, atol=1e-12)
    assert np.isinf(np.diag(losses)).all()


@pytest.mark.parametrize("n_clusters", [1, 2, 4])
@pytest.mark.parametrize("price", [0, 0.5, 3])
@pytest.mark.parametrize("seed", range(3))
def test_mergers_are_the_best_ones_one_after_the_other(seed, price, n_clusters):
    counts = some_counts(7, seed)
    shares = counts / counts.sum()
    groups = [[part] for part in range(7)]
    while len(groups) > n_clusters:
        best = None
        for a, b in itertools.combinations(range(len(groups)), 2):
            tried = [g for i, g in enumerate(groups) if i not in (a, b)]
            tried.append(groups[a] + groups[b])
            clusters = np.empty(7, int)
            for label, group in enumerate(tried):
                clusters[group] = label
            value = information(merged(shares, clusters), price)
            if best is None or value > best[0]:
                best = value, tried
        groups = best[1]
    found, value = merge_parts(counts, n_clusters, price)
    assert {tuple(sorted(g)) for g in groups} == {
        tuple(np.flatnonzero(found == label)) for label in range(n_clusters)
    }
    assert_allclose(value, information(merged(shares, found), price), atol=1e-12)
    assert sorted(set(found)) == list(range(n_clusters))


def test_as_many_clusters_as_parts_are_the_parts():
    counts = some_counts(5, 0)
    found, value = merge_parts(counts, 5)
    assert_array_equal(found, np.arange(5))
    assert_allclose(value, information(counts / counts.sum(), 0.5))


def test_a_part_without_an_edge_does_no_harm():
    counts = some_counts(5, 0)
    counts[2] = counts[:, 2] = 0
    found, value = merge_parts(counts, 3)
    assert np.isfinite(value) and len(set(found)) == 3


def test_halves_of_a_cluster_are_merged_and_a_few_edges_make_no_chain():
    # four clusters of two halves each, and weak edges from each half to the next
    counts = np.kron(np.eye(4), [[90.0, 30.0], [30.0, 90.0]])
    chain = np.eye(8, k=1) + np.eye(8, k=-1)
    found, _ = merge_parts(counts + 2 * chain * (counts == 0), 4)
    assert_array_equal(found, np.repeat(np.arange(4), 2))
