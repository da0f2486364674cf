"""Otsu's threshold, determinacy, stability, and Theorem 1 (DECS, Eq. 6 to 23)."""

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from deepdensity.assignment import soft_assignment
from deepdensity.distances import squared_distances_to
from deepdensity.losses import InstabilityLoss
from deepdensity.stability import (
    DETERMINACIES,
    centre_gradient_bound,
    determinacy,
    instability,
    otsu_threshold,
    sample_stability,
)

from . import reference

TIGHT = {"rtol": 1e-10, "atol": 1e-12}
SIZES = [(1, 1, 1), (1, 4, 2), (12, 1, 3), (15, 2, 10), (20, 5, 4)]


def points(seed, n, d, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal((n, d))


def random_assignment(seed, n, k, concentration=0.3):
    return np.random.default_rng(seed).dirichlet(np.full(k, concentration), size=n)


def double(value):
    return torch.tensor(value, dtype=torch.float64)


def decs_loss(Z, centres, threshold, alpha, lambda_var, form):
    q = soft_assignment(squared_distances_to(Z, centres), alpha)
    fq = determinacy(q, threshold, form)
    return instability(sample_stability(fq, lambda_var))


# -- Otsu's threshold ------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("concentration", [0.1, 1.0, 10.0])
@pytest.mark.parametrize(("n", "k"), [(1, 2), (1, 5), (12, 3), (40, 2), (60, 10)])
def test_threshold_maximises_the_variance_between_the_classes(
    seed, concentration, n, k
):
    q = random_assignment(seed, n, k, concentration)
    found = otsu_threshold(torch.tensor(q)).item()
    assert_allclose(found, reference.otsu_threshold(q), rtol=1e-10)


@pytest.mark.parametrize("n_bins", [2, 3, 10, 257])
def test_threshold_agrees_with_the_loop_for_other_numbers_of_bins(n_bins):
    q = np.random.default_rng(n_bins).beta(0.5, 0.8, size=(30, 4))
    found = otsu_threshold(torch.tensor(q), n_bins).item()
    assert_allclose(found, reference.otsu_threshold(q, n_bins), rtol=1e-10)


def test_threshold_of_two_clumps_is_the_middle_of_the_gap():
    q = double([0.1005] * 20 + [0.7005] * 5)
    assert_allclose(otsu_threshold(q), (0.101 + 0.700) / 2, rtol=1e-10)


def test_no_other_threshold_splits_better():
    # k = 2, so the histogram is symmetric: two thresholds are equally good
    sure, unsure = [0.1005] * 10, [0.4995] * 40
    q = np.array([[value, 1 - value] for value in sure + unsure])
    counts = reference.histogram(q, 1000)
    split = [float(reference.between_class_variance(counts, e)) for e in range(1, 1000)]
    found = otsu_threshold(torch.tensor(q)).item()
    edge = round(1000 * found)
    reached = float(reference.between_class_variance(counts, edge))
    assert_allclose(reached, max(split), rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, 1e-12, 0.0005, 0.25, 0.5, 0.9995, 1.0])
