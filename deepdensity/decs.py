"""DECSClustering: deep embedding clustering driven by sample stability."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor, nn

from ._decorators import fit_context
from ._typing import Array, Auto, Samples
from .assignment import soft_assignment
from .convergence import LabelWatch
from .distances import squared_distances_to
from .kept_state import keeps_fitted_state
from .losses import InstabilityLoss
from .recipe import (
    STREAM_EPOCHS,
    STREAM_RECONSTRUCTION,
    decs_iterations,
    given_or,
    refresh_steps,
)
from .stability import DETERMINACIES, determinacy, otsu_threshold, sample_stability
from .streams import StreamClustering
from .training.batches import TrainingSet
from .training.callback_checks import check_load_best
from .training.guard import Guard
from .training.trainer import Trainer

__all__ = ["DECSClustering"]


class DECSClustering(StreamClustering):
    """Deep clustering by sample stability (DECS, Cheng et al. 2024).

    An autoencoder is trained on (augmented) samples; first clusters are found in its
    embedding (`init`); then encoder and centres together are trained to make every
    sample's relation to every centre determinate: surely in or surely out.

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
        Either way it must have ``encode`` and ``decode``.
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
        papers. skorch's LRScheduler needs "constant".
    augment : {"auto", "affine"}, bool or callable, default="auto"
        "affine" rotates and shifts images at random and leaves vectors alone. "auto",
        or True, does that to images; of vectors it drops values and swaps a vector for
        one of its nearest neighbours (see :mod:`deepdensity.training.views`), ten at
        most and no more than half of a cluster. False shows samples as they are. A
        function is called as ``augment(x, generator)`` with images (b, c, h, w) in
        [0, 1] or scaled vectors (b, d), a float tensor, and returns one of the same
        shape.
    refresh_interval : "auto" or int, default="auto"
        Iterations between two looks at the labels (see `tol` and `guard`). "auto" is
        100, but at least two epochs.
    tol : float, default=1e-3
        Training stops when the share of labels that change between refreshes stays
        under it at two refreshes running. 0 never stops early.
    init : {"auto", "k-means", "scaled-k-means", "gaussian-mixture", \
            "view-mixture", "merged-mixture", "spectral"} or array-like of shape \
            (n_samples,), default="auto"
        Where the clusters start; see :mod:`deepdensity.starts`. "k-means" is the
        paper's, and takes over where there are fewer than ten samples a cluster. "auto"
        is "scaled-k-means" for vectors. For images, or whatever is augmented, it tries
        several starts, each trained for 150 steps: "view-mixture", and the components
        of six runs of "merged-mixture", which are merged then and the best three
        mergers trained again. The best trial is mended by splitting and merging, and
        the fit goes on from the one whose clusters change least from view to view
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
        For the nets of all phases; ``net.phase`` is "pretrain", "cluster" or "decoder".
        See the page on callbacks.
    warm_start : bool, default=False
        Go on from the last fit: from its network, without pretraining, and from its
        centres if there are as many; then `init` has no part, nor have labels in it.
    memory : str or object with the joblib.Memory interface, default=None
        Folder in which pretraining, starts and clustering phases are kept, for the fits
        of a search that share them; see :mod:`deepdensity.memory`. Not used with
        `callbacks`, nor where `random_state` is None.
    verbose : int, default=0
        Above 0 a progress bar for each phase, with the loss and the time left.
    random_state : int, RandomState instance or None, default=None
        Of the weights, the batches, the augmentation and the k-means. None takes fresh
        entropy. NumPy's and torch's global generators are left as they are; to a
        network of your own that draws from torch's, as one with dropout does, that is
        lent while it trains, seeded by `random_state`.
    alpha : float, default=1.0
        Degrees of freedom of the Student-t soft assignment (Eq. 5).
    lambda_var : float, default=0.8
        Weight of the variance in the sample stability (Eq. 7).
    determinacy : {"quadratic", "linear"}, default="quadratic"
        The paper's Eq. 6, or the form of the authors' code.
    max_iter : "auto" or int, default="auto"
        Iterations (gradient steps) of the clustering phase. "auto" is 20 epochs, but
        2,000 to 6,000, where samples are augmented, as images are, and else 200.
    balance : "auto" or float, default="auto"
        Weight of a term that keeps clusters from dying out. "auto" is 0.5 where samples
        are augmented, as images are, or 1 where the trials of starts find that it takes
        more, and else the paper's 0.
    reconstruction_weight : float, default=0.0
        Weight of the reconstruction error in the clustering phase. 0 is the paper's
        Algorithm 1. Its Eq. 1 sums the error over the values of a sample, where this
        takes the mean: the number of values, 784 of 28 x 28 pixels, gives the same.
        With 0 the decoder rests in it, and is refitted at the end; `partial_fit`, which
        does not refit it, takes a third then.

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
        Labels of k-means on the pretrained embedding, or of the last fit's centres
        where the fit goes on. Clusters are numbered otherwise than in `labels_`:
        compare the two by the adjusted Rand index, say. What lies between them is the
        choice of the start, its trials and the clustering phase.
    start_scores_ : dict
        Score in nats of each start that ``init="auto"`` has tried; empty otherwise.
    start_information_, information_ : float
        Label-free score of the clusters at the start of the clustering phase and at its
        end, in nats: what two views of a sample share about its cluster, less three
        times what they do not; see :func:`deepdensity.information.net_information`.
        Without views it is the entropy of the clusters' sizes.
    kernel_scale_ : float
        Squared unit of the Student-t kernel.
    balance_ : float
        Weight of the balance of the clusters.
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
        A row for each epoch, with its "phase", "train_loss" and "lr", the learning
        rate of its last step; those of the clustering phase are `refresh_interval`
        iterations long and have "label_change". Where the guard has gone back, the row
        has "rollback": "diverged", "collapsed" or "worse than the start".
    n_iter_ : int
        Iterations done in the clustering phase.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)

    References
    ----------
    Z. Cheng, F. Li, J. Wang, Y. Qian: "Deep Embedding Clustering Driven by Sample
    Stability", IJCAI 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from deepdensity import DECSClustering
    >>> X = load_digits().data[:200]  # images, flat
    >>> decs = DECSClustering(10, pretrain_epochs=20, max_iter=40, random_state=0)
    >>> decs.fit_predict(X).shape, decs.transform(X).shape
    ((200,), (200, 10))
    >>> decs.predict(X[:3]).tolist() == decs.labels_[:3].tolist()
    True
    >>> decs.predict_proba(X[:3]).shape, decs.inverse_transform(decs.embedding_).shape
    ((3, 10), (200, 64))
    >>> decs.score_samples(X).shape, 0 < decs.score(X) < 1
    ((200,), True)

    In real use leave the epochs as they are; images as images are clustered better, by
    ``image_shape=(8, 8)`` or as an array (n, 8, 8).
    """

    cluster_centers_: Array

    _parameter_constraints: dict[str, Any] = {
        **StreamClustering._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "lambda_var": [Interval(Real, 0, None, closed="left")],
        "determinacy": [StrOptions(set(DETERMINACIES))],
        "max_iter": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
        "balance": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "reconstruction_weight": [Interval(Real, 0, None, closed="left")],
    }

    _fitted_shapes = {
        **StreamClustering._fitted_shapes,
        "cluster_centers_": ("n_clusters", "n_components"),
        "stability_": ("n_samples",),
    }

    _set_by_clustering = (*StreamClustering._set_by_clustering, "cluster_centers_")

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
        alpha: float = 1.0,
        lambda_var: float = 0.8,
        determinacy: str = "quadratic",
        max_iter: int | Auto = "auto",
        balance: float | Auto = "auto",
        reconstruction_weight: float = 0.0,
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
        self.alpha = alpha
        self.lambda_var = lambda_var
        self.determinacy = determinacy
        self.max_iter = max_iter
        self.balance = balance
        self.reconstruction_weight = reconstruction_weight

    @fit_context(prefer_skip_nested_validation=True)
    @keeps_fitted_state
    def fit(self, X: Samples, y: Any = None) -> Self:
        """Learn embedding and clusters (Algorithm 1 of the paper).

        Its last line assigns samples "by maximizing sq", which has no cluster: each
        goes to the cluster of its highest q (Eq. 5).

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
        self._take_form()
        trainer = self._begin(X)
        self._pretrain(trainer)  # line 1: Eq. 2
        start = self._start(trainer)  # line 2
        tried = self._tried_balance if trainer.augments else 0.0
        self.balance_ = given_or(self.balance, tried)
        n_iter = self._train_clusters(trainer, start)
        self._set_fitted(trainer, n_iter)
        return self._set_head()  # line 9

    def _check_callbacks(self, schedule: str) -> None:
        super()._check_callbacks(schedule)
        check_load_best(self.callbacks)

    def _cluster(self, trainer: Trainer, centres: Array, labels: Array) -> Any:
        """The clustering phase: the iterations done, and what the guard reports."""
        loss = InstabilityLoss(  # lines 4 to 6: Eq. 5 to 7
            centres,
            self._alpha,
            self._lambda_var,
            self._determinacy,
            balance=self.balance_,
            reconstruction=self.reconstruction_weight,
            scale=self.kernel_scale_,
        )
        watch = LabelWatch(labels, self.tol)
        n_batches = trainer.steps_per_epoch
        max_iter = given_or(self.max_iter, decs_iterations(n_batches, trainer.augments))
        interval = given_or(self.refresh_interval, refresh_steps(n_batches))
        n_iter, n_rounds = 0, -(-max_iter // interval)
        with trainer.phase("cluster", loss, n_rounds, max_iter) as net:
            guard = Guard(net, labels, self.n_clusters_, watches=self.guard)
            while n_iter < max_iter:  # line 3
                n_steps = min(interval, max_iter - n_iter)
                batches = TrainingSet(trainer.source, n_batches=n_steps)
                if not net.run_epoch(batches):  # line 7: Eq. 16 and 17
                    break
                n_iter += len(net.history[-1]["batches"])
                Z = trainer.embed()
                self._take_centres(loss)
                labels = self._labels(Z)
                if not guard.passes(Z, labels):
                    self._take_centres(loss)
                    labels = self._labels(trainer.embed())
                settled = watch.update(labels, count=guard.passed)
                net.history.record("label_change", watch.change)
                if settled or guard.gave_up:
                    break
        self._take_centres(loss)  # a callback may have loaded a better epoch at the end
        if not self._end(trainer, guard, n_iter / n_batches, loss.reconstructs):
            self._take_centres(loss)
        return n_iter, guard.report()

    def _train_on(self, trainer: Trainer, Z: Array) -> Any:
        """One more batch of a stream: stability and reconstruction, no balance.

        A batch need not have its samples spread evenly over the clusters. The
        reconstruction has its say so that the decoder follows.
        """
        self._take_form()
        loss = InstabilityLoss(
            self.cluster_centers_,
            self._alpha,
            self._lambda_var,
            self._determinacy,
            reconstruction=self.reconstruction_weight or STREAM_RECONSTRUCTION,
            scale=self.kernel_scale_,
        )
        n_steps = STREAM_EPOCHS * trainer.steps_per_epoch
        with trainer.phase("cluster", loss, STREAM_EPOCHS, n_steps) as net:
            guard = self._stream_guard(net)
            net.fit_loop(TrainingSet(trainer.source), epochs=STREAM_EPOCHS)
        Z = trainer.embed()
        self._take_centres(loss)
        if not guard.passes(Z, self._labels(Z)):
            self._take_centres(loss)
        return guard, net.n_steps

    def _start(self, trainer: Trainer) -> Any:
        """First centres and labels: by `init`, or of the fit that goes on."""
        if self._keeps_clusters():
            self._keep_clusters(trainer)
            return self.cluster_centers_, self.pretrain_labels_
        self.cluster_centers_, labels = self._first_partition(trainer)
        return self.cluster_centers_, labels

    def _take_form(self) -> None:
        """What the training and the fitted model go by, whatever is set later."""
        self._alpha, self._lambda_var = self.alpha, self.lambda_var
        self._determinacy = self.determinacy

    def _take_centres(self, loss: Any) -> None:
        """The centres as trained so far."""
        self.cluster_centers_ = loss.centres.detach().cpu().double().numpy()

    def _set_head(self) -> Self:
        """Labels, centres and stability of the training data, empty clusters last."""
        order = self._order_clusters(self._labels(self.embedding_))
        self.cluster_centers_ = self.cluster_centers_[order]
        return self._set_refined_head()

    def _set_refined_head(self, taken_back: bool = False) -> Self:
        """Labels and stability of the training data, or of the last batch.

        Where that was taken back the guard has brought back the centres already.
        """
        Q = self._assign(self.embedding_)
        self.threshold_ = float(otsu_threshold(torch.from_numpy(Q)))
        self.labels_ = Q.argmax(1)
        self.stability_ = self._stability(self.embedding_)
        return self

    def _soft_assignment(self, Z: Tensor) -> Tensor:
        centres = torch.from_numpy(np.array(self.cluster_centers_))
        distances = squared_distances_to(Z, centres) / self.kernel_scale_
        return soft_assignment(distances, self._alpha)

    def _stability(self, Z: Array) -> Array:
        def stability(block: Any) -> Any:
            q = self._soft_assignment(block)
            threshold = torch.tensor(self.threshold_, dtype=q.dtype, device=q.device)
            fq = determinacy(q, threshold, self._determinacy)
            return sample_stability(fq, self._lambda_var)

        return self._in_blocks(stability, Z)

    def score_samples(self, X: Samples) -> Array:
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
        return self._stability(self._embed_new(X))

    def score(self, X: Samples, y: Any = None) -> float:
        """Mean stability of the samples: needs no labels, higher is better.

        It compares fits of the same `n_clusters`, `alpha`, `lambda_var`, `determinacy`
        and `kernel_scale`, which all change what is counted as stable. For a search
        over these take a score of :mod:`deepdensity.metrics` that does not know them,
        as :func:`~deepdensity.metrics.embedding_silhouette`.

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
