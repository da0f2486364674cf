"""ClusterImagesDisplay: what is in the clusters, a row of images for each."""

from typing import Any, Self

import numpy as np

from .._typing import Array, Axes, Estimator, Samples
from ..samples.layout import Layout
from ..samples.rows import take_rows
from ._axes import needs_matplotlib, one_axes
from ._fitted import check_labels, check_rows, choose_clusters, fitted_parts
from ._images import as_array, as_pictures, layout_of, show_mosaic, tile, to_unit

__all__ = ["ClusterImagesDisplay"]

MAX_CLUSTERS = 20
KINDS = ("highest scores", "median scores", "lowest scores")
KINDS_OF_IDCL = ("densest: the core", "median density", "sparsest")
KINDS_OF_DECS = ("most stable", "median stability", "least stable")
CELL = 0.45  # inches that an image is wide


class ClusterImagesDisplay:
    """Images of each cluster: the most typical, those in the middle, the least stable.

    Make one by :meth:`from_estimator` or :meth:`from_predictions`. A cluster's samples
    are ranked by `score_samples`: shown are the highest, those about the median, and
    the lowest, the last one at the right. No sample is shown twice: small clusters
    leave places empty.

    Parameters
    ----------
    pictures : ndarray of shape (n_clusters, 3, n_images, height, width) or \
            (n_clusters, 3, n_images, height, width, 3 or 4)
        In [0, 1].
    indices : int ndarray of shape (n_clusters, 3, n_images)
        Rows of X that the pictures are of; -1 where the place is empty.
    clusters : int ndarray of shape (n_clusters,)
    sizes : int ndarray of shape (n_clusters,), default=None
        How many samples the clusters have.
    kinds : tuple of 3 str, default=("highest scores", "median scores", "lowest scores")
        Heads of the three groups.
    note : str, default=""
        Which clusters of how many these are, for the title.
    name : str, default=None
        Heads the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    im_ : matplotlib AxesImage
        All pictures in one.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import load_digits
    >>> from deepdensity.inspection import ClusterImagesDisplay
    >>> X = load_digits().images[:200]
    >>> kmeans = KMeans(10, random_state=0)
    >>> distances = kmeans.fit_transform(X.reshape(200, -1))
    >>> display = ClusterImagesDisplay.from_predictions(
    ...     X, kmeans.labels_, -distances.min(1), n_images=2
    ... )
    >>> display.pictures.shape
    (10, 3, 2, 8, 8)
    """

    def __init__(
        self,
        pictures: Array,
        indices: Array,
        clusters: Array,
        *,
        sizes: Array | None = None,
        kinds: Any = KINDS,
        note: str = "",
        name: str | None = None,
    ) -> None:
        self.pictures = pictures
        self.indices = indices
        self.clusters = clusters
        self.sizes = sizes
        self.kinds = kinds
        self.note = note
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        X: Samples,
        *,
        n_images: int = 8,
        clusters: Samples = None,
        max_clusters: int = MAX_CLUSTERS,
        image_shape: tuple[int, ...] | None = None,
        ax: Axes = None,
        **plot_params: Any,
    ) -> Self:
        """Cluster and rank X by a fitted estimator, and draw the images.

        Parameters
        ----------
        estimator : IDCLClustering, DECSClustering, or a pipeline or search of one
            Fitted.
        X : array-like or sparse matrix
            Images as in `fit`.
        n_images : int, default=8
            In each of the three groups.
        clusters : array-like of int, default=None
            Those to draw. None takes the `max_clusters` largest, and the title says so.
        max_clusters : int, default=20
        image_shape : tuple of int, default=None
            As in the estimators, where they do not know it.
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **plot_params
            See :meth:`plot`.

        Returns
        -------
        ClusterImagesDisplay
        """
        needs_matplotlib(cls, "from_estimator")
        estimator, model = fitted_parts(estimator)
        of_idcl = hasattr(model, "core_means_")
        return cls._build(
            X,
            estimator.predict(X),
            estimator.score_samples(X),
            n_images,
            clusters,
            max_clusters,
            layout_of(X, image_shape, model._format.layout),
            kinds=KINDS_OF_IDCL if of_idcl else KINDS_OF_DECS,
            name=type(model).__name__,
        ).plot(ax=ax, **plot_params)

    @classmethod
    def from_predictions(
        cls,
        X: Samples,
        labels: Samples,
        scores: Samples,
        *,
        n_images: int = 8,
        clusters: Any = None,
        max_clusters: Any = MAX_CLUSTERS,
        image_shape: Any = None,
        name: str | None = None,
        ax: Axes = None,
        **plot_params: Any,
    ) -> Self:
        """Draw images by clusters and scores that are given.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or images \
                (n, h, w), (n, h, w, c) or (n, c, h, w)
        labels : array-like of int of shape (n_samples,)
            Clusters, from 0 on.
        scores : array-like of shape (n_samples,)
            High for typical samples.
        n_images, clusters, max_clusters, image_shape, ax, **plot_params
            As in :meth:`from_estimator`.
        name : str, default=None
            Heads the title.

        Returns
        -------
        ClusterImagesDisplay
        """
        needs_matplotlib(cls, "from_predictions")
        n_samples = np.shape(X)[0]
        return cls._build(
            X,
            check_labels(labels, n_samples),
            check_rows("scores", scores, n_samples),
            n_images,
            clusters,
            max_clusters,
            layout_of(X, image_shape),
            name=name,
        ).plot(ax=ax, **plot_params)

    @classmethod
    def _build(
        cls,
        X: Samples,
        labels: Array,
        scores: Any,
        n_images: int,
        clusters: Any,
        max_clusters: Any,
        layout: Layout,
        **more: Any,
    ) -> Self:
        if n_images < 1:
            raise ValueError(f"n_images={n_images} must be at least 1.")
        if len(layout.stored) == 1:
            raise ValueError(
                f"X holds vectors of {layout.stored[0]} values, not images: give "
                "image_shape=(height, width), (height, width, channels) or (channels, "
                "height, width) if they are flat images."
            )
        clusters, note = choose_clusters(labels, clusters, max_clusters)
        indices = np.stack([ranked(labels, scores, c, n_images) for c in clusters])
        shown = indices[indices >= 0]
        rows = to_unit(as_array(take_rows(X, shown)))
        drawn = as_pictures(rows, layout)
        pictures = np.zeros((*indices.shape, *drawn.shape[1:]))
        pictures[indices >= 0] = drawn
        sizes = np.bincount(labels)[clusters]
        return cls(pictures, indices, clusters, sizes=sizes, note=note, **more)

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
        n_clusters, n_kinds, n_images, height, width = self.pictures.shape[:5]
        line = max(1, height // 14)
        row_gaps = [0] + [line] * (n_clusters - 1)
        groups = [width // 2, *[line] * (n_images - 1)] * n_kinds
        groups[0] = 0
        cells = [
            [
                picture if index >= 0 else None
                for picture, index in zip(
                    self.pictures[row].reshape(-1, *self.pictures.shape[3:]),
                    self.indices[row].ravel(),
                )
            ]
            for row in range(n_clusters)
        ]
        mosaic, tops, lefts = tile(cells, row_gaps, groups, cmap)
        inches = CELL / width * np.array(mosaic.shape[1::-1])
        ax = one_axes(ax, np.maximum(inches + (1.2, 0.8), (5, 1.5)), "compressed")
        self.im_ = show_mosaic(ax, mosaic)
        names = [str(c) for c in self.clusters]
        if self.sizes is not None:
            names = [f"{c}  ({size:,})" for c, size in zip(names, self.sizes)]
        ax.set_yticks(tops + (height - 1) / 2, names, fontsize=9)
        ax.set_ylabel("cluster (samples)" if self.sizes is not None else "cluster")
        middles = lefts.reshape(n_kinds, n_images)[:, [0, -1]].mean(1) + (width - 1) / 2
        ax.set_xticks(middles, self.kinds, fontsize=10)
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        ax.set_title(", ".join(filter(None, [self.name, self.note])))
        self.ax_ = ax
        self.figure_ = ax.figure
        return self


def ranked(labels: Array, scores: Any, cluster: Any, n_images: int) -> Any:
    """Members of a cluster: highest, about the median and lowest scores, best first.

    Array (3, n_images), -1 where there is none. A cluster of fewer than three times
    `n_images` is shared out among the three.
    """
    members = np.flatnonzero(labels == cluster)
    members = members[np.argsort(-scores[members], kind="stable")]
    n_low = min(n_images, len(members) // 3)
    n_high = min(n_images, -(-(len(members) - n_low) // 2))
    n_middle = min(n_images, len(members) - n_high - n_low)
    first = (len(members) - n_middle) // 2
    first = min(max(first, n_high), len(members) - n_low - n_middle)
    groups = np.full((3, n_images), -1)
    groups[0, :n_high] = members[:n_high]
    groups[1, :n_middle] = members[first : first + n_middle]
    if n_low:
        groups[2, n_images - n_low :] = members[len(members) - n_low :]
    return groups
