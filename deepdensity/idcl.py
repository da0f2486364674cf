"""IDCLClustering: deep clustering by curriculum learning and density information."""

from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from .assignment import (
    DensityCores,
    core_means,
    core_silhouette,
    core_similarity,
    density_core,
    soft_assignment,
    target_distribution,
)
from .base import BaseDeepClustering, keeps_fitted_state
from .batches import TrainingSet
from .convergence import LabelWatch
from .curriculum import PACINGS, Curriculum, capped_fraction, select_easiest
from .density import KERNELS, cutoff_distance, difficulty_score, local_density
from .losses import CurriculumLoss

__all__ = ["IDCLClustering"]


class IDCLClustering(BaseDeepClustering):
    """Deep clustering by curriculum and density cores (IDCL, Zheng et al. 2024).

    An autoencoder is trained on (augmented) samples. Then, epoch by epoch, it is
    trained to sharpen its soft assignment of the samples to the *density cores* of the
    clusters, on a curriculum: the densest samples of every cluster first, more of them
    at a geometric pace, the sparsest never.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.
    n_components : int, default=10
        Size of the latent space.
    autoencoder : {"auto", "conv", "transformer", "mlp"}, class or module, \
            default="auto"
        The network. "auto" is "transformer" for images and "mlp" for vectors. A class
        (or function) is called with ``(input_shape, n_components)``; a
        `torch.nn.Module` is copied and starts from its own weights. Either way it must
        have ``encode`` and ``decode``. Ablation: "conv" or "mlp", no Transformer.
    image_shape : tuple of int, default=None
        (height, width), (height, width, channels) or (channels, height, width) of
        images that come as flat rows; one entry may be -1. Of three numbers the
        channel axis is the one of size 1 to 4, else the last.
    pretrain_epochs : int, default=100
        Epochs on reconstruction alone.
    batch_size : int, default=256
    lr : float, default=1e-3
        Learning rate of Adam, in both phases.
    augment : "auto", bool or callable, default="auto"
        Random rotation and shift of every batch; "auto" for images only. A function
        is called as ``augment(x, generator)``.
    refresh_interval : int, default=100
        Gradient steps between two refreshes of densities, cores, labels and targets,
        rounded up to whole epochs.
    tol : float, default=1e-3
        Once the curriculum has admitted all it will, training stops when the share of
        labels that change between refreshes stays under `tol` at two refreshes running.
        0 never stops early.
    init : {"k-means", "gaussian-mixture", "spectral"}, default="k-means"
        Where the clusters start: the papers' k-means, a Gaussian mixture, or spectral
        clustering of the view-averaged embedding; see :mod:`deepdensity.starts`.
    n_init : int, default=20
        Runs of the k-means or of the mixture, of which the best is taken.
    device : str or torch.device, default="auto"
        "auto" is CUDA where there is one, else the CPU.
    callbacks : list of skorch callbacks, default=None
        For the nets of both phases; ``net.phase`` is "pretrain" or "cluster".
    warm_start : bool, default=False
        Go on from the last fit: from its network, without pretraining, and from its
        cores if there are as many.
    verbose : int, default=0
        Above 0 a progress bar for each phase.
    random_state : int, RandomState instance or None, default=None
        Of the weights, the batches, the augmentation and the k-means. None takes fresh
        entropy. NumPy's and torch's global generators are never touched.
    pacing : {"exponential", "power", "linear", "none"} or callable, \
            default="exponential"
        Growth of the training set (Eq. 5); see :mod:`deepdensity.curriculum`. A
        function is called as ``f(epoch, n_epochs, lambda_0)`` and returns a share in
        (0, 1]. Ablation: "none", no curriculum: all samples in every epoch.
    pacing_epochs : int, default=None
        Epoch at which all samples are admitted; None is half of `max_epochs`.
    lambda_0 : float, default=0.6
        Share of the samples that the first epoch trains on, at most `lambda_max`.
    lambda_max : float, default=0.95
        Largest share of the samples in training (Eq. 6).
    core_fraction : float or None, default=0.05
        Share of a cluster's samples in its density core (Eq. 9). Ablation: None, the
        cluster's centre in place of a core.
    cutoff_quantile : float, default=0.02
        Quantile of the pair distances that is d_c, the radius of the density (Eq. 1).
    density_kernel : {"gaussian", "cutoff"}, default="gaussian"
        Kernel of the density (Eq. 1).
    gamma : float, default=0.1
        Weight of the clustering loss (Eq. 14).
    max_epochs : int, default=200
        Epochs of the clustering phase.

    Attributes
    ----------
    labels_ : ndarray of int of shape (n_samples,)
        Cluster of each training sample. Clusters that are left empty come last.
    density_ : ndarray of shape (n_samples,)
        Local density of each training sample in the embedding (Eq. 1).
    difficulty_ : ndarray of shape (n_samples,)
        Difficulty score in [0, 1]: high is dense and easy (Eq. 2).
    core_sample_indices_ : ndarray of int
        Training samples in a density core (Eq. 9), sorted.
    core_means_ : ndarray of shape (n_clusters, n_components)
        Means of the density cores.
    core_spreads_ : ndarray of shape (n_clusters,)
        Mean squared distances of the cores' samples to those means.
    curriculum_ : Curriculum
        ``curriculum_[t]`` holds the indices of the samples that epoch t trained on,
        ``curriculum_.fractions[t]`` their share.
    embedding_ : ndarray of shape (n_samples, n_components)
        Of the training data.
    reconstruction_error_ : float
        Mean squared error of the reconstructed training data, in squared units of X.
    module_ : torch.nn.Module
        The trained autoencoder.
    history_ : skorch.history.History
        A row for each epoch; those of the clustering phase have "fraction" and, where
        labels were refreshed before them, "label_change".
    n_iter_ : int
        Epochs done in the clustering phase.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    References
    ----------
    H. Zheng et al.: "Deep Image Clustering Based on Curriculum Learning and Density
    Information", ICMR 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from deepdensity import IDCLClustering
    >>> X = load_iris().data
    >>> idcl = IDCLClustering(n_clusters=3, pretrain_epochs=20, random_state=0).fit(X)
    >>> idcl.labels_.shape, idcl.transform(X).shape
    ((150,), (150, 10))
    """

    _image_autoencoder = "transformer"

    _parameter_constraints: dict = {
        **BaseDeepClustering._parameter_constraints,
        "pacing": [StrOptions(set(PACINGS)), callable],
        "pacing_epochs": [Interval(Integral, 1, None, closed="left"), None],
        "lambda_0": [Interval(Real, 0, 1, closed="right")],
        "lambda_max": [Interval(Real, 0, 1, closed="right")],
        "core_fraction": [Interval(Real, 0, 1, closed="right"), None],
        "cutoff_quantile": [Interval(Real, 0, 1, closed="right")],
        "density_kernel": [StrOptions(set(KERNELS))],
        "gamma": [Interval(Real, 0, None, closed="left")],
        "max_epochs": [Interval(Integral, 0, None, closed="left")],
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
        pacing="exponential",
        pacing_epochs=None,
        lambda_0=0.6,
        lambda_max=0.95,
        core_fraction=0.05,
        cutoff_quantile=0.02,
        density_kernel="gaussian",
        gamma=0.1,
        max_epochs=200,
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
        self.pacing = pacing
        self.pacing_epochs = pacing_epochs
        self.lambda_0 = lambda_0
        self.lambda_max = lambda_max
        self.core_fraction = core_fraction
        self.cutoff_quantile = cutoff_quantile
        self.density_kernel = density_kernel
        self.gamma = gamma
        self.max_epochs = max_epochs

    @_fit_context(prefer_skip_nested_validation=True)
    @keeps_fitted_state
    def fit(self, X, y=None):
        """Learn embedding and clusters (Algorithms 1 and 2 of the paper).

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
        self._check_fractions()
        trainer = self._begin(X)
        self._pretrain(trainer)  # Eq. 13
        watch = LabelWatch(self._start(trainer), self.tol)
        loss = CurriculumLoss(self.gamma)
        self.curriculum_ = Curriculum(len(trainer.source))
        refresh_epochs = -(-self.refresh_interval // trainer.steps_per_epoch)
        with trainer.phase("cluster", loss, self.max_epochs) as net:
            for epoch in range(self.max_epochs):
                fraction = self._fraction(epoch)  # Eq. 5 and 6
                refreshed = epoch % refresh_epochs == 0
                if refreshed:
                    Z = trainer.embed()
                    self._refresh_cores(Z, watch.labels)  # Eq. 1, 2 and 9
                    Q = self._assign(Z)  # Eq. 10 and 11
                    if watch.update(Q.argmax(1), epoch >= self._pacing_epochs()):
                        break
                    loss.cores = self._cores(torch.float32, trainer.source.device)
                rows = select_easiest(self.difficulty_, watch.labels, fraction)  # 7, 8
                P = target_distribution(torch.from_numpy(Q[rows])).float()
                net.fit_loop(TrainingSet(trainer.source, rows, P), epochs=1)  # 12 to 17
                net.history.record("fraction", fraction)
                if refreshed:
                    net.history.record("label_change", watch.change)
                self.curriculum_.append(fraction, rows)
        self._set_fitted(trainer, n_iter=len(self.curriculum_))
        return self._set_head(watch.labels)

    def _check_fractions(self):
        if self.lambda_0 > self.lambda_max:
            raise ValueError(
                f"lambda_0={self.lambda_0} must be in (0, lambda_max], and lambda_max="
                f"{self.lambda_max}."
            )

    def _pacing_epochs(self):
        """T of Eq. 5: 0 without a curriculum."""
        if self.pacing == "none":
            return 0
        return self.pacing_epochs or -(-self.max_epochs // 2)

    def _fraction(self, epoch):
        """Share of the samples that an epoch trains on (Eq. 5 and 6)."""
        if self.pacing == "none":
            return 1.0
        pacing = self.pacing if callable(self.pacing) else PACINGS[self.pacing]
        fraction = pacing(epoch, self._pacing_epochs(), self.lambda_0)
        if not 0 < fraction <= 1:
            raise ValueError(
                f"pacing={self.pacing!r} gave {fraction!r} at epoch {epoch}; it must "
                "give a share in (0, 1]."
            )
        return capped_fraction(float(fraction), self.lambda_max)

    def _start(self, trainer):
        """First labels, and cores in case a cluster stays without: as from `init`.

        Where the fit goes on from a last one, its cores give the labels.
        """
        Z = trainer.embed()
        if self._continues() and len(self.core_means_) == self.n_clusters:
            return self._assign(Z).argmax(1)
        self.core_means_, labels = self._first_partition(trainer, Z)
        self.core_spreads_ = np.zeros(self.n_clusters)
        return labels

    def _refresh_cores(self, Z, labels):
        """Densities, difficulty and density cores of an embedding (Eq. 1, 2 and 9)."""
        Z = torch.from_numpy(np.array(Z, dtype=np.float64))
        generator = torch.Generator().manual_seed(self._density_seed)
        self._cutoff = cutoff_distance(Z, self.cutoff_quantile, generator)
        density = local_density(Z, self._cutoff, self.density_kernel)
        self.density_ = density.numpy()
        self.difficulty_ = difficulty_score(density).numpy()
        members = density_core(self.density_, labels, self.core_fraction or 1.0)
        means, spreads = core_means(Z, members, previous=self._cores())
        self.core_sample_indices_ = np.sort(np.concatenate(list(members.values())))
        self.core_means_ = means.numpy()
        # a centre is a point: it has no spread
        self.core_spreads_ = spreads.numpy() * (self.core_fraction is not None)

    def _set_head(self, labels):
        """Cores and labels of the final embedding, empty clusters last."""
        self._refresh_cores(self.embedding_, labels)
        order = self._order_clusters(self._assign(self.embedding_).argmax(1))
        self.core_means_ = self.core_means_[order]
        self.core_spreads_ = self.core_spreads_[order]
        self.labels_ = self._assign(self.embedding_).argmax(1)
        return self

    def _cores(self, dtype=torch.float64, device="cpu"):
        means, spreads = np.array(self.core_means_), np.array(self.core_spreads_)
        return DensityCores(
            torch.from_numpy(means).to(device, dtype),
            torch.from_numpy(spreads).to(device, dtype),
        )

    def _similarity(self, Z):
        return core_similarity(Z, self._cores())

    def _soft_assignment(self, Z):
        return soft_assignment(self._similarity(Z))

    def score_samples(self, X):
        """Local density of each sample among the embedded training samples.

        The kernel of Eq. 1 averaged over the training samples: 1 where all of them are
        near, 0 far from all. A training sample meets itself too, so that its value is
        ``(density_ + 1) / n_samples``.

        Parameters
        ----------
        X : array-like or sparse matrix
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            In [0, 1]; low for outliers.
        """
        Z = torch.from_numpy(self._embed(self._check_new_data(X)).astype(np.float64))
        reference = torch.from_numpy(self.embedding_.astype(np.float64))
        density = local_density(Z, self._cutoff, self.density_kernel, reference)
        return (density / len(reference)).numpy()

    def score(self, X, y=None):
        """Mean simplified silhouette of the samples with respect to the density cores.

        Needs no labels, higher is better; see
        :func:`deepdensity.assignment.core_silhouette`. Free of the latent space's
        scale, it compares fits of the same `n_clusters`.

        Parameters
        ----------
        X : array-like or sparse matrix
            As in `fit`.
        y : Ignored

        Returns
        -------
        float
            In [0, 1].
        """
        Z = self._embed(self._check_new_data(X))

        def silhouette(block):
            return core_silhouette(self._similarity(block))

        return float(self._in_blocks(silhouette, Z).mean())
