"""Figures and axes to draw on; matplotlib is imported here, and only when called."""

from __future__ import annotations

from typing import Any

from sklearn.utils._optional_dependencies import check_matplotlib_support

from .._typing import Axes

__all__ = ["leave_room", "needs_matplotlib", "one_axes", "split_axes"]

MOST_ROOM = 2 / 3  # of the height of axes


def needs_matplotlib(cls: Any, method: str) -> None:
    """Raise an ImportError that names matplotlib where it is not installed."""
    check_matplotlib_support(f"{cls.__name__}.{method}")


def one_axes(ax: Axes, figsize: Any, layout: str = "constrained") -> Any:
    """`ax`, or the axes of a new figure of a size in inches."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=figsize, layout=layout)
    return ax


def leave_room(ax: Axes, height: float) -> None:
    """Let axes leave inches free at the bottom of their place in the figure.

    They go on to do so where the figure is laid out anew, as by ``tight_layout``. Axes
    that something else has put where they are stay there.
    """
    if isinstance(ax.get_axes_locator(), (RoomBelow, type(None))):
        locator = RoomBelow(ax, height)
        ax.set_axes_locator(locator)
        ax.apply_aspect(locator(ax))


class RoomBelow:
    """An axes locator of matplotlib: the axes' place, less some inches at the bottom.

    Parameters
    ----------
    ax : matplotlib Axes
    height : float
        At most two thirds of the place are left free.
    """

    def __init__(self, ax: Axes, height: float) -> None:
        self.ax = ax
        self.height = height

    def __call__(self, ax: Axes, renderer: Any = None) -> Any:
        place = ax.get_position(original=True)
        share = self.height * ax.figure.dpi / ax.figure.bbox.height
        place.y0 += min(share, MOST_ROOM * place.height)
        return place

    def get_subplotspec(self) -> Any:
        """Where the axes are in a grid; ``tight_layout`` asks their locator."""
        return self.ax.get_subplotspec()


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
