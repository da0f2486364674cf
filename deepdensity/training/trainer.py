"""The training of an autoencoder on a source of batches, phase by phase."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from skorch.history import History
from torch import Tensor

from .._typing import Array
from ..losses import ReconstructionLoss
from ..samples.inputs import Source
from ..utils.allocation import keep_freed_memory
from ..utils.torch_state import own_draws
from .batches import BatchIterator, TrainingSet
from .compilation import network_passes
from .cuda_graphs import GraphRecorder
from .inference import embed
from .interruption import Interruption
from .phase_net import PHASES, AutoencoderNet, check_trainable
from .progress import Progress
from .schedules import SCHEDULES, WARM_UP, RecordedRate, ScheduledRate
from .views import AugmentedViews, NeighbourViews

__all__ = ["Trainer"]


class Trainer:
    """One fit's network, data and random generator, and what is done with them.

    Parameters
    ----------
    module : torch.nn.Module
        With ``encode`` and ``decode``; trained in place.
    source : Source
    generator : torch.Generator
        Of shuffling and views, on the CPU.
    lr : float
    batch_size : int
    views : dict, default=None
        Phase -> views (see :mod:`deepdensity.training.views`); a phase that is not
        there sees the samples as they are. None has none.
    schedule : {"constant", "one-cycle"}, default="constant"
    bfloat16 : bool, default=False
        Train in bfloat16 where torch's autocast does.
    compiled : bool, default=False
        Train encoder and decoder as torch.compile makes them.
    draws : bool, default=False
        Whether the network may draw from torch's global generator, as one with dropout
        does: that is seeded by `generator`'s seed while a phase lasts, and put back.
    callbacks : list of skorch callbacks, default=None
        Given to every phase; ``net.phase`` names it.
    verbose : int, default=0
        Above 0 a progress bar for each phase.
    interruption : Interruption, default=None
        Looked at after every step; None is one that nobody asks for.

    Attributes
    ----------
    history : skorch.history.History
        A row for each epoch of all phases so far; "phase" names the phase, "lr" is the
        learning rate of its last step.
    """

    def __init__(
        self,
        module: Any,
        source: Source,
        generator: torch.Generator,
        *,
        lr: float,
        batch_size: int,
        views: dict[str, Any] | None = None,
        schedule: str = "constant",
        bfloat16: bool = False,
        compiled: bool = False,
        draws: bool = False,
        callbacks: list[Any] | None = None,
        verbose: int = 0,
        interruption: Interruption | None = None,
    ) -> None:
        self.module = module.to(source.device)
        self.source = source
        source.hold()
        if source.device.type == "cpu":
            keep_freed_memory()
        self.generator = generator
        self.lr = lr
        self.batch_size = batch_size
        self.views = views or {}
        self.schedule = schedule
        self.bfloat16 = bfloat16
        self.compiled = compiled
        self.draws = draws
        self.callbacks = callbacks
        self.verbose = verbose
        self.interruption = interruption or Interruption()
        self.is_trial = False
        self.progress: Progress | None = None  # a bar that several phases share
        self.history = History()

    def trial(self, seed: int, progress: Progress | None = None) -> Trainer:
        """A trainer of a copy of the network: what it does leaves no trace here.

        It shows no bar but `progress`, if that is given.
        """
        trial = copy.copy(self)
        trial.module = copy.deepcopy(self.module)
        trial.generator = torch.Generator().manual_seed(seed)
        trial.callbacks, trial.verbose, trial.history = None, 0, History()
        trial.is_trial, trial.progress = True, progress
        return trial

    def part(self, rows: Array) -> Trainer:
        """A trainer of the same network on some of the rows: for images alone.

        The views of vectors go by the numbers of the rows.
        """
        part = copy.copy(self)
        part.source = self.source.part(rows)
        return part

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.source) // self.batch_size)

    @property
    def augments(self) -> bool:
        """Whether samples are augmented, neither swapped for others nor left alone."""
        return isinstance(self.views.get("cluster"), AugmentedViews)

    @contextmanager
    def phase(
        self, name: str, criterion: Any, n_epochs: int, n_steps: int
    ) -> Iterator[Any]:
        """A net to train by ``net.run_epoch(data)``, an epoch at a time.

        Around the epochs stand skorch's train begin and train end. After a callback has
        stopped the training (as skorch's EarlyStopping does, by a KeyboardInterrupt)
        there are no more of them.
        """
        if n_epochs:
            check_trainable(self.module, criterion, name)
        net = self.net(
            AutoencoderNet,
            name,
            n_epochs,
            n_steps,
            criterion=criterion,
            iterator_train__views=self.views.get(name),
        )
        net.passes = network_passes(self.compiled)
        with self.finishing(net):
            yield net

    def net(
        self, kind: Any, name: str, n_epochs: int, n_steps: int, **params: Any
    ) -> Any:
        """An initialised skorch net on this module and source."""
        callbacks = [RecordedRate(), *(self.callbacks or [])]
        if self.schedule != "constant":
            # a trained network needs no warm-up, and while the rate is low labels would
            # drift faster than the network can follow
            warm_up = WARM_UP if name == "pretrain" else 0.0
            rate = ScheduledRate(SCHEDULES[self.schedule], self.lr, n_steps, warm_up)
            callbacks.append(rate)
        progress = self.progress
        if self.verbose:
            progress = progress or Progress(PHASES.get(name, name), n_epochs)
        if progress is not None:
            callbacks.append(progress)
        net = kind(
            self.module,
            optimizer=torch.optim.Adam,
            optimizer__fused=True,
            lr=self.lr,
            batch_size=self.batch_size,
            iterator_train=BatchIterator,
            iterator_train__generator=self.generator,
            iterator_train__interruption=self.interruption,
            train_split=None,
            callbacks=callbacks,
            callbacks__print_log=None,
            verbose=0,
            device=self.source.device,
            **params,
        ).initialize()
        net.phase = name
        net.bfloat16 = self.bfloat16
        net.interruption = self.interruption
        if self.source.device.type == "cuda":
            net.record_steps(GraphRecorder(self.source.device))
        return net

    @contextmanager
    def finishing(self, net: Any) -> Iterator[None]:
        """Train a net inside: its end follows, and where that fails no bar is left."""
        seed, device = self.generator.initial_seed(), self.source.device
        draws = own_draws(seed, device) if self.draws else nullcontext()
        try:
            with draws:
                yield
                self.finish(net)
        except BaseException:
            for _, callback in net.callbacks_:
                if isinstance(callback, Progress):
                    callback.close()
            raise
        finally:
            net.recorded = None  # it and the net hold each other, and a GPU's memory

    def finish(self, net: Any) -> None:
        """End a net's training and keep its history."""
        net.end()
        for row in net.history:
            row["phase"] = net.phase
        self.history.extend(net.history)
        self.interruption.note(
            "in the trials of starts" if self.is_trial else net.place
        )

    def pretrain(self, n_epochs: int) -> None:
        """Minimise the reconstruction error (DECS, Eq. 2; IDCL, Eq. 13)."""
        if n_epochs:
            n_steps = n_epochs * self.steps_per_epoch
            loss = ReconstructionLoss()
            with self.phase("pretrain", loss, n_epochs, n_steps) as net:
                net.fit_loop(TrainingSet(self.source), epochs=n_epochs)

    def embed(self) -> Array:
        """Embedding of all rows, computed in float32: float64 array (n, latent).

        Where the training has diverged it holds NaN or infinity.
        """
        return embed(self.module, self.source, torch.float32).astype(np.float64)

    def embed_view(self) -> Array:
        """Embedding of one random view of each row, as the clustering phase sees it."""
        views = self.views.get("cluster")
        if views is None:
            return self.embed()

        def view(x: Any, rows: Any) -> Any:
            return views(x, rows, self.generator)[0]

        return embed(self.module, self.source, torch.float32, view).astype(np.float64)

    def embed_views(self, n_views: int) -> Array:
        """Mean embedding of the augmented views of each row: float64 (n, latent).

        Of vectors, whose views are of other samples, it is the embedding as it is.
        """
        if not self.augments:
            return self.embed()
        total = self.embed_view()
        for _ in range(n_views - 1):
            total += self.embed_view()
        return total / n_views

    def over_neighbours(self, values: Tensor) -> Tensor:
        """Means of values (n, k) over each row's neighbours.

        Of images, and of vectors that are shown as they are, the values themselves.
        """
        views = self.views.get("cluster")
        if not isinstance(views, NeighbourViews):
            return values
        total = torch.zeros_like(values)
        for neighbours in views.neighbours.T:  # one of each row: m times (n, k) is less
            total += values[torch.from_numpy(neighbours)]
        mean: Tensor = total / views.neighbours.shape[1]
        return mean