@pytest.mark.parametrize("n", [1, 7])
def test_threshold_of_equal_values_is_one_half(value, n):
    q = torch.full((n, 1), value, dtype=torch.float64)
    assert_allclose(otsu_threshold(q), 0.5, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_threshold_stays_inside_zero_and_one(dtype):
    for low, high in ((0.0, 0.0004), (0.9996, 1.0), (0.0, 1.0), (1e-30, 1 - 1e-7)):
        q = torch.linspace(low, high, 50, dtype=dtype)
        t = otsu_threshold(q)
        assert t.dtype == dtype
        assert 0 < t < 1


def test_no_gradient_passes_the_threshold():
    q = torch.rand(9, 3, generator=torch.Generator().manual_seed(0))
    assert not otsu_threshold(q.requires_grad_()).requires_grad


# -- determinacy, stability, instability -----------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("form", DETERMINACIES)
@pytest.mark.parametrize("threshold", [0.001, 0.2, 0.5, 0.77, 0.999])
def test_determinacy_agrees_with_the_loop(seed, form, threshold):
    q = random_assignment(seed, 15, 4)
    found = determinacy(torch.tensor(q), double(threshold), form)
    assert_allclose(found, reference.determinacy(q, threshold, form), **TIGHT)


@pytest.mark.parametrize("form", DETERMINACIES)
def test_determinacy_is_one_at_both_ends_and_zero_at_the_threshold(form):
    found = determinacy(double([0.0, 0.3, 1.0]), double(0.3), form)
    assert_allclose(found, [1, 0, 1], rtol=1e-14)


def test_linear_determinacy_is_the_root_of_the_quadratic():
    q = torch.tensor(random_assignment(0, 20, 3))
    linear = determinacy(q, double(0.4), "linear")
    assert_allclose(linear**2, determinacy(q, double(0.4)), **TIGHT)


def test_unknown_determinacy_is_named_in_the_error():
    with pytest.raises(ValueError, match="'cubic'.*linear.*quadratic"):
        determinacy(double([0.5]), double(0.4), "cubic")


@pytest.mark.parametrize("form", DETERMINACIES)
@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.9])
def test_slope_of_the_determinacy_is_equation_11(form, threshold):
    values = [*np.random.default_rng(0).uniform(size=30), threshold]
    q = double(values).requires_grad_()
    fq = determinacy(q, double(threshold), form)
    (slope,) = torch.autograd.grad(fq.sum(), q)
    expected = [reference.d_determinacy_d_q(v, threshold, form) for v in values]
    assert_allclose(slope, expected, **TIGHT)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lambda_var", [0.0, 0.4, 0.8, 3.0])
@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 6), (20, 2), (9, 5)])
def test_stability_agrees_with_the_loop(seed, lambda_var, n, k):
    fq = np.random.default_rng(seed).uniform(size=(n, k))
    found = sample_stability(torch.tensor(fq), lambda_var)
    expected = reference.sample_stability(fq, lambda_var)
    assert_allclose(found, expected, **TIGHT)
    assert_allclose(instability(found).item(), reference.instability(expected), **TIGHT)


def test_weight_of_the_variance_is_that_of_the_paper_by_default():
    fq = torch.tensor(np.random.default_rng(0).uniform(size=(6, 3)))
    assert torch.equal(sample_stability(fq), sample_stability(fq, 0.8))


@pytest.mark.parametrize("lambda_var", [0.0, 0.8, 1.0])
def test_stability_lies_between_zero_and_one(lambda_var):
    corners = np.array(np.meshgrid(*[[0.0, 0.5, 1.0]] * 4)).reshape(4, -1).T
    sq = sample_stability(torch.tensor(corners), lambda_var)
    assert sq.min() >= -1e-15
    assert sq.max() <= 1
    assert sample_stability(torch.ones(1, 4), lambda_var) == 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lambda_var", [0.0, 0.8])
@pytest.mark.parametrize("k", [1, 2, 7])
def test_gradient_of_the_stability_is_equation_10(seed, lambda_var, k):
    fq = torch.tensor(np.random.default_rng(seed).uniform(size=(5, k)))
    fq.requires_grad_()
    (gradient,) = torch.autograd.grad(sample_stability(fq, lambda_var).sum(), fq)
    for i in range(5):
        row = fq[i].tolist()
        expected = reference.d_stability_d_determinacy(row, lambda_var)
        assert_allclose(gradient[i], expected, **TIGHT)


