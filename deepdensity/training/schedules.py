"""How the learning rate runs over the steps of a phase."""

import math
from collections.abc import Callable
from typing import Any

from skorch.callbacks import Callback
from torch import Tensor

__all__ = [
    "SCHEDULES",
    "WARM_UP",
    "RecordedRate",
    "ScheduledRate",
    "one_cycle",
    "set_rate",
]

WARM_UP = 0.1  # share of the steps


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
    >>> from deepdensity.training.schedules import one_cycle
    >>> [round(one_cycle(u), 2) for u in (0.0, 0.05, 0.1, 0.55, 1.0)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    if progress < warm_up:
        return progress / warm_up
    fallen = min(1.0, (progress - warm_up) / (1 - warm_up))
    return 0.5 * (1 + math.cos(math.pi * fallen))


# beside "constant", the same rate at every step, as in both papers
SCHEDULES = {"one-cycle": one_cycle}


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
