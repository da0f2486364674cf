"""The criteria of the training phases (IDCL, Eq. 12 to 15; DECS, Eq. 2, 5 to 17)."""

import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from deepdensity.density_cores import DensityCores
from deepdensity.losses import (
    CurriculumLoss,
    InstabilityLoss,
    ReconstructionLoss,
    kl_divergence,
    total_loss,
)
from deepdensity.stability import DETERMINACIES

from . import reference

TIGHT = {"rtol": 1e-10, "atol": 1e-12}


def random_tensor(seed, *shape):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def random_assignment(seed, n, k):
    return np.random.default_rng(seed).dirichlet(np.full(k, 0.3), size=n)


@pytest.mark.parametrize(("gamma", "total"), [(0.0, 3.0), (0.125, 3.25), (5.0, 13.0)])
def test_gamma_weighs_the_clustering_loss(gamma, total):
    assert total_loss(3.0, 2.0, gamma) == total


def test_gamma_is_the_papers_by_default():
    assert_allclose(total_loss(3.0, 2.0), 3.2, rtol=1e-15)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (1, 1, 3, 2), (4, 3, 5, 6)])
def test_reconstruction_loss_is_the_mean_over_samples_and_values(shape):
    x, back = random_tensor(0, *shape), random_tensor(1, *shape)
    found = ReconstructionLoss()(None, back, x, None).item()
    assert_allclose(found, reference.mean_squared_error(x, back), **TIGHT)


def test_criteria_say_whether_they_reconstruct():
    assert ReconstructionLoss().reconstructs
    assert CurriculumLoss(0.1).reconstructs
    assert not InstabilityLoss(np.zeros((2, 3))).reconstructs
    assert InstabilityLoss(np.zeros((2, 3)), reconstruction=0.5).reconstructs


# -- divergence from the target --------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 4), (9, 2), (30, 6)])
def test_kl_divergence_agrees_with_the_loop(seed, n, k):
    P, Q = random_assignment(seed, n, k), random_assignment(seed + 10, n, k)
    found = kl_divergence(torch.tensor(P), torch.tensor(Q)).item()
    assert_allclose(found, reference.kl_divergence(P, Q), **TIGHT)


def test_kl_divergence_of_a_hard_target_counts_its_zeros_as_nothing():
    P, Q = np.eye(3), random_assignment(0, 3, 3)
    found = kl_divergence(torch.tensor(P), torch.tensor(Q)).item()
    assert_allclose(found, reference.kl_divergence(P, Q), **TIGHT)


@pytest.mark.parametrize("seed", range(5))
def test_kl_divergence_is_zero_for_equals_and_positive_otherwise(seed):
    P, Q = random_assignment(seed, 9, 4), random_assignment(seed + 10, 9, 4)
    P, Q = torch.tensor(P), torch.tensor(Q)
    assert_allclose(kl_divergence(P, P), 0, atol=1e-14)
    assert kl_divergence(P, Q) > 0.01


def test_kl_divergence_does_not_depend_on_how_often_the_samples_are_repeated():
    P, Q = torch.tensor(random_assignment(0, 9, 4)), torch.full((9, 4), 0.25).double()
    once, thrice = kl_divergence(P, Q), kl_divergence(P.repeat(3, 1), Q.repeat(3, 1))
    assert_allclose(thrice, once, rtol=1e-12)


# -- the clustering phase of IDCL ------------------------------------------------------


def curriculum_case(seed, n, k, d, gamma):
    """A criterion with cores of three points each, and the points."""
    core_points = np.random.default_rng(seed).standard_normal((k, 3, d))
    means = torch.tensor(core_points.mean(1))
    spreads = ((core_points - core_points.mean(1, keepdims=True)) ** 2).sum(2).mean(1)
    criterion = CurriculumLoss(gamma)
    criterion.cores = DensityCores(means, torch.tensor(spreads))
    z = random_tensor(seed + 10, n, d).requires_grad_()
    return criterion, core_points, z, random_assignment(seed + 20, n, k)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "k", "d"), [(1, 1, 2), (1, 4, 3), (12, 3, 2)])
