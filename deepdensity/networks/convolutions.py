"""Convolutions of torch that are trained by matrix products, on a CPU.

The inner maps of an autoencoder are a few pixels wide and hundreds of channels deep,
and the last convolution goes from many channels to those of the image, one or three.
Torch's kernels, that for the gradient of the weights above all, are made for wide maps
of many channels: on 2 x 2 pixels, and from 32 channels to one, they take several times
what the products take that they come down to. Of what is not trained the maps of 2 x 2
alone are done so, where there are many; GPUs and all else are left to torch.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

__all__ = ["Conv2d", "ConvTranspose2d"]

# most pixels of the input for which the product is the faster way (doc/speed.rst)
MOST_PIXELS = {torch.float32: 4, torch.bfloat16: 16}
MOST_PIXELS_UP = {torch.float32: 16, torch.bfloat16: 64}
WIDTH_OF_ALL = 2  # of the maps whose pixels all lie within 3 x 3 of each other
FEWEST_MAPS = 64  # for which it pays to make the matrix of one, if nothing is trained


class Conv2d(nn.Conv2d):
    """``nn.Conv2d`` of 3 x 3 with padding 1."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, n_in, h, w) -> (b, n_out, h, w)."""
        if 9 * self.out_channels <= self.in_channels and is_trained(self, x):
            return apply(ConvolutionToFew, x, self.weight, self.bias)
        small = max(x.shape[-2:]) <= WIDTH_OF_ALL
        if by_products(self, x, MOST_PIXELS):
            function = ConvolutionOfAll if small else ConvolutionByProducts
            return apply(function, x, self.weight, self.bias)
        # in this order: an export would settle a number of samples that is compared
        if small and is_applied(x) and len(x) >= FEWEST_MAPS:
            return apply(ConvolutionOfAll, x, self.weight, self.bias)
        return super().forward(x)


class ConvTranspose2d(nn.ConvTranspose2d):
    """``nn.ConvTranspose2d`` of 3 x 3 that doubles height and width."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out, 3, stride=2, padding=1, output_padding=1)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(b, n_in, h, w) -> (b, n_out, 2 h, 2 w)."""
        if by_products(self, x, MOST_PIXELS_UP):
            return apply(TransposedByProducts, x, self.weight, self.bias)
        return super().forward(x, output_size)


def is_trained(layer: nn.Module, x: Tensor) -> bool:
    """Whether a layer is in training, on a CPU."""
    return layer.training and torch.is_grad_enabled() and x.device.type == "cpu"


def is_applied(x: Tensor) -> bool:
    """Whether a network is only applied, on a CPU, and not compiled or exported."""
    no_gradient = not torch.is_grad_enabled()
    return no_gradient and x.device.type == "cpu" and not torch.compiler.is_compiling()


def by_products(layer: nn.Module, x: Tensor, most_pixels: dict[Any, int]) -> bool:
    """Whether a layer is in training, on maps so small that products are faster."""
    if not is_trained(layer, x):
        return False
    dtype = x.dtype
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
    return x.shape[-2] * x.shape[-1] <= most_pixels.get(dtype, 0)


