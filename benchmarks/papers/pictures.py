"""Curves as PNG files, where matplotlib is installed."""

from .curves import TABLE
from .page_courses import courses

__all__ = ["draw"]

SCORES = ("acc", "nmi")
OTHERS = ("loss", "reconstruction", "n_trained")


def draw(rows, folder):
    """A picture for each course of rows; the paths, none without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        return []
    paths = []
    for (data, method, _, seed), course in courses(TABLE, rows).items():
        figure = Figure(figsize=(12, 3), layout="constrained")
        axes = figure.subplots(1, 1 + len(OTHERS))
        for name in SCORES:
            plot(axes[0], course, name, label=name.upper())
        axes[0].legend()
        for ax, name in zip(axes[1:], OTHERS):
            plot(ax, course, name)
            ax.set_title(name.replace("_", " "))
        for ax in axes:
            ax.set_xlabel("epoch")
        figure.suptitle(f"{data}, {method}, seed {seed}")
        paths.append(
            folder / f"{'-'.join(['curves', data, *method.split()])}-{seed}.png"
        )
        figure.savefig(paths[-1], dpi=120)
    return paths


def plot(ax, course, name, **style):
    points = [(int(row["epoch"]), row[name]) for row in course if row[name] != ""]
    ax.plot([x for x, _ in points], [float(y) for _, y in points], **style)
