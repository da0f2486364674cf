"""Convolutions of torch whose gradients are matrix products on small maps, on a CPU.

The inner maps of an autoencoder are a few pixels wide and hundreds of channels deep.
Torch's kernels for the gradient of the weights are made for wide maps: on 2 x 2 pixels
they take several times what the product takes that the gradient is. Forward passes,
GPUs, wide maps and all that is not trained are left to torch.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

__all__ = ["Conv2d", "ConvTranspose2d"]

# most pixels of the input for which the product is the faster way (doc/speed.rst)
MOST_PIXELS = {torch.float32: 4, torch.bfloat16: 16}
MOST_PIXELS_UP = {torch.float32: 16, torch.bfloat16: 64}


class Conv2d(nn.Conv2d):
    """``nn.Conv2d`` of 3 x 3 with padding 1."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, n_in, h, w) -> (b, n_out, h, w)."""
        if by_products(self, x, MOST_PIXELS):
            return apply(ConvolutionByProducts, x, self.weight, self.bias)
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


def by_products(layer: nn.Module, x: Tensor, most_pixels: dict[Any, int]) -> bool:
    """Whether a layer in training is faster with its gradients as matrix products."""
    if not (layer.training and torch.is_grad_enabled() and x.device.type == "cpu"):
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
