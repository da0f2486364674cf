"""What a fitted estimator does: validation of new data, embedding, assignment."""

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from ._typing import Array, Samples
from .assignment import by_blocks
from .devices import device_or_cpu
from .inference import decode, embed
from .inputs import Source, image_layout
from .persistence import load_estimator, save_estimator
from .rows import Rows, is_read_by_slices
from .telling import warn

__all__ = ["FittedDeepClustering"]

MANY_IMAGES, MOST_IMAGES = 10, 1000
FARTHEST = 1e150  # of an embedding, whose square must be finite
UNLIKE = 10.0  # times as wide a span of values
CHECKS = {"accept_sparse": "csr", "dtype": [np.float64, np.float32, np.uint8]}


class FittedDeepClustering(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClusterMixin,
    BaseEstimator,
):
    """The methods that need a network and a head, however they were trained.

    The head is `_soft_assignment(Z)`: embedding (n, latent) -> q (n, k), both float64
    tensors.
    """

    _device: torch.device

    # arrays of a fitted estimator, by the names of their sides: checked on loading
    _fitted_shapes = {
        "labels_": ("n_samples",),
        "pretrain_labels_": ("n_samples",),
        "embedding_": ("n_samples", "n_components"),
    }

    # -- validation ----------------------------------------------------------------

    def _check_training_data(self, X: Samples) -> Any:
        """X as an array, CSR matrix or Rows (n, d), and the layout of its samples."""
        X, sample_shape = flatten_samples(X)
        X = self._validate(X, reset=True)
        if self.n_clusters != "auto" and X.shape[0] < self.n_clusters:
            raise ValueError(
                f"n_samples={X.shape[0]} should be >= n_clusters={self.n_clusters}."
            )
        sample_shape = sample_shape or (X.shape[1],)
        self._sample_shape = sample_shape
        return X, image_layout(sample_shape, self.image_shape)

    def _check_new_data(self, X: Samples) -> Any:
        """X as `fit` has seen it: an array, CSR matrix or Rows (n, d)."""
        check_is_fitted(self)
        refuse_single(X, self._format.layout.stored)
        X, sample_shape = flatten_samples(X)
        if sample_shape is not None and not alike(
            sample_shape, self._format.layout.stored
        ):
            raise ValueError(
                f"X has samples of shape {sample_shape}, but {type(self).__name__} was "
                f"fitted on samples of shape {self._format.layout.stored}."
            )
        X = self._validate(X, reset=False)
        if len(self._format.layout.stored) > 1:
            compare_units(X, *self._image_range())
        return X

    def _image_range(self) -> tuple[float, float]:
        """The lowest value of the images of `fit`, and their span."""
        return float(self._format.offset), float(self._format.scale)

    def _validate(self, X: Samples, reset: bool) -> Any:
        if not isinstance(X, Rows):
            return validate_data(self, X, reset=reset, **CHECKS)
        validate_data(self, X.stored(slice(0, 1)), reset=reset, **CHECKS)
        if X.array.dtype.kind not in "iub":  # whole numbers are always valid
            for block in X.blocks():
                check_array(block, **CHECKS, estimator=self, input_name="X")
        return X

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    # -- what a fitted estimator does ----------------------------------------------

    def _embed(self, X: Samples) -> Array:
        """Embedding of valid X: float64 for float64 X, else float32; array (n, latent).

        The precision follows X because a row must be embedded the same with and without
        its neighbours, to seven digits: more than float32 can promise.
        """
        double = X.dtype == np.float64
        device = (
            torch.device("cpu")
            if double and self._device.type == "mps"
            else self._device
        )
        dtype = torch.float64 if double else torch.float32
        return embed(self.module_, Source(X, self._format, device), dtype)

    def _embed_new(self, X: Samples) -> Array:
        """Embedding of X as a user gives it: finite, array (n, latent)."""
        Z = self._embed(self._check_new_data(X))
        # not the other way round: comparisons with NaN are false
        far = np.flatnonzero(~(np.abs(Z, dtype=float) < FARTHEST).all(axis=1))
        if len(far):
            raise ValueError(
                "X lies too far from what fit has seen: the embeddings of "
                f"{len(far)} of its {len(Z)} samples, of X[{far[0]}] first, are not "
                "finite, or their squares are not. Look there for values that cannot "
                "be, or give X in the units of fit."
            )
        return Z

    def _assign(self, Z: Array) -> Array:
        """Soft assignment of embeddings, in blocks: float64 array (n, k)."""
        return self._in_blocks(self._soft_assignment, Z)

    def _labels(self, Z: Array) -> Array:
        """The likeliest cluster of embeddings, in blocks: int array (n,)."""
        return self._in_blocks(lambda z: self._soft_assignment(z).argmax(1), Z)

    def _in_blocks(self, function: Callable[..., Any], Z: Array) -> Array:
        """``function`` of float64 tensors (m, latent), block by block: an array."""
        return by_blocks(function, np.array(Z, dtype=np.float64), self.n_clusters_)

    def fit_transform(self, X: Samples, y: Any = None) -> Array:
        """Fit, and return the embedding of X.

        Parameters
        ----------
        X : array-like or sparse matrix
            As in `fit`.
        y : Ignored

        Returns
        -------
        ndarray of shape (n_samples, n_components)
        """
        embedding: Array = self.fit(X, y).embedding_
        return embedding.copy()  # what the caller does to it is not to change the fit

    def transform(self, X: Samples) -> Array:
        """Embed X in the latent space.

        Parameters
        ----------
        X : array-like or sparse matrix
            As in `fit`: flat, or images of the size seen there.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            float32 for float32 and uint8 X, else float64.
        """
        return self._embed_new(X)

    def inverse_transform(self, X: Samples) -> Array:
        """Decode embeddings to samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Embeddings, as `transform` gives them.

        Returns
        -------
        ndarray of the shape of the samples seen in `fit`
            In the units of the data.
        """
        check_is_fitted(self)
        Z = check_array(X, dtype=[np.float64, np.float32], input_name="X")
        if Z.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {Z.shape[1]} columns; embeddings of this "
                f"{type(self).__name__} have n_components={self._n_features_out}."
            )
        device = self._device
        if device.type == "mps" and Z.dtype == np.float64:
            device = torch.device("cpu")
        rows = decode(self.module_, np.array(Z), self._format, device)
        return rows.reshape(len(rows), *self._sample_shape)

    def predict(self, X: Samples) -> Array:
        """The cluster that each sample most likely belongs to, by the trained head.

        Parameters
        ----------
        X : array-like or sparse matrix
            As in `fit`.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            On the training data, `labels_`.
        """
        return self._labels(self._embed_new(X))

    def predict_proba(self, X: Samples) -> Array:
        """Soft assignment of each sample to the clusters.

        Parameters
        ----------
        X : array-like
            As in `fit`, but dense: scikit-learn's checks leave a clusterer no way to
            accept sparse X here. Use ``predict_proba(X[rows].toarray())``, and of a
            pipeline ``pipe[-1].predict_proba(pipe[:-1].transform(X).toarray())``.

        Returns
        -------
        ndarray of shape (n_samples, n_clusters)
            Rows sum to 1.
        """
        if sparse.issparse(X):
            raise TypeError(
                "predict_proba takes no sparse X; give it dense blocks, "
                "predict_proba(X[start:stop].toarray()), and after a pipeline's other "
                "steps pipe[-1].predict_proba(pipe[:-1].transform(X).toarray()). "
                "predict, transform and score_samples take sparse X."
            )
        return self._assign(self._embed_new(X))

    # -- files -----------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the fitted model to one file, which `load` reads without running code.

        All fitted attributes and parameters are in it, but for objects and functions of
        your own; see :func:`deepdensity.load`. It needs the package safetensors.

        Parameters
        ----------
        path : str or path-like
            What stands there is replaced once the new file is complete.
        """
        save_estimator(self, path)

    @classmethod
    def load(
        cls, path: str | Path, device: str | torch.device = "auto", **parameters: Any
    ) -> Any:
        """Read a model of this class from a file that `save` has written.

        Parameters
        ----------
        path, device, **parameters
            As in :func:`deepdensity.load`.

        Returns
        -------
        The fitted estimator.
        """
        return load_estimator(path, {cls.__name__: cls}, device, **parameters)

    def __getstate__(self) -> Any:
        """For pickle: networks on the CPU, so that any machine can read them."""
        return {name: on_cpu(value) for name, value in super().__getstate__().items()}

    def __setstate__(self, state: Any) -> None:
        """From pickle: the network on the device of the fit if it is there."""
        super().__setstate__(state)
        if "module_" in state:
            self._device = device_or_cpu(self._device)
            self.module_.to(self._device)


def refuse_single(X: Any, stored: tuple[int, ...]) -> None:
    """Raise ValueError of one image that lacks the first axis."""
    shape = getattr(X, "shape", None)
    if shape == stored and len(stored) > 1 and math.prod(stored) != stored[1]:
        raise ValueError(
            f"X is a single image of shape {shape}: give X[None], an array of one."
        )


def compare_units(X: Any, lowest: float, span: float) -> None:
    """Warn of images whose values span far less, or more, than those of `fit`.

    Such as images in [0, 1] after bytes: they all look black, and fall into one
    cluster. So do those that lie far off. Of fewer than ten it may be so; of many some
    are looked at, and none of arrays that are neither NumPy's nor memory maps.
    """
    if not isinstance(X, np.ndarray) or len(X) < MANY_IMAGES:
        return
    some = X[:: -(-len(X) // MOST_IMAGES)]  # spread over all: X may lie on a disk
    low, high = float(some.min()), float(some.max())
    is_like = span / UNLIKE <= high - low <= UNLIKE * span
    is_near = low >= lowest - UNLIKE * span and high <= lowest + (1 + UNLIKE) * span
    if not (is_like and is_near):
        warn(
            f"The values of X span {high - low:.4g}, from {low:.4g} on, those that "
            f"fit has seen {span:.4g}, from {lowest:.4g} on: give images in the same "
            "units, bytes after bytes.",
            UserWarning,
        )


def alike(shape: tuple[int, ...], fitted: tuple[int, ...]) -> bool:
    """Whether samples of the shape are read as those of `fit`: one channel is none."""
    longer, shorter = sorted((shape, fitted), key=len, reverse=True)
    return shape == fitted or longer in ((*shorter, 1), (1, *shorter))


def on_cpu(value: Any) -> Any:
    """A network's copy on the CPU, or itself where it is there; other values as is."""
    if not isinstance(value, torch.nn.Module):
        return value
    tensors = (*value.parameters(), *value.buffers())
    if all(tensor.device.type == "cpu" for tensor in tensors):
        return value
    return copy.deepcopy(value).cpu()


def flatten_samples(X: Samples) -> tuple[Samples, tuple[int, ...] | None]:
    """(n, ...) as (n, d), and the shape of a sample, None if 2-D; nothing is copied.

    Arrays that are read by slices, and images that lie in memory in another order, are
    Rows then.
    """
    if hasattr(X, "var_names"):
        raise TypeError(
            "X is an AnnData object: begin a pipeline with "
            "deepdensity.single_cell.CountsTransformer(), which reads it, or give the "
            "matrix, X.X or X.layers[...]."
        )
    shape: tuple[int, ...]
    shape = np.shape(X) if isinstance(X, (list, tuple)) else getattr(X, "shape", ())
    sample_shape = tuple(shape[1:]) if len(shape) > 2 else None
    if is_read_by_slices(X):
        return Rows(X), sample_shape
    if sample_shape is None:
        return X, None
    X = np.asarray(X)
    if X.flags.c_contiguous:
        return X.reshape(shape[0], math.prod(sample_shape)), sample_shape
    return Rows(X), sample_shape
