"""What a network gives in evaluation: row by row alike, in the units of X."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from deepdensity.networks import ConvAutoencoder, MLPAutoencoder
from deepdensity.samples.inputs import Source
from deepdensity.training.inference import decode, embed, reconstruction_error

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