@pytest.mark.parametrize("gamma", [0.1, 1.0])
def test_curriculum_loss_agrees_with_the_loops(seed, n, k, d, gamma):
    criterion, core_points, z, P = curriculum_case(seed, n, k, d, gamma)
    x, back = random_tensor(seed + 30, n, 5), random_tensor(seed + 40, n, 5)
    q = reference.soft_assignment(
        reference.core_similarity(z.detach().numpy(), core_points)
    )
    expected = reference.mean_squared_error(x, back)
    expected += gamma * reference.kl_divergence(P, q)
    assert_allclose(criterion(z, back, x, torch.tensor(P)).item(), expected, **TIGHT)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "k", "d"), [(1, 1, 2), (1, 4, 3), (12, 3, 2)])
def test_gradient_of_the_curriculum_loss_is_gamma_times_equation_15(seed, n, k, d):
    criterion, core_points, z, P = curriculum_case(seed, n, k, d, gamma=0.3)
    x = random_tensor(seed + 30, n, 5)
    loss = criterion(z, 0 * x, x, torch.tensor(P))
    (gradient,) = torch.autograd.grad(loss, z)
    expected = reference.kl_gradient_z(z.detach().numpy(), core_points, P)
    assert_allclose(gradient, 0.3 * expected, **TIGHT)


def test_cores_are_constants_of_the_curriculum_loss():
    criterion, _, _, _ = curriculum_case(0, 5, 3, 2, gamma=0.1)
    assert list(criterion.parameters()) == []


@pytest.mark.parametrize("scale", [0.01, 0.5, 1.0])
def test_cores_are_compared_in_units_of_the_scale(scale):
    criterion, core_points, z, P = curriculum_case(0, 12, 3, 2, gamma=1.0)
    criterion.scale = scale
    x = random_tensor(30, 12, 5)
    similarity = reference.core_similarity(z.detach().numpy(), core_points)
    q = reference.soft_assignment(similarity / scale)
    found = criterion(z, x, x, torch.tensor(P)).item()
    assert_allclose(found, reference.kl_divergence(P, q), **TIGHT)


def test_the_unit_of_the_curriculum_loss_is_the_papers_by_default():
    assert CurriculumLoss(0.1).scale == 1


# -- the clustering phase of DECS ------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("form", DETERMINACIES)
@pytest.mark.parametrize("alpha", [0.5, 1.0])
@pytest.mark.parametrize(("n", "k", "d"), [(1, 1, 2), (1, 4, 3), (15, 3, 2)])
def test_instability_loss_and_gradients_agree_with_the_loops(
    seed, form, alpha, n, k, d
):
    z = random_tensor(seed, n, d).requires_grad_()
    start = random_tensor(seed + 10, k, d).float()  # exact in both precisions
    criterion = InstabilityLoss(start, alpha, 0.4, form).double()
    loss = criterion(z, None, None)
    by_z, by_centres = torch.autograd.grad(loss, (z, criterion.centres))

    Z, centres = z.detach().numpy(), start.double().numpy()
    q = reference.soft_assignment(reference.squared_distances_to(Z, centres), alpha)
    given = (Z, centres, reference.otsu_threshold(q), alpha, 0.4, form)
    assert_allclose(loss.item(), reference.decs_loss(*given), **TIGHT)
    expected_by_z, expected_by_centres = reference.decs_gradients(*given)
    assert_allclose(by_z, expected_by_z, **TIGHT)
    assert_allclose(by_centres, expected_by_centres, **TIGHT)


