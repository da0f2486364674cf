"""Scores of the clusters along a fit: whose labels are known after which epoch."""

from typing import Any

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

from .._typing import Array, Estimator, Samples
from ..callbacks import LabelRecorder
from ..metrics import clustering_accuracy
from ..training.callback_checks import without_names

__all__ = ["SCORES", "labels_of", "scores_of"]

SCORES = {"ACC": clustering_accuracy, "NMI": normalized_mutual_info_score}


def labels_of(model: Estimator) -> dict[int, Array]:
    """Epochs of the clustering phase done -> labels then, as far as they are known."""
    known = {0: model.pretrain_labels_}
    for callback in without_names(model.callbacks):
        if isinstance(callback, LabelRecorder):
            known = getattr(callback, "labels_", None) or known
    n_epochs = sum(row["phase"] == "cluster" for row in model.history_)
    return {**known, n_epochs: model.labels_}


def by_epoch(labels: dict[int, Any], phases: list[str]) -> list[Any]:
    """Labels after each epoch of all phases, None where there are none.

    Of a dict: epochs of the clustering phase done -> labels.
    """
    n_before, n_epochs = phases.count("pretrain"), phases.count("cluster")
    if not set(labels) <= set(range(n_epochs + 1)):
        raise ValueError(
            f"labels is a dict of {sorted(labels)}: its keys must be from 0 to "
            f"{n_epochs}, the epochs of the clustering phase."
        )
    after = [labels.get(i - n_before) for i in range(len(phases) + 1)]
    return after[1:]  # after no epoch at all there is no place to draw them


def scores_of(y_true: Samples, labels: Any, phases: Any) -> Any:
    """Name -> score of each epoch's labels, NaN where there are none."""
    if isinstance(labels, dict):
        labels = by_epoch(labels, phases)
    epochs = np.arange(len(phases))
    if len(labels) != len(phases):
        epochs = np.flatnonzero(np.array(phases) == "cluster")
        if len(labels) != len(epochs):
            raise ValueError(
                f"labels is a list of {len(labels)}; there are {len(epochs)} epochs of "
                f"the clustering phase, and {len(phases)} of all phases."
            )
    scores = {name: np.full(len(phases), np.nan) for name in SCORES}
    for epoch, clusters in zip(epochs, labels):
        if clusters is None:
            continue
        if len(clusters) != len(y_true):
            raise ValueError(
                f"labels holds {len(clusters)} labels of an epoch, and y_true has "
                f"{len(y_true)}."
            )
        for name, score in SCORES.items():
            scores[name][epoch] = score(y_true, clusters)
    if all(clusters is None for clusters in labels):
        raise ValueError("labels holds no labels of any epoch.")
    return scores
