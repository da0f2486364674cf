"""Which skorch callbacks a clustering can take."""

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

__all__ = ["check_callbacks", "check_load_best", "without_names"]

# what to monitor in place of skorch's defaults, which are of validation data
TO_MONITOR = {
    EarlyStopping: '"train_loss"',
    Checkpoint: '"train_loss_best", or None to save every epoch',
}


def check_callbacks(callbacks: list[Any] | None, schedule: str) -> None:
    """Raise a ValueError where a callback cannot do its work.

    Either it and the schedule would both set the rate, or it looks at a score of
    validation data, which a clustering has not, or at predictions that no net keeps.
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
        if type(callback) is EpochScoring:  # one of your own may do as it likes
            check_scoring(callback)
        if kind is BatchScoring:
            raise ValueError(
                "callbacks holds BatchScoring; a clustering has no validation data to "
                "score, and what its network makes of a batch is no prediction: choose "
                "EpochScoring with on_train=True and use_caching=False."
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


def check_scoring(callback: EpochScoring) -> None:
    """Raise a ValueError where it would score validation data, or kept predictions."""
    if not callback.on_train or callback.use_caching:
        raise ValueError(
            "callbacks holds EpochScoring with on_train="
            f"{callback.on_train} and use_caching={callback.use_caching}; a clustering "
            "has no validation data to score, and keeps no predictions of its batches: "
            "choose on_train=True and use_caching=False."
        )


def check_monitor(callback: Any, kind: type) -> None:
    """Raise a ValueError where a callback monitors a score of validation data."""
    monitor = (kind() if isinstance(callback, type) else callback).monitor
    if isinstance(monitor, str) and monitor.startswith("valid_"):
        raise ValueError(
            f"callbacks holds {kind.__name__} with monitor={monitor!r}, and a "
            "clustering has no validation data of which that would be a score: choose "
            f"monitor={TO_MONITOR[kind]}."
        )
