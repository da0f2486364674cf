"""What both estimators share in a fit: seeds, network, pretraining, end."""

import copy
import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from ._typing import Array, Auto, Samples
from .first_clusters import N_SCORED, FirstClusters
from .information import net_information
from .networks.build import (
    AUTOENCODERS,
    build_autoencoder,
    network_name,
)
from .recipe import (
    CLUSTER_BATCH,
    auto_batch_size,
    given_or,
    pretraining_epochs,
)
from .samples.inputs import Source, check_range, input_format
from .samples.layout import Layout
from .samples.unpacking import unpacked
from .starts import STARTS, given_labels
from .training.callback_checks import check_callbacks
from .training.compilation import can_compile
from .training.decoder import refit_decoder
from .training.inference import reconstruction_error
from .training.schedules import SCHEDULES
from .training.trainer import Trainer
from .training.views import choose_views
from .utils.devices import has_bfloat16, resolve_device
from .utils.random_states import as_random_state
from .utils.user_warnings import warn

__all__ = ["BaseDeepClustering"]

# of the epochs of the longer phase, both in batches of the clustering phase: what a
# decoder's refit takes
DECODER_SHARE = 0.1


class BaseDeepClustering(FirstClusters):
    """Base of the estimators: the parts of a fit; a subclass brings `fit` and its head.

    The head is `_soft_assignment(Z)`: embedding (n, latent) -> q (n, k), both float64
    tensors.
    """

    # those parameters that both estimators share, and a fit asks by type
    n_clusters: int | Auto
    pretrain_epochs: int | Auto
    batch_size: int | Auto
    refresh_interval: int | Auto
    kernel_scale: float | Auto
    precision: str

    _parameter_constraints: dict[str, Any] = {
        "n_clusters": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "autoencoder": [StrOptions({"auto", *AUTOENCODERS}), callable],
        "image_shape": [tuple, list, None],
        "init": [StrOptions({"auto", *STARTS}), "array-like"],
        "pretrain_epochs": [
            StrOptions({"auto"}),
            Interval(Integral, 0, None, closed="left"),
        ],
        "pretrain_target": [StrOptions({"clean", "augmented"})],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 2, None, closed="left"),
        ],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "schedule": [StrOptions({"constant", *SCHEDULES})],
        "augment": [StrOptions({"auto", "affine"}), "boolean", callable],
        "kernel_scale": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "guard": ["boolean"],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        "compile": ["boolean"],
        "refresh_interval": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "device": [str, torch.device],
        "callbacks": [list, None],
        "warm_start": ["boolean"],
        "memory": [str, HasMethods(["cache"]), None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def _in_bfloat16(self, device: torch.device) -> bool:
        if self.precision == "auto":
            return has_bfloat16(device)
        return self.precision == "bfloat16"

    def _begin(self, X: Samples) -> Trainer:
        """Validated data, a network and a random generator: the trainer of one fit."""
        self._check_callbacks(self.schedule)
        device = resolve_device(self.device)
        X, layout = self._check_training_data(X)
        if self._is_given and not self._keeps_clusters():
            given_labels(self.init, X.shape[0], self.n_clusters)  # before any epoch
        X = unpacked(X)
        self._n_batches = 1
        network, training, self._start_seed, self._density_seed = self._seeds()
        if self._continues():
            module = self._kept_module(layout)
        else:
            module = self._new_module(X, layout, network)
        source = Source(X, self._format, device)
        if self._continues():
            self._check_scale(source)
        batch_size = auto_batch_size(len(source), layout.is_image)
        return self._trainer(
            module,
            source,
            training,
            self._density_seed,
            self._find_neighbours,
            lr=self.lr,
            batch_size=given_or(self.batch_size, batch_size),
            schedule=self.schedule,
            compiled=self.compile and can_compile(device),
        )

    def _trainer(
        self,
        module: Any,
        source: Source,
        seed: int,
        view_seed: int,
        find: Callable[[Source, int], Array | None],
        **more: Any,
    ) -> Trainer:
        """A trainer of the network by what parameters say of every phase.

        `find` is for the neighbours of vectors, as in :func:`choose_views`.
        """
        clean = self.pretrain_target == "clean"
        views = choose_views(self.augment, source, clean, view_seed, find)
        return Trainer(
            module,
            source,
            torch.Generator().manual_seed(seed),
            views=views,
            bfloat16=self._in_bfloat16(source.device),
            draws=self._network is None,
            callbacks=self.callbacks,
            verbose=self.verbose,
            interruption=self._interruption,
            **more,
        )

    def _check_callbacks(self, schedule: str) -> None:
        """Raise ValueError of callbacks that a training by such a schedule defeats."""
        check_callbacks(self.callbacks, schedule)

    def _seeds(self) -> list[int]:
        """Of the network, its training, the start, and densities and neighbours."""
        random = as_random_state(self.random_state)
        return [int(seed) for seed in random.randint(2**31 - 1, size=4)]

    def _new_module(self, X: Samples, layout: Layout, seed: int) -> Any:
        """A network at random, and the format of its input."""
        self._format = input_format(X, layout)
        self._network = network_name(self.autoencoder, layout.shape)
        return build_autoencoder(
            self.autoencoder, layout.shape, self.n_components, seed
        )

    def _kept_module(self, layout: Layout) -> Any:
        """A copy of the last fit's network, for samples of the same shape."""
        if layout.shape != self._format.layout.shape:
            raise ValueError(
                f"warm_start=True continues a fit on samples of shape "
                f"{self._format.layout.shape}, and X has {layout.shape}."
            )
        if network_name(self.autoencoder, layout.shape) != self._network:
            raise ValueError(
                f"warm_start=True continues a fit with the network "
                f"{self._network or 'of your own'!r}, and autoencoder is "
                f"{self.autoencoder!r}: set it back, or warm_start=False."
            )
        if self.n_components != self._n_features_out:
            raise ValueError(
                f"warm_start=True continues a fit with n_components="
                f"{self._n_features_out}, and now it is {self.n_components}: set it "
                "back, or warm_start=False."
            )
        self._format = self._format._replace(layout=layout)
        return copy.deepcopy(self.module_)

    def _check_scale(self, source: Source) -> None:
        """Warn of, or refuse, samples that the scale of the last fit does not suit."""
        self._compare_units(source.X)
        check_range(source)

    def _continues(self) -> bool:
        """Whether this fit goes on from the last one."""
        return self.warm_start and hasattr(self, "module_")

    def _keeps_clusters(self) -> bool:
        """Whether it goes on from the last one's clusters, too."""
        return self._continues() and self.n_clusters in ("auto", self.n_clusters_)

    def _keep_clusters(self, trainer: Trainer) -> Array:
        """The samples' clusters by the last fit, as the start; the embedding Z.

        The kernel's unit stays as it was, unless one is given now.
        """
        if self.kernel_scale != "auto":
            self.kernel_scale_ = float(self.kernel_scale)
        Z = trainer.embed()
        self.pretrain_labels_ = self._labels(Z)
        self.start_scores_, self._start_trained = {}, False
        self.start_information_ = self._information(trainer)
        return Z

    def _pretrain(self, trainer: Trainer) -> None:
        """Train the autoencoder on reconstruction alone, unless the fit goes on.

        All that follows has the batches of the clustering phase.
        """
        if not self._continues():
            self._pretrain_anew(trainer)
        trainer.batch_size = given_or(self.batch_size, CLUSTER_BATCH)

    def _pretrain_anew(self, trainer: Trainer) -> None:
        n_epochs = self._pretrain_epochs(trainer)
        self._recall(
            trainer,
            ("pretrain", n_epochs),
            lambda: self._pretrain_safely(trainer, n_epochs),
        )
        if trainer.lr < self.lr:
            warn(f"The pretraining diverged at lr={self.lr}: used {trainer.lr}.")

    def _pretrain_safely(self, trainer: Trainer, n_epochs: int) -> None:
        """Where that diverges start again at a tenth of the learning rate, twice."""
        untrained = copy.deepcopy(trainer.module.state_dict())
        for lr in (trainer.lr, trainer.lr / 10, trainer.lr / 100):
            trainer.lr = lr
            trainer.pretrain(n_epochs)
            if np.isfinite(trainer.embed()).all():
                return
            trainer.module.load_state_dict(untrained)
        raise ValueError(
            "The pretraining has diverged: the embedding holds NaN or infinity, at "
            f"lr={self.lr} and down to {lr}. Check X for extreme values, or choose a "
            "smaller lr."
        )

    def _pretrain_epochs(self, trainer: Trainer) -> int:
        auto = pretraining_epochs(len(trainer.source), trainer.steps_per_epoch)
        return given_or(self.pretrain_epochs, auto)

    def _information(self, trainer: Trainer) -> float:
        """Label-free score of network and head as they are; see `net_information`."""
        views = (trainer.embed_view() for _ in range(N_SCORED))
        return net_information([self._labels(Z) for Z in views])

    def _improved(self, trainer: Trainer, guard: Any) -> bool:
        """Score the end; whether it counts, or network and loss have gone back.

        Without views both scores are of the clusters' sizes alone, and say nothing of
        what training was worth.
        """
        self.information_ = self.start_information_
        if guard.at_start:
            return not guard.n_rollbacks  # nothing trained, or all of it taken back
        self.information_ = self._information(trainer)
        judges = guard.watches and "cluster" in trainer.views
        if not judges or self.information_ >= self.start_information_:
            return True
        guard.end_at_start()
        self.information_ = self.start_information_
        return False

    def _end(
        self, trainer: Trainer, guard: Any, n_epochs: float, reconstructs: bool
    ) -> bool:
        """`_improved`, after a phase of so many epochs; the decoder then follows.

        It does not know an encoder that was trained without it: by the phase, if that
        does not reconstruct, or, where the fit is at its start, by the trials.
        """
        improved = self._improved(trainer, guard)
        if improved and n_epochs > 0:
            left_behind = not reconstructs
        else:
            left_behind = self._start_trained
        if left_behind and not trainer.interruption.asked:
            n_epochs = max(self._pretrain_epochs(trainer), n_epochs)
            refit_decoder(trainer, math.ceil(DECODER_SHARE * n_epochs))
        return improved

    def _set_fitted(self, trainer: Trainer, n_iter: int) -> None:
        """The fitted attributes that need the network only."""
        self.module_ = trainer.module
        self.history_ = trainer.history
        self.n_iter_ = n_iter
        self._device = trainer.source.device
        self.embedding_ = self._embed(trainer.source.X)
        self._n_features_out = self.embedding_.shape[1]
        if not np.isfinite(self.embedding_).all():
            raise ValueError(
                "The clustering phase has diverged: the embedding holds NaN or "
                f"infinity, at lr={self.lr}. Choose a smaller lr, or guard=True, and "
                "look for extreme values in X, or other units than in an earlier fit."
            )
        self.reconstruction_error_ = reconstruction_error(
            trainer.module, trainer.source, self.embedding_
        )

    def _order_clusters(self, labels: Array) -> Array:
        """Order of the clusters that puts empty ones last; warns if there are any."""
        counts = np.bincount(labels, minlength=self.n_clusters_)
        n_found = np.count_nonzero(counts)
        if n_found < self.n_clusters_:
            warn(
                f"Number of distinct clusters ({n_found}) found smaller than "
                f"n_clusters ({self.n_clusters_}). Possibly due to duplicate points in "
                "X, or to clusters that have merged in training."
            )
        return np.argsort(counts == 0, kind="stable")
