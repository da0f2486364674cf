"""Functions of many samples, a block at a time."""

import weakref

import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from deepdensity.assignment import (
    nearest_centre,
)
from deepdensity.distances import squared_distances_to
from deepdensity.utils import blocks
from deepdensity.utils.blocks import by_blocks, joined

from .common import points


@pytest.mark.parametrize("block", [1, 20, 10_000])
def test_blocks_give_what_the_whole_gives(block, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", block)
    Z, centres = points(0, 23, 4), points(1, 5, 4)
    squared = ((Z[:, None] - centres) ** 2).sum(2)
    to = torch.tensor(centres)
    found = by_blocks(lambda z: squared_distances_to(z, to), Z, 5)
    assert_allclose(found, squared, rtol=1e-10, atol=1e-12)
    assert_array_equal(nearest_centre(Z, centres), squared.argmin(1))


@pytest.mark.parametrize("sizes", [[3], [4, 4], [2, 2, 2, 2, 1]])
def test_blocks_are_joined_as_they_come_and_none_is_kept(sizes):
    whole = torch.arange(2.0 * sum(sizes)).view(-1, 2)
    given = []

    def blocks():
        for block in whole.split(sizes):
            assert sum(reference() is not None for reference in given) <= 2
            block = block.clone()  # the first and the last one may still be there
            given.append(weakref.ref(block))
            yield block
            del block

    assert torch.equal(joined(blocks(), len(whole)), whole)
    assert len(given) == len(sizes)
    assert all(reference() is None for reference in given)