@pytest.mark.parametrize("n", [1, 13])
def test_gradient_of_the_instability_is_equation_9(n):
    sq = torch.rand(n, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(instability(sq), sq)
    assert_allclose(gradient, np.full(n, -1 / n), rtol=1e-14)


# -- the gradients of the whole loss ---------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("alpha", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("form", DETERMINACIES)
@pytest.mark.parametrize(("n", "k", "d"), SIZES)
def test_loss_and_both_gradients_are_the_closed_forms(seed, alpha, form, n, k, d):
    Z = torch.tensor(points(seed, n, d), requires_grad=True)
    centres = torch.tensor(points(seed + 10, k, d), requires_grad=True)
    q = soft_assignment(squared_distances_to(Z, centres), alpha)
    t = otsu_threshold(q)
    loss = instability(sample_stability(determinacy(q, t, form), 0.8))
    by_z, by_centres = torch.autograd.grad(loss, (Z, centres))

    given = (Z.detach().numpy(), centres.detach().numpy(), t.item(), alpha, 0.8, form)
    assert_allclose(loss.item(), reference.decs_loss(*given), **TIGHT)
    expected_by_z, expected_by_centres = reference.decs_gradients(*given)
    assert_allclose(by_z, expected_by_z, **TIGHT)
    assert_allclose(by_centres, expected_by_centres, **TIGHT)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("k", "d"), [(1, 2), (2, 2), (5, 3)])
def test_slope_of_the_assignment_is_equation_14_as_printed(seed, k, d):
    z, centres = points(seed, 1, d)[0], points(seed + 10, k, d)

    def assign(z):
        return soft_assignment(squared_distances_to(z[None], torch.tensor(centres)))[0]

    jacobian = torch.autograd.functional.jacobian(assign, torch.tensor(z))
    expected = reference.d_q_d_z_as_printed(z, centres)
    assert_allclose(jacobian, expected, **TIGHT)
    assert_allclose(reference.d_q_d_z(z, centres, 1.0), expected, **TIGHT)


# -- Theorem 1 -------------------------------------------------------------------------


def gradients_and_bounds(Z, centres, threshold, alpha, lambda_var, form):
    """Norms of the centres' gradients, the bounds, and those with no radius."""
    centres = centres.clone().requires_grad_()
    loss = decs_loss(Z, centres, threshold, alpha, lambda_var, form)
    (gradient,) = torch.autograd.grad(loss, centres)
    radii = torch.cdist(Z, centres.detach()).amax(0).tolist()
    given = (len(centres), threshold.item(), alpha, lambda_var)
    bounds = [centre_gradient_bound(radius, *given) for radius in radii]
    everywhere = centre_gradient_bound(math.inf, *given)
    return gradient.norm(dim=1).numpy(), np.array(bounds), everywhere


def random_case(random):
    """Embedding, centres, alpha and lambda of any size and spread."""
    k, n, d = random.integers(1, 9), random.integers(1, 41), random.integers(1, 6)
    spread, spread_of_centres = 10 ** random.uniform(-3, 3, size=2)
    Z = torch.tensor(spread * random.standard_normal((n, d)))
    centres = torch.tensor(spread_of_centres * random.standard_normal((k, d)))
    alpha, lambda_var = 10 ** random.uniform(-2, 2), random.choice([0, 0.4, 0.8, 1, 5])
    return Z, centres, float(alpha), float(lambda_var)


@pytest.mark.parametrize("form", DETERMINACIES)
@pytest.mark.parametrize("seed", range(4))
def test_theorem_1_bounds_the_gradient_of_every_centre(seed, form):
    random = np.random.default_rng(seed)
    for _ in range(50):
        Z, centres, alpha, lambda_var = random_case(random)
        q = soft_assignment(squared_distances_to(Z, centres), alpha)
        extreme = 10 ** random.uniform(-9, -1)
        for t in (otsu_threshold(q), random.uniform(0.01, 0.99), extreme, 1 - extreme):
            norms, bounds, everywhere = gradients_and_bounds(
                Z, centres, double(float(t)), alpha, lambda_var, form
            )
            assert np.all(norms <= bounds * (1 + 1e-9))
            assert np.all(bounds <= everywhere)


@pytest.mark.parametrize("scale", [0.04, 1.0, 9.0])
def test_theorem_1_knows_the_unit_of_the_kernel(scale):
    random, nearest = np.random.default_rng(0), 0.0
    for _ in range(50):
        centres = random.normal(size=(2, 1))
        loss = InstabilityLoss(centres, scale=scale)
        Z = torch.tensor(random.normal(size=(1, 1))).float()
        loss(Z, None, None).backward()
        q = soft_assignment(squared_distances_to(Z, loss.centres.detach()) / scale)
        given = (2, otsu_threshold(q).item(), 1.0, 0.8, scale)
        for centre, gradient in zip(centres, loss.centres.grad):
            radius = abs(Z.item() - centre.item())
            bound = centre_gradient_bound(radius, *given)
            nearest = max(nearest, gradient.norm().item() / bound)
    assert 0.01 < nearest <= 1 + 1e-5


