"""Convolutions by matrix products: the function and the gradients of torch's own."""

import copy
import itertools

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from deepdensity.networks import convolutions
from deepdensity.networks.convolutions import (
    Conv2d,
    ConvolutionByProducts,
    ConvolutionOfAll,
    ConvolutionToFew,
    ConvTranspose2d,
    TransposedByProducts,
    patches,
)

SMALL = [(1, 1), (2, 1), (2, 2)]
SIZES = [*SMALL, (1, 3), (3, 2), (5, 4)]
LAYERS = [Conv2d, ConvTranspose2d]


def random(*shape, dtype=torch.float64):
    numbers = np.random.default_rng(sum(shape)).normal(size=shape)
    return torch.tensor(numbers, dtype=dtype)


def naive_convolution(x, weight, bias):
    """The sum over channels and taps, one product at a time."""
    n, n_in, height, width = x.shape
    out = np.zeros((n, weight.shape[0], height, width)) + bias[None, :, None, None]
    for i, j, di, dj in itertools.product(*map(range, (height, width, 3, 3))):
        i_in, j_in = i + di - 1, j + dj - 1
        if 0 <= i_in < height and 0 <= j_in < width:
            out[:, :, i, j] += x[:, :, i_in, j_in] @ weight[:, :, di, dj].T
    return out


def naive_transposed(x, weight, bias):
    """Every pixel of x adds its nine taps to the image of twice the sides."""
    n, n_in, height, width = x.shape
    out = np.zeros((n, weight.shape[1], 2 * height, 2 * width))
    out += bias[None, :, None, None]
    for i, j, di, dj in itertools.product(*map(range, (height, width, 3, 3))):
        i_out, j_out = 2 * i + di - 1, 2 * j + dj - 1
        if 0 <= i_out and 0 <= j_out:
            out[:, :, i_out, j_out] += x[:, :, i, j] @ weight[:, :, di, dj]
    return out


CASES = {
    "of all": (ConvolutionOfAll, naive_convolution, (5, 3, 3, 3)),
    "convolution": (ConvolutionByProducts, naive_convolution, (5, 3, 3, 3)),
    "to few": (ConvolutionToFew, naive_convolution, (5, 3, 3, 3)),
    "transposed": (TransposedByProducts, naive_transposed, (3, 5, 3, 3)),
}
PAIRS = [
    (case, size) for case in CASES for size in (SMALL if case == "of all" else SIZES)
]


@pytest.mark.parametrize(("case", "size"), PAIRS)
def test_they_compute_the_sums_of_a_loop(case, size):
    function, naive, shape = CASES[case]
    x, weight, bias = random(2, 3, *size), random(*shape), random(5)
    out = function.apply(x, weight, bias)
    assert_allclose(out, naive(x.numpy(), weight.numpy(), bias.numpy()), atol=1e-12)


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize(("case", "size"), PAIRS)
def test_gradients_agree_with_finite_differences(case, size, channels_last):
    function, _, shape = CASES[case]
    layout = torch.channels_last if channels_last else torch.contiguous_format
    inputs = random(2, 3, *size), random(*shape)
    inputs = [value.to(memory_format=layout).requires_grad_() for value in inputs]
    assert torch.autograd.gradcheck(
        function.apply, (*inputs, random(5).requires_grad_())
    )


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", SIZES)
def test_patches_are_the_pixels_around_a_pixel(size, stride):
    x = random(2, 3, *size)
    height, width = size
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)))
    expected = [
        padded[b, :, i : i + 3, j : j + 3].transpose(1, 2, 0).ravel()
        for b in range(2)
        for i in range(0, height, stride)
        for j in range(0, width, stride)
    ]
    assert_allclose(patches(x, stride), expected, rtol=0)


def gradients(layer, x, bfloat16):
    """Result of a layer, and the gradients of weight, bias and input."""
    x = x.detach().clone().requires_grad_()
    layer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        out = layer(x)
    out.backward(random(*out.shape).to(out.dtype))
    return out.detach(), layer.weight.grad, layer.bias.grad, x.grad


@pytest.mark.parametrize("size", [(2, 2), (1, 4)])
@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize("kind", LAYERS)
def test_layers_agree_with_torchs_own_in_training(kind, bfloat16, size, monkeypatch):
    layer = kind(16, 8).to(memory_format=torch.channels_last)
    own = copy.deepcopy(layer)
    own.__class__ = kind.__base__
    x = random(4, 16, *size, dtype=torch.float32)
    calls = []
    by_products = convolutions.by_products

    def spy(*args):
        calls.append(by_products(*args))
        return calls[-1]

    monkeypatch.setattr(convolutions, "by_products", spy)
    found = gradients(layer, x, bfloat16)
    assert calls == [True]
    for value, expected in zip(found, gradients(own, x, bfloat16)):
        assert value.dtype == expected.dtype
        tolerance = 0.02 if bfloat16 else 1e-5
        scale = float(expected.abs().max())
        assert_allclose(value.float(), expected.float(), atol=tolerance * scale)


