"""How samples lie in X."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from deepdensity.samples.layout import Layout, image_layout

# shape of a sample, image_shape -> stored, channel axis, shape for the network
LAYOUTS = [
    ((12,), None, (12,), None, (12,)),
    ((1,), None, (1,), None, (1,)),
    ((12,), (3, 4), (3, 4), None, (1, 3, 4)),
    ((12,), [3, 4], (3, 4), None, (1, 3, 4)),
    ((30,), (5, 2, 3), (5, 2, 3), 2, (3, 5, 2)),
    ((75,), (5, 5, 3), (5, 5, 3), 2, (3, 5, 5)),
    ((75,), (3, 5, 5), (3, 5, 5), 0, (3, 5, 5)),
    ((36,), (3, 6, 2), (3, 6, 2), 2, (2, 3, 6)),  # both ends may be channels: the last
    ((392,), (7, 7, 8), (7, 7, 8), 2, (8, 7, 7)),  # neither may: the last
    ((12,), (-1, 4), (3, 4), None, (1, 3, 4)),
    ((12,), (3, -1), (3, 4), None, (1, 3, 4)),
    ((75,), (5, 5, -1), (5, 5, 3), 2, (3, 5, 5)),
    ((75,), (-1, 5, 5), (3, 5, 5), 0, (3, 5, 5)),
    ((75,), (3, -1, 5), (3, 5, 5), 0, (3, 5, 5)),
    ((8, 9), None, (8, 9), None, (1, 8, 9)),
    ((8, 9), (8, 9), (8, 9), None, (1, 8, 9)),
    ((8, 9), (8, -1), (8, 9), None, (1, 8, 9)),
    ((1, 2), None, (1, 2), None, (1, 1, 2)),
    ((8, 9, 3), None, (8, 9, 3), 2, (3, 8, 9)),
    ((8, 9, 1), None, (8, 9, 1), 2, (1, 8, 9)),
    ((3, 8, 9), None, (3, 8, 9), 0, (3, 8, 9)),
    ((4, 8, 9), None, (4, 8, 9), 0, (4, 8, 9)),
    ((8, 9, 3), (8, 9), (8, 9, 3), 2, (3, 8, 9)),
    ((3, 8, 9), (8, 9), (3, 8, 9), 0, (3, 8, 9)),
    ((8, 9, 3), (8, 9, 3), (8, 9, 3), 2, (3, 8, 9)),
    ((8, 9, 3), (3, 8, 9), (8, 9, 3), 2, (3, 8, 9)),
    ((3, 8, 9), (3, 8, 9), (3, 8, 9), 0, (3, 8, 9)),
    ((3, 8, 9), (8, 9, 3), (3, 8, 9), 0, (3, 8, 9)),
    ((2, 8, 3), (2, 8), (2, 8, 3), 2, (3, 2, 8)),  # ambiguous, and settled
    ((2, 8, 3), (8, 3), (2, 8, 3), 0, (2, 8, 3)),
    ((7, 8, 9), (7, 8), (7, 8, 9), 2, (9, 7, 8)),
    ((7, 8, 9), (8, 9), (7, 8, 9), 0, (7, 8, 9)),
]


@pytest.mark.parametrize(("sample", "image", "stored", "axis", "shape"), LAYOUTS)
def test_layout_of_a_sample(sample, image, stored, axis, shape):
    layout = image_layout(sample, image)
    assert layout == Layout(stored, axis)
    assert layout.shape == shape


@pytest.mark.parametrize(("sample", "image", "stored", "axis", "shape"), LAYOUTS)
def test_pixels_end_up_in_their_places_and_come_back(
    sample, image, stored, axis, shape
):
    n_values = int(np.prod(sample))
    X = np.arange(3 * n_values, dtype=np.float32).reshape(3, n_values)
    layout = image_layout(sample, image)
    batch = layout.to_network(torch.tensor(X))
    if len(stored) == 1:
        expected = X
    else:
        expected = X.reshape(3, *stored)
        if axis is None:
            expected = expected[:, None]
        elif axis == 2:
            expected = np.transpose(expected, (0, 3, 1, 2))
    assert_array_equal(batch, expected)
    assert_array_equal(layout.from_network(batch), X)


@pytest.mark.parametrize("sample", [(2, 8, 3), (1, 5, 1), (7, 8, 9), (5, 3, 5)])
def test_ambiguous_channels_raise_and_name_image_shape(sample):
    with pytest.raises(ValueError, match="image_shape") as caught:
        image_layout(sample)
    assert str(sample) in str(caught.value)


@pytest.mark.parametrize(
    ("sample", "image", "numbers"),
    [
        ((12,), (3, 5), ["(3, 5)", "15", "12"]),
        ((12,), (2, 2, 2), ["(2, 2, 2)", "8", "12"]),
        ((12,), (5, -1), ["(5, -1)", "5", "12"]),
        ((8, 9), (9, 8), ["(9, 8)", "(8, 9)"]),
        ((8, 9), (8, 8), ["(8, 8)", "64", "72"]),
        ((8, 9, 3), (9, 8, 3), ["(9, 8, 3)", "(8, 9, 3)"]),
        ((3, 8, 9), (3, 9, 8), ["(3, 9, 8)", "(3, 8, 9)"]),
        ((8, 9, 3), (8, 9, 4), ["(8, 9, 4)", "288", "216"]),
    ],
)
def test_a_shape_that_does_not_fit_raises_with_both_shapes(sample, image, numbers):
    with pytest.raises(ValueError, match="image_shape") as caught:
        image_layout(sample, image)
    for number in numbers:
        assert number in str(caught.value)


@pytest.mark.parametrize("image", [(8, 9), (9, 8)])
def test_height_and_width_alone_settle_the_channels_of_stored_images(image):
    sample = (*image, 3)
    assert image_layout(sample, image) == Layout(sample, 2)
    assert image_layout((3, *image), image) == Layout((3, *image), 0)


@pytest.mark.parametrize(
    "image",
    [(12,), (1, 2, 2, 3), (0, 12), (-2, 6), (3.0, 4), (-1, -1), (-1, 3, -1)],
)
def test_a_shape_that_is_none_raises(image):
    with pytest.raises(ValueError, match="image_shape.*height.*one may be -1"):
        image_layout((12,), image)


def test_whole_numbers_of_numpy_are_whole_numbers():
    layout = image_layout((12,), tuple(np.array([3, -1])))
    assert layout == Layout((3, 4), None)
    assert all(type(side) is int for side in layout.stored)


def test_samples_of_four_dimensions_raise_with_their_number():
    with pytest.raises(ValueError, match="5 dimensions"):
        image_layout((2, 3, 4, 5))


def test_where_first_and_last_axis_fit_channels_come_last():
    assert image_layout((3, 5, 4), (3, 5, 4)).channel_axis == 2
