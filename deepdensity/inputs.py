"""From X as users hold it to batches as the networks want them, a batch at a time.

X stays as it is: uint8 stays uint8, CSR stays CSR, a memory map stays on the disk. A
batch is read, moved to the device, and only there scaled and cast.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches
from sklearn.utils.sparsefuncs import incr_mean_variance_axis
from torch import Tensor

from ._typing import Array, Samples
from .devices import to_device
from .rows import SomeRows

__all__ = ["InputFormat", "Source", "check_range", "image_layout", "input_format"]

MAX_CHANNELS = 4  # an axis of 1 to 4 may be the channels of an image: grey to RGBA
BLOCK = 1024  # rows read at a time
GPU_BLOCK = 2**21  # values that a GPU reads at a time, if that is more
HELD_SHARE = 0.5  # of a GPU's free memory that may hold all rows


class Layout(NamedTuple):
    """How one stored sample is read as the network's input."""

    stored: tuple[int, ...]  # (d,), (h, w), (h, w, c) or (c, h, w)
    channel_axis: int | None  # of `stored`: 0, 2, or None where there is none

    @property
    def shape(self) -> tuple[int, ...]:
        """The network's input shape: (d,) or (c, h, w)."""
        if len(self.stored) == 1:
            return self.stored
        if self.channel_axis is None:
            return (1, *self.stored)
        if self.channel_axis == 0:
            return self.stored
        height, width, channels = self.stored
        return (channels, height, width)

    def to_network(self, rows: Tensor) -> Tensor:
        """(b, d) -> (b, *shape)."""
        if self.channel_axis == 2:
            return rows.view(-1, *self.stored).permute(0, 3, 1, 2)
        return rows.view(-1, *self.shape)

    def from_network(self, batch: Tensor) -> Tensor:
        """(b, *shape) -> (b, d)."""
        if self.channel_axis == 2:
            batch = batch.permute(0, 2, 3, 1)
        return batch.flatten(1)


def image_layout(
    sample_shape: tuple[int, ...], image_shape: tuple[int, ...] | None = None
) -> Layout:
    """The layout of samples of a given shape.

    Parameters
    ----------
    sample_shape : tuple of int
        ``X.shape[1:]``: (d,), (h, w), (h, w, c) or (c, h, w).
    image_shape : tuple of int, default=None
        (h, w), (h, w, c) or (c, h, w), for flat samples and where the sample's own
        shape leaves it open; one entry may be -1. Of three numbers the channel axis is
        the one of size 1 to 4; where that fits both or neither, the last.

    Returns
    -------
    Layout
    """
    if image_shape is not None:
        image_shape = check_shape(image_shape)
        if len(sample_shape) == 1 or len(sample_shape) == len(image_shape):
            image_shape = resolve_shape(image_shape, math.prod(sample_shape))
    if len(sample_shape) == 1:
        if image_shape is None:
            return Layout(sample_shape, None)
        if len(image_shape) == 2:
            return Layout(image_shape, None)
        return Layout(image_shape, channel_axis(image_shape, default=2))
    if len(sample_shape) == 2:
        if image_shape not in (None, sample_shape):
            raise ValueError(
                f"image_shape={image_shape} does not match X, whose images have the "
                f"shape {sample_shape}."
            )
        return Layout(sample_shape, None)
    if len(sample_shape) == 3:
        return Layout(sample_shape, stored_channel_axis(sample_shape, image_shape))
    raise ValueError(
        f"X has {1 + len(sample_shape)} dimensions; samples must be vectors or images: "
        "(n, d), (n, h, w), (n, h, w, c) or (n, c, h, w)."
    )


def check_shape(image_shape: Any) -> Any:
    """`image_shape` as a tuple of 2 or 3 whole numbers."""
    shape = tuple(image_shape)
    whole = all(isinstance(side, (int, np.integer)) for side in shape)
    known = [side for side in shape if side != -1]
    enough = whole and len(known) >= len(shape) - 1 and all(s >= 1 for s in known)
    if not enough or len(shape) not in (2, 3):
        raise ValueError(
            f"image_shape={image_shape!r} must be (height, width), "
            "(height, width, channels) or (channels, height, width), whole numbers of "
            "at least 1, of which one may be -1: it follows from the others."
        )
    return tuple(int(side) for side in shape)


