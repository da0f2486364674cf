"""DECSClustering: deep embedding clustering driven by sample stability."""

from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from .assignment import soft_assignment, squared_distances_to
from .base import BaseDeepClustering, keeps_fitted_state
from .batches import TrainingSet
from .convergence import LabelWatch
from .losses import InstabilityLoss
from .stability import DETERMINACIES, determinacy, otsu_threshold, sample_stability

__all__ = ["DECSClustering"]


class DECSClustering(BaseDeepClustering):
    """Deep clustering by sample stability (DECS, Cheng et al. 2024).

    An autoencoder is trained on (augmented) samples; k-means on its embedding gives
    first centres; then encoder and centres together are trained to make every sample's
    relation to every centre determinate: surely in or surely out.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.
    n_components : int, default=10
        Size of the latent space.
    autoencoder : {"auto", "conv", "transformer", "mlp"}, class or module, \
            default="auto"
        The network. "auto" is "conv" for images and "mlp" for vectors. A class (or
        function) is called with ``(input_shape, n_components)``; a `torch.nn.Module`
        is copied and starts from its own weights. Either way it must have ``encode``
        and ``decode``.
    image_shape : tuple of int, default=None
        (height, width), (height, width, channels) or (channels, height, width) of
        images that come as flat rows; one entry may be -1. Of three numbers the
        channel axis is the one of size 1 to 4, else the last.
    pretrain_epochs : int, default=100
        Epochs on reconstruction alone.
    batch_size : int, default=256
    lr : float, default=1e-3
        Learning rate of Adam, in all phases.
    augment : "auto", bool or callable, default="auto"
        Random rotation and shift of every batch; "auto" for images only. A function
        is called as ``augment(x, generator)``.
    refresh_interval : int, default=100
        Iterations between two looks at the labels (see `tol`).
    tol : float, default=1e-3
        Training stops when the share of labels that change between refreshes stays
        under it at two refreshes running. 0 never stops early.
    init : {"k-means", "gaussian-mixture", "spectral"}, default="k-means"
        Where the clusters start: the papers' k-means, a Gaussian mixture, or spectral
        clustering of the view-averaged embedding; see :mod:`deepdensity.starts`.
    n_init : int, default=20
        Runs of the k-means or of the mixture, of which the best is taken.
    device : str or torch.device, default="auto"
        "auto" is CUDA where there is one, else the CPU.
    callbacks : list of skorch callbacks, default=None
        For the nets of all phases; ``net.phase`` is "pretrain", "cluster" or "decoder".
    warm_start : bool, default=False
        Go on from the last fit: from its network, without pretraining, and from its
        centres if there are as many.
    verbose : int, default=0
        Above 0 a progress bar for each phase.
    random_state : int, RandomState instance or None, default=None
        Of the weights, the batches, the augmentation and the k-means. None takes fresh
        entropy. NumPy's and torch's global generators are never touched.
    alpha : float, default=1.0
        Degrees of freedom of the Student-t soft assignment (Eq. 5).
    lambda_var : float, default=0.8
        Weight of the variance in the sample stability (Eq. 7).
    determinacy : {"quadratic", "linear"}, default="quadratic"
        The paper's Eq. 6, or the form of the authors' code.
    max_iter : int, default=3000
        Iterations (gradient steps) of the clustering phase.

    Attributes
    ----------
    labels_ : ndarray of int of shape (n_samples,)
        Cluster of each training sample. Clusters that are left empty come last.
    cluster_centers_ : ndarray of shape (n_clusters, n_components)
        In the latent space.
    stability_ : ndarray of shape (n_samples,)
        Stability of each training sample (Eq. 7), at most 1.
    threshold_ : float
        Otsu's threshold of the soft assignment of the training data.
    embedding_ : ndarray of shape (n_samples, n_components)
        Of the training data.
    reconstruction_error_ : float
        Mean squared error of the reconstructed training data, in squared units of X.
    module_ : torch.nn.Module
        The trained autoencoder.
    history_ : skorch.history.History
        A row for each epoch; those of the clustering phase are `refresh_interval`
        iterations long and have "label_change".
    n_iter_ : int
        Iterations done in the clustering phase.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    References
    ----------
    Z. Cheng, F. Li, J. Wang, Y. Qian: "Deep Embedding Clustering Driven by Sample
    Stability", IJCAI 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from deepdensity import DECSClustering
    >>> X = load_iris().data
    >>> decs = DECSClustering(n_clusters=3, pretrain_epochs=20, random_state=0).fit(X)
    >>> decs.labels_.shape, decs.transform(X).shape
    ((150,), (150, 10))
    """

    _parameter_constraints: dict = {
        **BaseDeepClustering._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "lambda_var": [Interval(Real, 0, None, closed="left")],
        "determinacy": [StrOptions(set(DETERMINACIES))],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        n_components=10,
        autoencoder="auto",
        image_shape=None,
        pretrain_epochs=100,
        batch_size=256,
        lr=1e-3,
        augment="auto",
        refresh_interval=100,
        tol=1e-3,
        init="k-means",
        n_init=20,
        device="auto",
        callbacks=None,
        warm_start=False,
        verbose=0,
        random_state=None,
        alpha=1.0,
        lambda_var=0.8,
        determinacy="quadratic",
        max_iter=3000,
    ):
        self.n_clusters = n_clusters
        self.n_components = n_components
        self.autoencoder = autoencoder
        self.image_shape = image_shape
        self.pretrain_epochs = pretrain_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.augment = augment
        self.refresh_interval = refresh_interval
        self.tol = tol
        self.init = init
        self.n_init = n_init
        self.device = device
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state
        self.alpha = alpha
        self.lambda_var = lambda_var
        self.determinacy = determinacy
        self.max_iter = max_iter

    @_fit_context(prefer_skip_nested_validation=True)
    @keeps_fitted_state
    def fit(self, X, y=None):
        """Learn embedding and clusters (Algorithm 1 of the paper).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or images \
                (n, h, w), (n, h, w, c) or (n, c, h, w)
            CSR and CSC are made dense batch by batch, uint8 is kept as it is.
        y : Ignored

        Returns
        -------
        self
        """
        trainer = self._begin(X)
        self._pretrain(trainer)  # line 1: Eq. 2
        centres, labels = self._start(trainer)  # line 2
        loss = InstabilityLoss(  # lines 4 to 6: Eq. 5 to 8
            centres, self.alpha, self.lambda_var, self.determinacy
        )
        watch = LabelWatch(labels, self.tol)
        n_iter, n_rounds = 0, -(-self.max_iter // self.refresh_interval)
        with trainer.phase("cluster", loss, n_rounds) as net:
            while n_iter < self.max_iter:  # line 3
                n_steps = min(self.refresh_interval, self.max_iter - n_iter)
                batches = TrainingSet(trainer.source, n_batches=n_steps)
                net.fit_loop(batches, epochs=1)  # line 7: Eq. 16 and 17
                n_iter += n_steps
                self.cluster_centers_ = loss.centres.detach().cpu().double().numpy()
                settled = watch.update(self._assign(trainer.embed()).argmax(1))
                net.history.record("label_change", watch.change)
                if settled:
                    break
        self.cluster_centers_ = loss.centres.detach().cpu().double().numpy()
        if n_iter:
            n_epochs = n_iter / trainer.steps_per_epoch
            trainer.refit_decoder(self._decoder_epochs(n_epochs))
        self._set_fitted(trainer, n_iter)
        return self._set_head()  # line 9

    def _start(self, trainer):
        """First centres and labels: by `init`, or of the fit that goes on."""
        Z = trainer.embed()
        goes_on = self._continues() and len(self.cluster_centers_) == self.n_clusters
        if goes_on:
            return self.cluster_centers_, self._assign(Z).argmax(1)
        self.cluster_centers_, labels = self._first_partition(trainer, Z)
        return self.cluster_centers_, labels

    def _set_head(self):
        """Labels, centres and stability of the training data, empty clusters last."""
        Q = self._assign(self.embedding_)
        order = self._order_clusters(Q.argmax(1))
        self.cluster_centers_ = self.cluster_centers_[order]
        self.threshold_ = float(otsu_threshold(torch.from_numpy(Q)))
        self.labels_ = self._assign(self.embedding_).argmax(1)
        self.stability_ = self._stability(self.embedding_)
        return self

    def _soft_assignment(self, Z):
        centres = torch.from_numpy(np.array(self.cluster_centers_))
        return soft_assignment(squared_distances_to(Z, centres), self.alpha)

    def _stability(self, Z):
        def stability(block):
            q = self._soft_assignment(block)
            threshold = torch.tensor(self.threshold_, dtype=q.dtype)
            fq = determinacy(q, threshold, self.determinacy)
            return sample_stability(fq, self.lambda_var)

        return self._in_blocks(stability, Z)

    def score_samples(self, X):
        """Stability of each sample (Eq. 7), by the threshold of the training data.

        Parameters
        ----------
        X : array-like or sparse matrix
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            At most 1; the higher, the surer its cluster.
        """
        return self._stability(self._embed(self._check_new_data(X)))

    def score(self, X, y=None):
        """Mean stability of the samples: needs no labels, higher is better.

        It compares fits of the same `lambda_var`, `determinacy` and `n_clusters`.

        Parameters
        ----------
        X : array-like or sparse matrix
            As in `fit`.
        y : Ignored

        Returns
        -------
        float
        """
        return float(self.score_samples(X).mean())
