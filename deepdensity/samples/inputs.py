"""From X as users hold it to batches as the networks want them, a batch at a time.

X stays as it is: uint8 stays uint8, CSR stays CSR, a memory map stays on the disk. A
batch is read, moved to the device, and only there scaled and cast.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches
from sklearn.utils.sparsefuncs import incr_mean_variance_axis
from torch import Tensor

from .._typing import Array, Samples
from ..utils.devices import to_device
from .layout import Layout
from .rows import BLOCK, SomeRows

__all__ = ["InputFormat", "Source", "check_range", "input_format", "moments"]

EMBEDDED = 512  # rows at a time: what a network makes of them takes more room
GPU_BLOCK = 2**21  # values that a GPU reads at a time, if that is more
HELD_SHARE = 0.5  # of a GPU's free memory that may hold all rows


class InputFormat(NamedTuple):
    """The layout of a sample, and the shift and scale that bring it near unit size."""

    layout: Layout
    offset: np.ndarray  # (d,) or a scalar, in the units of X
    scale: np.ndarray  # (d,) or a scalar, in the units of X

    def offset_and_scale(self, like: Any) -> Iterator[Tensor]:
        """Offset and scale as tensors on the device and in the dtype of `like`."""
        return (  # copies: torch wants to write, and a loaded format may be read-only
            torch.tensor(np.array(value), dtype=like.dtype, device=like.device)
            for value in (self.offset, self.scale)
        )

    def normalise(self, rows: Any) -> Tensor:
        """Rows of X (b, d), a floating tensor -> (b, *shape)."""
        offset, scale = self.offset_and_scale(rows)
        return self.layout.to_network((rows - offset) / scale)

    def restore(self, batch: Any) -> Tensor:
        """(b, *shape) -> rows in the units of X (b, d)."""
        rows = self.layout.from_network(batch)
        offset, scale = self.offset_and_scale(rows)
        return rows * scale + offset


def input_format(X: Samples, layout: Layout) -> InputFormat:
    r"""Scale images to [0, 1]; centre vectors and temper their features' deviations.

    A feature of deviation s is divided by :math:`\sqrt{s \bar s}`, with the mean
    deviation of all: half way, on a log scale, between leaving the features' relative
    sizes to the user and making them all equal, which would blow up the rare ones. The
    mean variance becomes 1; features that have equal deviations keep them so.
    """
    if layout.is_image:
        low, high = extremes(X)
        check_finite(high - low)
        return InputFormat(layout, np.array(low), np.array((high - low) or 1.0))
    mean, variance = moments(X)
    check_finite(variance)
    rounding = 10 * np.finfo(as_float(X[:1]).dtype).eps * np.abs(mean)
    deviation = np.sqrt(np.where(variance > rounding**2, variance, 0.0))
    common = deviation.mean()
    scale = np.sqrt(deviation * common)
    # where there is no deviation what is left may be rounding, of any size, and what
    # comes later is taken to vary as the other features do
    constant = np.maximum(rounding, common or 1.0)
    return InputFormat(layout, mean, np.where(scale > 0, scale, constant))


def check_finite(spread: Any) -> None:
    """Raise ValueError where the spread of X is beyond what float64 can hold."""
    if not np.isfinite(spread).all():
        raise ValueError(
            "X holds values so large that their spread is not finite in float64: bring "
            "them nearer to 1, for instance by X / abs(X).max()."
        )


def extremes(X: Samples) -> tuple[float, float]:
    """Lowest and highest value; a sparse X keeps its entries in their order."""
    if sparse.issparse(X):
        X = canonical(X)
    return float(X.min()), float(X.max())


def canonical(X: Samples) -> Samples:
    """A sparse matrix with one entry a place; X itself is left as it is."""
    if not X.has_canonical_format:
        X = X.copy()  # for min() and this sum up in place
        X.sum_duplicates()
    return X


def moments(X: Samples) -> tuple[Array, Array]:
    """Mean and variance of each feature, a block of rows at a time: float64 (d,)."""
    blocks = (as_float(X[rows]) for rows in gen_batches(X.shape[0], BLOCK))
    if sparse.issparse(X):
        mean, variance, n_seen = np.zeros((3, X.shape[1]))
        for rows in blocks:
            mean, variance, n_seen = incr_mean_variance_axis(
                canonical(rows),
                axis=0,
                last_mean=mean,
                last_var=variance,
                last_n=n_seen,
            )
    else:
        scaler = StandardScaler()
        for rows in blocks:
            scaler.partial_fit(np.ascontiguousarray(rows))
        mean, variance = scaler.mean_, scaler.var_
    return np.asarray(mean, dtype=np.float64), np.asarray(variance, dtype=np.float64)


def as_float(X: Samples) -> Samples:
    return X if X.dtype.kind == "f" else X.astype(np.float64)


class Source:
    """Rows of X as tensors in the network's shape and scale.

    Parameters
    ----------
    X : array, CSR matrix, Rows or SomeRows of shape (n, d)
    format : InputFormat
    device : torch.device
    """

    def __init__(self, X: Samples, format: InputFormat, device: torch.device) -> None:
        self.X = X
        self.format = format
        self.device = device
        double = X.dtype == np.float64 and device.type != "mps"  # MPS has no float64
        self.dtype = torch.float64 if double else torch.float32
        like = torch.empty(0, dtype=self.dtype, device=device)
        self.offset, self.scale = format.offset_and_scale(like)
        self.held: Tensor | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What it is made of, and is known by: not what a GPU has had room for."""
        return {"X": self.X, "format": self.format, "device": self.device}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Source.__init__(self, **state)

    def __len__(self) -> int:
        return int(self.X.shape[0])

    def hold(self) -> None:
        """Keep all rows on the GPU, as they are stored, if half of its room will do.

        A batch is then read there, without a way through the CPU.
        """
        if self.device.type != "cuda" or not isinstance(self.X, np.ndarray):
            return
        free, _ = torch.cuda.mem_get_info(self.device)
        if self.X.nbytes > free * HELD_SHARE:
            return
        kind = torch.from_numpy(np.empty(0, dtype=self.X.dtype)).dtype
        self.held = torch.empty(self.X.shape, dtype=kind, device=self.device)
        for block in gen_batches(len(self), BLOCK):  # a memory map is read as it comes
            self.held[block] = torch.from_numpy(np.array(self.X[block]))

    def batches_at_once(self, batch_size: int) -> int:
        """How many batches to read by one call: of a GPU, where calls take longest."""
        if self.device.type != "cuda":
            return 1
        return max(1, GPU_BLOCK // (batch_size * int(self.X.shape[1])))

    def part(self, rows: Array) -> "Source":
        """A source of some of the rows."""
        part = Source(SomeRows(self.X, rows), self.format, self.device)
        if self.held is not None:
            part.held = self.held[torch.from_numpy(rows).to(self.device)]
        return part

    def read(self, rows: Any, dtype: torch.dtype = torch.float32) -> Tensor:
        """A batch of the rows given by a slice or an index array: (b, *shape)."""
        values = self.stored(rows).to(self.dtype)
        # in its own memory: nothing is allocated
        scaled = values.sub_(self.offset).div_(self.scale)
        batch = self.format.layout.to_network(scaled)
        return batch.to(dtype)

    def stored(self, rows: Any) -> Tensor:
        """Rows as they are stored, a copy on the device: (b, d)."""
        if self.held is not None:
            if isinstance(rows, slice):
                return self.held[rows].clone()
            index = torch.from_numpy(np.ascontiguousarray(rows))
            return self.held.index_select(0, to_device(index, self.device))
        values = self.X[rows]  # by an index array a copy
        if sparse.issparse(values):
            values = values.toarray()
        elif isinstance(rows, slice):
            values = values.copy()  # X stays as it is: the batch is written to
        # row after row, whatever the order in X: sums are rounded by it
        values = torch.from_numpy(np.ascontiguousarray(values))
        if self.device.type == "mps" and values.dtype == torch.float64:
            values = values.float()
        return to_device(values, self.device)

    def blocks(self) -> Iterator[slice]:
        """Slices that cover all rows in order: of a GPU as large as its room allows."""
        n_rows = EMBEDDED
        if self.device.type == "cuda":
            n_rows = max(n_rows, GPU_BLOCK // self.X.shape[1])
        yield from gen_batches(len(self), n_rows)


def check_range(source: Source) -> None:
    """Raise ValueError where samples, as scaled in `fit`, are beyond float32."""
    for block in source.blocks():
        if not torch.isfinite(source.read(block)).all():
            raise ValueError(
                "X lies too far from what fit has seen: by its scale the values are "
                "beyond float32. Give samples in the units of the first fit."
            )
