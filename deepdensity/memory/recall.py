"""Work that is done once for a key, and read from disk afterwards."""

import copy
import platform
from collections.abc import Callable
from typing import Any

import joblib
import numpy
import scipy
import sklearn
import skorch
import torch
from sklearn.utils.validation import check_memory

from .._version import __version__
from ..training.trainer import Trainer
from ..utils.user_warnings import warn
from .fingerprint import fingerprint

__all__ = ["recall", "recall_result"]

PACKAGES = (joblib, numpy, scipy, sklearn, skorch, torch)


class Unfinished(Exception):
    """Work that the user has interrupted: not to be kept."""

    def __init__(self, result: Any) -> None:
        super().__init__(result)
        self.result = result


def recall(memory: Any, trainer: Trainer, step: Any, work: Callable[..., Any]) -> Any:
    """What ``work()`` returns, from memory where it has been done before.

    Either way the trainer is left in the state that the work leaves it in.

    Parameters
    ----------
    memory : str or object with the joblib.Memory interface
    trainer : Trainer
    step : tuple
        Name and parameters of the work: all that it depends on besides the trainer.
    work : callable
        Without parameters; it may change the trainer.

    Returns
    -------
    object
    """
    try:
        key = fingerprint((step, surroundings(), *inputs(trainer)))
    except Exception as error:  # an object that does not let itself be pickled
        warn(
            f"memory is not used for the step {step[0]!r}: what it depends on cannot "
            f"be hashed ({type(error).__name__}: {error}). An autoencoder and an "
            "augment of your own must be such that pickle can store them.",
            UserWarning,
        )
        return work()
    cached = usable(memory).cache(done, ignore=["trainer", "work"])
    try:
        result, state = cached(key, trainer, work)
    except Unfinished as unfinished:
        return unfinished.result
    take_state(trainer, state)
    return result


def recall_result(memory: Any, step: Any, work: Callable[[], Any]) -> Any:
    """What ``work()`` returns, which has no trainer yet and depends on `step` alone."""
    cached = usable(memory).cache(result_of, ignore=["work"])
    return cached(fingerprint((step, surroundings())), work)


def usable(memory: Any) -> Any:
    """`memory` as a joblib.Memory; a ValueError where its folder cannot be made."""
    try:
        return check_memory(memory)
    except OSError as error:
        raise ValueError(
            f"memory={memory!r} must be a folder that is there or can be made: {error}"
        ) from error


def result_of(key: Any, work: Callable[[], Any]) -> Any:
    return work()


def done(key: Any, trainer: Trainer, work: Callable[[], Any]) -> Any:
    """Result of the work and the trainer's state after it: what is kept."""
    result = work()
    if trainer.interruption.asked:
        raise Unfinished(result)
    state = {
        "module": copy.deepcopy(trainer.module.state_dict()),
        "generator": trainer.generator.get_state(),
        "lr": trainer.lr,
        "history": copy.deepcopy(trainer.history),
    }
    return result, state


def take_state(trainer: Trainer, state: Any) -> None:
    trainer.module.load_state_dict(state["module"])
    trainer.generator.set_state(state["generator"])
    trainer.lr = state["lr"]
    trainer.history = state["history"]


def inputs(trainer: Trainer) -> Any:
    """All that a trainer's results depend on, but for callbacks."""
    return (
        trainer.module,
        trainer.source,
        trainer.generator.get_state(),
        trainer.lr,
        trainer.batch_size,
        trainer.views,
        trainer.schedule,
        trainer.bfloat16,
        trainer.compiled,
    )


def surroundings() -> Any:
    """What else decides how numbers are rounded."""
    return (
        __version__,
        platform.python_version(),
        *(package.__version__ for package in PACKAGES),
        platform.machine(),
        torch.backends.cpu.get_cpu_capability(),
        torch.get_num_threads(),
    )
