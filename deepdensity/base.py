"""What both estimators share: validation, seeding, embedding, fitted methods."""

import copy
import functools
import math
import warnings
from numbers import Integral, Real

import numpy as np
import torch
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from .augmentation import random_affine
from .devices import resolve_device
from .inputs import Source, image_layout, input_format
from .networks.build import AUTOENCODERS, build_autoencoder, check_autoencoder
from .starts import STARTS
from .training import Trainer, decode, embed, reconstruction_error

__all__ = ["BaseDeepClustering", "keeps_fitted_state"]

DECODER_SHARE = 0.1  # of the epochs of the longer phase: a decoder's refit
N_VIEWS = 8  # augmented views of a sample that are averaged for the start
PAIRS_A_BLOCK = 2**22  # numbers held at a time when samples meet clusters


def keeps_fitted_state(fit):
    """Decorate a fit so that where it fails the estimator stays as it was."""

    @functools.wraps(fit)
    def wrapper(self, X, y=None):
        before = vars(self).copy()
        try:
            return fit(self, X, y)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return wrapper


class BaseDeepClustering(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """Base of the estimators; a subclass brings `fit` and its head.

    The head is `_soft_assignment(Z)`: embedding (n, latent) -> q (n, k), both float64
    tensors.
    """

    _image_autoencoder = "conv"  # what autoencoder="auto" means for images

    _parameter_constraints: dict = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "autoencoder": [StrOptions({"auto", *AUTOENCODERS}), callable],
        "image_shape": [tuple, list, None],
        "init": [StrOptions(set(STARTS))],
        "pretrain_epochs": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "augment": [StrOptions({"auto"}), "boolean", callable],
        "refresh_interval": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "device": [str, torch.device],
        "callbacks": [list, None],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    # -- the parts of a fit --------------------------------------------------------

    def _begin(self, X):
        """Validated data, a network and a random generator: the trainer of one fit."""
        previous = self.module_ if self._continues() else None
        device = resolve_device(self.device)
        X, layout = self._check_training_data(X)
        # None takes fresh entropy: the global NumPy generator is nobody's to draw from
        random = (
            np.random.RandomState()
            if self.random_state is None
            else check_random_state(self.random_state)
        )
        seeds = [int(seed) for seed in random.randint(2**31 - 1, size=4)]
        self._start_seed, self._density_seed = seeds[2:]

        if previous is None:
            self._format = input_format(X, layout)
            module = build_autoencoder(
                self.autoencoder,
                layout.shape,
                self.n_components,
                seeds[0],
                self._image_autoencoder,
            )
        else:
            if layout.shape != self._format.layout.shape:
                raise ValueError(
                    f"warm_start=True continues a fit on samples of shape "
                    f"{self._format.layout.shape}, and X has {layout.shape}."
                )
            self._format = self._format._replace(layout=layout)
            module = copy.deepcopy(previous)
            check_autoencoder(module.cpu(), layout.shape, self.n_components)
        return Trainer(
            module,
            Source(X, self._format, device),
            torch.Generator().manual_seed(seeds[1]),
            lr=self.lr,
            batch_size=self.batch_size,
            augment=self._augmentation(layout),
            callbacks=self.callbacks,
            verbose=self.verbose,
        )

    def _continues(self):
        """Whether this fit goes on from the last one."""
        return self.warm_start and hasattr(self, "module_")

    def _augmentation(self, layout):
        is_image = len(layout.shape) == 3
        if callable(self.augment):
            return self.augment
        if self.augment is True and not is_image:
            raise ValueError(
                "augment=True rotates and shifts images, and the samples of X are "
                "vectors: give image_shape, augment='auto' or a function."
            )
        return random_affine if is_image and self.augment is not False else None

    def _pretrain(self, trainer):
        """Train the autoencoder on reconstruction alone, unless the fit goes on."""
        if not self._continues():
            trainer.pretrain(self.pretrain_epochs)

    def _first_partition(self, trainer, Z):
        """Centres (k, latent) and labels (n,) to start from, for an embedding Z."""
        views = trainer.embed_views(N_VIEWS) if self.init == "spectral" else Z
        start = STARTS[self.init]
        return start(Z, views, self.n_clusters, self.n_init, self._start_seed)

    def _decoder_epochs(self, n_epochs):
        """How long the decoder is refitted after `n_epochs` that have left it out."""
        return math.ceil(DECODER_SHARE * max(self.pretrain_epochs, n_epochs))

    def _set_fitted(self, trainer, n_iter):
        """The fitted attributes that need the network only."""
        self.module_ = trainer.module
        self.history_ = trainer.history
        self.n_iter_ = n_iter
        self._device = trainer.source.device
        self._n_features_out = self.n_components
        self.embedding_ = self._embed(trainer.source.X)
        self.reconstruction_error_ = reconstruction_error(
            trainer.module, trainer.source
        )

    def _order_clusters(self, labels):
        """Order of the clusters that puts empty ones last; warns if there are any."""
        counts = np.bincount(labels, minlength=self.n_clusters)
        n_found = np.count_nonzero(counts)
        if n_found < self.n_clusters:
            warnings.warn(
                f"Number of distinct clusters ({n_found}) found smaller than "
                f"n_clusters ({self.n_clusters}). Possibly due to duplicate points in "
                "X, or to clusters that have merged in training.",
                ConvergenceWarning,
                stacklevel=6,  # the caller of fit
            )
        return np.argsort(counts == 0, kind="stable")

    # -- validation ----------------------------------------------------------------

    def _check_training_data(self, X):
        """X as an array or CSR matrix (n, d), and the layout of its samples."""
        X, sample_shape = flatten_samples(X)
        X = self._validate(X, reset=True)
        if X.shape[0] < self.n_clusters:
            raise ValueError(
                f"n_samples={X.shape[0]} should be >= n_clusters={self.n_clusters}."
            )
        sample_shape = sample_shape or (X.shape[1],)
        self._sample_shape = sample_shape
        return X, image_layout(sample_shape, self.image_shape)

    def _check_new_data(self, X):
        """X as `fit` has seen it: an array or CSR matrix (n, d)."""
        check_is_fitted(self)
        X, sample_shape = flatten_samples(X)
        if sample_shape not in (None, self._format.layout.stored):
            raise ValueError(
                f"X has samples of shape {sample_shape}, but {type(self).__name__} was "
                f"fitted on samples of shape {self._format.layout.stored}."
            )
        return self._validate(X, reset=False)

    def _validate(self, X, reset):
        return validate_data(
            self,
            X,
            reset=reset,
            accept_sparse="csr",
            dtype=[np.float64, np.float32, np.uint8],
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    # -- what a fitted estimator does ----------------------------------------------

    def _embed(self, X):
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

    def _assign(self, Z):
        """Soft assignment of embeddings, in blocks: float64 array (n, k)."""
        return self._in_blocks(self._soft_assignment, Z)

    def _in_blocks(self, function, Z):
        """``function`` of float64 tensors (m, latent), block by block: an array."""
        Z = torch.from_numpy(np.array(Z, dtype=np.float64))
        n_rows = max(1, PAIRS_A_BLOCK // (self.n_clusters * Z.shape[1]))
        return torch.cat([function(block) for block in Z.split(n_rows)]).numpy()

    def fit_transform(self, X, y=None):
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
        return self.fit(X, y).embedding_

    def transform(self, X):
        """Embed X in the latent space.

        Parameters
        ----------
        X : array-like or sparse matrix
            As in `fit`: flat, or images of the size seen there.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            float64 for float64 X, else float32.
        """
        return self._embed(self._check_new_data(X))

    def inverse_transform(self, X):
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

    def predict(self, X):
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
        return self._assign(self._embed(self._check_new_data(X))).argmax(1)

    def predict_proba(self, X):
        """Soft assignment of each sample to the clusters.

        Parameters
        ----------
        X : array-like
            As in `fit`, but dense: scikit-learn's checks leave a clusterer no way to
            accept sparse X here. Use ``predict_proba(X[rows].toarray())``.

        Returns
        -------
        ndarray of shape (n_samples, n_clusters)
            Rows sum to 1.
        """
        if sparse.issparse(X):
            raise TypeError(
                "predict_proba takes no sparse X; give it dense blocks, "
                "predict_proba(X[start:stop].toarray()). predict, transform and "
                "score_samples take sparse X."
            )
        return self._assign(self._embed(self._check_new_data(X)))


def flatten_samples(X):
    """(n, ...) as (n, d), and the shape of a sample; X itself and None if 2-D."""
    shape = np.shape(X) if isinstance(X, (list, tuple)) else getattr(X, "shape", ())
    if len(shape) < 3:
        return X, None
    return np.asarray(X).reshape(shape[0], math.prod(shape[1:])), shape[1:]
