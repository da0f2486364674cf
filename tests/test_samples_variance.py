"""How much the values of the network's input vary."""

import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from deepdensity.samples import variance
from deepdensity.samples.variance import data_variance

from .common import digit_vectors, source_of


@pytest.mark.parametrize("image_shape", [None, (8, 8)])
def test_it_is_that_of_the_networks_input(image_shape):
    X, _ = digit_vectors()
    source = source_of(X, image_shape)
    x = source.read(slice(0, len(X))).flatten(1).double().numpy()
    assert_allclose(data_variance(source), x.var(0).mean(), rtol=1e-5)
    assert type(data_variance(source)) is float


def test_that_of_sparse_samples_is_that_of_dense_ones():
    X, _ = digit_vectors()
    dense = data_variance(source_of(X))
    assert_allclose(data_variance(source_of(sparse.csr_array(X))), dense, rtol=1e-12)


def test_that_of_many_samples_is_that_of_rows_spread_over_them(monkeypatch):
    monkeypatch.setattr(variance, "VARIANCE_ROWS", 100)
    X, _ = digit_vectors()
    source = source_of(X, (8, 8))
    x = source.read(slice(0, 300, 3)).double().numpy()
    assert_allclose(data_variance(source), x.var(0).mean(), rtol=1e-5)
