"""The nearest neighbours of each sample among principal components."""

import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import sparse

from deepdensity import neighbours
from deepdensity.neighbours import (
    nearest_neighbours,
    neighbours_in_cluster,
    without_itself,
)

from . import reference
from .common import digit_vectors, digits_source, source_of


def vectors(n, d=6, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize(
    ("n", "d", "power"),
    [(2, 3, 0.5), (7, 2, 0.5), (12, 1, 0.5), (60, 49, 0.5), (60, 50, 1), (3, 50, 1)],
)
def test_neighbours_agree_with_the_loop(n, d, power):
    source = source_of(vectors(n, d))
    found = nearest_neighbours(source, 0)
    m = min(10, n - 1)
    assert found.shape == (n, m)
    x = source.read(slice(0, n)).double().numpy()
    expected = reference.nearest_neighbours(x, m, power)
    assert_array_equal(np.sort(found), np.sort(expected))


def test_in_a_plane_neighbours_are_near_and_not_in_one_direction_alone():
    angle = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    X = np.concatenate([ring, 3 * ring])  # two rings: each direction in both
    found = nearest_neighbours(source_of(X), 0)
    assert (found[:80] < 80).all()
    assert (found[80:] >= 80).all()


@pytest.mark.parametrize("image", [False, True])
def test_neighbours_are_sought_among_50_components(image):
    source = digits_source(image, n=120)
    x = source.read(slice(0, 120)).flatten(1).double().numpy()
    centred = x - x.mean(0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    expected = reference.nearest_neighbours(centred @ directions[:50].T, 10)
    found = nearest_neighbours(source, 0)
    same = [len(np.intersect1d(a, b)) for a, b in zip(found, expected)]
    assert np.mean(same) > 9.9  # float32 may turn a near tie


def test_nobody_is_its_own_neighbour():
    for X in (vectors(40), np.repeat(vectors(4), 10, axis=0), np.ones((40, 3))):
        found = nearest_neighbours(source_of(X), 0)
        assert found.shape == (40, 10)
        assert (found != np.arange(40)[:, None]).all()
        assert all(len(set(row)) == 10 for row in found.tolist())


def test_constant_data_give_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nearest_neighbours(source_of(np.ones((40, 3))), 0)


def test_a_lone_sample_has_none():
    assert nearest_neighbours(source_of(vectors(1)), 0) is None


def test_sparse_samples_have_the_neighbours_of_dense_ones():
    X, _ = digit_vectors(80)
    dense = nearest_neighbours(source_of(X), 0)
    assert_array_equal(nearest_neighbours(source_of(sparse.csr_array(X)), 0), dense)


def test_of_many_samples_a_random_part_may_be_neighbours(monkeypatch):
    monkeypatch.setattr(neighbours, "MAX_REFERENCE", 30)
    monkeypatch.setattr(neighbours, "MAX_FITTED", 70)
    monkeypatch.setattr(neighbours, "BLOCK", 16)
    X = vectors(100)
    found = nearest_neighbours(source_of(X), 0)
    assert found.shape == (100, 10)
    assert (found != np.arange(100)[:, None]).all()
    chosen = np.unique(found)
    assert len(chosen) == 30
    assert not np.array_equal(chosen, np.unique(nearest_neighbours(source_of(X), 1)))


def test_blocks_of_samples_do_not_matter(monkeypatch):
    source = source_of(vectors(100))
    whole = nearest_neighbours(source, 0)
    monkeypatch.setattr(neighbours, "BLOCK", 7)
    assert_array_equal(nearest_neighbours(source, 0), whole)


def test_neighbours_follow_the_seed_and_touch_no_global_generator(monkeypatch):
    monkeypatch.setattr(neighbours, "MAX_REFERENCE", 30)
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, second = (nearest_neighbours(source_of(vectors(99)), 5) for _ in range(2))
    assert_array_equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)
    assert_array_equal(np.random.get_state()[1], numpy_state)


def test_a_list_loses_the_sample_itself_or_else_the_farthest():
    found = np.array([[0, 4, 5], [7, 1, 3], [8, 9, 6], [5, 6, 3]])
    assert_array_equal(
        without_itself(found, np.arange(4)), [[4, 5], [7, 3], [8, 9], [5, 6]]
    )


@pytest.mark.parametrize("d", [6, 60])
def test_beyond_the_reference_neighbours_are_by_the_same_distance(d, monkeypatch):
    source = source_of(vectors(60, d))
    exact = nearest_neighbours(source, 0)
    monkeypatch.setattr(neighbours, "MAX_REFERENCE", 59)
    found = nearest_neighbours(source, 0)
    missing = np.setdiff1d(np.arange(60), found)
    assert len(missing) <= 1  # the one sample that is no reference
    for own, others in zip(found, exact):
        kept = others[~np.isin(others, missing)]
        assert_array_equal(own[: len(kept)], kept)


@pytest.mark.parametrize(
    ("n_samples", "n_clusters", "number"),
    [(7674, 8, 10), (200, 10, 10), (199, 10, 9), (150, 10, 7), (20, 4, 2), (16, 10, 0)],
)
def test_neighbours_are_at_most_half_of_a_cluster(n_samples, n_clusters, number):
    assert neighbours_in_cluster(n_samples, n_clusters) == number


def test_at_most_so_many_neighbours_are_found_and_0_is_the_sample_itself():
    source = digits_source(n=40)
    all_ten = nearest_neighbours(source, 0)
    for m in (1, 3):
        assert_array_equal(nearest_neighbours(source, 0, m), all_ten[:, :m])
    assert_array_equal(nearest_neighbours(source, 0, 0), np.arange(40)[:, None])