def apply(function: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Call an autograd function on what autocast would make of its arguments."""
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        x, weight = x.to(dtype), weight.to(dtype)
        bias = None if bias is None else bias.to(dtype)
    out: Tensor = function.apply(x, weight, bias)
    return out


class ConvolutionOfAll(torch.autograd.Function):
    """y = x W^T, x of (b, h w n_in) and W of (h w n_out, h w n_in), for h, w <= 2.

    Every pixel sees every pixel: a block of W is the tap between two of them.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        n_batch, n_in, height, width = x.shape
        n_out, n_pixels = weight.shape[0], height * width
        blocks = weight.new_empty(n_pixels, n_out, n_pixels, n_in)
        for after, before, tap in taps(height, width):
            blocks[after, :, before] = weight[:, :, *tap]
        whole = blocks.view(n_pixels * n_out, n_pixels * n_in)
        flat = pixels(x).view(n_batch, -1)
        ctx.save_for_backward(flat, whole)
        ctx.size = height, width
        y = F.linear(flat, whole, bias.repeat(n_pixels))
        return y.view(n_batch, height, width, n_out).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        flat, whole = ctx.saved_tensors
        height, width = ctx.size
        n_batch, n_out = grad.shape[:2]
        n_pixels = height * width
        g = pixels(grad).view(n_batch, -1)
        grad_x = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_x = (g @ whole).view(n_batch, height, width, -1).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[1]:
            blocks = (g.T @ flat).view(n_pixels, n_out, n_pixels, -1)
            by_tap = g.new_zeros(3, 3, n_out, blocks.shape[-1])
            for after, before, tap in taps(height, width):
                by_tap[tap] += blocks[after, :, before]
            grad_weight = by_tap.permute(2, 3, 0, 1)
        if ctx.needs_input_grad[2]:
            grad_bias = grad.sum((0, 2, 3))
        return grad_x, grad_weight, grad_bias


def taps(height: int, width: int) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Numbers of a pixel of the result and of one that it sees, and the tap between."""
    places = list(enumerate(itertools.product(range(height), range(width))))
    for (after, (i, j)), (before, (i_in, j_in)) in itertools.product(places, places):
        yield after, before, (i_in - i + 1, j_in - j + 1)


class ConvolutionToFew(torch.autograd.Function):
    """y is the sum of the nine taps' products W_t x^T, each a map of its own, shifted.

    x is (b h w, n_in) and W (9 n_out, n_in). Backward: dx = G^T W and dW = G x, with
    the gradient G (9 n_out, b h w) as each tap has met it.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        n_batch, _, height, width = x.shape
        n_out, n_in = weight.shape[:2]
        flat = pixels(x)
        by_tap = weight.permute(2, 3, 0, 1).reshape(-1, n_in)
        ctx.save_for_backward(flat, by_tap)
        ctx.size = height, width
        maps = (by_tap @ flat.T).view(9, n_out, n_batch, height, width)
        sums = maps.new_zeros(
            (n_out, n_batch, height + 2, width + 2),
            dtype=torch.promote_types(x.dtype, torch.float32),
        )
        for around, product in zip(shifted(sums, height, width), maps):
            around += product
        inner = sums[:, :, 1:-1, 1:-1].transpose(0, 1) + bias[:, None, None]
        return inner.to(x.dtype).contiguous(memory_format=torch.channels_last)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        flat, by_tap = ctx.saved_tensors
        height, width = ctx.size
        n_batch, n_out = grad.shape[:2]
        padded = F.pad(grad.transpose(0, 1), (1, 1, 1, 1))  # (n_out, b, h + 2, w + 2)
        met = torch.stack(list(shifted(padded, height, width))).view(9 * n_out, -1)
        grad_x = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_x = (met.T @ by_tap).view(n_batch, height, width, -1)
            grad_x = grad_x.permute(0, 3, 1, 2)
        if ctx.needs_input_grad[1]:
            grad_weight = (met @ flat).view(3, 3, n_out, -1).permute(2, 3, 0, 1)
        if ctx.needs_input_grad[2]:
            grad_bias = grad.sum((0, 2, 3))
        return grad_x, grad_weight, grad_bias


def shifted(padded: Tensor, height: int, width: int) -> Iterator[Tensor]:
    """Of each tap, in order, the part of padded maps that it takes the image to."""
    for i, j in itertools.product((2, 1, 0), repeat=2):
        yield padded[..., i : i + height, j : j + width]


class ConvolutionByProducts(torch.autograd.Function):
    """Backward: dW = g^T P, with g (b h w, n_out) and the patches P (b h w, 9 n_in)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, bias, padding=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        grad_x = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_x = F.conv_transpose2d(grad, weight, padding=1)
        g = pixels(grad)
        if ctx.needs_input_grad[1]:
            product = g.T @ patches(x)  # (n_out, 9 n_in)
            n_out, n_in = weight.shape[:2]
            grad_weight = product.view(n_out, 3, 3, n_in).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[2]:
            grad_bias = g.sum(0)
        return grad_x, grad_weight, grad_bias


class TransposedByProducts(torch.autograd.Function):
    """Backward: dx = P W^T and dW = x^T P, with the gradient's patches P.

    x is (b h w, n_in), W (n_in, 9 n_out) and P (b h w, 9 n_out), of every second pixel.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv_transpose2d(x, weight, bias, 2, 1, output_padding=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        n_batch, n_in, height, width = x.shape
        n_out = weight.shape[1]
        around = patches(grad, stride=2)
        grad_x = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            flat = weight.permute(0, 2, 3, 1).reshape(n_in, -1)  # (n_in, 9 n_out)
            product = (around @ flat.T).view(n_batch, height, width, n_in)
            grad_x = product.permute(0, 3, 1, 2)
        if ctx.needs_input_grad[1]:
            product = (pixels(x).T @ around).view(n_in, 3, 3, n_out)
            grad_weight = product.permute(0, 3, 1, 2)
        if ctx.needs_input_grad[2]:
            grad_bias = grad.sum((0, 2, 3))
        return grad_x, grad_weight, grad_bias


def pixels(x: Tensor) -> Tensor:
    """(b, c, h, w) -> (b h w, c)."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def patches(x: Tensor, stride: int = 1) -> Tensor:
    """(b, c, h, w) -> (b h' w', 9 c): around every pixel its 3 x 3, 0 over the edge.

    Of every `stride`-th pixel in both directions: h' = ceil(h / stride).
    """
    x = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1)).contiguous()  # (b, h, w, c)
    n_batch, height, width, n = x.shape
    shape = [n_batch, (height - 3) // stride + 1, (width - 3) // stride + 1, 3, 3 * n]
    row = width * n
    # three pixels of a row lie one after another: a patch is three such runs
    strides = [height * row, stride * row, stride * n, row, 1]
    return x.as_strided(shape, strides).reshape(-1, 9 * n)