def resolve_shape(image_shape: Any, n_features: int) -> Any:
    """`image_shape` with its -1 filled in; its product must be `n_features`."""
    known = math.prod(side for side in image_shape if side != -1)
    shape = image_shape
    if -1 in shape and n_features % known == 0:
        shape = tuple(n_features // known if side == -1 else side for side in shape)
    if -1 in shape or math.prod(shape) != n_features:
        raise ValueError(
            f"image_shape={image_shape} does not match X: such an image has "
            f"{'a multiple of ' * (-1 in image_shape)}{known} values, a sample of X "
            f"has n_features = {n_features}."
        )
    return shape


def channel_axis(shape: Any, default: Any = None) -> Any:
    """The axis of a 3-tuple that holds channels: 0 or 2, `default` if undecided."""
    first, last = (1 <= shape[axis] <= MAX_CHANNELS for axis in (0, 2))
    if first == last:
        return default
    return 0 if first else 2


def stored_channel_axis(sample_shape: tuple[int, ...], image_shape: Any) -> Any:
    """The channel axis of 3-dimensional samples, with the user's word where given."""
    last_first = (sample_shape[2], *sample_shape[:2])  # (h, w, c) as (c, h, w)
    if image_shape is None:
        axis = channel_axis(sample_shape)
        if axis is None:
            raise ValueError(
                f"X holds samples of shape {sample_shape}, of which the first and the "
                "last axis could equally be the channels: say which by image_shape="
                "(height, width)."
            )
        return axis
    if len(image_shape) == 3:
        axis = channel_axis(image_shape, default=2)
        height_width = image_shape[1:] if axis == 0 else image_shape[:2]
    else:
        height_width = image_shape
    if sample_shape[:2] == height_width:
        return 2
    if sample_shape[1:] == height_width:
        return 0
    raise ValueError(
        f"image_shape={image_shape} does not match X, whose samples have the shape "
        f"{sample_shape}, nor {last_first} turned about."
    )


class InputFormat(NamedTuple):
    """The layout of a sample, and the shift and scale that bring it near unit size."""

    layout: Layout
    offset: np.ndarray  # (d,) or a scalar, in the units of X
    scale: np.ndarray  # (d,) or a scalar, in the units of X

    def shift(self, like: Any) -> Iterator[Tensor]:
        """Offset and scale as tensors on the device and in the dtype of `like`."""
        return (  # copies: torch wants to write, and a loaded format may be read-only
            torch.tensor(np.array(value), dtype=like.dtype, device=like.device)
            for value in (self.offset, self.scale)
        )

    def normalise(self, rows: Any) -> Tensor:
        """Rows of X (b, d), a floating tensor -> (b, *shape)."""
        offset, scale = self.shift(rows)
        return self.layout.to_network((rows - offset) / scale)

    def restore(self, batch: Any) -> Tensor:
        """(b, *shape) -> rows in the units of X (b, d)."""
        rows = self.layout.from_network(batch)
        offset, scale = self.shift(rows)
        return rows * scale + offset


def input_format(X: Samples, layout: Layout) -> InputFormat:
    r"""Scale images to [0, 1]; centre vectors and temper their features' deviations.

    A feature of deviation s is divided by :math:`\sqrt{s \bar s}`, with the mean
    deviation of all: half way, on a log scale, between leaving the features' relative
    sizes to the user and making them all equal, which would blow up the rare ones. The
    mean variance becomes 1; features that have equal deviations keep them so.
    """
    if len(layout.stored) > 1:
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


def moments(X: Samples) -> Any:
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
        self.shift = tuple(
            format.shift(torch.empty(0, dtype=self.dtype, device=device))
        )
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
        offset, scale = self.shift
        # in its own memory: nothing is allocated
        batch = self.format.layout.to_network(values.sub_(offset).div_(scale))
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
        n_rows = BLOCK // 2
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
