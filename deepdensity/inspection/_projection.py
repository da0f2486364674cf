"""Embeddings to the plane: by PCA, t-SNE or UMAP, of a subset where there are many."""

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from .._typing import Array
from ..samples.rows import some_rows

__all__ = ["METHODS", "check_choice", "lowest", "shown_rows", "to_plane"]

METHODS = ("pca", "tsne", "umap")
PERPLEXITY = 30.0  # scikit-learn's; of few samples a third of their number
N_NEIGHBORS = 15  # of UMAP, its own


def check_choice(method: str, outliers: Any, max_points: int | None) -> None:
    """Raise a ValueError for options that no display can take."""
    if method not in METHODS:
        raise ValueError(f"method={method!r} must be one of {', '.join(METHODS)}.")
    if not 0 <= outliers < 1:
        raise ValueError(f"outliers={outliers!r} must be a share in [0, 1).")
    if max_points is not None and max_points < 2:
        raise ValueError(f"max_points={max_points!r} must be None or at least 2.")


def shown_rows(
    n_rows: int, n_samples: int, max_points: int | None, random: np.random.RandomState
) -> Array:
    """Random rows, the share of them that `max_points` is of `n_samples`: sorted."""
    share = 1.0 if max_points is None else max_points / n_samples
    return some_rows(n_rows, round(n_rows * share), random)


def lowest(scores: Any, share: Any) -> Any:
    """Which scores are among the lowest: bool array, round(share * n) of them true."""
    n_lowest = round(share * len(scores))
    marked = np.zeros(len(scores), dtype=bool)
    marked[np.argsort(scores, kind="stable")[:n_lowest]] = True
    return marked


def to_plane(
    method: str, random: np.random.RandomState, Z: Array, *others: Any
) -> tuple[Any, Any]:
    """Z and other embeddings in one plane.

    Parameters
    ----------
    method : {"pca", "tsne", "umap"}
    random : RandomState
    Z : array of shape (n, latent)
    *others : arrays of shape (m, latent), or None
        PCA maps them along the axes of Z; the other methods have no map, and embed them
        together with Z.

    Returns
    -------
    planes : list of arrays of shape (n, 2), or None
        Of Z and the others. Of one latent dimension the second value is 0.
    axis_labels : tuple of str
    """
    parts = [
        np.zeros((0, Z.shape[1])) if part is None else np.asarray(part, dtype=float)
        for part in (Z, *others)
    ]
    if method == "pca":
        planes, axis_labels = principal_plane(random, *parts)
    else:
        plane = neighbour_embedding(method, np.concatenate(parts), random)
        planes = np.split(plane, np.cumsum([len(part) for part in parts])[:-1])
        name = {"tsne": "t-SNE", "umap": "UMAP"}[method]
        axis_labels = (f"{name} 1", f"{name} 2")
    kept = [None if part is None else p for part, p in zip((Z, *others), planes)]
    return kept, axis_labels


def principal_plane(random: np.random.RandomState, Z: Array, *others: Any) -> Any:
    """Z and others along the first two principal axes of Z, and the axes' names."""
    with np.errstate(invalid="ignore"):  # one sample has no variance
        pca = PCA(min(2, *Z.shape), random_state=random).fit(Z)
    planes = [pca.transform(p) if len(p) else p[:, :2] for p in (Z, *others)]
    names = [
        f"principal component {i + 1} ({share:.0%} of the variance)"
        for i, share in enumerate(np.nan_to_num(pca.explained_variance_ratio_))
    ]
    padded = [np.pad(p, ((0, 0), (0, 2 - p.shape[1]))) for p in planes]
    return padded, tuple((*names, "")[:2])


def neighbour_embedding(method: str, Z: Array, random: np.random.RandomState) -> Array:
    """t-SNE from the principal components, or UMAP: array (n, 2)."""
    n_others = len(Z) - 1
    if method == "tsne":
        perplexity = min(PERPLEXITY, max(1.0, n_others / 3))
        init = "pca" if Z.shape[1] > 1 else "random"
        projection = TSNE(2, init=init, perplexity=perplexity, random_state=random)
        return np.asarray(projection.fit_transform(Z))
    try:
        from umap import UMAP
    except ImportError as error:
        raise ImportError(
            'method="umap" requires umap-learn. You can install it with '
            "`pip install umap-learn`."
        ) from error
    n_neighbors = min(N_NEIGHBORS, n_others)
    seed = int(random.randint(2**31 - 1))
    # with a seed UMAP runs on one thread, and would warn that n_jobs is not heeded
    umap = UMAP(n_components=2, n_neighbors=n_neighbors, random_state=seed, n_jobs=1)
    return np.asarray(umap.fit_transform(Z))
