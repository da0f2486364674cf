"""Random rotations and shifts of images, in the geometry of their pixels."""

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from deepdensity.augmentation import random_affine

from . import reference

SIZES = [(8, 8), (8, 12), (12, 8), (15, 15), (7, 13), (40, 10)]
NEAR = {"rtol": 0, "atol": 2e-5}  # the grid is made in float32


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def random_images(seed, *shape):
    return torch.tensor(np.random.default_rng(seed).uniform(size=shape))


def blobs(height, width, at):
    """A round blob of mass 1 at each (y, x), in pixels from the image's centre."""
    y = torch.arange(height, dtype=torch.float64)[:, None] - (height - 1) / 2
    x = torch.arange(width, dtype=torch.float64) - (width - 1) / 2
    image = torch.zeros(height, width, dtype=torch.float64)
    for at_y, at_x in at:
        squared = (y - at_y) ** 2 + (x - at_x) ** 2
        image += torch.exp(-squared / (2 * 1.5**2)) / (2 * math.pi * 1.5**2)
    return image


def centroid(image):
    height, width = image.shape
    y = torch.arange(height, dtype=torch.float64) - (height - 1) / 2
    x = torch.arange(width, dtype=torch.float64) - (width - 1) / 2
    mass = image.sum()
    return torch.stack([(image.sum(1) * y).sum(), (image.sum(0) * x).sum()]) / mass


@pytest.fixture
def largest_draw(monkeypatch):
    """Every angle and shift at its largest: the draws from [0, 1) are all 1."""

    def ones(*size, generator=None, dtype=None):
        return torch.ones(*size, dtype=dtype)

    monkeypatch.setattr(torch, "rand", ones)


# -- exact cases -----------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), [*SIZES, (1, 1), (1, 5)])
@pytest.mark.parametrize("channels", [1, 3])
def test_no_angle_and_no_shift_change_nothing(height, width, channels):
    x = random_images(0, 4, channels, height, width)
    assert_allclose(random_affine(x, generator(), 0.0, 0.0), x, **NEAR)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (8, 12), (12, 8), (40, 10)])
def test_a_shift_is_a_share_of_height_and_of_width(largest_draw, height, width):
    x = random_images(0, 2, 3, height, width)
    down, across = height // 4, width // 4
    found = random_affine(x, max_angle=0.0, max_shift=0.25)
    if width % 4 == 0:
        expected = torch.zeros_like(x)
        expected[:, :, :-down, :-across] = x[:, :, down:, across:]
        assert_allclose(found, expected, **NEAR)
    for i in range(2):
        for c in range(3):
            expected = reference.rotate_and_shift(x[i, c].numpy(), 0, 0.25)
            assert_allclose(found[i, c], expected, **NEAR)


@pytest.mark.parametrize("side", [2, 5, 8, 15])
def test_a_quarter_turn_of_a_square_image_is_rot90(largest_draw, side):
    x = random_images(0, 2, 3, side, side)
    found = random_affine(x, max_angle=90.0, max_shift=0.0)
    turned = [torch.rot90(x, times, dims=(2, 3)) for times in (1, -1)]
    errors = [(found - t).abs().max().item() for t in turned]
    assert min(errors) < 2e-5


@pytest.mark.parametrize(("height", "width"), [(8, 12), (12, 8), (7, 13), (40, 10)])
def test_a_quarter_turn_of_a_long_image_turns_its_square_middle(
    largest_draw, height, width
):
    x = random_images(0, 2, 3, height, width)
    found = random_affine(x, max_angle=90.0, max_shift=0.0)
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = (..., slice(top, top + side), slice(left, left + side))
    turned = [torch.rot90(x[middle], times, dims=(2, 3)) for times in (1, -1)]
    errors = [(found[middle] - t).abs().max().item() for t in turned]
    assert min(errors) < 2e-5
    # beyond the square comes in what was outside the image: nothing
    outside = found.clone()
    outside[middle] = 0
    assert outside.abs().max() < 2e-5


