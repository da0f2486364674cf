"""The shape of X, and whether its values are in the units of the fit."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from deepdensity.samples.checks import (
    alike,
    compare_units,
    flatten_samples,
    refuse_single,
)
from deepdensity.samples.rows import Rows


def images(low, high, n=10):
    values = np.linspace(low, high, n * 4)
    return values.reshape(n, 2, 2)


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0, 1, False),
        (0, 10, False),  # ten times as wide
        (0, 10.1, True),
        (0, 0.1, False),  # a tenth as wide
        (0, 0.099, True),
        (-10, -9, False),  # ten spans below
        (-10.1, -9.1, True),
        (10, 11, False),  # ten spans above
        (10.1, 11.1, True),
    ],
)
def test_images_of_another_span_or_far_off_are_told_of(low, high, told):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compare_units(images(low, high), lowest=0.0, span=1.0)
    assert [w.category for w in caught] == [UserWarning] * told


@pytest.mark.parametrize(
    "X", [images(0, 255, n=9), images(0, 255).tolist(), Rows(images(0, 255))]
)
def test_a_few_or_those_of_no_array_are_not(X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compare_units(X, lowest=0.0, span=1.0)


def test_of_many_at_most_a_thousand_are_looked_at_all_over():
    seen = []

    class Noted(np.ndarray):
        def __getitem__(self, key):
            seen.append(np.arange(len(self))[key])
            return super().__getitem__(key)

    compare_units(images(0, 1, n=2500).view(Noted), lowest=0.0, span=1.0)
    assert_array_equal(seen[0], np.arange(0, 2500, 3))


@pytest.mark.parametrize(
    ("shape", "stored", "single"),
    [
        ((8, 8), (8, 8), True),
        ((8, 8, 3), (8, 8, 3), True),
        ((8, 8), (64,), False),  # vectors
        ((8,), (8,), False),
        ((5, 8, 8), (8, 8), False),
        ((1, 8), (1, 8), False),  # or one flat image of 1 x 8
    ],
)
def test_one_image_without_the_first_axis(shape, stored, single):
    if not single:
        return refuse_single(np.zeros(shape), stored)
    with pytest.raises(ValueError, match=r"single image of shape .* give X\[None\]"):
        refuse_single(np.zeros(shape), stored)


@pytest.mark.parametrize(
    ("shape", "fitted", "same"),
    [
        ((8, 8), (8, 8), True),
        ((8, 8, 1), (8, 8), True),
        ((1, 8, 8), (8, 8), True),
        ((8, 8), (1, 8, 8), True),
        ((8, 8, 1), (1, 8, 8), False),
        ((8, 8, 3), (8, 8), False),
        ((64,), (8, 8), False),
    ],
)
def test_one_channel_is_none(shape, fitted, same):
    assert alike(shape, fitted) is same


def test_two_axes_stay_and_more_become_rows_without_a_copy():
    X = np.arange(24.0).reshape(4, 6)
    flat, shape = flatten_samples(X)
    assert flat is X and shape is None
    flat, shape = flatten_samples(X.reshape(4, 2, 3))
    assert shape == (2, 3) and np.shares_memory(flat, X)
    assert_array_equal(flat, X)


def test_images_in_another_order_of_memory_are_read_by_rows():
    X = np.arange(24.0).reshape(4, 2, 3)
    turned = np.asfortranarray(X)
    rows, shape = flatten_samples(turned)
    assert isinstance(rows, Rows) and shape == (2, 3)
    assert_array_equal(rows[1:3], X[1:3].reshape(2, 6))


def test_lists_and_annotated_data():
    flat, shape = flatten_samples([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    assert shape == (2, 2)
    assert_array_equal(flat, [[1, 2, 3, 4], [5, 6, 7, 8]])

    class Annotated:
        var_names = ["a"]

    with pytest.raises(TypeError, match="AnnData.*CountsTransformer"):
        flatten_samples(Annotated())


def test_sparse_samples_must_be_rows():
    X = sparse.coo_array(np.ones((5, 2, 2)))
    with pytest.raises(ValueError, match=r"sparse and has the shape \(5, 2, 2\)"):
        flatten_samples(X)
