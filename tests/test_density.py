"""Cut-off distance, local density and difficulty score (IDCL, Eq. 1 and 2)."""

import itertools
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from deepdensity import density
from deepdensity.density import (
    KERNELS,
    cutoff_distance,
    density_error,
    difficulty_score,
    local_density,
    log_density,
    pair_distances,
    sampled_density,
)

from . import reference

TIGHT = {"rtol": 1e-10, "atol": 1e-12}


def points(seed, n, d=3):
    return np.random.default_rng(seed).standard_normal((n, d))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


# -- the cut-off distance --------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [2, 3, 10, 31])
@pytest.mark.parametrize("quantile", [1e-9, 0.02, 0.1, 0.5, 1.0])
def test_cutoff_distance_is_the_quantile_of_all_pair_distances(seed, n, quantile):
    Z = points(seed, n)
    expected = reference.cutoff_distance(Z, quantile)
    assert_allclose(cutoff_distance(torch.tensor(Z), quantile), expected, **TIGHT)


def test_cutoff_distance_takes_two_percent_by_default():
    Z = points(0, 30)
    expected = reference.cutoff_distance(Z, 0.02)
    assert_allclose(cutoff_distance(torch.tensor(Z)), expected, **TIGHT)


def test_rank_of_the_cutoff_distance_is_not_moved_by_rounding():
    # 0.07 * 300 is 21.000000000000004 in floating point
    Z = points(0, 25)
    expected = reference.pair_distances(Z)[21 - 1]
    assert_allclose(cutoff_distance(torch.tensor(Z), 0.07), expected, **TIGHT)


@pytest.mark.parametrize("quantile", [0.02, 0.3, 1.0])
def test_cutoff_distance_passes_over_duplicates_that_fill_the_quantile(quantile):
    Z = np.concatenate([np.repeat(points(0, 1), 12, axis=0), points(1, 4)])
    expected = reference.cutoff_distance(Z, quantile)
    assert expected > 0
    assert_allclose(cutoff_distance(torch.tensor(Z), quantile), expected, **TIGHT)


def test_few_duplicates_count_as_pairs_of_distance_zero():
    Z = np.concatenate([points(0, 10), points(0, 1)])
    expected = reference.pair_distances(Z)[math.ceil(0.1 * 55) - 1]
    assert_allclose(cutoff_distance(torch.tensor(Z), 0.1), expected, **TIGHT)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_cutoff_distance_of_identical_rows_is_one(n):
    Z = torch.full((n, 4), 0.1, dtype=torch.float64)
    assert cutoff_distance(Z) == 1.0


def test_cutoff_distance_of_identical_rows_is_one_where_pairs_are_sampled():
    Z = torch.full((20, 4), 0.1, dtype=torch.float64)
    assert cutoff_distance(Z, generator=generator(), max_pairs=30) == 1.0


def test_cutoff_distance_has_the_units_of_the_embedding():
    Z = torch.tensor(points(0, 20))
    assert_allclose(cutoff_distance(1e-6 * Z), 1e-6 * cutoff_distance(Z), rtol=1e-10)
    assert_allclose(cutoff_distance(Z + 50), cutoff_distance(Z), rtol=1e-10)


def test_cutoff_distance_is_exact_and_draws_nothing_up_to_max_pairs():
    Z, drawn = points(0, 20), generator()
    before = drawn.get_state()
    exact = cutoff_distance(torch.tensor(Z), 0.1, drawn, max_pairs=190)
    assert_allclose(exact, reference.cutoff_distance(Z, 0.1), **TIGHT)
    assert torch.equal(drawn.get_state(), before)


@pytest.mark.parametrize("quantile", [0.02, 0.5])
def test_rank_of_a_sampled_cutoff_distance_keeps_the_dkw_bound(quantile):
    Z = torch.tensor(points(0, 600, d=2))
    everything, m, delta = torch.pdist(Z), 50_000, 1e-6
    bound = math.sqrt(math.log(2 / delta) / (2 * m)) + 1 / m  # 1 / m: the rank's ceil
    errors = []
    for seed in range(10):
        cutoff = cutoff_distance(Z, quantile, generator(seed), max_pairs=m)
        errors.append((everything <= cutoff).double().mean().item() - quantile)
    assert max(np.abs(errors)) <= bound
    # ten runs err in both directions: their mean within four standard errors of 0
    deviation = math.sqrt(quantile * (1 - quantile) / m / len(errors))
    assert abs(np.mean(errors)) <= 4 * deviation
    assert len(set(errors)) > 1


def test_sampled_pairs_are_spread_evenly_over_all_pairs_of_two_rows():
    n, m = 8, 27  # one pair short of all 28
    Z = torch.tensor(2.0 ** np.arange(n))[:, None]  # every pair has its own distance
    drawn = torch.cat([pair_distances(Z, generator(s), m) for s in range(1000)])
    pairs = [(2**a - 2**b) ** 2 for a, b in itertools.combinations(range(n), 2)]
    counts = np.array([(drawn == pair).sum().item() for pair in pairs])
    assert counts.sum() == 27_000  # no row is paired with itself
    expected = 27_000 / 28
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    assert chi_squared < 70  # 27 degrees of freedom: mean 27, deviation 7.3


