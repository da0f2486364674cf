"""A progress bar over the epochs of a phase, as a skorch callback."""

import sys
from typing import Any

from skorch.callbacks import Callback
from torch import Tensor
from tqdm.auto import tqdm

from .._typing import Samples

__all__ = ["Progress"]

FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
SMOOTHING = 0.9  # of the loss from step to step
ASKED = 20  # steps of a GPU from one look at its loss to the next


class Progress(Callback):
    """One bar for a phase, or for several short ones, moved by every batch.

    Behind it stand the epoch, the loss (a running mean over the last steps), in a
    curriculum the number of samples admitted, and the share of labels that the last
    refresh changed, in DECS and IDCL alike.

    Parameters
    ----------
    title : str
        Shown before the bar.
    total : int
        Number of epochs, of all phases together.
    stays : bool, default=False
        Whether the bar outlives a phase; then it is closed by `close`.
    """

    def __init__(self, title: str, total: int, stays: bool = False) -> None:
        self.title = title
        self.total = total
        self.stays = stays
        self.bar: Any = None

    def on_train_begin(
        self, net: Any, X: Samples = None, y: Any = None, **kwargs: Any
    ) -> None:
        if self.bar is None:
            self.bar = tqdm(
                total=self.total,
                desc=self.title,
                bar_format=FORMAT,
                disable=sys.stderr is None,  # as for programs without a console
            )
            self.n_epochs = 0
        self.shown: dict[str, Any] = {}

    def on_epoch_begin(
        self,
        net: Any,
        dataset_train: Any = None,
        dataset_valid: Any = None,
        **kwargs: Any,
    ) -> None:
        self.n_steps = len(net.get_iterator(dataset_train, training=True))
        self.shown["epoch"] = f"{self.n_epochs + 1}/{self.total}"
        if dataset_train.targets is not None:
            admitted = f"{len(dataset_train)}/{len(dataset_train.source)}"
            self.shown["samples"] = admitted
        change = net.history[-2].get("label_change") if len(net.history) > 1 else None
        if change is not None:
            self.shown["label_change"] = f"{change:.3f}"

    def on_batch_end(
        self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        batches = net.history[-1]["batches"]
        self.bar.update(1 / self.n_steps)
        loss = batches[-1]["train_loss"]
        if isinstance(loss, Tensor) and len(batches) % ASKED != 1:
            return  # to ask a GPU would be to wait for it
        loss = float(loss)
        last = self.shown.get("loss", loss)
        self.shown["loss"] = SMOOTHING * last + (1 - SMOOTHING) * loss
        told = {**self.shown, "loss": f"{self.shown['loss']:.4g}"}
        self.bar.set_postfix(told, refresh=False)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        self.n_epochs += 1
        self.bar.update(self.n_epochs - self.bar.n)

    def on_train_end(
        self, net: Any, X: Samples = None, y: Any = None, **kwargs: Any
    ) -> None:
        if not self.stays:
            self.close()

    def complete(self) -> None:
        """Of a total that could only be guessed: what has been done is all."""
        if self.bar is not None:
            self.bar.total = self.bar.n
            self.bar.refresh()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        self.bar = None
