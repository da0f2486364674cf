"""Vectors divided by a power of their length."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from deepdensity.lengths import by_power


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_the_direction_stays_and_the_length_counts_by_what_is_left(power):
    Z = np.random.default_rng(0).normal(size=(20, 3))
    for row, scaled in zip(Z, by_power(Z, power)):
        length = sum(v**2 for v in row) ** 0.5
        assert_allclose(scaled, [v / length**power for v in row])
        assert_allclose(np.linalg.norm(scaled), length ** (1 - power))


def test_a_row_of_zeros_stays_and_float32_does():
    Z = np.array([[0, 0], [3, 4]], dtype=np.float32)
    scaled = by_power(Z, 1)
    assert_array_equal(scaled[0], [0, 0])
    assert scaled.dtype == np.float32
