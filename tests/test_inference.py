"""What a network gives in evaluation: row by row alike, in the units of X."""

import weakref

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from deepdensity.inference import decode, embed, joined, reconstruction_error
from deepdensity.inputs import Source
from deepdensity.networks import ConvAutoencoder, MLPAutoencoder

from .common import CPU, digits_source, trainer


@pytest.mark.parametrize("image", [False, True])
def test_embedding_is_that_of_each_row_alone(image):
    source = digits_source(image)
    shape = source.format.layout.shape
    module = ConvAutoencoder(shape, 5) if image else MLPAutoencoder(shape, 5)
    whole = embed(module, source, torch.float64)
    alone = [
        embed(module, Source(source.X[i : i + 1], source.format, CPU), torch.float64)
        for i in range(20)
    ]
    assert whole.dtype == np.float64
    assert_allclose(np.concatenate(alone), whole[:20], rtol=1e-9)
    assert next(module.parameters()).dtype == torch.float32  # a copy was converted
    assert_allclose(embed(module, source, torch.float32), whole, atol=1e-4)


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


@pytest.mark.parametrize("image", [False, True])
def test_decode_and_reconstruction_error_are_in_the_units_of_X(image):
    source = digits_source(image)
    run = trainer(source)
    run.pretrain(5)
    Z = embed(run.module, source, torch.float64)
    rows = decode(run.module, Z, source.format, CPU)
    assert rows.shape == source.X.shape
    error = ((rows - source.X) ** 2).mean()
    assert_allclose(reconstruction_error(run.module, source, Z), error, rtol=1e-5)