def test_a_half_turn_flips_both_axes(largest_draw):
    x = random_images(0, 2, 1, 6, 9)
    found = random_affine(x, max_angle=180.0, max_shift=0.0)
    assert_allclose(found, x.flip(2, 3), **NEAR)


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(
    ("degrees", "shift"), [(10, 0.0), (10, 0.1), (33, 0.07), (-75, 0.3)]
)
def test_any_rotation_and_shift_agree_with_the_loop_over_pixels(
    largest_draw, height, width, degrees, shift
):
    x = random_images(0, 1, 1, height, width)
    found = random_affine(x, max_angle=float(degrees), max_shift=shift)
    expected = reference.rotate_and_shift(x[0, 0].numpy(), degrees, shift)
    assert_allclose(found[0, 0], expected, rtol=0, atol=1e-4)


# -- random draws ----------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), [(40, 40), (36, 60), (60, 36)])
def test_pixels_keep_their_distances_and_turn_and_shift_within_the_limits(
    height, width
):
    places = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]]).double()
    image = torch.stack([blobs(height, width, [place]) for place in places])
    x = image.repeat(200, 1, 1, 1)  # a blob in each of three channels
    found = random_affine(x, generator())
    at = torch.stack([torch.stack([centroid(c) for c in i]) for i in found])
    arms = at[:, 1:] - at[:, :1]  # (200, 2, 2): what was down, and what was right
    assert_allclose(arms.norm(dim=2), np.full((200, 2), 9.0), rtol=2e-3)
    assert_allclose((arms[:, 0] * arms[:, 1]).sum(1), np.zeros(200), atol=0.1)

    angles = torch.rad2deg(torch.atan2(arms[:, 0, 1], arms[:, 0, 0]))
    assert angles.abs().max() < 10.1
    assert angles.max() > 9
    assert angles.min() < -9
    shares = at[:, 0] / torch.tensor([height, width])
    # shifted along axes that are turned by up to ten degrees
    turned = math.sin(math.radians(10)) * max(height / width, width / height)
    assert shares.abs().max() < 0.1 * (1 + turned) + 1e-3
    assert shares.amax(0).min() > 0.08
    assert shares.amin(0).max() < -0.08
    assert_allclose(shares.mean(0), [0, 0], atol=0.02)
    assert abs(angles.mean()) < 2
    # the three draws of an image have nothing to do with each other
    related = torch.corrcoef(torch.stack([angles, shares[:, 0], shares[:, 1]]))
    assert (related - torch.eye(3)).abs().max() < 0.3


def test_mass_away_from_the_border_is_kept():
    x = blobs(40, 40, [(0, 0), (5, -4), (-6, 3)]).repeat(50, 2, 1, 1)
    found = random_affine(x, generator())
    assert_allclose(found.sum((2, 3)), x.sum((2, 3)), rtol=2e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (3, 3, 5, 9), (2, 1, 1, 2)])
def test_shape_and_dtype_are_kept_and_the_input_is_left_alone(dtype, shape):
    x = random_images(0, *shape).to(dtype)
    before = x.clone()
    found = random_affine(x, generator())
    assert found.shape == x.shape
    assert found.dtype == dtype
    assert torch.equal(x, before)


def test_values_stay_within_those_of_the_image_and_zero():
    found = random_affine(random_images(0, 20, 3, 9, 9) + 2, generator(), 45, 0.5)
    assert found.min() >= 0
    assert found.max() <= 3 + 1e-5
    assert found.min() == 0  # what comes in from outside


def test_each_image_has_its_own_angle_and_shifts_and_its_channels_share_them():
    x = random_images(0, 1, 1, 12, 12).repeat(8, 3, 1, 1)
    found = random_affine(x, generator())
    for i in range(8):
        assert torch.equal(found[i, 0], found[i, 1])
        assert torch.equal(found[i, 0], found[i, 2])
        for other in range(i):
            assert (found[i] - found[other]).abs().max() > 0.01


def test_result_follows_the_generator_alone():
    x = random_images(0, 5, 1, 10, 10)
    state = torch.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()
    first = random_affine(x, generator(1))
    assert torch.equal(first, random_affine(x, generator(1)))
    assert not torch.equal(first, random_affine(x, generator(2)))
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)


def test_generator_moves_on_between_batches():
    x, drawn = random_images(0, 5, 1, 10, 10), generator()
    assert not torch.equal(random_affine(x, drawn), random_affine(x, drawn))
