"""Batches as whole slices: what skorch's nets iterate over in place of a DataLoader."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from .._typing import Array
from ..samples.inputs import Source
from ..utils.devices import to_device
from .interruption import Interruption

__all__ = ["BatchIterator", "TrainingSet"]


class TrainingSet(Dataset[Any]):
    """The rows that an epoch trains on, with a target for each of them.

    Parameters
    ----------
    source : Source
    rows : int array of shape (m,), default=None
        Indices into the source; None is all of it.
    targets : tensor of shape (m, k), default=None
        On the CPU; a batch of them goes to the device of the samples.
    n_batches : int, default=None
        Length of the epoch; None is each row once.
    """

    def __init__(
        self,
        source: Source,
        rows: Array | None = None,
        targets: Tensor | None = None,
        n_batches: int | None = None,
    ) -> None:
        self.source = source
        self.rows = np.arange(len(source)) if rows is None else rows
        self.targets = targets
        self.n_batches = n_batches

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chunk: Any) -> Any:
        """The batch of an index tensor: x (b, *shape), target (b, k) or None."""
        x = self.source.read(self.rows[chunk.numpy()])
        target = None
        if self.targets is not None:
            target = to_device(self.targets[chunk], x.device)
        return x, target


class BatchIterator:
    """Shuffled batches of even size, by a generator of their own.

    A batch is the network's input and the pair of what to reconstruct from it and the
    target. It is read by one index array. The sizes differ by one at most, so that no
    epoch ends on a batch of a few rows; a lone row is given twice, since batch
    normalisation cannot do with one.

    Parameters
    ----------
    dataset : TrainingSet
    batch_size : int
        Largest size of a batch.
    generator : torch.Generator
        On the CPU; drawn from for the order and by `views`.
    views : callable, default=None
        See :mod:`deepdensity.training.views`; None shows each sample as it is.
    interruption : Interruption, default=None
        Ends the epoch after the batch at hand, where the user has asked for it.
    """

    def __init__(
        self,
        dataset: TrainingSet,
        batch_size: int,
        generator: torch.Generator | None = None,
        views: Callable[..., Any] | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.generator = generator
        self.views = views
        self.interruption = interruption

    def __len__(self) -> int:
        per_pass = math.ceil(len(self.dataset) / self.batch_size)
        return self.dataset.n_batches or per_pass

    def __iter__(self) -> Iterator[Any]:
        chunks = self.chunks()
        n_at_once = self.dataset.source.batches_at_once(self.batch_size)
        while read := list(itertools.islice(chunks, n_at_once)):
            sizes = list(map(len, read))
            for x, original, target in zip(*self.read(torch.cat(read), sizes)):
                yield x, (original, target)
                if self.interruption is not None and self.interruption.asked:
                    return

    def read(self, chunk: Tensor, sizes: list[int]) -> tuple[Any, ...]:
        """Inputs, originals and targets of batches of such sizes, one after another."""
        x, target = self.dataset[chunk]
        original = x
        if self.views is not None:
            rows = self.dataset.rows[chunk.numpy()]
            x, original = self.views(x, rows, self.generator)
        batches = x.split(sizes)
        originals = batches if original is x else original.split(sizes)
        targets = [None] * len(sizes) if target is None else target.split(sizes)
        return batches, originals, targets

    def chunks(self) -> Iterator[Tensor]:
        """Index tensors of the batches, pass after pass until there are enough."""
        n_rows = len(self.dataset)
        left = len(self)
        while left:
            order = torch.randperm(n_rows, generator=self.generator)
            chunks = order.tensor_split(math.ceil(n_rows / self.batch_size))
            for chunk in chunks[:left]:
                yield chunk if len(chunk) > 1 else chunk.repeat(2)
            left -= min(left, len(chunks))