@pytest.mark.parametrize(
    ("form", "lambda_var", "share"),
    [
        ("linear", 0.0, 0.49),
        ("linear", 0.8, 0.18),
        ("quadratic", 0.0, 0.35),
        ("quadratic", 0.8, 0.13),
    ],
)
def test_theorem_1_is_nearly_reached_by_two_centres(form, lambda_var, share):
    # one sample between two centres: the distances are searched on a grid
    t, best = double(0.5), 0.0
    for left in np.linspace(0.2, 3, 29):
        for right in np.linspace(0.2, 3, 29):
            centres = double([[-left], [right]])
            norms, bounds, _ = gradients_and_bounds(
                torch.zeros(1, 1).double(), centres, t, 1.0, lambda_var, form
            )
            best = max(best, (norms / bounds).max())
    assert share < best < 1


def test_theorem_1_needs_no_1_over_n():
    """The bound as printed, Eq. 23, fails: copies of a sample change no mean."""
    one = torch.zeros(1, 1).double()
    centres, t, lambda_var = double([[-1.2], [2.1]]), 0.5, 0.8
    norms = []
    for n in (1, 100):
        found, bounds, _ = gradients_and_bounds(
            one.repeat(n, 1), centres, double(t), 1.0, lambda_var, "quadratic"
        )
        norms.append(found)
        assert np.all(found <= bounds)
    assert_allclose(norms[1], norms[0], rtol=1e-10)
    printed = 2 * (1 + 2 * lambda_var) * 2 / (4 * 100 * 2 * t**2) * np.array([1.2, 2.1])
    assert np.all(norms[1] > printed)


def test_theorem_1_needs_both_sides_of_the_threshold():
    """In the linear form Eq. 23 fails where t is near 1, for a single sample too."""
    t, lambda_var = 0.998, 0.0
    centres, z = double([[-0.02], [30.0]]), torch.zeros(1, 1).double()
    norms, bounds, _ = gradients_and_bounds(
        z, centres, double(t), 1.0, lambda_var, "linear"
    )
    printed = 2 * (1 + 2 * lambda_var) * 2 / (4 * 2 * t**2) * 0.02
    assert printed < norms[0] <= bounds[0]


def test_bound_has_the_value_of_its_formula():
    found = centre_gradient_bound(0.3, 4, 0.2, alpha=0.5, lambda_var=0.4)
    assert_allclose(found, 1.8 * 1.5 / (4 * 0.5 * 0.2) * 0.3, rtol=1e-14)
    found = centre_gradient_bound(7.0, 4, 0.9, alpha=4.0, lambda_var=0.4)
    assert_allclose(found, 1.8 * 5 / (4 * 4 * 0.1) * 1.0, rtol=1e-14)


def test_bound_takes_the_parameters_of_the_paper_by_default():
    assert centre_gradient_bound(1, 3, 0.3) == centre_gradient_bound(1, 3, 0.3, 1, 0.8)


def test_small_steps_of_the_centres_change_the_loss_by_no_more_than_the_bound():
    random, alpha, lambda_var, t = np.random.default_rng(0), 1.0, 0.8, double(0.4)
    Z = torch.tensor(random.standard_normal((30, 2)) * 3)
    bound = centre_gradient_bound(math.inf, 3, 0.4, alpha, lambda_var)
    for form in DETERMINACIES:
        for size in (1e-3, 0.1, 1.0, 30.0):
            centres = torch.tensor(random.standard_normal((3, 2)) * 3)
            moved = centres.clone()
            moved[1] += torch.tensor(size * random.standard_normal(2))
            losses = [
                decs_loss(Z, m, t, alpha, lambda_var, form).item()
                for m in (centres, moved)
            ]
            step = (moved - centres).norm().item()
            assert abs(losses[1] - losses[0]) <= bound * step