@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize("n_out", [1, 3])
def test_few_channels_agree_with_torchs_own_in_training(n_out, bfloat16):
    layer = Conv2d(32, n_out).to(memory_format=torch.channels_last)
    own = copy.deepcopy(layer)
    own.__class__ = nn.Conv2d
    x = random(4, 32, 9, 12, dtype=torch.float32)
    for value, expected in zip(
        gradients(layer, x, bfloat16), gradients(own, x, bfloat16)
    ):
        assert value.dtype == expected.dtype
        tolerance = 0.02 if bfloat16 else 1e-5
        scale = float(expected.abs().max())
        assert_allclose(value.float(), expected.float(), atol=tolerance * scale)


def test_only_few_channels_in_training_are_sums_of_taps(monkeypatch):
    sizes = []

    def spy(function, x, weight, bias):
        sizes.append((function, len(weight), weight.shape[1]))
        return torch.zeros(1)

    monkeypatch.setattr(convolutions, "apply", spy)
    for n_in, n_out in [(9, 1), (32, 3), (8, 1), (32, 4)]:
        x = torch.zeros(1, n_in, 5, 5)
        layer = Conv2d(n_in, n_out)
        layer(x)
        layer.eval()(x)
        with torch.no_grad():
            layer.train()(x)
    assert sizes == [(ConvolutionToFew, 1, 9), (ConvolutionToFew, 3, 32)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", SMALL)
def test_many_small_maps_that_are_not_trained_agree_with_torchs_own(size, dtype):
    layer = Conv2d(16, 8).to(dtype).eval()
    own = copy.deepcopy(layer)
    own.__class__ = nn.Conv2d
    x = random(64, 16, *size, dtype=dtype)
    with torch.no_grad():
        assert convolutions.is_applied(x)
        found, expected = layer(x), own(x)
    assert found.dtype == dtype
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    assert_allclose(found, expected, atol=tolerance)


def test_few_maps_wide_ones_and_what_is_exported_are_left_to_torch(monkeypatch):
    sizes = []

    def spy(function, x, weight, bias):
        sizes.append(tuple(x.shape))
        return torch.zeros(1)

    monkeypatch.setattr(convolutions, "apply", spy)
    layer = Conv2d(3, 2).eval()
    many = torch.zeros(64, 3, 2, 2)
    layer(many)  # by autograd, as where the gradient by the input is asked for
    with torch.no_grad():
        layer(many)
        layer(many[1:])
        layer(torch.zeros(64, 3, 2, 3))
        shapes = ({0: torch.export.Dim("n_samples")},)
        exported = torch.export.export(layer, (many,), dynamic_shapes=shapes)
    assert sizes == [(64, 3, 2, 2)]
    names = [str(node.target) for node in exported.graph.nodes]
    assert any("conv2d" in name for name in names)


@pytest.mark.parametrize("kind", LAYERS)
def test_wide_maps_and_what_is_not_trained_are_left_to_torch(kind):
    layer, small = kind(3, 2), torch.zeros(1, 3, 2, 2)
    most = {torch.float32: 4}
    assert convolutions.by_products(layer, small, most)
    assert not convolutions.by_products(layer, torch.zeros(1, 3, 2, 3), most)
    assert not convolutions.by_products(layer, small.double(), most)
    with torch.no_grad():
        assert not convolutions.by_products(layer, small, most)
    with torch.autocast("cpu", torch.bfloat16):
        assert not convolutions.by_products(layer, small, most)
    assert not convolutions.by_products(layer.eval(), small, most)


@pytest.mark.parametrize(
    ("kind", "n_in"), [(Conv2d, 3), (Conv2d, 18), (ConvTranspose2d, 3)]
)
def test_a_frozen_layer_passes_the_gradient_on(kind, n_in):
    layer = kind(n_in, 2)
    layer.requires_grad_(False)
    x = random(2, n_in, 2, 2, dtype=torch.float32).requires_grad_()
    layer(x).sum().backward()
    assert layer.weight.grad is None
    assert x.grad.shape == x.shape and bool((x.grad != 0).any())


@pytest.mark.parametrize("kind", LAYERS)
def test_weights_are_those_of_torchs_layers(kind):
    layer = kind(3, 2)
    own = {Conv2d: nn.Conv2d, ConvTranspose2d: nn.ConvTranspose2d}[kind]
    assert isinstance(layer, own)
    assert set(layer.state_dict()) == {"weight", "bias"}
