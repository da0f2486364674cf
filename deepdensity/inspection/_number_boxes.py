"""Numbers of clusters, drawn so that no box lies on another."""

from typing import Any

import numpy as np

from .._typing import Array, Axes

__all__ = ["draw_numbers", "spread_boxes"]

N_ROUNDS = 1000  # 80 numbers at one point need 800
STEP = 0.5  # pixels that two boxes are moved at least
GAP = 2.0  # pixels between two boxes


def spread_boxes(centres: Array, sizes: Array) -> Array:
    """Move boxes apart until no two overlap, each as little as the others let it.

    Of every pair that overlaps both are moved half of the overlap away from each other,
    along the axis where it is smaller, round after round.

    Parameters
    ----------
    centres : array of shape (n, 2)
        Where the boxes would like their centres, in pixels.
    sizes : array of shape (n, 2)
        Widths and heights.

    Returns
    -------
    array of shape (n, 2)
    """
    places = np.array(centres, dtype=float) + unlike(centres)
    reach = (sizes[:, None] + sizes[None]) / 2
    for _ in range(N_ROUNDS):
        apart = places[:, None] - places[None]
        overlap = reach - np.abs(apart)
        hit = (overlap > 0).all(axis=2)
        np.fill_diagonal(hit, False)
        if not hit.any():
            break
        sideways = overlap[..., 0] < overlap[..., 1]
        along = np.stack([hit & sideways, hit & ~sideways], axis=2)
        push = (along * np.sign(apart) * (overlap / 2 + STEP)).sum(axis=1)
        # a mean: a box that many others push must not be thrown far
        places += push / np.maximum(1, hit.sum(axis=1))[:, None]
    return places


def unlike(centres: Array) -> Array:
    """Small moves that make equal centres differ: they have no direction to part in.

    Along a spiral of golden angles, as the seeds of a sunflower lie.
    """
    _, group = np.unique(np.round(centres), axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    _, first = np.unique(group.ravel()[order], return_index=True)
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order)) - np.repeat(
        first, np.diff([*first, len(order)])
    )
    angle = rank * np.pi * (3 - np.sqrt(5))
    radius = STEP * np.sqrt(rank)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def draw_numbers(
    ax: Axes, points: Array, names: Any, colours: Any, fontsize: Any
) -> Any:
    """A framed name above each point, with a line to it: list of Annotation.

    It is moved where it would lie on another.

    Points within the final limits of `ax`, in its data's units; the frames have the
    `colours`.
    """
    texts = [
        ax.annotate(
            name,
            point,
            xytext=(0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=fontsize,
            fontweight="bold",
            zorder=6,
            bbox={
                "boxstyle": "round,pad=0.15",
                "facecolor": "white",
                "edgecolor": colour,
                "linewidth": 1.4,
                "alpha": 0.85,
            },
            arrowprops={
                "arrowstyle": "-",
                "color": "black",
                "linewidth": 0.7,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )
        for name, point, colour in zip(names, points, colours)
    ]
    if not texts:
        return texts
    # settles the layout, and with it the pixels; the canvas knows the whole figure
    ax.figure.canvas.figure.draw_without_rendering()
    sizes = np.array([frame_size(text) for text in texts]) + GAP
    pixels = ax.transData.transform(points)
    above = sizes * [0, 1]  # what is at the point itself stays to be seen
    moves = spread_boxes(pixels + above, sizes) - pixels
    for text, move in zip(texts, moves * 72 / ax.figure.dpi):  # inches have 72 points
        text.set_position(move)
    return texts


def frame_size(text: Any) -> Any:
    """Width and height in pixels of a text's frame."""
    box = text.get_bbox_patch().get_window_extent()
    return box.width, box.height