def test_sampled_cutoff_distance_follows_its_generator_alone():
    Z = torch.tensor(points(0, 200))
    before = torch.get_rng_state()
    first = cutoff_distance(Z, 0.1, generator(1), max_pairs=500)
    again = cutoff_distance(Z, 0.1, generator(1), max_pairs=500)
    other = cutoff_distance(Z, 0.1, generator(2), max_pairs=500)
    assert first == again
    assert first != other
    assert torch.equal(torch.get_rng_state(), before)


# -- the density -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kernel", sorted(KERNELS))
@pytest.mark.parametrize("n", [1, 2, 7, 14, 20])
def test_density_agrees_with_the_loop_over_tiles_of_seven(monkeypatch, seed, kernel, n):
    monkeypatch.setattr(density, "TILE", 7)
    Z = points(seed, n)
    expected = reference.local_density(Z, 1.3, kernel)
    assert_allclose(local_density(torch.tensor(Z), 1.3, kernel), expected, **TIGHT)


@pytest.mark.parametrize("kernel", sorted(KERNELS))
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 20), (20, 1), (7, 15), (16, 8)])
def test_density_against_other_samples_leaves_no_pair_out(monkeypatch, kernel, n, m):
    monkeypatch.setattr(density, "TILE", 7)
    Z, others = points(0, n), points(1, m)
    others[0] = Z[0]
    expected = reference.density_against(Z, others, 0.9, kernel)
    given = torch.tensor(Z), torch.tensor(others)
    assert_allclose(local_density(given[0], 0.9, kernel, given[1]), expected, **TIGHT)
    with np.errstate(divide="ignore"):  # the cut-off kernel may have no neighbour
        logarithm = np.log(expected / m)
    found = log_density(given[0], 0.9, kernel, given[1])
    assert_allclose(found, logarithm, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n", range(1, 60))
def test_log_density_of_equal_samples_is_zero_and_not_above(monkeypatch, n):
    monkeypatch.setattr(density, "TILE", 7)
    found = log_density(torch.ones(1, 2), 1.0, "gaussian", torch.ones(n, 2))
    assert -1e-6 < found.item() <= 0


def test_log_density_tells_how_far_a_sample_is_where_the_density_underflows():
    others = torch.tensor(points(0, 50))
    far = others[:1] + torch.tensor([[1e3], [1e4], [1e5]])
    assert local_density(far, 0.9, reference=others).sum() == 0
    found = log_density(far, 0.9, "gaussian", others)
    assert found.isfinite().all() and (found.diff() < 0).all()
    nearest = torch.cdist(far, others).amin(1)
    assert (found <= -((nearest / 0.9) ** 2) * (1 - 1e-9)).all()  # a mean of 50
    assert log_density(far, 0.9, "cutoff", others).tolist() == [-np.inf] * 3


def test_log_density_keeps_its_digits_far_from_the_origin():
    Z, others = torch.tensor(points(0, 30)), torch.tensor(points(1, 20))
    expected = log_density(Z, 0.8, "gaussian", others)
    found = log_density(Z + 1e4, 0.8, "gaussian", others + 1e4)
    assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_density_agrees_with_the_loop_across_tiles_of_the_real_size(kernel):
    n = 2 * density.TILE + 5
    Z = points(0, n, d=2)
    rows = [0, density.TILE - 1, density.TILE, n - 6, n - 1]
    found = local_density(torch.tensor(Z), 0.2, kernel)
    own = 1  # the pair of a row with itself, which Eq. 1 leaves out
    expected = reference.density_against(Z[rows], Z, 0.2, kernel) - own
    assert_allclose(found[rows], expected, **TIGHT)


@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_density_is_that_of_its_samples_whatever_their_order(kernel):
    Z = torch.tensor(points(0, 40))
    order = torch.randperm(40, generator=generator())
    found = local_density(Z[order], 1.0, kernel)
    assert_allclose(found, local_density(Z, 1.0, kernel)[order], **TIGHT)


@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_identical_samples_have_all_others_as_neighbours(kernel):
    Z = torch.full((9, 4), 0.1, dtype=torch.float64)
    assert_allclose(local_density(Z, 1.0, kernel), 8.0, rtol=1e-10)


@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_density_lies_between_zero_and_the_number_of_others(kernel):
    Z = torch.tensor(points(0, 50))
    for cutoff in (1e-3, 0.5, 1e3):
        rho = local_density(Z, cutoff, kernel)
        assert rho.min() >= 0
        assert rho.max() <= 49


def test_density_keeps_its_digits_far_from_the_origin():
    Z = torch.tensor(points(0, 30))
    expected = local_density(Z, 0.8)
    assert_allclose(local_density(Z + 1e4, 0.8), expected, rtol=1e-9)


def test_density_against_others_keeps_its_digits_far_from_the_origin():
    Z, others = torch.tensor(points(0, 30)), torch.tensor(points(1, 20))
    expected = local_density(Z, 0.8, reference=others)
    found = local_density(Z + 1e4, 0.8, reference=others + 1e4)
    assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_cutoff_density_counts_no_pair_at_the_cutoff_distance_itself(seed):
    Z = torch.tensor(points(seed, 30))
    cutoff = cutoff_distance(Z, 0.1)  # the distance of one pair, the 44th
    assert local_density(Z, cutoff, "cutoff").sum() == 2 * 43


def test_cutoff_density_of_a_lattice_at_its_spacing_is_zero():
    side = np.arange(7.0)
    Z = np.stack(np.meshgrid(side, side), axis=2).reshape(-1, 2)
    Z = np.concatenate([Z, [[3.0, 9.0], [20.0, 9.0]]])  # the mean is no longer exact
    assert_array_equal(local_density(torch.tensor(Z), 1.0, "cutoff"), 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_density_keeps_the_dtype_and_leaves_its_input_alone(dtype):
    Z = torch.tensor(points(0, 12), dtype=dtype)
    before = Z.clone()
    assert local_density(Z, 1.0).dtype == dtype
    assert local_density(Z, 1.0, reference=Z[:5]).dtype == dtype
    assert torch.equal(Z, before)


def test_unknown_kernel_is_named_in_the_error():
    with pytest.raises(ValueError, match="'triangle'.*cutoff.*gaussian"):
        local_density(torch.zeros(3, 2), 1.0, kernel="triangle")


# -- the density from a sample ---------------------------------------------------------


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("seed", range(3))
def test_sampled_density_agrees_with_the_loop(kernel, seed):
    Z, rows = points(seed, 30), [2, 3, 11, 29]
    rho = np.zeros(30)
    for i in range(30):
        others = [row for row in rows if row != i]
        pairs = [reference.local_density(Z[[i, j]], 1.3, kernel)[0] for j in others]
        rho[i] = 29 * sum(pairs) / len(others)
    found = sampled_density(torch.tensor(Z), 1.3, kernel, torch.tensor(rows))
    assert_allclose(found, rho, **TIGHT)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_sample_of_all_is_exact(kernel):
    Z = torch.tensor(points(0, 50))
    found = sampled_density(Z, 1.0, kernel, torch.arange(50))
    assert_allclose(found, local_density(Z, 1.0, kernel), **TIGHT)


def test_sampled_density_is_within_its_error_nearly_always():
    Z = torch.tensor(points(0, 400))
    exact, bound = local_density(Z, 0.8), density_error(400, 80, delta=0.3)
    errors = []
    for seed in range(60):
        rows = torch.randperm(400, generator=generator(seed))[:80]
        found = sampled_density(Z, 0.8, "gaussian", rows)
        errors.append((found - exact).abs().max().item())
    assert np.mean(np.array(errors) > bound) <= 0.3
    assert max(errors) > bound / 20  # a bound that says something


def test_density_error_agrees_with_its_formula():
    expected = 999 * math.sqrt(math.log(2 * 1000 / 0.01) / (2 * 499))
    assert_allclose(density_error(1000, 500), expected, rtol=1e-12)
    assert density_error(1000, 500) < density_error(1000, 500, delta=0.001)
    assert density_error(1000, 501) < density_error(1000, 500)
    assert density_error(1000, 1000) == 0
    assert density_error(1000, 2) == 999


# -- the difficulty score --------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [2, 5, 40])
def test_difficulty_score_agrees_with_the_loop(seed, n):
    rho = np.random.default_rng(seed).exponential(size=n)
    score = difficulty_score(torch.tensor(rho))
    assert_allclose(score, reference.difficulty_score(rho), **TIGHT)
    assert score.min() == 0
    assert score.max() == 1


@pytest.mark.parametrize("n", [1, 6])
def test_equal_densities_are_all_easy(n):
    rho = torch.full((n,), 0.3, dtype=torch.float64)
    assert_array_equal(difficulty_score(rho), np.ones(n))
    assert_array_equal(difficulty_score(0 * rho), np.ones(n))


# -- memory ----------------------------------------------------------------------------

MEASURE = """
import resource, sys
import numpy, torch
from deepdensity.density import cutoff_distance, local_density

def peak():
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

def density(n):
    generator = torch.Generator().manual_seed(0)
    Z = torch.randn(n, 10, dtype=torch.float64, generator=generator)
    return local_density(Z, cutoff_distance(Z, generator=generator))

density(100)  # libraries and threads
before = peak()
density(20_000)
growth = peak() - before
numpy.ones(600 * 2**17)  # 600 MiB: does the meter see them?
print(growth, peak() - before)
"""

# a child's peak starts from its parent's, hence a small process in between
SMALL_PARENT = """
import subprocess, sys
sys.exit(subprocess.run([sys.executable, "-c", sys.argv[1]]).returncode)
"""


def test_memory_of_cutoff_distance_and_density_stays_far_below_all_pairs():
    root = str(Path(density.__file__).parents[1])
    path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    finished = subprocess.run(
        [sys.executable, "-c", SMALL_PARENT, MEASURE],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    growth, seen_of_600 = map(float, finished.stdout.split())
    assert seen_of_600 > 500
    assert growth < 300  # MiB; 20,000 x 20,000 distances would be 3,052
