"""From the arrays of a file to what a loader returns."""

import math
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from .._typing import Samples
from ._record import Record

__all__ = ["as_bytes", "image_bunch", "make_bunch", "pixel_names"]


def image_bunch(
    record: Record,
    arrays: Any,
    *,
    return_X_y: bool = False,
    as_frame: bool = False,
    **more: Any,
) -> Any:
    """A loader's return value, for images.

    Parameters
    ----------
    record : Record
    arrays : dict of str to array
        ``X``, images or flat rows, and ``y``, classes 0, 1, ...
    return_X_y, as_frame : bool
        As in the loaders.
    **more
        Further entries of the bunch.

    Returns
    -------
    Bunch, or (data, target)
    """
    X = arrays["X"]
    shape = record.image_shape or colour_shape(record, X.shape[1:])
    if X.shape[1:] not in (shape, (math.prod(shape),)):
        raise ValueError(
            f"{record.file} has samples of shape {X.shape[1:]}; those of "
            f"{record.title} are images of shape {shape} or flat rows of "
            f"{math.prod(shape)} values."
        )
    images = X.reshape(len(X), *shape)
    X = images.reshape(len(X), math.prod(shape))
    more = {"image_shape": shape, "images": images, **more}
    if len(shape) == 2:
        more["feature_names"] = pixel_names(shape)
    return make_bunch(record, X, arrays, return_X_y, as_frame, **more)


def make_bunch(
    record: Record,
    X: Samples,
    arrays: Any,
    return_X_y: bool = False,
    as_frame: bool = False,
    **more: Any,
) -> Any:
    """The same, for rows (n, d) of any kind."""
    check_numbers(record, X)
    y = check_classes(record, X, arrays)
    names = arrays.get("target_names", record.target_names)
    if names is None:
        names = [str(k) for k in range(y.max() + 1)]
    if y.max() >= len(names):
        raise ValueError(
            f"y in {record.file} goes up to {y.max()}, but {record.title} has "
            f"{len(names)} classes: y must be 0 to {len(names) - 1}."
        )
    data, target, frame = X, y, None
    if as_frame:
        data, target, frame = frames(X, y, more["feature_names"])
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=frame,
        target_names=np.asarray(names, dtype=str),
        DESCR=record.describe(X.shape[0], X.shape[1], len(names)),
        **more,
    )


def check_numbers(record: Record, X: Samples) -> None:
    """Raise ValueError unless X holds at least one sample, of plain numbers."""
    if X.ndim != 2 or X.shape[0] == 0 or X.dtype.kind not in "uif":
        raise ValueError(
            f"X in {record.file} has shape {X.shape} and dtype {X.dtype}; it must hold "
            f"{record.layout}."
        )


def check_classes(record: Record, X: Samples, arrays: Any) -> Any:
    """y as int64 (n,), none of it negative."""
    y = arrays["y"]
    if y.shape != (X.shape[0],) or y.dtype.kind not in "ui" or y.min() < 0:
        raise ValueError(
            f"y in {record.file} has shape {y.shape} and dtype {y.dtype}, for "
            f"{X.shape[0]} samples; it must be a class number of at least 0 for each."
        )
    return y.astype(np.int64)


def as_bytes(record: Record, X: Samples) -> Any:
    """X as uint8, where it holds whole numbers from 0 to 255; else ValueError."""
    if X.dtype == np.uint8:
        return X
    if X.dtype.kind not in "uif" or not X.size or not is_byte(X).all():
        raise ValueError(
            f"X of {record.title} has dtype {X.dtype}; its values must be whole "
            "numbers from 0 to 255."
        )
    return X.astype(np.uint8)


def is_byte(X: Samples) -> Any:
    """Which values are whole numbers from 0 to 255."""
    return (X >= 0) & (X <= 255) & (X == np.rint(X))


def colour_shape(record: Record, shape: Any) -> Any:
    """(height, width, 3) of colour images: as they come, or square ones as rows."""
    if len(shape) == 3 and shape[2] == 3:
        return tuple(shape)
    side = math.isqrt(shape[0] // 3) if len(shape) == 1 else 0
    if side == 0 or (3 * side**2,) != tuple(shape):
        raise ValueError(
            f"{record.file} has samples of shape {tuple(shape)}; they must be "
            "(height, width, 3), or flat rows of square images in colour."
        )
    return (side, side, 3)


def pixel_names(shape: Any) -> list[str]:
    """Names of the columns of flat images, by row and column, as in `load_digits`."""
    rows, columns = shape
    return [f"pixel_{i}_{j}" for i in range(rows) for j in range(columns)]


def frames(X: Samples, y: Any, names: Any) -> Any:
    """data, target and both, as a data frame, a series and a data frame."""
    try:
        import pandas
    except ImportError:
        raise ImportError("as_frame=True needs pandas: pip install pandas.") from None
    data = pandas.DataFrame(X, columns=names)
    target = pandas.Series(y, name="target")
    return data, target, pandas.concat([data, target], axis=1)
