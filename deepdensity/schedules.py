"""How the learning rate runs over the steps of a phase, and callbacks that fit it."""

import math
from collections.abc import Callable
from typing import Any

from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    LRScheduler,
    PassthroughScoring,
)
from torch import Tensor

__all__ = [
    "SCHEDULES",
    "WARM_UP",
    "RecordedRate",
    "ScheduledRate",
    "check_callbacks",
    "check_load_best",
    "constant",
    "one_cycle",
    "set_rate",
]

WARM_UP = 0.1  # share of the steps
# what to monitor in place of skorch's defaults, which are of validation data
TO_MONITOR = {
    EarlyStopping: '"train_loss"',
    Checkpoint: '"train_loss_best", or None to save every epoch',
}


def one_cycle(progress: float, warm_up: float = WARM_UP) -> float:
    r"""Linear warm-up over a tenth of the steps, then half a cosine down to 0.

    .. math::
        r(u) = \begin{cases} u / w & u < w \\
               \tfrac12 (1 + \cos(\pi (u - w) / (1 - w))) & u \ge w \end{cases}

    Parameters
    ----------
    progress : float
        Share u of the phase that is done, in [0, 1]; beyond 1 the rate stays 0.
    warm_up : float, default=0.1
        Share w of the phase that warms up.

    Returns
    -------
    float
        Factor of the learning rate, in [0, 1].

    Examples
    --------
    >>> from deepdensity.schedules import one_cycle
    >>> [round(one_cycle(u), 2) for u in (0.0, 0.05, 0.1, 0.55, 1.0)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    if progress < warm_up:
        return progress / warm_up
    fallen = min(1.0, (progress - warm_up) / (1 - warm_up))
    return 0.5 * (1 + math.cos(math.pi * fallen))


def constant(progress: float, warm_up: float = 0.0) -> float:
    """The same rate at every step, as in both papers."""
    return 1.0


SCHEDULES = {"one-cycle": one_cycle, "constant": constant}


class RecordedRate(Callback):
    """skorch callback that notes the learning rate in the history, as "lr".

    It is that of the epoch's last step: to be called before a callback that changes the
    rate at the end of a step or an epoch.
    """

    def on_batch_end(
        self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        if training:
            rate = net.optimizer_.param_groups[0]["lr"]
            self.rate_ = rate.clone() if isinstance(rate, Tensor) else rate

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        net.history.record("lr", float(self.rate_))


class ScheduledRate(Callback):
    """skorch callback that sets the learning rate before every step.

    Parameters
    ----------
    schedule : callable
        Progress in (0, 1) -> factor.
    lr : float
        The rate that the factor multiplies; may be lowered while training.
    n_steps : int
        Length of the phase.
    warm_up : float, default=0.1
        Share of the phase.
    """

    def __init__(
        self,
        schedule: Callable[..., Any],
        lr: float,
        n_steps: int,
        warm_up: float = WARM_UP,
    ) -> None:
        self.schedule = schedule
        self.lr = lr
        self.n_steps = n_steps
        self.warm_up = warm_up
        self.step = 0

    def on_batch_begin(
        self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        if not training:
            return
        progress = (self.step + 0.5) / self.n_steps
        rate = self.lr * self.schedule(progress, self.warm_up)
        for group in net.optimizer_.param_groups:
            set_rate(group, rate)
        self.step += 1


def set_rate(group: Any, rate: float) -> None:
    """Set the learning rate of an optimiser's group; a tensor stays where it is."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def check_callbacks(callbacks: list[Any] | None, schedule: str) -> None:
    """Raise a ValueError where a callback cannot do its work.

    Either it and the schedule would both set the rate, or it looks at a score of
    validation data, which a clustering has not.
    """
    bare = without_names(callbacks)
    kinds = [c if isinstance(c, type) else type(c) for c in bare]
    for kind in kinds:
        if not issubclass(kind, Callback):
            raise ValueError(
                f"callbacks holds an object of the type {kind.__name__}; it takes "
                "callbacks of skorch, or ones of your own that inherit from "
                "skorch.callbacks.Callback."
            )
    for callback, kind in zip(bare, kinds):
        if schedule != "constant" and issubclass(kind, LRScheduler):
            raise ValueError(
                f"callbacks holds {kind.__name__}, and schedule={schedule!r} sets the "
                "learning rate before every step, so that it would do nothing: choose "
                'schedule="constant" beside it.'
            )
        if kind in TO_MONITOR and not any(map(may_record_scores, kinds)):
            check_monitor(callback, kind)


def without_names(callbacks: list[Any] | None) -> list[Any]:
    """The callbacks of a list that may hold pairs (name, callback)."""
    return [c[-1] if isinstance(c, tuple) else c for c in callbacks or []]


def check_load_best(callbacks: list[Any] | None) -> None:
    """Raise a ValueError where a callback would part the network from its centres.

    Those of DECS are trained in the loss, which EarlyStopping does not bring back.
    """
    for callback in without_names(callbacks):
        if isinstance(callback, EarlyStopping) and callback.load_best:
            raise ValueError(
                "callbacks holds EarlyStopping with load_best=True, which brings back "
                "the network of its best epoch and not the centres that were trained "
                "with it: choose load_best=False, or Checkpoint(load_best=True) with "
                "f_criterion."
            )


def may_record_scores(kind: type) -> bool:
    """Whether callbacks of this class may write a name of their own in the history."""
    if issubclass(kind, (EpochScoring, BatchScoring, PassthroughScoring)):
        return True
    return kind.__module__.partition(".")[0] not in ("skorch", "deepdensity")


def check_monitor(callback: Any, kind: type) -> None:
    """Raise a ValueError where a callback monitors a score of validation data."""
    monitor = (kind() if isinstance(callback, type) else callback).monitor
    if isinstance(monitor, str) and monitor.startswith("valid_"):
        raise ValueError(
            f"callbacks holds {kind.__name__} with monitor={monitor!r}, and a "
            "clustering has no validation data of which that would be a score: choose "
            f"monitor={TO_MONITOR[kind]}."
        )
