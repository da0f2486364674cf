"""A legend below the axes, where no points are."""

from typing import Any

from .._typing import Axes
from ._axes import leave_room

__all__ = ["legend_below"]

NARROW = 5  # inches of axes that have no room for the legend in one line
NARROWEST = 3.2  # nor in two
DROP = 0.45  # inches from the axes to the legend
NAME_DROP = 0.2  # inches below a subplot's place that hold no other's title


def legend_below(ax: Axes, names_of_many: tuple[str, ...]) -> Any:
    """What the marks mean, below the axis' name.

    Axes of a figure without a layout engine give up some of their height for it.

    Parameters
    ----------
    ax : matplotlib Axes
    names_of_many : tuple of str
        Marks that come in many colours, which are grey in the legend.

    Returns
    -------
    matplotlib Legend
    """
    from matplotlib.transforms import ScaledTranslation

    figure = ax.figure
    below = ScaledTranslation(0, -DROP, figure.dpi_scale_trans)
    width = ax.get_window_extent().width / figure.dpi
    n_columns = 4 if width >= NARROW else 2 if width >= NARROWEST else 1
    legend = ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=ax.transAxes + below,
        ncols=n_columns,
        fontsize=8,
        frameon=False,
    )
    for handle in legend.legend_handles:
        handle.set(alpha=1, sizes=[24])
        if handle.get_label() in names_of_many:
            handle.set_facecolor("0.6")  # no cluster's colour
    if figure.get_layout_engine() is None:
        height = legend.get_window_extent().height / figure.dpi
        leave_room(ax, height + DROP - NAME_DROP)
    return legend
