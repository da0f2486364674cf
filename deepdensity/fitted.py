"""What a fitted estimator does: validation of new data, embedding, assignment."""

import copy
from collections.abc import Callable
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

from ._typing import Array, FilePath, Samples
from .persistence.saving import load_estimator, save_estimator
from .samples.checks import alike, compare_units, flatten_samples, refuse_single
from .samples.inputs import Source
from .samples.layout import image_layout
from .samples.rows import Rows
from .training.inference import decode, embed
from .utils.blocks import by_blocks
from .utils.devices import device_or_cpu
from .utils.plain_sklearn import plain_sklearn

__all__ = ["FittedDeepClustering"]

FARTHEST = 1e150  # of an embedding, whose square must be finite
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
        self._compare_units(X)
        return X

    def _compare_units(self, X: Samples) -> None:
        """Warn where images cannot be in the units of those of `fit`."""
        if self._format.layout.is_image:  # these have one lowest value, and one span
            lowest, span = float(self._format.offset), float(self._format.scale)
            compare_units(X, lowest, span)

    def _validate(self, X: Samples, reset: bool) -> Any:
        if not isinstance(X, Rows):
            with plain_sklearn():  # which else would take tensors, and not their dtype
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
        source = Source(X, self._format, self._device_for(X.dtype))
        dtype = torch.float64 if X.dtype == np.float64 else torch.float32
        return embed(self.module_, source, dtype)

    def _device_for(self, dtype: Any) -> torch.device:
        """That of the fit, but the CPU for float64 where it is MPS, which has none."""
        if dtype == np.float64 and self._device.type == "mps":
            return torch.device("cpu")
        return self._device

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
            float32 for float32 and uint8 X, else float64. Calls of few rows are quicker
            in float32: float64 takes a converted copy of the network each time.
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
        with plain_sklearn():
            Z = check_array(X, dtype=[np.float64, np.float32], input_name="X")
        if Z.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {Z.shape[1]} columns; embeddings of this "
                f"{type(self).__name__} have n_components={self._n_features_out}."
            )
        device = self._device_for(Z.dtype)
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

    def save(self, path: FilePath) -> None:
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
        cls, path: FilePath, device: str | torch.device = "auto", **parameters: Any
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


def on_cpu(value: Any) -> Any:
    """A network's copy on the CPU, or itself where it is there; other values as is."""
    if not isinstance(value, torch.nn.Module):
        return value
    tensors = (*value.parameters(), *value.buffers())
    if all(tensor.device.type == "cpu" for tensor in tensors):
        return value
    return copy.deepcopy(value).cpu()
