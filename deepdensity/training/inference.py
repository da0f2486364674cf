"""What a trained network gives: embeddings, reconstructions and their error."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._typing import Array
from ..samples.inputs import InputFormat, Source
from ..samples.rows import BLOCK
from ..utils.blocks import joined
from ..utils.torch_state import no_autocast

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

    with torch.inference_mode(), no_autocast(source.device):
        return joined(map(encode, source.blocks()), len(source)).numpy()


def decode(module: Any, Z: Array, format: InputFormat, device: torch.device) -> Array:
    """Rows in the units of X for embeddings Z (m, latent), in the dtype of Z."""
    points = torch.from_numpy(Z)
    module = in_dtype(module, points.dtype, device)
    with torch.inference_mode(), no_autocast(device):
        blocks = (
            format.restore(module.decode(block.to(device)))
            for block in torch.split(points, BLOCK)
        )
        return joined(blocks, len(Z)).numpy()


def reconstruction_error(module: Any, source: Source, Z: Array) -> float:
    """Mean squared error of the reconstructed values, in squared units of X.

    Z (n, latent) is the embedding of all rows.
    """
    module.eval()
    total = 0.0
    with torch.inference_mode(), no_autocast(source.device):
        for rows in source.blocks():
            x = source.read(rows)
            error = source.format.layout.from_network(
                module.decode(torch.from_numpy(Z[rows]).to(x)) - x
            )
            error = error.cpu().double()  # MPS has no float64
            _, scale = source.format.offset_and_scale(error)
            total += float((error * scale).square().sum())
    return float(total / (len(source) * source.X.shape[1]))
