"""How samples lie in X: vectors, or images whose channels come first, last or not."""

import math
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

__all__ = ["Layout", "image_layout"]

MAX_CHANNELS = 4  # an axis of 1 to 4 may be the channels of an image: grey to RGBA


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

    @property
    def is_image(self) -> bool:
        return len(self.stored) > 1

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
