"""Views: what the network sees of a sample, and what it shall make of it.

A view is called with a batch x ``(b, *shape)``, the rows it comes from (b,) and a
random generator, and returns the network's input and the sample to reconstruct from it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .._typing import Array
from ..samples.inputs import Source
from ..utils.devices import to_device

__all__ = ["AugmentedViews", "NeighbourViews"]


class AugmentedViews:
    """An augmented image, to be turned back into the image itself or into the view.

    Parameters
    ----------
    augment : callable
        ``augment(x, generator) -> x``.
    clean : bool
        Reconstruct the image as it was, which teaches the embedding not to mind the
        augmentation; false reconstructs the view, as DECS does (Eq. 2).
    """

    def __init__(self, augment: Callable[..., Any], clean: bool) -> None:
        self.augment = augment
        self.clean = clean

    def __call__(
        self, x: Tensor, rows: Any, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        # a copy, since an augmentation of one's own may write to what it is given
        view = self.augment(x.clone() if self.clean else x, generator)
        return view, x if self.clean else view


class NeighbourViews:
    """A vector with values dropped, to be turned into one of its nearest neighbours.

    What rotations are to images neighbours are to vectors: changes that leave the class
    as it is. The embedding learns what a sample shares with those around it.

    Parameters
    ----------
    source : Source
    neighbours : int array of shape (n, m)
        The neighbours of each row.
    dropout : float
        Share of the values that are set to 0, the mean.
    swap : float
        Share of the samples that a random neighbour stands in for on the way in, too.
    """

    def __init__(
        self, source: Source, neighbours: Array, dropout: float, swap: float = 0.0
    ) -> None:
        self.source = source
        self.neighbours = neighbours
        self.dropout = dropout
        self.swap = swap

    def __call__(
        self, x: Tensor, rows: Any, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        original = self.source.read(self.partners(rows, generator))
        if self.swap:
            partners = self.partners(rows, generator)
            swapped = torch.rand(len(x), 1, generator=generator)[:, 0] < self.swap
            x = x.clone()
            places = to_device(swapped.nonzero()[:, 0], x.device)
            x[places] = self.source.read(partners[swapped.numpy()])
        kept = torch.rand(x.shape, generator=generator) >= self.dropout
        return x * to_device(kept, x.device).to(x.dtype), original

    def partners(self, rows: Any, generator: torch.Generator) -> Array:
        """A random neighbour of each row: int array (b,)."""
        n_neighbours = self.neighbours.shape[1]
        pick = torch.randint(n_neighbours, (len(rows),), generator=generator)
        partners: Array = self.neighbours[rows, pick.numpy()]
        return partners
