"""Soft assignment, targets and KL (IDCL, Eq. 11 and 12; DECS, Eq. 5)."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from deepdensity.assignment import (
    cluster_balance,
    cluster_means,
    kernel_scale,
    soft_assignment,
    target_distribution,
)
from deepdensity.distances import squared_distances_to

from . import reference
from .common import points, random_assignment

TIGHT = {"rtol": 1e-10, "atol": 1e-12}
SIZES = [(1, 1, 1), (1, 4, 2), (12, 1, 3), (15, 2, 10), (20, 5, 4)]


# -- soft assignment -------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("alpha", [0.01, 0.5, 1.0, 3.0, 100.0])
@pytest.mark.parametrize(("n", "k", "d"), SIZES)
def test_soft_assignment_agrees_with_the_loop(seed, alpha, n, k, d):
    distances = reference.squared_distances_to(
        points(seed, n, d), points(seed + 10, k, d)
    )
    q = soft_assignment(torch.tensor(distances), alpha)
    assert_allclose(q, reference.soft_assignment(distances, alpha), **TIGHT)
    assert_allclose(q.sum(1), np.ones(n), rtol=1e-12)


def test_soft_assignment_has_one_degree_of_freedom_by_default():
    distances = torch.tensor(points(0, 6, 3) ** 2)
    assert torch.equal(soft_assignment(distances), soft_assignment(distances, 1.0))


@pytest.mark.parametrize("scale", [1e-200, 1e100, 1e250])
def test_no_sample_is_too_near_or_too_far_to_be_assigned(scale):
    distances = scale * torch.tensor([[1.0, 1.0, 4.0]], dtype=torch.float64)
    q = soft_assignment(distances)
    assert_allclose(q.sum(), 1.0, rtol=1e-12)
    assert q[0, 0] == q[0, 1]
    if scale > 1:
        assert_allclose(q[0], np.array([4, 4, 1]) / 9, rtol=1e-10)


def test_soft_assignment_to_equal_centres_is_equal():
    q = soft_assignment(torch.full((3, 4), 2.5, dtype=torch.float64))
    assert_allclose(q, np.full((3, 4), 0.25), rtol=1e-12)


# -- the kernel's unit and the balance of the clusters ---------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("width", [0.01, 1.0, 100.0])
@pytest.mark.parametrize(("n", "k", "d"), SIZES)
def test_kernel_scale_agrees_with_the_loop(seed, width, n, k, d):
    Z, centres = width * points(seed, n, d), width * points(seed + 10, k, d)
    distances = reference.squared_distances_to(Z, centres)
    labels = np.random.default_rng(seed).integers(k, size=n)
    found = kernel_scale(Z, centres, labels)
    assert_allclose(found, reference.kernel_scale(distances, labels), **TIGHT)
    assert type(found) is float


def test_kernel_scale_is_1_where_every_sample_is_its_own_centre():
    assert kernel_scale(np.ones((4, 2)), np.ones((2, 2)), np.array([0, 1, 1, 0])) == 1


def test_assignment_in_units_of_the_kernel_scale_is_free_of_the_size_of_the_space():
    assigned = []
    for size in (1000.0, 0.001):
        Z, centres = size * points(0, 20, 3), size * points(1, 4, 3)
        distances = squared_distances_to(torch.tensor(Z), torch.tensor(centres))
        scale = kernel_scale(Z, centres, distances.argmin(1).numpy())
        assigned.append(soft_assignment(distances / scale))
    assert_allclose(assigned[0], assigned[1], rtol=1e-10)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 4), (9, 2), (30, 6)])
def test_cluster_balance_and_its_gradient_agree_with_the_loops(seed, n, k):
    Q = random_assignment(seed, n, k)
    q = torch.tensor(Q, requires_grad=True)
    balance = cluster_balance(q)
    assert_allclose(balance.item(), reference.cluster_balance(Q), **TIGHT)
    (gradient,) = torch.autograd.grad(balance, q)
    assert_allclose(gradient, reference.cluster_balance_gradient(Q), **TIGHT)


def test_cluster_balance_runs_from_0_to_log_k():
    equal = torch.eye(5).double()
    assert_allclose(cluster_balance(equal), 0, atol=1e-14)
    assert_allclose(cluster_balance(equal[[2, 2, 2]]), np.log(5), rtol=1e-12)


# -- the target ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 4), (9, 2), (30, 6)])
def test_target_distribution_agrees_with_the_loop(seed, n, k):
    Q = random_assignment(seed, n, k)
    P = target_distribution(torch.tensor(Q))
    assert_allclose(P, reference.target_distribution(Q), **TIGHT)
    assert_allclose(P.sum(1), np.ones(n), rtol=1e-12)


def test_a_cluster_that_is_empty_in_q_is_empty_in_the_target():
    Q = random_assignment(0, 8, 3)
    Q[:, 2] = 0
    Q[:, :2] = random_assignment(1, 8, 2)
    P = target_distribution(torch.tensor(Q))
    assert_allclose(P, reference.target_distribution(Q), **TIGHT)
    assert_array_equal(P[:, 2], np.zeros(8))


def test_target_of_a_hard_assignment_is_the_assignment():
    Q = np.eye(3)[[0, 1, 1, 2, 0, 0]]
    assert_array_equal(target_distribution(torch.tensor(Q)), Q)


def test_target_distribution_takes_the_weights_that_it_is_given():
    Q = torch.tensor(random_assignment(0, 50, 4))
    assert_allclose(target_distribution(Q, 3 * Q.sum(0)), target_distribution(Q))
    squared = Q.square() / torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
    expected = squared / squared.sum(1, keepdim=True)
    weight = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    assert_allclose(target_distribution(Q, weight), expected)


def test_mean_of_a_cluster_that_is_empty_is_that_of_all():
    Z = np.arange(8.0).reshape(4, 2)
    means = cluster_means(Z, np.array([0, 0, 2, 2]), 3)
    assert_allclose(means, [[1, 2], [3, 4], [5, 6]])
