"""Clustering accuracy against brute force, and at the edges."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from deepdensity.metrics import clustering_accuracy


def brute_force_accuracy(y_true, y_pred):
    """The definition: every one-to-one matching is tried."""
    classes, clusters = sorted(set(y_true)), sorted(set(y_pred))
    spare = [None] * max(0, len(clusters) - len(classes))
    return max(
        np.mean([dict(zip(clusters, m))[c] == y for y, c in zip(y_true, y_pred)])
        for m in permutations(classes + spare, len(clusters))
    )


@pytest.mark.parametrize("n_clusters", [1, 2, 4, 6])
@pytest.mark.parametrize("n_classes", [1, 3, 5])
def test_equals_brute_force(n_classes, n_clusters):
    random = np.random.RandomState(10 * n_classes + n_clusters)
    for n_samples in (1, 7, 40):
        y_true = random.randint(n_classes, size=n_samples)
        y_pred = random.randint(n_clusters, size=n_samples)
        accuracy = clustering_accuracy(y_true, y_pred)
        assert accuracy == pytest.approx(brute_force_accuracy(y_true, y_pred))


def test_greedy_matching_would_be_worse():
    """The largest overlap, 4, must be given up for 3 + 3."""
    y_true = [0] * 7 + [1] * 3
    y_pred = [0] * 4 + [1] * 3 + [0] * 3
    assert clustering_accuracy(y_true, y_pred) == 0.6


def test_names_of_the_clusters_do_not_matter():
    random = np.random.RandomState(0)
    y_true, y_pred = random.randint(4, size=(2, 50))
    expected = clustering_accuracy(y_true, y_pred)
    names = np.array(["plum", "fig", "pear", "quince"])
    assert clustering_accuracy(names[y_true], y_pred) == expected
    assert clustering_accuracy(y_true, names[y_pred]) == expected
    assert clustering_accuracy(y_true, 100 - 7 * y_pred) == expected
    assert clustering_accuracy(y_pred, y_true) == expected


@pytest.mark.parametrize("kind", [list, tuple, pd.Series, pd.Categorical])
def test_kinds_of_labels(kind):
    assert clustering_accuracy(kind([3, 3, 8, 8]), kind([0, 0, 1, 0])) == 0.75
    assert clustering_accuracy(kind(["a", "b"]), kind(["b", "a"])) == 1.0


def test_edges():
    assert clustering_accuracy([5], [2]) == 1.0
    assert clustering_accuracy([0, 0, 0, 0], [0, 1, 2, 3]) == 0.25
    assert clustering_accuracy([0, 1, 2, 3], [0, 0, 0, 0]) == 0.25
    assert isinstance(clustering_accuracy([0, 1], [0, 1]), float)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        ([], [], "0 sample"),
        ([0, 1], [0, 1, 2], "inconsistent numbers of samples"),
        ([[0, 1], [1, 0]], [0, 1], "1d array"),
        ([0, np.nan], [0, 1], "y_true contains NaN"),
        ([0, 1], [0, np.nan], "y_pred contains NaN"),
        (["a", None], [0, 1], "y_true holds None"),
    ],
)
def test_invalid_labels(y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        clustering_accuracy(y_true, y_pred)
