"""Squared distances, against the loop."""

import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from deepdensity.distances import MANY, squared_distances_to

from . import reference
from .common import points

TIGHT = {"rtol": 1e-10, "atol": 1e-12}
SIZES = [(1, 1, 1), (1, 4, 2), (12, 1, 3), (15, 2, 10), (20, 5, 4)]


def test_distances_to_many_centres_are_those_to_few_and_so_are_their_gradients():
    Z, centres = (torch.tensor(points(seed, 7, 3)) for seed in (0, 1))
    Z[2] = centres[3]  # no distance at all
    centres = centres.repeat(MANY, 1)
    found = [t.clone().requires_grad_() for t in (Z, centres)]
    expected = [t.clone().requires_grad_() for t in (Z, centres)]
    weight = torch.tensor(points(2, 7, len(centres)))
    many = squared_distances_to(*found)
    few = torch.cat(
        [squared_distances_to(expected[0], c) for c in expected[1].split(50)], 1
    )
    assert_allclose(many.detach(), few.detach(), **TIGHT)
    (many * weight).sum().backward()
    (few * weight).sum().backward()
    for a, b in zip(found, expected):
        assert_allclose(a.grad, b.grad, **TIGHT)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "k", "d"), SIZES)
def test_squared_distances_to_centres_agree_with_the_loop(seed, n, k, d):
    Z, centres = points(seed, n, d), points(seed + 10, k, d)
    found = squared_distances_to(torch.tensor(Z), torch.tensor(centres))
    assert_allclose(found, reference.squared_distances_to(Z, centres), **TIGHT)


def test_squared_distances_are_exact_far_from_the_origin():
    Z = torch.tensor([[1e8, 0.0], [1e8 + 3, 4.0]], dtype=torch.float64)
    found = squared_distances_to(Z, Z[:1])
    assert_array_equal(found, [[0.0], [25.0]])


def test_squared_distances_of_a_row_do_not_depend_on_other_rows():
    Z, centres = torch.tensor(points(0, 50, 10)), torch.tensor(points(1, 7, 10))
    together = squared_distances_to(Z, centres)
    alone = torch.cat([squared_distances_to(Z[i : i + 1], centres) for i in range(50)])
    assert torch.equal(together, alone)
