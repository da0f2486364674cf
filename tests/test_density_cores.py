"""Density cores and the nearness to them (IDCL, Eq. 9, 10 and 15)."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from deepdensity.assignment import soft_assignment
from deepdensity.density_cores import (
    DensityCores,
    core_silhouette,
    core_similarity,
    cores_of,
    density_core,
)
from deepdensity.losses import kl_divergence

from . import reference
from .common import points, random_assignment

TIGHT = {"rtol": 1e-10, "atol": 1e-12}
SIZES = [(1, 1, 1), (1, 4, 2), (12, 1, 3), (15, 2, 10), (20, 5, 4)]


def random_cores(seed, k, d):
    """The points of k cores of different sizes, and what the package keeps of them."""
    random = np.random.default_rng(seed)
    cores = [random.standard_normal((size, d)) for size in range(1, k + 1)]
    samples, Z = {}, np.concatenate(cores)
    for j in range(k):
        start = j * (j + 1) // 2
        samples[j] = np.arange(start, start + j + 1)
    nothing = DensityCores(torch.zeros(k, d).double(), torch.zeros(k).double())
    return cores, cores_of(torch.tensor(Z), samples, nothing)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fraction", [0.01, 0.05, 0.5, 1.0])
@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 6), (30, 1), (45, 4)])
def test_density_core_agrees_with_the_loop_over_clusters(seed, fraction, n, k):
    random = np.random.default_rng(seed)
    labels, rho = random.integers(k, size=n), random.exponential(size=n)
    cores = density_core(rho, labels, fraction)
    expected = reference.density_core(rho, labels, fraction)
    assert cores.keys() == expected.keys()
    for label, core in cores.items():
        assert_array_equal(core, expected[label])


def test_density_core_of_ties_takes_the_earlier_samples():
    cores = density_core(np.ones(8), np.array([1, 0, 1, 0, 1, 0, 1, 0]), 0.5)
    assert {label: list(core) for label, core in cores.items()} == {
        0: [1, 3],
        1: [0, 2],
    }


def test_every_cluster_has_a_core_however_small_the_fraction():
    cores = density_core(np.arange(3.0), np.array([0, 0, 1]), 1e-12)
    assert {label: list(core) for label, core in cores.items()} == {0: [1], 1: [2]}


def test_means_and_spreads_are_those_of_the_core_samples():
    Z = points(0, 30, 3)
    samples = {0: np.array([3, 5, 8]), 2: np.array([1])}
    before = DensityCores(torch.tensor(points(1, 3, 3)), torch.tensor([5.0, 6, 7]))
    before = DensityCores(before.means, before.spreads.double())
    cores = cores_of(torch.tensor(Z), samples, before)
    mean = (Z[3] + Z[5] + Z[8]) / 3
    spread = sum(reference.squared_distance(Z[i], mean) for i in (3, 5, 8)) / 3
    assert_allclose(cores.means[0], mean, **TIGHT)
    assert_allclose(cores.spreads[0], spread, **TIGHT)
    assert_allclose(cores.means[2], Z[1], **TIGHT)
    assert cores.spreads[2] == 0


def test_a_cluster_without_samples_keeps_its_core_and_the_old_cores_stay():
    before = DensityCores(torch.ones(2, 3).double(), torch.tensor([5.0, 6.0]).double())
    after = cores_of(torch.zeros(4, 3).double(), {1: np.array([0, 2])}, before)
    assert torch.equal(after.means[0], before.means[0])
    assert after.spreads[0] == 5
    assert_array_equal(after.means[1], np.zeros(3))
    assert_array_equal(before.means, np.ones((2, 3)))
    assert_array_equal(before.spreads, [5, 6])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "k", "d"), SIZES)
def test_core_similarity_is_the_mean_squared_distance_to_the_core(seed, n, k, d):
    Z = points(seed, n, d)
    core_points, cores = random_cores(seed + 10, k, d)
    found = core_similarity(torch.tensor(Z), cores)
    assert_allclose(found, reference.core_similarity(Z, core_points), **TIGHT)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 4), (9, 2), (30, 6)])
def test_core_silhouette_agrees_with_the_loop(seed, n, k):
    similarity = np.random.default_rng(seed).exponential(size=(n, k))
    found = core_silhouette(torch.tensor(similarity))
    assert_allclose(found, reference.core_silhouette(similarity), **TIGHT)
    assert found.min() >= 0
    assert found.max() <= 1


def test_core_silhouette_is_zero_half_way_and_one_at_a_core_point():
    similarity = torch.tensor([[2.0, 2.0, 9.0], [0.0, 3.0, 9.0], [0.0, 0.0, 0.0]])
    assert_array_equal(core_silhouette(similarity), [0, 1, 0])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n", "k", "d"), SIZES)
def test_gradient_of_the_divergence_is_the_published_equation_15(seed, n, k, d):
    Z = torch.tensor(points(seed, n, d), requires_grad=True)
    core_points, cores = random_cores(seed + 10, k, d)
    P = random_assignment(seed + 20, n, k)
    q = soft_assignment(core_similarity(Z, cores))
    (gradient,) = torch.autograd.grad(kl_divergence(torch.tensor(P), q), Z)
    expected = reference.kl_gradient_z(Z.detach().numpy(), core_points, P)
    assert_allclose(gradient, expected, **TIGHT)
