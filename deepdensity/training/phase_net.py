"""The skorch nets of a phase of training: the loop, and what a step is.

The loop is skorch's. What is added: criteria see the embedding and the reconstruction,
a block of code can run between epochs, and on a GPU steps are recorded and losses read
once an epoch.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Self

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor

from .._typing import Samples
from ..utils.devices import reproducible
from .compilation import network_passes
from .cuda_graphs import RecordedSteps

__all__ = ["PHASES", "AutoencoderNet", "PhaseNet", "check_trainable"]


class Stopped(Exception):
    """A callback has ended the phase, by a KeyboardInterrupt as skorch's do."""


PHASES = {"pretrain": "pretraining", "cluster": "clustering", "decoder": "decoder"}


class PhaseNet(NeuralNet):
    """skorch net of one phase: it trains epoch by epoch until the phase has `ended`.

    Callbacks are told of the train begin with the first epoch: of a phase without
    epochs they hear nothing.
    """

    bfloat16 = False  # whether the network computes in half the precision
    recorded: RecordedSteps | None = None  # on a GPU
    begun = False
    stopped = False  # by a callback, as skorch's EarlyStopping does

    @property
    def ended(self) -> bool:
        """Whether a callback or the user has ended the phase."""
        return self.stopped or bool(self.interruption.asked)

    def fit_loop(
        self, X: Samples, y: Any = None, epochs: Any = None, **fit_params: Any
    ) -> Self:
        try:
            for _ in range(epochs):
                if self.ended:
                    break
                if not self.begun:
                    self.begun = True
                    self.notify("on_train_begin", X=None, y=None)
                super().fit_loop(X, y, epochs=1, **fit_params)
        except Stopped:
            self.stopped = True
        return self

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """skorch's; where a callback raises KeyboardInterrupt it ends the phase."""
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt as stop:
            if self.interruption.insisted:
                raise
            raise Stopped from stop

    def run_single_epoch(
        self,
        iterator: Any,
        training: bool,
        prefix: str,
        step_fn: Any,
        **fit_params: Any,
    ) -> None:
        """skorch's, except that a GPU is asked for the losses once an epoch.

        To ask after every step would be to wait for it to end.
        """
        if iterator is None:
            return
        # a callback may have frozen what there was to train
        check_trainable(self.module_, self.criterion_, self.phase)
        name, n_batches = f"{prefix}_loss", 0
        try:
            for batch in iterator:
                self.notify("on_batch_begin", batch=batch, training=training)
                step = step_fn(batch, **fit_params)
                loss = step["loss"].detach()
                later = loss.device.type == "cuda"
                self.history.record_batch(name, loss.clone() if later else loss.item())
                self.history.record_batch(f"{prefix}_batch_size", len(batch[0]))
                self.notify("on_batch_end", batch=batch, training=training, **step)
                n_batches += 1
        finally:
            read_losses(self.history[-1]["batches"], name)
        self.history.record(f"{prefix}_batch_count", n_batches)

    def record_steps(self, recorder: Any) -> None:
        """From now on replay a step that has been recorded.

        Not where a callback looks at the gradients before they are used.
        """
        kinds = [type(callback) for _, callback in self.callbacks_]
        if any(k.on_grad_computed is not Callback.on_grad_computed for k in kinds):
            return
        for group in self.optimizer_.param_groups:  # where a recorded step finds it
            group["lr"] = torch.tensor(float(group["lr"]), device=self.device)
        self.rates = [group["lr"] for group in self.optimizer_.param_groups]
        self.recorded = RecordedSteps(self.whole_step, recorder)

    def whole_step(self, x: Tensor, original: Tensor, target: Any) -> Any:
        """All that a step does on the device: its loss and the network's result."""
        capturing = x.is_cuda and torch.cuda.is_current_stream_capturing()
        for group in self.optimizer_.param_groups:
            group["capturable"] = capturing  # torch insists, and only then
        self._zero_grad_optimizer(set_to_none=True)
        step = self.train_step_single((x, (original, target)))
        self._step_optimizer(None)
        result = step["y_pred"]  # (z, reconstruction or None), or a reconstruction
        if isinstance(result, tuple):
            return step["loss"].detach(), tuple(map(detached, result))
        return step["loss"].detach(), detached(result)

    def _set_training(self, training: bool = True) -> None:
        """skorch's, of modules that are not yet in the mode.

        Each step asks for it, and to walk through all layers is a part of a short one.
        """
        modules = (getattr(self, f"{name}_") for name in self._modules + self._criteria)
        if any(module.training is not training for module in modules):
            super()._set_training(training)

    def train_step_single(self, batch: Any, **fit_params: Any) -> Any:
        with reproducible(self.device):
            return super().train_step_single(batch, **fit_params)

    def train_step(self, batch: Any, **fit_params: Any) -> Any:
        if self.recorded is None:
            return super().train_step(batch, **fit_params)
        for group, rate in zip(self.optimizer_.param_groups, self.rates):
            if group["lr"] is not rate:  # a callback's
                group["lr"] = rate.fill_(float(group["lr"]))
        x, (original, target) = batch
        loss, y_pred = self.recorded(x, original, target)
        return {"loss": loss, "y_pred": y_pred}

    def forget(self) -> None:
        """Forget the optimiser's momentum."""
        self.optimizer_.state.clear()
        if self.recorded is not None:
            self.recorded.forget()

    def run_epoch(self, data: Any) -> bool:
        """An epoch, unless the phase has ended; whether there was one."""
        n_epochs = len(self.history)
        self.fit_loop(data, epochs=1)
        return len(self.history) > n_epochs

    def precision(self, x: Tensor) -> torch.autocast:
        """The context in which the network computes."""
        return torch.autocast(x.device.type, torch.bfloat16, enabled=self.bfloat16)

    def end(self) -> None:
        if self.begun:
            with suppress(Stopped):  # it is over
                self.notify("on_train_end", X=None, y=None)

    @property
    def n_steps(self) -> int:
        """Batches trained on in all epochs so far."""
        return sum(len(row["batches"]) for row in self.history)

    @property
    def place(self) -> str:
        """How far the phase has come, in words."""
        n_epochs = len(self.history)
        return (
            f"in the {PHASES.get(self.phase, self.phase)} phase, after {n_epochs} "
            f"epoch{'s' * (n_epochs != 1)} ({self.n_steps} steps)"
        )


