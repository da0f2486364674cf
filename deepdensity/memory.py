"""Steps of a fit that are kept on disk, for other fits that would repeat them.

A search over the clustering phase's parameters fits many times from one pretrained
network. With ``memory="a_folder"`` (or a :class:`joblib.Memory`) the search for each
vector's neighbours, the pretraining and the choice of the start are done once for all
that share them, whichever the estimator (but that IDCL's start on vectors is its own),
and the clustering phase once for fits that are the same: the refit of a search trains
nothing, and a search that was broken off goes on where it was. The results are those of
fits without it, to the last bit. What a step depends on makes its key:

- X, the network, its weights and code, the state of the random generator;
- `lr`, `batch_size`, `schedule`, `precision`, `compile`, `augment` and `device`; of
  pretraining the number of epochs, and for vectors, where clusters are of fewer than 20
  samples, `n_clusters`, which neighbours depend on there; of the start `n_clusters`,
  `init`, `n_init` and its seed; of the clustering phase its start and all parameters of
  the estimator;
- the versions of Python and of the libraries, the processor's vector instructions and
  the number of threads, which all decide how sums are rounded.

It is not used where ``random_state=None`` asks for chance, nor with `callbacks`, which
would not be called and may change the training. Where a network or an augmentation of
one's own cannot be hashed a warning says so, and the step is done. What is kept grows,
by the weights of the network for each step, until it is cleared, by
``joblib.Memory("a_folder").clear()`` or
``reduce_size(bytes_limit=...)``. It is read by pickle: share a folder only with those
you trust. Candidates that run side by side and begin together each do the step.

With ``n_jobs`` joblib gives its worker processes fewer threads than the main process
has, so that the refit, in that one, finds nothing of theirs and trains again. A search
inside ``joblib.parallel_config("loky", inner_max_num_threads=torch.get_num_threads())``
has the same number in both, and its refit trains nothing there either.
"""

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

from ._version import __version__
from .fingerprint import fingerprint
from .telling import warn
from .training import Trainer

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
    cached = check_memory(memory).cache(done, ignore=["trainer", "work"])
    try:
        result, state = cached(key, trainer, work)
    except Unfinished as unfinished:
        return unfinished.result
    take_state(trainer, state)
    return result


def recall_result(memory: Any, step: Any, work: Callable[[], Any]) -> Any:
    """What ``work()`` returns, which has no trainer yet and depends on `step` alone."""
    cached = check_memory(memory).cache(result_of, ignore=["work"])
    return cached(fingerprint((step, surroundings())), work)


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
        trainer.augment,
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
