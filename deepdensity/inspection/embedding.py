"""EmbeddingDisplay: the latent space in two dimensions."""

from typing import Any, Self

import numpy as np
from sklearn.utils import check_array

from .._typing import Array, Axes, Estimator, Samples
from ..samples.rows import take_rows
from ..utils.random_states import as_random_state
from ._axes import needs_matplotlib, one_axes
from ._cores import centers_of, check_centers, core_mask, core_samples
from ._fitted import check_rows, fitted_parts, numbered_classes
from ._legend import legend_below
from ._number_boxes import draw_numbers
from ._palette import cluster_colours
from ._projection import check_choice, lowest, shown_rows, to_plane

__all__ = ["EmbeddingDisplay"]

MAX_POINTS = 20_000
N_RASTER = 2000  # more points than this are pixels even in a PDF
FEW_CLUSTERS = 10
MANY_COLOURS = ("sample", "in a density core")  # marks with the colours of clusters
INK = "#222222"
NOISE = (0.7, 0.7, 0.7)  # of samples that are in no cluster
POINTS_CENTER = "median of the points"


class EmbeddingDisplay:
    """The embedding in two dimensions: clusters, density cores or centres, outliers.

    Make one by :meth:`from_estimator` or :meth:`from_predictions`. The number of each
    cluster stands at its centre: the mean of its density core (IDCL), its centre
    (DECS), or else, as after t-SNE and UMAP, which have no map for them, the median of
    its points.

    Parameters
    ----------
    points : ndarray of shape (n_points, 2)
        Samples in the plane.
    labels : int ndarray of shape (n_points,)
        Their clusters, from 0 on; -1 is noise, and grey.
    outliers : bool ndarray of shape (n_points,), default=None
        Which of the samples to mark as outliers.
    core_points : ndarray of shape (n_core, 2), default=None
        Samples of density cores, in the plane.
    core_labels : int ndarray of shape (n_core,), default=None
    centers : ndarray of shape (n_centers, 2), default=None
        Centres of clusters, in the plane. None takes the medians of the points.
    center_labels : int ndarray of shape (n_centers,), default=None
    center_name : str, default="median of the points"
        What the centres are, for the legend.
    n_samples : int, default=None
        Of how many samples the points are a random subset; None is of none but them.
    axis_labels : tuple of str, default=("", "")
    cluster_names : list of str, default=None
        By label, to be written in the place of their numbers.
    name : str, default=None
        Heads the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    scatter_ : matplotlib PathCollection
        The samples, in an order that puts no cluster on top of the others.
    core_scatter_, outlier_scatter_ : matplotlib PathCollection or None
    center_scatter_ : matplotlib PathCollection
    numbers_ : list of matplotlib Annotation
        One for each centre, moved where one would lie on another.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.inspection import EmbeddingDisplay
    >>> labels = np.arange(40) % 2
    >>> Z = np.random.default_rng(0).normal(size=(40, 3)) + 5 * labels[:, None]
    >>> display = EmbeddingDisplay.from_predictions(Z, labels)
    >>> display.points.shape, len(display.numbers_)
    ((40, 2), 2)
    """

    def __init__(
        self,
        points: Array,
        labels: Array,
        *,
        outliers: Array | None = None,
        core_points: Array | None = None,
        core_labels: Array | None = None,
        centers: Array | None = None,
        center_labels: Array | None = None,
        center_name: str = POINTS_CENTER,
        n_samples: int | None = None,
        axis_labels: Any = ("", ""),
        cluster_names: list[str] | None = None,
        name: str | None = None,
    ) -> None:
        self.points = points
        self.labels = labels
        self.outliers = outliers
        self.core_points = core_points
        self.core_labels = core_labels
        self.centers = centers
        self.center_labels = center_labels
        self.center_name = center_name
        self.n_samples = n_samples
        self.axis_labels = axis_labels
        self.cluster_names = cluster_names
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        X: Samples,
        *,
        y: Samples = None,
        method: str = "pca",
        outliers: float = 0.02,
        max_points: int | None = MAX_POINTS,
        random_state: Any = None,
        ax: Axes = None,
        **plot_params: Any,
    ) -> Self:
        """Embed X by a fitted estimator, and draw it.

        Density cores are those of the training data, whatever X is.

        Parameters
        ----------
        estimator : IDCLClustering, DECSClustering, or a pipeline or search of one
            Fitted.
        X : array-like or sparse matrix
            As in `fit`. Of more than `max_points` samples a random subset is embedded.
        y : array-like of shape (n_samples,), default=None
            Classes, numbers or names, to be drawn in the place of the clusters; cores
            and centres, which are of clusters, are left out then.
        method : {"pca", "tsne", "umap"}, default="pca"
            "pca" keeps distances as well as two dimensions can; "tsne" keeps many
            clusters apart, and its distances between them mean little. "umap" needs
            umap-learn.
        outliers : float in [0, 1), default=0.02
            Share of the samples that are marked, those of lowest `score_samples`.
        max_points : int or None, default=20_000
            None draws all. t-SNE takes minutes for the default.
        random_state : int, RandomState instance or None, default=None
            Of the subset, t-SNE and UMAP. None takes fresh entropy.
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **plot_params
            See :meth:`plot`.

        Returns
        -------
        EmbeddingDisplay
        """
        needs_matplotlib(cls, "from_estimator")
        check_choice(method, outliers, max_points)
        estimator, model = fitted_parts(estimator)
        random = as_random_state(random_state)
        n_samples = np.shape(X)[0]
        rows = shown_rows(n_samples, n_samples, max_points, random)
        if y is not None:
            classes, names = numbered_classes(y, n_samples, of="X", name="y")
        X = take_rows(X, rows)
        Z = np.asarray(estimator.transform(X))
        scores = estimator.score_samples(X) if outliers else None
        if y is not None:
            (points,), axis_labels = to_plane(method, random, Z)
            return cls(
                points,
                classes[rows],
                outliers=lowest(scores, outliers) if outliers else None,
                n_samples=n_samples,
                axis_labels=axis_labels,
                cluster_names=names,
                name=f"{type(model).__name__}, classes",
            ).plot(ax=ax, **plot_params)
        cores = core_samples(model)
        cores = cores[shown_rows(len(cores), len(model.labels_), max_points, random)]
        core_Z = np.asarray(model.embedding_)[cores]
        labels = estimator.predict(X)
        centers, center_labels, center_name = centers_of(model, labels)
        if method != "pca":
            centers = None
        planes, axis_labels = to_plane(method, random, Z, core_Z, centers)
        return cls(
            planes[0],
            labels,
            outliers=lowest(scores, outliers) if outliers else None,
            core_points=planes[1] if len(cores) else None,
            core_labels=model.labels_[cores] if len(cores) else None,
            centers=planes[2],
            center_labels=None if centers is None else center_labels,
            center_name=POINTS_CENTER if centers is None else center_name,
            n_samples=n_samples,
            axis_labels=axis_labels,
            name=type(model).__name__,
        ).plot(ax=ax, **plot_params)

    @classmethod
    def from_predictions(
        cls,
        Z: Samples,
        labels: Samples,
        *,
        scores: Samples = None,
        cores: Samples = None,
        centers: Samples = None,
        method: str = "pca",
        outliers: Any = 0.02,
        max_points: int | None = MAX_POINTS,
        random_state: Any = None,
        name: str | None = None,
        ax: Axes = None,
        **plot_params: Any,
    ) -> Self:
        """Draw an embedding given as such.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            The embedding.
        labels : array-like of shape (n_samples,)
            Clusters or classes: numbers from 0 on, with -1 for noise, or names.
        scores : array-like of shape (n_samples,), default=None
            Low for outliers; None marks none.
        cores : array-like, default=None
            Samples in density cores: their indices, or a mask of shape (n_samples,).
        centers : array-like of shape (n_clusters, n_components), default=None
            Centre of each cluster, for ``method="pca"``, by number or in the order of
            the names; None takes the medians of the drawn points.
        method, outliers, max_points, random_state, ax, **plot_params
            As in :meth:`from_estimator`.
        name : str, default=None
            Heads the title.

        Returns
        -------
        EmbeddingDisplay
        """
        needs_matplotlib(cls, "from_predictions")
        check_choice(method, outliers, max_points)
        random = as_random_state(random_state)
        Z = check_array(Z, dtype=[np.float64, np.float32], input_name="Z")
        n_samples = len(Z)
        labels, names = numbered_classes(labels, n_samples, of="Z")
        marked = np.zeros(n_samples, dtype=bool)
        if scores is not None:
            marked = lowest(check_rows("scores", scores, n_samples, of="Z"), outliers)
        in_core = core_mask(cores, n_samples)
        alive = np.unique(labels[labels >= 0])
        if centers is not None:
            centers = check_centers(centers, len(names), Z.shape[1])[alive]
        if method != "pca":
            centers = None
        rows = shown_rows(n_samples, n_samples, max_points, random)
        (points, centers), axis_labels = to_plane(method, random, Z[rows], centers)
        in_core = in_core[rows]
        return cls(
            points,
            labels[rows],
            outliers=None if scores is None else marked[rows],
            core_points=None if cores is None else points[in_core],
            core_labels=None if cores is None else labels[rows][in_core],
            centers=centers,
            center_labels=None if centers is None else alive,
            center_name=POINTS_CENTER if centers is None else "cluster centre",
            n_samples=n_samples,
            axis_labels=axis_labels,
            cluster_names=names,
            name=name,
        ).plot(ax=ax, **plot_params)

    def plot(
        self,
        ax: Axes = None,
        *,
        numbers: bool = True,
        legend: bool = True,
        scatter_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        numbers : bool, default=True
            Whether to write the clusters' numbers at their centres.
        legend : bool, default=True
            What the marks mean; colours are told by the numbers. It stands below the
            axes. Those of a figure without a layout engine give up some of their height
            for it.
        scatter_kw : dict, default=None
            For matplotlib's `scatter` of the samples. Markers shrink and turn
            translucent with their number, unless it says otherwise.

        Returns
        -------
        self
        """
        needs_matplotlib(type(self), "plot")
        ax = one_axes(ax, (8, 7.2))
        centers, center_labels = self._centers()
        labels = [self.labels, center_labels]
        if self.core_labels is not None:  # of training samples, which X may lack
            labels.append(self.core_labels)
        n_clusters = 1 + max(each.max() for each in labels if len(each))
        colours = np.vstack([cluster_colours(n_clusters), NOISE])  # label -1: the last
        self.scatter_ = self._draw_samples(ax, colours, scatter_kw or {})
        size = self.scatter_.get_sizes()[0]
        self.core_scatter_ = self._draw_cores(ax, colours, 2.2 * size)
        self.outlier_scatter_ = self._draw_outliers(ax)
        self.center_scatter_ = ax.scatter(
            *centers.T,
            c="white",
            marker="D",
            s=34 if len(centers) <= FEW_CLUSTERS else 14,
            edgecolors="black",
            linewidths=1,
            label=self.center_name,
            zorder=5,
        )
        ax.set(xlabel=self.axis_labels[0], ylabel=self.axis_labels[1])
        ax.margins(0.08)  # room for numbers above the points
        ax.set_aspect("equal", adjustable="datalim")
        ax.set_title(self._title())
        self.numbers_ = []
        if legend:
            legend_below(ax, MANY_COLOURS)
        if numbers:
            fontsize = 10 if len(centers) <= FEW_CLUSTERS else 7
            names = self.cluster_names or [str(k) for k in range(n_clusters)]
            names = [names[label] for label in center_labels]
            self.numbers_ = draw_numbers(
                ax, centers, names, colours[center_labels], fontsize
            )
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _draw_samples(self, ax: Axes, colours: Any, more: Any) -> Any:
        n_points = len(self.points)
        order = np.random.default_rng(0).permutation(n_points)
        style = {
            "c": colours[self.labels[order]],
            "s": float(np.clip(400 / np.sqrt(n_points), 1.5, 18)),
            "alpha": float(np.clip(10 * n_points**-0.35, 0.2, 0.8)),
            "linewidths": 0,
            "label": MANY_COLOURS[0],
            "zorder": 2,
            "rasterized": n_points > N_RASTER,
        }
        return ax.scatter(*self.points[order].T, **{**style, **more})

    def _draw_cores(self, ax: Axes, colours: Any, size: float) -> Any:
        if self.core_points is None:
            return None
        return ax.scatter(
            *self.core_points.T,
            c=colours[self.core_labels],
            s=size,
            edgecolors=INK,
            linewidths=float(np.clip(20 / np.sqrt(len(self.points)), 0.25, 1)),
            label=MANY_COLOURS[1],
            zorder=3,
            rasterized=len(self.core_points) > N_RASTER,
        )

    def _draw_outliers(self, ax: Axes) -> Any:
        if self.outliers is None or not self.outliers.any():
            return None
        n_outliers = np.count_nonzero(self.outliers)
        return ax.scatter(
            *self.points[self.outliers].T,
            c=INK,
            marker="x",
            s=np.clip(120 / np.sqrt(n_outliers), 4, 24),
            linewidths=np.clip(4 / np.sqrt(n_outliers), 0.35, 1),
            label="outlier (lowest score_samples)",
            zorder=4,
            rasterized=n_outliers > N_RASTER,
        )

    def _centers(self) -> tuple[Array, Array]:
        """Where the clusters' numbers stand, (k, 2), and the clusters, (k,)."""
        if self.centers is not None:
            return np.asarray(self.centers), np.asarray(self.center_labels)
        alive = np.unique(self.labels[self.labels >= 0])
        medians = [np.median(self.points[self.labels == c], axis=0) for c in alive]
        return np.array(medians).reshape(-1, 2), alive

    def _title(self) -> str:
        subset = ""
        if self.n_samples is not None and self.n_samples > len(self.points):
            subset = f"random {len(self.points):,} of {self.n_samples:,} samples"
        return "\n".join(filter(None, [self.name, subset]))
