"""Functions of many samples, a block at a time, and one array of their results."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .._typing import Array
from .torch_state import no_autocast

__all__ = ["by_blocks", "joined"]

BLOCK = 2**22  # numbers held at a time where samples meet clusters


def by_blocks(function: Callable[[Tensor], Tensor], Z: Array, n_clusters: int) -> Array:
    """``function`` of tensors (m, d), for as few rows of Z at a time as memory asks.

    Parameters
    ----------
    function : callable
        Of a tensor (m, d), and with a result for each row; it may make a few numbers
        of each row, cluster and dimension.
    Z : array of shape (n, d)
    n_clusters : int

    Returns
    -------
    array of shape (n, ...)

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.utils.blocks import by_blocks
    >>> by_blocks(lambda z: z.sum(1), np.array([[1.0, 2.0], [3.0, 4.0]]), n_clusters=2)
    array([3., 7.])
    """
    n_rows = max(1, BLOCK // int(n_clusters * Z.shape[1]))
    blocks = torch.split(torch.from_numpy(Z), n_rows)
    with no_autocast("cpu"):
        return joined(map(function, blocks), len(Z)).numpy()


def joined(blocks: Iterator[Tensor], n_rows: int) -> Tensor:
    """Blocks (b, ...) that come one after another, as a whole (n, ...) on the CPU.

    The whole is there from the first block on. Small results, kept one by one until the
    end, would lie among what each block needs for a while, and keep the system from
    taking that back: of a million images 3 GB.
    """
    first = next(blocks)
    shape = (n_rows, *first.shape[1:])
    whole = torch.empty(shape, dtype=first.dtype, device="cpu")
    whole[: len(first)] = first
    done = len(first)
    for block in blocks:
        whole[done : done + len(block)] = block
        done += len(block)
    return whole
