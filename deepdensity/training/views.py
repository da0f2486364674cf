"""Views: what the network sees of a sample, and what it shall make of it.

A view is called with a batch x ``(b, *shape)``, the rows it comes from (b,) and a
random generator, and returns the network's input and the sample to reconstruct from it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .._typing import Array
from ..augmentation import random_affine
from ..neighbours import FEW_FEATURES, nearest_neighbours
from ..samples.inputs import Source
from ..utils.devices import to_device

__all__ = ["AugmentedViews", "NeighbourViews", "choose_views"]


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
            swapped = uniform((len(x),), generator) < self.swap
            x = x.clone()
            places = to_device(swapped.nonzero()[:, 0], x.device)
            x[places] = self.source.read(partners[swapped.numpy()])
        kept = uniform(x.shape, generator) >= self.dropout
        return x * to_device(kept, x.device).to(x.dtype), original

    def partners(self, rows: Any, generator: torch.Generator) -> Array:
        """A random neighbour of each row: int array (b,)."""
        n_neighbours = self.neighbours.shape[1]
        pick = torch.randint(n_neighbours, (len(rows),), generator=generator)
        partners: Array = self.neighbours[rows, pick.numpy()]
        return partners


def uniform(shape: Any, generator: torch.Generator) -> Tensor:
    """Random numbers in [0, 1): float32 whatever torch's default is."""
    return torch.rand(shape, generator=generator, dtype=torch.float32)


def choose_views(
    augment: Any,
    source: Source,
    clean: bool,
    seed: int,
    find: Callable[[Source, int], Array | None] = nearest_neighbours,
) -> dict[str, Any]:
    """Each phase's views for the parameter `augment`.

    Parameters
    ----------
    augment : {"auto", "affine"}, bool or callable
    source : Source
    clean : bool
        See :class:`AugmentedViews`.
    seed : int
        Of the search for neighbours.
    find : callable
        Finds the neighbours of vectors, by source and seed.

    Returns
    -------
    dict
        Phase -> views; empty where samples are seen as they are.
    """
    if callable(augment):
        check_augment(augment, source)
    if source.format.layout.is_image and augment in ("auto", "affine", True):
        augment = random_affine
    if callable(augment):
        views = AugmentedViews(augment, clean)
        return {"pretrain": views, "cluster": views}
    if augment in ("auto", True):
        neighbours = find(source, seed)
        if neighbours is not None:
            # of few features each one may be what tells two clusters apart
            dropout = 0.0 if source.X.shape[1] < FEW_FEATURES else 0.2
            return {
                "pretrain": NeighbourViews(source, neighbours, dropout=0.5),
                "cluster": NeighbourViews(source, neighbours, dropout, swap=0.5),
            }
    return {}


def check_augment(augment: Callable[..., Any], source: Source) -> None:
    """Raise ValueError unless it makes of a batch another of the same shape."""
    x = source.read(slice(0, 2))
    try:
        view = augment(x.clone(), torch.Generator().manual_seed(0))
    except Exception as error:
        raise ValueError(
            f"augment={augment!r} cannot be called with (x, generator), where x is a "
            f"tensor of shape {tuple(x.shape)}: {error}"
        ) from error
    if not isinstance(view, torch.Tensor) or view.shape != x.shape:
        kind = type(view).__name__
        shape = f" of shape {tuple(view.shape)}" if hasattr(view, "shape") else ""
        raise ValueError(
            f"augment={augment!r} must return a torch tensor of the shape that it is "
            f"given, here {tuple(x.shape)}; it returned {kind}{shape}."
        )
