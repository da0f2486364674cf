"""Pacing, cap and selection of the training set (IDCL, Eq. 5 to 8)."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from deepdensity.curriculum import (
    PACINGS,
    Curriculum,
    Pace,
    capped_fraction,
    check_fractions,
    exponential_pacing,
    linear_pacing,
    no_pacing,
    power_pacing,
    select_easiest,
)

from . import reference

TIGHT = {"rtol": 1e-10, "atol": 1e-12}
GROWING = ["exponential", "linear", "power"]
GRID = [
    (epoch, n_epochs, lambda_0)
    for n_epochs in (1, 2, 7, 100)
    for epoch in (0, 1, 3, 50, 99, 100, 101, 500)
    for lambda_0 in (0.05, 0.6, 1.0)
]


# -- pacing and cap --------------------------------------------------------------------


@pytest.mark.parametrize(("epoch", "n_epochs", "lambda_0"), GRID)
def test_pacing_agrees_with_growth_step_by_step(epoch, n_epochs, lambda_0):
    t = (epoch, n_epochs, lambda_0)
    assert_allclose(exponential_pacing(*t), reference.exponential_pacing(*t), **TIGHT)
    assert_allclose(linear_pacing(*t), reference.linear_pacing(*t), **TIGHT)
    assert_allclose(power_pacing(*t), reference.power_pacing(*t, 2.0), **TIGHT)
    expected = reference.power_pacing(*t, 3.5)
    assert_allclose(power_pacing(*t, exponent=3.5), expected, **TIGHT)
    assert no_pacing(*t) == 1.0


@pytest.mark.parametrize("name", GROWING)
def test_pacing_grows_from_lambda_0_to_exactly_one_and_stays(name):
    shares = [PACINGS[name](epoch, 20, 0.3) for epoch in range(30)]
    assert_allclose(shares[0], 0.3, rtol=1e-15)
    assert shares[20:] == [1.0] * 10
    assert all(a < b for a, b in zip(shares[:20], shares[1:21]))


def test_exponential_and_power_pacing_are_slow_first_and_fast_later():
    for name in ("exponential", "power"):
        shares = [PACINGS[name](epoch, 20, 0.3) for epoch in range(21)]
        assert np.all(np.diff(shares, n=2) > 0)


@pytest.mark.parametrize("name", sorted(PACINGS))
def test_pacing_over_no_epochs_admits_all(name):
    assert PACINGS[name](0, 0, 0.6) == 1.0


@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.95, 0.951, 1.0])
def test_cap_is_the_smaller_of_the_two(fraction):
    expected = reference.capped_fraction(fraction, 0.95)
    assert capped_fraction(fraction, 0.95) == expected


# -- selection -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fraction", [0.01, 0.05, 0.6, 0.95, 1.0])
@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 5), (23, 1), (40, 3), (40, 60)])
def test_selection_agrees_with_the_loop_over_clusters(seed, fraction, n, k):
    random = np.random.default_rng(seed)
    labels = random.integers(k, size=n)  # with k > n most clusters are empty
    score = random.uniform(size=n)
    chosen = select_easiest(score, labels, fraction)
    assert_array_equal(chosen, reference.select_easiest(score, labels, fraction))


@pytest.mark.parametrize("seed", range(4))
def test_of_equal_scores_the_earlier_samples_are_taken(seed):
    random = np.random.default_rng(seed)
    labels = random.integers(3, size=50)
    score = random.integers(4, size=50).astype(float)
    chosen = select_easiest(score, labels, 0.5)
    assert_array_equal(chosen, reference.select_easiest(score, labels, 0.5))


def test_selection_of_one_score_throughout_takes_the_first_of_each_cluster():
    labels = np.array([2, 0, 2, 0, 2, 0, 2, 0])
    assert_array_equal(select_easiest(np.ones(8), labels, 0.5), [0, 1, 2, 3])


def test_every_cluster_that_occurs_is_in_the_training_set():
    labels = np.array([0] * 50 + [4] + [7] * 3)
    chosen = select_easiest(np.linspace(1, 0, 54), labels, 0.02)
    assert_array_equal(np.unique(labels[chosen]), [0, 4, 7])


def test_selection_takes_tensors_and_whole_number_scores():
    labels, score = np.array([0, 0, 1, 1, 1]), np.array([1, 2, 9, 7, 8])
    for given in (score, torch.tensor(score), score.astype(np.float32)):
        assert_array_equal(select_easiest(given, labels, 0.5), [1, 2, 4])


# -- the record ------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 7, 8, 9, 100])
def test_curriculum_returns_what_was_noted(n):
    random = np.random.default_rng(n)
    epochs = [random.permutation(n)[: random.integers(n + 1)] for _ in range(5)]
    curriculum = Curriculum(n)
    for t, indices in enumerate(epochs):
        curriculum.append(t / 10, indices)
    assert len(curriculum) == 5
    assert curriculum.fractions == [0.0, 0.1, 0.2, 0.3, 0.4]
    for t, indices in enumerate(epochs):
        assert_array_equal(curriculum[t], np.sort(indices))
    assert_array_equal(curriculum[-1], np.sort(epochs[-1]))


def test_curriculum_can_be_walked_through_and_says_what_it_is():
    curriculum = Curriculum(4)
    curriculum.append(0.5, [1, 3])
    curriculum.append(1.0, [0, 1, 2, 3])
    assert [list(epoch) for epoch in curriculum] == [[1, 3], [0, 1, 2, 3]]
    assert repr(curriculum) == "Curriculum(2 epochs of 4 samples)"


def test_a_slice_of_a_curriculum_is_a_list_of_its_epochs():
    curriculum = Curriculum(9)
    for rows in ([0, 3], [1], [2, 8], [5]):
        curriculum.append(0.5, np.array(rows))
    for some in (slice(1, 3), slice(None), slice(-1, None), slice(None, None, -2)):
        parts = curriculum[some]
        wanted = range(4)[some]
        assert len(parts) == len(wanted)
        for part, epoch in zip(parts, wanted):
            assert_array_equal(part, curriculum[epoch])


def test_curriculum_holds_one_bit_for_each_sample_and_epoch():
    curriculum = Curriculum(8000)
    for _ in range(10):
        curriculum.append(1.0, np.arange(8000))
    assert sum(bits.nbytes for bits in curriculum._bits) == 10 * 1000


# -- the pace of a fit -----------------------------------------------------------------


@pytest.mark.parametrize("pacing", GROWING)
@pytest.mark.parametrize(("pacing_epochs", "n_epochs"), [(4, 4), (None, 5), (30, 30)])
def test_a_pace_is_its_pacing_with_the_cap(pacing, pacing_epochs, n_epochs):
    pace = Pace(pacing, pacing_epochs, 9, 0.6, 0.9)
    assert pace.n_epochs == n_epochs  # half of the nine, rounded up, if not said
    for epoch in range(9):
        expected = min(PACINGS[pacing](epoch, n_epochs, 0.6), 0.9)
        assert_allclose(pace.fraction(epoch), expected, rtol=1e-12)


def test_without_a_curriculum_all_samples_are_there_from_the_start():
    pace = Pace("none", 5, 9, 0.6, 0.9)
    assert pace.n_epochs == 0
    assert [pace.fraction(epoch) for epoch in range(3)] == [1.0, 1.0, 1.0]


def test_a_pace_by_a_function_of_the_user():
    pace = Pace(lambda *args: 0.1 * (args == (2, 5, 0.6)) + 0.5, None, 10, 0.6, 0.9)
    assert pace.fraction(0) == 0.5
    assert pace.fraction(2) == 0.6


@pytest.mark.parametrize("share", [0, -0.5, 1.5, float("nan")])
def test_a_pace_outside_0_to_1_is_an_error(share):
    with pytest.raises(ValueError, match="pacing=.*epoch 3.*share in"):
        Pace(lambda *args: share, None, 10, 0.6, 0.9).fraction(3)


def test_the_first_share_is_at_most_the_largest():
    check_fractions(0.9, 0.9)
    with pytest.raises(ValueError, match=r"lambda_0=0\.9.*lambda_max=0\.8"):
        check_fractions(0.9, 0.8)
