"""Samples as pictures: put into the axes' order, scaled to [0, 1], tiled."""

import math
from typing import Any

import numpy as np
import torch
from scipy import sparse

from .._typing import Array, Axes, Samples
from ..samples.layout import Layout, image_layout

__all__ = ["as_array", "as_pictures", "layout_of", "show_mosaic", "tile", "to_unit"]


def layout_of(X: Samples, image_shape: Any = None, known: Any = None) -> Any:
    """How the samples of X are laid out.

    `image_shape` has the first word, then `known`, the layout that an estimator was
    fitted with, where it fits X, then the shape of X.
    """
    sample_shape = np.shape(X)[1:]
    if image_shape is None and known is not None:
        if sample_shape in (known.stored, (math.prod(known.stored),)):
            return known
    return image_layout(sample_shape, image_shape)


def as_array(rows: Any) -> Array:
    """Rows of X as a float64 array (n, d), whatever X is."""
    rows = rows.toarray() if sparse.issparse(rows) else np.asarray(rows)
    return np.array(rows.reshape(len(rows), -1), dtype=np.float64)


def as_pictures(rows: Any, layout: Layout) -> Any:
    """Rows (n, d) as pictures (n, h, w), or (n, h, w, 3 or 4) in colour.

    Two channels have no colours: their mean is drawn.
    """
    images = layout.to_network(torch.from_numpy(rows)).numpy()  # (n, c, h, w)
    if images.shape[1] in (3, 4):
        return np.moveaxis(images, 1, -1)
    return images.mean(axis=1)


def to_unit(values: Array, low: Any = None, high: Any = None) -> Array:
    """Values from [low, high], by default all there are, to [0, 1]; outside cut off."""
    low = values.min() if low is None else low
    high = values.max() if high is None else high
    shares: Array = (values - low) / ((high - low) or 1.0)
    return shares.clip(0, 1)


def tile(
    cells: Any, row_gaps: Any, column_gaps: Any, cmap: Any
) -> tuple[Array, Array, Array]:
    """One picture of many, transparent where there is none.

    Parameters
    ----------
    cells : list of lists of array or None
        Pictures (h, w), (h, w, 3) or (h, w, 4) in [0, 1], all of one size.
    row_gaps, column_gaps : sequences of int
        Pixels before each row, and before each column.
    cmap : str or matplotlib Colormap
        For (h, w).

    Returns
    -------
    mosaic : array of shape (height, width, 4)
    tops, lefts : int arrays
        First pixel of each row and of each column.
    """
    from matplotlib import colormaps

    cmap = colormaps.get_cmap(cmap)
    height, width = next(c.shape[:2] for row in cells for c in row if c is not None)
    tops = np.cumsum(row_gaps) + height * np.arange(len(row_gaps))
    lefts = np.cumsum(column_gaps) + width * np.arange(len(column_gaps))
    mosaic = np.zeros((tops[-1] + height, lefts[-1] + width, 4))
    for top, row in zip(tops, cells):
        for left, cell in zip(lefts, row):
            if cell is not None:
                place = mosaic[top : top + height, left : left + width]
                place[..., 3] = 1
                cell = cmap(cell) if cell.ndim == 2 else cell
                place[..., : cell.shape[2]] = cell
    return mosaic, tops, lefts


def show_mosaic(ax: Axes, mosaic: Any) -> Any:
    """Draw a mosaic without frame, pixel by pixel: AxesImage."""
    ax.spines[:].set_visible(False)
    return ax.imshow(mosaic, interpolation="nearest")
