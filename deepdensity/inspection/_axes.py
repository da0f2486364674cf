"""Figures and axes to draw on; matplotlib is imported here, and only when called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.utils._optional_dependencies import check_matplotlib_support

from .._typing import Axes

if TYPE_CHECKING:
    pass

__all__ = ["needs_matplotlib", "one_axes", "split_axes"]


def needs_matplotlib(cls: Any, method: str) -> None:
    """Raise an ImportError that names matplotlib where it is not installed."""
    check_matplotlib_support(f"{cls.__name__}.{method}")


def one_axes(ax: Axes, figsize: Any, layout: str = "constrained") -> Any:
    """`ax`, or the axes of a new figure of a size in inches."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=figsize, layout=layout)
    return ax


def split_axes(
    ax: Axes, n_rows: int, n_cols: Any, height_ratios: Any = None, **share: Any
) -> Any:
    """A grid of axes (n_rows, n_cols) in the place of `ax`, which is made invisible.

    `share` has ``sharex`` and ``sharey``, as in matplotlib's ``subplots``.
    """
    from matplotlib.gridspec import GridSpec, GridSpecFromSubplotSpec

    ax.set_axis_off()
    place = ax.get_subplotspec()
    if place is not None:
        grid: Any = GridSpecFromSubplotSpec(
            n_rows, n_cols, place, height_ratios=height_ratios
        )
    else:  # axes put somewhere by hand
        (left, bottom), (right, top) = ax.get_position().get_points()
        grid = GridSpec(
            n_rows,
            n_cols,
            ax.figure,
            left=left,
            right=right,
            bottom=bottom,
            top=top,
            height_ratios=height_ratios,
        )
    return grid.subplots(squeeze=False, **share)
