"""What a trained network gives: embeddings, reconstructions and their error."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ._typing import Array
from .inputs import BLOCK, Source

if TYPE_CHECKING:
    from .inputs import InputFormat

__all__ = ["decode", "embed", "reconstruction_error"]


def in_dtype(module: Any, dtype: torch.dtype, device: torch.device) -> Any:
    """The module in evaluation mode: itself in float32, a converted copy otherwise."""
    module.eval()
    if dtype == torch.float32:
        return module
    return copy.deepcopy(module).to(device=device, dtype=dtype)


def embed(module: Any, source: Source, dtype: torch.dtype, view: Any = None) -> Array:
    """Embedding of all rows, block by block: array (n, latent) of the given dtype.

    ``view(x, rows)``, if given, changes each block before. In float64 a row's embedding
    does not depend, to seven digits, on its block.
    """
    module = in_dtype(module, dtype, source.device)

    def encode(rows: slice) -> Tensor:
        x = source.read(rows, dtype)
        if view is not None:
            x = view(x, np.arange(rows.start, rows.stop))
        embedding: Tensor = module.encode(x)
        return embedding

    with torch.inference_mode():
        return joined(map(encode, source.blocks()), len(source)).numpy()


def decode(module: Any, Z: Array, format: InputFormat, device: torch.device) -> Array:
    """Rows in the units of X for embeddings Z (m, latent), in the dtype of Z."""
    points = torch.from_numpy(Z)
    module = in_dtype(module, points.dtype, device)
    with torch.inference_mode():
        blocks = (
            format.restore(module.decode(block.to(device)))
            for block in torch.split(points, BLOCK)
        )
        return joined(blocks, len(points)).numpy()


def joined(blocks: Iterator[Tensor], n_rows: int) -> Tensor:
    """Blocks (b, ...) that come one after another, as a whole (n, ...) on the CPU.

    The whole is there from the first block on. Small results, kept one by one until the
    end, would lie among what each block needs for a while, and keep the system from
    taking that back: of a million images 3 GB.
    """
    first = next(blocks)
    whole = torch.empty((n_rows, *first.shape[1:]), dtype=first.dtype)
    whole[: len(first)] = first
    done = len(first)
    for block in blocks:
        whole[done : done + len(block)] = block
        done += len(block)
    return whole


def reconstruction_error(module: Any, source: Source, Z: Array) -> float:
    """Mean squared error of the reconstructed values, in squared units of X.

    Z (n, latent) is the embedding of all rows.
    """
    module.eval()
    total = 0.0
    with torch.inference_mode():
        for rows in source.blocks():
            x = source.read(rows)
            error = source.format.layout.from_network(
                module.decode(torch.from_numpy(Z[rows]).to(x)) - x
            )
            error = error.cpu().double()  # MPS has no float64
            _, scale = source.format.shift(error)
            total += float((error * scale).square().sum())
    return float(total / (len(source) * source.X.shape[1]))
