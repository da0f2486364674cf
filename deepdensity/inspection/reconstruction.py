"""ReconstructionDisplay: what the autoencoder makes of samples."""

from typing import Any, Self

import numpy as np

from .._typing import Array, Axes, Estimator, Samples
from ..samples.layout import Layout
from ..samples.rows import take_rows
from ._axes import needs_matplotlib, one_axes, split_axes
from ._fitted import check_labels, check_rows, choose_clusters, fitted_parts
from ._images import as_array, as_pictures, layout_of, show_mosaic, tile, to_unit

__all__ = ["ReconstructionDisplay"]

MAX_CLUSTERS = 100
N_COLUMNS = 10  # samples side by side
CELL = 0.95  # inches that an image is wide
NARROW = 0.6  # inches that have no room for "cluster 10", but for "10"
MAX_PANELS = 5  # vectors side by side, unless a cluster has more
MAX_NAMES = 12  # features whose names are written out
ORIGINAL, RECONSTRUCTION = "#222222", "#D55E00"


class ReconstructionDisplay:
    """Samples of each cluster, and what they are decoded to.

    Make one by :meth:`from_estimator` or :meth:`from_predictions`. Images are shown one
    above the other (Zheng et al. 2024, Fig. 4), vectors as two lines of values.

    Parameters
    ----------
    originals : ndarray of shape (n_clusters, n_samples, n_features)
        In units of X.
    reconstructions : ndarray of shape (n_clusters, n_samples, n_features)
    indices : int ndarray of shape (n_clusters, n_samples)
        Rows of X that they are of; -1 where a cluster has fewer.
    clusters : int ndarray of shape (n_clusters,)
    layout : deepdensity.samples.layout.Layout
        Of the features in a sample: a vector or an image.
    feature_names : array-like of str, default=None
        For the lines of vectors.
    note : str, default=""
        Which clusters of how many these are, for the title.
    name : str, default=None
        Heads the title.

    Attributes
    ----------
    errors_ : ndarray of shape (n_clusters, n_samples)
        Mean squared errors, in squared units of X; NaN where there is no sample.
    ax_ : matplotlib Axes
        Of vectors it is invisible: it holds the place of `axes_`.
    axes_ : ndarray of matplotlib Axes, or None for images
        One for each sample, cluster by cluster.
    figure_ : matplotlib Figure
    im_ : matplotlib AxesImage, or None for vectors
        All images in one.
    lines_ : list of pairs of matplotlib Line2D
        Original and reconstruction, for each sample; empty for images.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from deepdensity.inspection import ReconstructionDisplay
    >>> X = load_digits().images[:50]
    >>> labels = np.arange(50) % 5
    >>> display = ReconstructionDisplay.from_predictions(X, X / 2, labels, n_samples=2)
    >>> display.indices.shape, display.errors_.shape
    ((5, 2), (5, 2))
    """

    def __init__(
        self,
        originals: Array,
        reconstructions: Array,
        indices: Array,
        clusters: Array,
        layout: Layout,
        *,
        feature_names: Samples = None,
        note: str = "",
        name: str | None = None,
    ) -> None:
        self.originals = originals
        self.reconstructions = reconstructions
        self.indices = indices
        self.clusters = clusters
        self.layout = layout
        self.feature_names = feature_names
        self.note = note
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        X: Samples,
        *,
        n_samples: int = 1,
        clusters: Samples = None,
        max_clusters: int = MAX_CLUSTERS,
        image_shape: tuple[int, ...] | None = None,
        ax: Axes = None,
        **plot_params: Any,
    ) -> Self:
        """Encode and decode samples of X by a fitted estimator, and draw them.

        Parameters
        ----------
        estimator : IDCLClustering, DECSClustering, or a pipeline or search of one
            Fitted. All steps of a pipeline must have `inverse_transform`.
        X : array-like or sparse matrix
            As in `fit`.
        n_samples : int, default=1
            For each cluster: of equally many ranks by `score_samples` those in the
            middle, so that one is the median, and more go from typical to doubtful.
        clusters : array-like of int, default=None
            Those to draw. None takes the `max_clusters` largest, and the title says so.
        max_clusters : int, default=100
        image_shape : tuple of int, default=None
            As in the estimators; draws flat images that they took for vectors.
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **plot_params
            See :meth:`plot`.

        Returns
        -------
        ReconstructionDisplay
        """
        needs_matplotlib(cls, "from_estimator")
        estimator, model = fitted_parts(estimator)
        shape = X.shape if hasattr(X, "shape") else np.shape(X)
        if not hasattr(estimator, "inverse_transform") or len(shape) < 2:
            raise TypeError(
                "estimator has a step without inverse_transform, or one whose X is no "
                "rows of numbers. Give its last step, and X as that step gets it: "
                "estimator[-1], estimator[:-1].transform(X)."
            )
        labels = estimator.predict(X)
        clusters, note = choose_clusters(labels, clusters, max_clusters)
        indices = ranks(labels, estimator.score_samples(X), clusters, n_samples)
        rows = take_rows(X, indices[indices >= 0])
        return cls._build(
            rows,
            estimator.inverse_transform(np.asarray(estimator.transform(rows))),
            indices,
            clusters,
            layout_of(X, image_shape, model._format.layout),
            feature_names=getattr(estimator, "feature_names_in_", None),
            note=note,
            name=type(model).__name__,
        ).plot(ax=ax, **plot_params)

    @classmethod
    def from_predictions(
        cls,
        X: Samples,
        reconstructions: Samples,
        labels: Samples,
        *,
        scores: Samples = None,
        n_samples: int = 1,
        clusters: Any = None,
        max_clusters: Any = MAX_CLUSTERS,
        image_shape: Any = None,
        name: str | None = None,
        ax: Axes = None,
        **plot_params: Any,
    ) -> Self:
        """Draw samples and reconstructions that are given.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or images \
                (n, h, w), (n, h, w, c) or (n, c, h, w)
        reconstructions : array-like of the shape of X
        labels : array-like of int of shape (n_samples,)
            Clusters, from 0 on.
        scores : array-like of shape (n_samples,), default=None
            What a cluster's samples are ranked by. None ranks by the squared error,
            from low to high.
        n_samples, clusters, max_clusters, image_shape, ax, **plot_params
            As in :meth:`from_estimator`.
        name : str, default=None
            Heads the title.

        Returns
        -------
        ReconstructionDisplay
        """
        needs_matplotlib(cls, "from_predictions")
        if np.shape(X) != np.shape(reconstructions):
            raise ValueError(
                f"reconstructions has the shape {np.shape(reconstructions)}, and X "
                f"{np.shape(X)}: they must be the same."
            )
        labels = check_labels(labels, np.shape(X)[0])
        if scores is None:
            scores = -mean_squares(as_array(X) - as_array(reconstructions))
        scores = check_rows("scores", scores, len(labels))
        clusters, note = choose_clusters(labels, clusters, max_clusters)
        indices = ranks(labels, scores, clusters, n_samples)
        chosen = indices[indices >= 0]
        return cls._build(
            take_rows(X, chosen),
            take_rows(reconstructions, chosen),
            indices,
            clusters,
            layout_of(X, image_shape),
            feature_names=getattr(X, "columns", None),
            note=note,
            name=name,
        ).plot(ax=ax, **plot_params)

    @classmethod
    def _build(
        cls,
        rows: Any,
        decoded: Any,
        indices: Array,
        clusters: Any,
        layout: Layout,
        **more: Any,
    ) -> Self:
        rows, decoded = as_array(rows), as_array(decoded)
        originals, reconstructions = np.full((2, *indices.shape, rows.shape[1]), np.nan)
        originals[indices >= 0] = rows
        reconstructions[indices >= 0] = decoded
        return cls(originals, reconstructions, indices, clusters, layout, **more)

    def plot(self, ax: Axes = None, *, cmap: Any = "gray") -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        cmap : str or matplotlib Colormap, default="gray"
            For images of one channel.

        Returns
        -------
        self
        """
        needs_matplotlib(type(self), "plot")
        self.errors_ = mean_squares(self.originals - self.reconstructions)
        self.im_, self.axes_ = None, None
        self.lines_: list[Any] = []
        of_images = self.layout.is_image
        ax = self._plot_images(ax, cmap) if of_images else self._plot_lines(ax)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _places(self, most_columns: Any) -> Any:
        """(line, column, cluster, sample) of each sample, and how many columns.

        A cluster's samples stay together.
        """
        n_clusters, n_samples = self.indices.shape
        a_line = min(max(1, most_columns // n_samples), n_clusters)  # clusters
        places = [
            (c // a_line, (c % a_line) * n_samples + s, c, s)
            for c in range(n_clusters)
            for s in range(n_samples)
        ]
        return places, a_line * n_samples

    def _title(self) -> str:
        return ", ".join(filter(None, [self.name, self.note]))

    def _plot_images(self, ax: Axes, cmap: Any) -> Any:
        low, high = np.nanmin(self.originals), np.nanmax(self.originals)
        pictures = [
            as_pictures(
                to_unit(part.reshape(-1, part.shape[2]), low, high), self.layout
            )
            for part in (self.originals, self.reconstructions)
        ]
        height, width = pictures[0].shape[1:3]
        places, n_columns = self._places(N_COLUMNS)
        n_samples = self.indices.shape[1]
        n_lines = places[-1][0] + 1
        cells = [[None] * n_columns for _ in range(2 * n_lines)]
        for line, column, c, s in places:
            if self.indices[c, s] >= 0:
                for i, part in enumerate(pictures):
                    cells[2 * line + i][column] = part[c * n_samples + s]
        line_gap = max(1, height // 14)
        room = max(3, round(0.38 * height))  # for the clusters' numbers
        row_gaps = [room, line_gap] * n_lines
        column_gaps = [
            line_gap if column % n_samples else width // 4
            for column in range(n_columns)
        ]
        column_gaps[0] = 0
        mosaic, tops, lefts = tile(cells, row_gaps, column_gaps, cmap)
        inches = CELL / width * np.array(mosaic.shape[1::-1])
        ax = one_axes(ax, inches + (1.4, 0.6), "compressed")
        self.im_ = show_mosaic(ax, mosaic)
        pixels = ax.get_window_extent().width * width * n_samples / mosaic.shape[1]
        prefix = "cluster " if pixels > NARROW * ax.figure.dpi else ""
        for line, column, c, s in places:
            if s == 0:
                right = lefts[column + n_samples - 1] + width
                ax.text(
                    (lefts[column] + right - 1) / 2,
                    tops[2 * line] - 1,
                    f"{prefix}{self.clusters[c]}",
                    ha="center",
                    va="bottom",
                    fontsize=9,
                )
        names = ["original", "reconstruction"] * n_lines
        ax.set_yticks(tops + (height - 1) / 2, names, fontsize=8)
        ax.set_xticks([])
        ax.tick_params(length=0)
        ax.set_title(self._title())
        return ax

    def _plot_lines(self, ax: Axes) -> Any:
        """A panel for each sample, below a head for the title and the legend."""
        places, n_columns = self._places(MAX_PANELS)
        n_lines = places[-1][0] + 1
        ax = one_axes(ax, (2.3 * n_columns + 0.5, 1.6 * n_lines + 1))
        head, body = split_axes(ax, 2, 1, [0.01, 1])[:, 0]
        head.set_axis_off()
        panels = split_axes(body, n_lines, n_columns, sharex=True, sharey=True).ravel()
        n_panels = len(places)  # cluster by cluster, line by line
        for panel in panels[n_panels:]:
            panel.set_axis_off()
        self.axes_ = panels[:n_panels].reshape(self.indices.shape)
        n_features = self.originals.shape[2]
        marker = "." if n_features <= 30 else None
        for (c, s), panel in np.ndenumerate(self.axes_):
            original, reconstruction = (
                panel.plot(values[c, s], color=colour, lw=1, marker=marker, label=label)
                for values, colour, label in (
                    (self.originals, ORIGINAL, "original"),
                    (self.reconstructions, RECONSTRUCTION, "reconstruction"),
                )
            )
            self.lines_.append((original[0], reconstruction[0]))
            panel.set_title(f"cluster {self.clusters[c]}", fontsize=9, pad=3)
            panel.tick_params(labelsize=7)
        names = self.feature_names
        named = names is not None and n_features <= MAX_NAMES
        if named:
            panels[0].set_xticks(range(n_features), list(names))
        for panel in panels[max(0, n_panels - n_columns) : n_panels]:
            panel.tick_params(axis="x", labelbottom=True, rotation=90 * named)
            panel.set_xlabel("" if named else "feature", fontsize=8)
        head.legend(
            handles=self.lines_[0],
            title=self._title() or None,
            loc="lower left",
            borderaxespad=0,
            ncols=2,
            frameon=False,
            fontsize=9,
        )
        return ax


def mean_squares(differences: Any) -> Array:
    errors: Array = np.square(differences).mean(axis=-1)
    return errors


def ranks(labels: Array, scores: Any, clusters: Any, n_samples: int) -> Any:
    """Members of each cluster in the middle of `n_samples` equal spans of their ranks.

    Ranks are by score, high to low. Array (n_clusters, n_samples), -1 where a cluster
    has fewer members.
    """
    if n_samples < 1:
        raise ValueError(f"n_samples={n_samples} must be at least 1.")
    chosen = np.full((len(clusters), n_samples), -1)
    for row, cluster in zip(chosen, clusters):
        members = np.flatnonzero(labels == cluster)
        members = members[np.argsort(-scores[members], kind="stable")]
        n_taken = min(n_samples, len(members))
        middles = (np.arange(n_taken) + 0.5) * len(members) / n_taken
        row[:n_taken] = members[middles.astype(int)]
    return chosen