@pytest.mark.parametrize("balance", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("reconstruction", [0.0, 1 / 3])
@pytest.mark.parametrize("scale", [0.05, 1.0])
def test_balance_reconstruction_and_scale_agree_with_the_loops(
    balance, reconstruction, scale
):
    z, start = random_tensor(0, 15, 2), random_tensor(1, 3, 2).float()
    x, back = random_tensor(2, 15, 5), random_tensor(3, 15, 5)
    criterion = InstabilityLoss(
        start, balance=balance, reconstruction=reconstruction, scale=scale
    ).double()
    squared = reference.squared_distances_to(z.numpy(), start.double().numpy())
    q = reference.soft_assignment(squared / scale)
    fq = reference.determinacy(q, reference.otsu_threshold(q), "quadratic")
    expected = (
        reference.instability(reference.sample_stability(fq, 0.8))
        + balance * reference.cluster_balance(q)
        + reconstruction * reference.mean_squared_error(x, back)
    )
    assert_allclose(criterion(z, back, x, None).item(), expected, **TIGHT)


def test_the_instability_loss_is_the_papers_by_default():
    z, start = random_tensor(0, 15, 2), random_tensor(1, 3, 2).float()
    centres = start.double().numpy()
    q = reference.soft_assignment(reference.squared_distances_to(z.numpy(), centres))
    threshold = reference.otsu_threshold(q)
    expected = reference.decs_loss(z.numpy(), centres, threshold, 1, 0.8, "quadratic")
    found = InstabilityLoss(start).double()(z, None, None, None)
    assert_allclose(found.item(), expected, **TIGHT)


def test_balance_draws_centres_towards_equal_shares():
    z = torch.cat([random_tensor(0, 60, 2), random_tensor(1, 6, 2) + 4])
    start = np.array([[0.0, 0.0], [4.0, 4.0]])
    small = InstabilityLoss(start, balance=100.0).double()
    before = small(z, None, None)
    (gradient,) = torch.autograd.grad(before, small.centres)
    assert (gradient[1] > 0).all()  # a step down it goes towards the many samples


def test_centres_are_learnt_in_float32_from_a_copy():
    start = np.random.default_rng(0).standard_normal((3, 2)).astype(np.float32)
    kept = start.copy()
    criterion = InstabilityLoss(start, 1.0, 0.8, "quadratic")
    assert [name for name, _ in criterion.named_parameters()] == ["centres"]
    assert criterion.centres.dtype == torch.float32
    with torch.no_grad():
        criterion.centres += 1
    assert np.array_equal(start, kept)


def test_a_step_down_the_gradient_makes_the_samples_more_stable():
    z = random_tensor(0, 40, 2)
    criterion = InstabilityLoss(random_tensor(1, 3, 2), 1.0, 0.8, "quadratic").double()
    before = criterion(z, None, None)
    (gradient,) = torch.autograd.grad(before, criterion.centres)
    with torch.no_grad():
        criterion.centres -= 0.05 * gradient
    assert criterion(z, None, None) < before


def test_later_cores_lie_where_the_first_ones_did():
    criterion = CurriculumLoss(gamma=0.1)
    assert criterion.cores is None
    criterion.cores = DensityCores(torch.zeros(2, 3), torch.ones(2))
    first = criterion.cores
    later = DensityCores(torch.full((2, 3), 5.0), torch.full((2,), 6.0))
    criterion.cores = later
    assert criterion.cores is not first  # by which a recorder of labels tells
    for found, place, expected in zip(criterion.cores, first, later):
        assert found.data_ptr() == place.data_ptr() != expected.data_ptr()
        assert torch.equal(found, expected)


def test_centres_of_a_read_only_array_are_copied_without_a_warning():
    centres = np.arange(6.0).reshape(3, 2)
    centres.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss = InstabilityLoss(centres)
    with torch.no_grad():
        loss.centres += 1
    assert_allclose(loss.centres.detach(), centres + 1)
    of_tensor = torch.zeros(3, 2)
    with torch.no_grad():
        InstabilityLoss(of_tensor).centres.add_(1)
    assert not of_tensor.any()
