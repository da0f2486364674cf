"""IDCLClustering: deep clustering by curriculum learning and density information."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from ._decorators import fit_context
from ._typing import Array, Auto, Samples
from .assignment import target_distribution
from .convergence import LabelWatch
from .core_head import DENSITIES, DensityCoreHead
from .curriculum import PACINGS, Curriculum, Pace, select_easiest
from .density import KERNELS
from .kept_state import keeps_fitted_state
from .losses import CurriculumLoss
from .recipe import GAMMA, STREAM_EPOCHS, given_or, idcl_epochs, refresh_steps
from .samples.variance import data_variance
from .streams import StreamClustering
from .training.batches import TrainingSet
from .training.guard import Guard
from .training.trainer import Trainer

__all__ = ["IDCLClustering"]


class IDCLClustering(DensityCoreHead, StreamClustering):
    """Deep clustering by curriculum and density cores (IDCL, Zheng et al. 2024).

    An autoencoder is trained on (augmented) samples. Then, epoch by epoch, it is
    trained to sharpen its soft assignment of the samples to the *density cores* of the
    clusters, on a curriculum: the densest samples of every cluster first, more of them
    at a geometric pace, the sparsest last, or never, by `lambda_max` below 1.

    Parameters
    ----------
    n_clusters : int or "auto", default=8
        Number of clusters. "auto" estimates it from how well clusters trained for a
        while stay the same from view to view, trying 2 to 50, and at most one for each
        20 samples; see :mod:`deepdensity.cluster_number`.
    n_components : int, default=10
        Size of the latent space.
    autoencoder : {"auto", "conv16", "conv", "transformer", "mlp", "shallow"}, class \
            or module, default="auto"
        The network. "auto" is "conv16" for images: "conv" on the image scaled until its
        shorter side is 16; "mlp" for vectors of fewer than 125 values and "shallow" for
        longer ones. A class (or function) is called with ``(input_shape,
        n_components)``; a `torch.nn.Module` is copied and starts from its own weights.
        Either way it must have ``encode`` and ``decode``. Ablation:
        ``papers.IDCL_ABLATIONS`` has the linear block alone.
    image_shape : tuple of int, default=None
        (height, width), (height, width, channels) or (channels, height, width) of
        images that come as flat rows; one entry may be -1. Of three numbers the
        channel axis is the one of size 1 to 4, else the last.
    pretrain_epochs : "auto" or int, default="auto"
        Epochs on reconstruction alone. "auto" is 20; more where these are fewer
        gradient steps than there are samples (counted as 200 to 800), fewer where they
        are over 4,000.
    pretrain_target : {"clean", "augmented"}, default="clean"
        What an augmented image is to be turned into: the image as it was, or the
        augmented one, as in the paper of DECS.
    batch_size : "auto" or int, default="auto"
        "auto" is 256; in the pretraining of images 32, 64 or 128, the largest that
        makes 128 batches an epoch, and 32 where none does.
    lr : float, default=2e-3
        Highest learning rate of Adam, in all phases.
    schedule : {"one-cycle", "constant"}, default="one-cycle"
        The learning rate within a phase: half a cosine down to 0, in pretraining after
        a warm-up over a tenth of the steps, or the same at every step, as in the
        papers. It is laid out for epochs over all samples: as a curriculum makes epochs
        shorter, the phase ends before the rate has come to 0. skorch's LRScheduler
        needs "constant".
    augment : {"auto", "affine"}, bool or callable, default="auto"
        "affine" rotates and shifts images at random and leaves vectors alone. "auto",
        or True, does that to images; of vectors it drops values and swaps a vector for
        one of its nearest neighbours (see :mod:`deepdensity.training.views`), ten at
        most and no more than half of a cluster. False shows samples as they are. A
        function is called as ``augment(x, generator)`` with images (b, c, h, w) in
        [0, 1] or scaled vectors (b, d), a float tensor, and returns one of the same
        shape.
    refresh_interval : "auto" or int, default="auto"
        Gradient steps between two refreshes of densities, cores, labels and targets,
        rounded up to whole epochs. "auto" is 100, but at least two epochs.
    tol : float, default=1e-3
        From `pacing_epochs` on, training stops when the share of labels that change
        between refreshes stays under `tol` at two refreshes running. 0 never stops
        early.
    init : {"auto", "k-means", "scaled-k-means", "gaussian-mixture", \
            "view-mixture", "merged-mixture", "spectral"} or array-like of shape \
            (n_samples,), default="auto"
        Where the clusters start; see :mod:`deepdensity.starts`. "k-means" is that of
        DECS's paper (IDCL's has none), and takes over where there are fewer than ten
        samples a cluster. "auto" is "scaled-k-means" for vectors, trained for 150 steps
        by sample stability. For images, or whatever is augmented, it tries several
        starts, each trained for 150 steps: "view-mixture", and the components of six
        runs of "merged-mixture", which are merged then and the best three mergers
        trained again. The best trial is mended by splitting and merging, and the fit
        goes on from the one whose clusters change least from view to view
        (:mod:`deepdensity.starts.best_trial`). With more than 100 clusters "auto" is
        "k-means". A start is made of a random 20,000 samples (or 100 a cluster, if that
        is more) where there are more, all but "k-means" of 10,000 of these.
        Labels, n_clusters different ones, are clusters of your own to start from, as of
        Leiden or of known groups, numbered from 0 in their order; no start is tried or
        trained then. They go with the rows of `fit`, whatever a split makes of these.
    n_init : int, default=20
        Runs of the mixture or k-means, with "scaled-k-means" in each scaling; the best
        one counts, or the most central of the best.
    kernel_scale : "auto" or float, default="auto"
        Squared length that the Student-t kernel takes for its unit. "auto" is a quarter
        of the mean squared distance of a sample to its cluster's centre at the start,
        and 1 at most where samples are augmented; the papers' is 1.
    guard : bool, default=True
        Go back to the last good state, at half the learning rate, where the clustering
        phase diverges or loses a cluster, and to the start where the end scores less.
        The latter needs views of a sample: without (``augment=False``, or "affine" for
        vectors) the end counts.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        In which the network is trained; the embedding is always computed in float32 or
        float64. bfloat16 is faster on processors and GPUs that have it, which is where
        "auto" takes it.
    compile : bool, default=False
        Train encoder and decoder as compiled by `torch.compile`, which takes up to a
        minute the first time and rounds otherwise: the results are not those without
        it, to the bit. Where torch finds no compiler a warning says so. `partial_fit`
        trains uncompiled.
    device : str or torch.device, default="auto"
        "auto" is CUDA where there is one, else the CPU.
    callbacks : list of skorch callbacks, default=None
        For the nets of all phases; ``net.phase`` is "pretrain" or "cluster", and
        "decoder" where the fit ends at a start that has been trained. See the page on
        callbacks.
    warm_start : bool, default=False
        Go on from the last fit: from its network, without pretraining, and from its
        cores if there are as many; then `init` has no part, nor have labels in it.
    memory : str or object with the joblib.Memory interface, default=None
        Folder in which pretraining, starts and clustering phases are kept, for the fits
        of a search that share them; see :mod:`deepdensity.memory`. Not used with
        `callbacks`, nor where `random_state` is None.
    verbose : int, default=0
        Above 0 a progress bar for each phase, with the loss and the time left; in the
        clustering phase with the number of samples that the curriculum has admitted.
    random_state : int, RandomState instance or None, default=None
        Of the weights, the batches, the augmentation and the k-means. None takes fresh
        entropy. NumPy's and torch's global generators are left as they are; to a
        network of your own that draws from torch's, as one with dropout does, that is
        lent while it trains, seeded by `random_state`.
    pacing : {"exponential", "power", "linear", "none"} or callable, \
            default="exponential"
        Growth of the training set (Eq. 5); see :mod:`deepdensity.curriculum`. A
        function is called as ``f(epoch, n_epochs, lambda_0)``, n_epochs being
        `pacing_epochs`, and returns a share in (0, 1]. Ablation: "none", no curriculum:
        all samples in every epoch.
    pacing_epochs : int, default=None
        Epoch at which all samples are admitted; None is half of the epochs.
    lambda_0 : float, default=0.9
        Share of the samples that the first epoch trains on, at most `lambda_max`; 0.6
        in the paper.
    lambda_max : float, default=1.0
        Largest share of the samples in training (Eq. 6), 0.95 in the paper.
    core_fraction : float or None, default=0.05
        Share of a cluster's samples in its density core (Eq. 9). Ablation: None, the
        cluster's centre in place of a core.
    cutoff_quantile : float, default=0.02
        Quantile of the pair distances that is d_c, the radius of the density (Eq. 1).
    density_kernel : {"gaussian", "cutoff"}, default="gaussian"
        Kernel of the density (Eq. 1).
    density : {"auto", "exact", "sampled"}, default="auto"
        Over which samples a density sums: all, or a random 4,096. "auto" is exact for
        up to 11,585 samples.
    gamma : "auto" or float, default="auto"
        Weight of the clustering loss (Eq. 14). "auto" is twice the mean variance of the
        network's input, which the reconstruction error is measured against; the paper
        has 0.1.
    max_epochs : "auto" or int, default="auto"
        Epochs of the clustering phase. "auto" is 40, at least 300 and at most 6,000
        steps, for images and with an `augment` of your own; for vectors as many whole
        epochs as make 200 steps, at least one.

    Attributes
    ----------
    labels_ : ndarray of int of shape (n_samples,)
        Cluster of each training sample. Clusters that are left empty come last.
    n_clusters_ : int
        Number of clusters; `n_clusters` where that is a number. "auto" counts those
        that its best trial has left.
    n_clusters_scores_ : dict
        Score in nats of each number that ``n_clusters="auto"`` has tried; empty
        otherwise.
    pretrain_labels_ : ndarray of int of shape (n_samples,)
        Labels of k-means on the pretrained embedding, or of the last fit's cores where
        the fit goes on. Clusters are numbered otherwise than in `labels_`: compare the
        two by the adjusted Rand index, say. What lies between them is the choice of the
        start, its trials and the clustering phase.
    start_scores_ : dict
        Score in nats of each start that ``init="auto"`` has tried; empty otherwise.
    start_information_, information_ : float
        Label-free score of the clusters at the start of the clustering phase and at its
        end, in nats: what two views of a sample share about its cluster, less three
        times what they do not; see :func:`deepdensity.information.net_information`.
        Without views it is the entropy of the clusters' sizes.
    kernel_scale_ : float
        Squared unit of the Student-t kernel.
    density_ : ndarray of shape (n_samples,)
        Local density of each training sample in the embedding (Eq. 1).
    density_error_ : float
        What `density_` errs by at most with probability 0.99; 0 where it is exact.
    difficulty_ : ndarray of shape (n_samples,)
        Difficulty score in [0, 1]: high is dense and easy (Eq. 2).
    gamma_ : float
        Weight of the clustering loss; `partial_fit` keeps it.
    core_sample_indices_ : ndarray of int
        Training samples in a density core (Eq. 9), sorted. Where the fit has gone back
        to its start, that has centres alone, and each cluster counts as a core as a
        whole; with `warm_start` it has the cores of the last fit.
    core_means_ : ndarray of shape (n_clusters, n_components)
        Means of the density cores.
    core_spreads_ : ndarray of shape (n_clusters,)
        Mean squared distances of the cores' samples to those means; 0 where centres
        stand for them: by ``core_fraction=None``, or at the start that a fit has gone
        back to.
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
        A row for each epoch, with its "phase", "train_loss" and "lr", the learning
        rate of its last step; those of the clustering phase have "fraction" and, where
        labels were refreshed before them, "label_change". Where the guard has gone
        back, the row has "rollback": "diverged", "collapsed" or "worse than the start".
    n_iter_ : int
        Epochs done in the clustering phase.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)

    References
    ----------
    H. Zheng et al.: "Deep Image Clustering Based on Curriculum Learning and Density
    Information", ICMR 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from deepdensity import IDCLClustering
    >>> X = load_digits().data[:200]  # images, flat
    >>> idcl = IDCLClustering(10, pretrain_epochs=20, max_epochs=20, random_state=0)
    >>> idcl.fit_predict(X).shape, idcl.transform(X).shape
    ((200,), (200, 10))
    >>> idcl.predict(X[:3]).tolist() == idcl.labels_[:3].tolist()
    True
    >>> idcl.predict_proba(X[:3]).shape, idcl.inverse_transform(idcl.embedding_).shape
    ((3, 10), (200, 64))
    >>> idcl.score_samples(X).shape, 0 < idcl.score(X) < 1
    ((200,), True)

    In real use leave the epochs as they are; images as images are clustered better, by
    ``image_shape=(8, 8)`` or as an array (n, 8, 8).
    """

    _parameter_constraints: dict[str, Any] = {
        **StreamClustering._parameter_constraints,
        "pacing": [StrOptions(set(PACINGS)), callable],
        "pacing_epochs": [Interval(Integral, 1, None, closed="left"), None],
        "lambda_0": [Interval(Real, 0, 1, closed="right")],
        "lambda_max": [Interval(Real, 0, 1, closed="right")],
        "core_fraction": [Interval(Real, 0, 1, closed="right"), None],
        "cutoff_quantile": [Interval(Real, 0, 1, closed="right")],
        "density_kernel": [StrOptions(set(KERNELS))],
        "density": [StrOptions(set(DENSITIES))],
        "gamma": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "max_epochs": [
            StrOptions({"auto"}),
            Interval(Integral, 0, None, closed="left"),
        ],
    }

    _fitted_shapes = {
        **StreamClustering._fitted_shapes,
        "core_means_": ("n_clusters", "n_components"),
        "core_spreads_": ("n_clusters",),
        "density_": ("n_samples",),
        "difficulty_": ("n_samples",),
    }

    _settles_start = True  # its own loss learns less from vectors than from images

    _set_by_clustering = (
        *StreamClustering._set_by_clustering,
        "curriculum_",
        "core_means_",
        "core_spreads_",
        "_core_fraction",
    )

    def __init__(
        self,
        n_clusters: int | Auto = 8,
        *,
        n_components: int = 10,
        autoencoder: str | Callable[..., nn.Module] = "auto",
        image_shape: tuple[int, ...] | None = None,
        pretrain_epochs: int | Auto = "auto",
        pretrain_target: str = "clean",
        batch_size: int | Auto = "auto",
        lr: float = 2e-3,
        schedule: str = "one-cycle",
        augment: str | bool | Callable[..., torch.Tensor] = "auto",
        refresh_interval: int | Auto = "auto",
        tol: float = 1e-3,
        init: Any = "auto",
        n_init: int = 20,
        kernel_scale: float | Auto = "auto",
        guard: bool = True,
        precision: str = "float32",
        compile: bool = False,
        device: str | torch.device = "auto",
        callbacks: list[Any] | None = None,
        warm_start: bool = False,
        memory: Any = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        pacing: str | Callable[[int, int, float], float] = "exponential",
        pacing_epochs: int | None = None,
        lambda_0: float = 0.9,
        lambda_max: float = 1.0,
        core_fraction: float | None = 0.05,
        cutoff_quantile: float = 0.02,
        density_kernel: str = "gaussian",
        density: str = "auto",
        gamma: float | Auto = "auto",
        max_epochs: int | Auto = "auto",
    ) -> None:
        self.n_clusters = n_clusters
        self.n_components = n_components
        self.autoencoder = autoencoder
        self.image_shape = image_shape
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_target = pretrain_target
        self.batch_size = batch_size
        self.lr = lr
        self.schedule = schedule
        self.augment = augment
        self.refresh_interval = refresh_interval
        self.tol = tol
        self.init = init
        self.n_init = n_init
        self.kernel_scale = kernel_scale
        self.guard = guard
        self.precision = precision
        self.compile = compile
        self.device = device
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.memory = memory
        self.verbose = verbose
        self.random_state = random_state
        self.pacing = pacing
        self.pacing_epochs = pacing_epochs
        self.lambda_0 = lambda_0
        self.lambda_max = lambda_max
        self.core_fraction = core_fraction
        self.cutoff_quantile = cutoff_quantile
        self.density_kernel = density_kernel
        self.density = density
        self.gamma = gamma
        self.max_epochs = max_epochs

    @fit_context(prefer_skip_nested_validation=True)
    @keeps_fitted_state
    def fit(self, X: Samples, y: Any = None) -> Self:
        """Learn embedding and clusters (Algorithms 1 and 2 of the paper).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or images \
                (n, h, w), (n, h, w, c) or (n, c, h, w)
            CSR and CSC are made dense batch by batch, uint8 is kept as it is. Memory
            maps are read batch by batch, arrays of zarr, HDF5 and the like from a
            temporary memory map (:mod:`deepdensity.samples.unpacking`).
        y : Ignored

        Returns
        -------
        self
        """
        self._pace(n_epochs=2).fraction(0)  # what is wrong fails before training
        trainer = self._begin(X)
        self._pretrain(trainer)  # Eq. 13
        start = self._start(trainer)
        self.gamma_ = self._gamma(trainer)
        labels = self._train_clusters(trainer, start)
        self._set_fitted(trainer, n_iter=len(self.curriculum_))
        return self._set_head(labels)

    def _cluster(self, trainer: Trainer, labels: Array, *first_cores: Any) -> Any:
        """The clustering phase: the last labels, and what the guard reports.

        Labels are None where the fit ends at its start, cores and all.
        """
        watch = LabelWatch(labels, self.tol)
        loss = CurriculumLoss(self.gamma_, self.kernel_scale_)
        self._core_fraction = self.core_fraction
        n_batches = trainer.steps_per_epoch
        n_epochs = given_or(self.max_epochs, idcl_epochs(n_batches, trainer.augments))
        pace = self._pace(n_epochs)
        self.curriculum_ = Curriculum(len(trainer.source), pace.n_epochs or None)
        interval = given_or(self.refresh_interval, refresh_steps(n_batches))
        refresh_epochs = -(-interval // n_batches)
        n_steps = n_epochs * n_batches
        with trainer.phase("cluster", loss, n_epochs, n_steps) as net:
            guard = Guard(net, watch.labels, self.n_clusters_, watches=self.guard)
            for epoch in range(n_epochs):
                if net.ended:
                    break
                fraction = pace.fraction(epoch)  # Eq. 5 and 6
                refreshed = epoch % refresh_epochs == 0
                if refreshed:
                    Q = self._refresh(trainer, guard, watch.labels)  # Eq. 1, 2, 9 to 11
                    counts = epoch >= pace.n_epochs and guard.passed
                    if watch.update(Q.argmax(1), counts) or guard.gave_up:
                        break
                    loss.cores = self._cores(torch.float32, trainer.source.device)
                rows = select_easiest(self.difficulty_, watch.labels, fraction)  # 7, 8
                P = target_distribution(torch.from_numpy(Q[rows])).float()
                if not net.run_epoch(TrainingSet(trainer.source, rows, P)):  # 12 to 17
                    break
                net.history.record("fraction", fraction)
                if refreshed:
                    net.history.record("label_change", watch.change)
                self.curriculum_.append(fraction, rows)
        if self.curriculum_ and not guard.gave_up:
            self._refresh(trainer, guard, watch.labels)
        if self._end(trainer, guard, len(self.curriculum_), reconstructs=True):
            return watch.labels, guard.report()
        self.core_means_, self.core_spreads_, self._core_fraction = first_cores
        return None, guard.report()

    def _train_on(self, trainer: Trainer, Z: Array) -> Any:
        """One more batch of a stream: towards the cores as they are, at full share."""
        if self.gamma != "auto":
            self.gamma_ = self.gamma
        loss = CurriculumLoss(self.gamma_, self.kernel_scale_)
        loss.cores = self._cores(torch.float32, trainer.source.device)
        self._take_densities(Z)
        # as at the end of a fit
        fraction = 1.0 if self.pacing == "none" else self.lambda_max
        rows = select_easiest(self.difficulty_, self.pretrain_labels_, fraction)
        Q = torch.from_numpy(self._assign(Z))
        shares, n_shares = self._blended_shares(Q)
        # its neighbours say where a vector belongs: in a drift those at the border of a
        # cluster would change sides by themselves, and the others after them
        Q = trainer.over_neighbours(Q)
        P = target_distribution(Q[rows], torch.from_numpy(shares)).float()
        n_steps = STREAM_EPOCHS * trainer.steps_per_epoch
        self.curriculum_ = Curriculum(len(trainer.source))
        with trainer.phase("cluster", loss, STREAM_EPOCHS, n_steps) as net:
            guard = self._stream_guard(net)
            for _ in range(STREAM_EPOCHS):
                if not net.run_epoch(TrainingSet(trainer.source, rows, P)):
                    break
                net.history.record("fraction", fraction)
                self.curriculum_.append(fraction, rows)
        Z = trainer.embed()
        guard.passes(Z, self._labels(Z))
        if not guard.n_rollbacks:
            self._shares, self._n_shares = shares, n_shares
        return guard, len(self.curriculum_)

    def _set_refined_head(self, taken_back: bool) -> Self:
        """Cores blended with those of the last batch, if it counts, and its labels."""
        labels = self._labels(self.embedding_)
        self._take_densities(self.embedding_)
        new, counts = self._new_cores(self.embedding_, labels)
        if not taken_back:
            self._blend_cores(new, counts)
        self.labels_ = self._labels(self.embedding_)
        return self

    def _pace(self, n_epochs: int) -> Pace:
        return Pace(
            self.pacing, self.pacing_epochs, n_epochs, self.lambda_0, self.lambda_max
        )

    def _gamma(self, trainer: Trainer) -> float:
        if self.gamma == "auto":
            return GAMMA * data_variance(trainer.source)
        return self.gamma

    def _start(self, trainer: Trainer) -> Any:
        """Labels, then means, spreads and share of the cores to start from.

        By `init`, which gives centres: cores without a spread or a share. Where the fit
        goes on from a last one they are its cores, and give the labels.
        """
        if self._keeps_clusters():
            self._keep_clusters(trainer)
            labels = self.pretrain_labels_
        else:
            self.core_means_, labels = self._first_partition(trainer)
            self.core_spreads_ = np.zeros(self.n_clusters_)
            self._core_fraction = None
        return labels, self.core_means_, self.core_spreads_, self._core_fraction

    def _set_head(self, labels: Array | None) -> Self:
        """Cores and labels of the final embedding, empty clusters last.

        The cores are those of the labels, or without labels as they are.
        """
        self._take_densities(self.embedding_)
        own = self._labels(self.embedding_) if labels is None else labels
        cores, self._core_counts = self._new_cores(self.embedding_, own)
        if labels is not None:
            self._take_cores(cores)
        order = self._order_clusters(self._labels(self.embedding_))
        self.core_means_ = self.core_means_[order]
        self.core_spreads_ = self.core_spreads_[order]
        self._core_counts = self._core_counts[order]
        Q = self._assign(self.embedding_)
        self._shares, self._n_shares = Q.mean(0), len(Q)
        self.labels_ = Q.argmax(1)
        return self