def check_trainable(module: Any, criterion: Any, phase: str) -> None:
    """Raise a ValueError where a phase would have nothing to train."""
    if not any(
        p.requires_grad for p in (*module.parameters(), *criterion.parameters())
    ):
        raise ValueError(
            f"autoencoder={type(module).__name__} has no parameter with requires_grad, "
            f"which leaves the {PHASES.get(phase, phase)} nothing to train: give it "
            "one (or no epochs to that phase), and no callback that freezes all."
        )


def read_losses(batches: list[dict[str, Any]], name: str) -> None:
    """Numbers in the place of the losses that are still on the device."""
    unread = [batch for batch in batches if isinstance(batch.get(name), Tensor)]
    if unread:
        losses = torch.stack([batch[name] for batch in unread])
        for batch, loss in zip(unread, losses.tolist()):
            batch[name] = loss


def detached(values: Tensor | None) -> Tensor | None:
    """Without the graph that gradients go back by."""
    return None if values is None else values.detach()


class AutoencoderNet(PhaseNet):
    """skorch net around a module with ``encode`` and ``decode``.

    Its criterion gets embedding, reconstruction, the sample to reconstruct and the
    target; the decoder runs only for a criterion that `reconstructs`.
    """

    passes = network_passes()

    def infer(self, x: Any, **fit_params: Any) -> Any:
        encode, decode = self.passes
        with self.precision(x):
            z = encode(self.module_, x)
            decodes = self.criterion_.reconstructs
            reconstruction = decode(self.module_, z).float() if decodes else None
        return z.float(), reconstruction

    def get_loss(
        self, y_pred: Any, y_true: Samples, X: Samples = None, training: bool = False
    ) -> Any:
        return self.criterion_(*y_pred, *y_true)
