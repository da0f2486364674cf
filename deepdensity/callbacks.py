"""Callbacks that record the course of a fit, for the `callbacks` of the estimators."""

from typing import Any, Self

import torch
from skorch.callbacks import Callback

from ._typing import Array
from .assignment import nearest_centre
from .density_cores import DensityCores, core_similarity
from .samples.inputs import Source
from .training.inference import embed
from .utils.blocks import by_blocks

__all__ = ["LabelRecorder"]


class LabelRecorder(Callback):
    """skorch callback that records the clusters of all samples at every refresh.

    Of the clustering phase: each sample's nearest density core (IDCL), as the cores are
    just refreshed, or its nearest centre (DECS), as the samples are embedded right
    then. No classes are needed. The end is not recorded, as it is the estimator's
    `labels_`; these may be numbered otherwise, with clusters that are empty last. Each
    record embeds all samples once more, which takes as long as a refresh.

    Give it to one estimator: a fit, or a further batch of `partial_fit`, begins anew. A
    search and `clone` fit copies; look at ``best_estimator_.callbacks``.

    Attributes
    ----------
    labels_ : dict of int to ndarray of shape (n_samples,)
        Epochs of the clustering phase that were done -> clusters then; 0 is the start.
        IDCL has no more than the epochs after which it refreshed its cores.

    See Also
    --------
    deepdensity.inspection.TrainingDisplay : Draws accuracies of what was recorded.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from deepdensity import DECSClustering
    >>> from deepdensity.callbacks import LabelRecorder
    >>> X = load_iris().data
    >>> recorder = LabelRecorder()
    >>> decs = DECSClustering(3, pretrain_epochs=3, max_iter=6, refresh_interval=2,
    ...                       callbacks=[recorder], random_state=0).fit(X)
    >>> list(recorder.labels_), recorder.labels_[0].shape
    ([0, 1, 2], (150,))
    """

    def initialize(self) -> Self:
        """Called by skorch for the net of each phase, with what was recorded before."""
        self.labels_: dict[int, Array] = getattr(self, "labels_", {})
        self._cores_: Any = None  # without the last _ skorch takes it for a parameter
        return self

    def on_train_begin(
        self, net: Any, X: Any = None, y: Any = None, **kwargs: Any
    ) -> None:
        if net.phase != "decoder":
            self.labels_ = {}

    def on_epoch_begin(
        self,
        net: Any,
        dataset_train: Any = None,
        dataset_valid: Any = None,
        **kwargs: Any,
    ) -> None:
        if net.phase == "cluster" and self._refreshed(net.criterion_):
            labels = head_labels(net.module_, net.criterion_, dataset_train.source)
            self.labels_[len(net.history) - 1] = labels  # the epoch has a row by now

    def on_train_end(
        self, net: Any, X: Any = None, y: Any = None, **kwargs: Any
    ) -> None:
        self._cores_ = None  # a pickle of the estimator needs no device of theirs

    def _refreshed(self, criterion: Any) -> bool:
        """Whether the head is that of the embedding as it is; DECS's always is.

        Older cores suit no newer embedding.
        """
        before, self._cores_ = self._cores_, getattr(criterion, "cores", None)
        return self._cores_ is None or self._cores_ is not before


def head_labels(module: Any, criterion: Any, source: Source) -> Array:
    """Nearest core (IDCL) or centre (DECS) of each sample, as training has them.

    Parameters
    ----------
    module : torch.nn.Module
        With ``encode``.
    criterion : CurriculumLoss or InstabilityLoss
    source : Source

    Returns
    -------
    int array of shape (n,)
    """
    Z = embed(module, source, torch.float32)
    cores = getattr(criterion, "cores", None)
    if cores is not None:
        cores = DensityCores(cores.means.cpu(), cores.spreads.cpu())
        return by_blocks(
            lambda z: core_similarity(z, cores).argmin(1), Z, len(cores.means)
        )
    return nearest_centre(Z, criterion.centres.detach().cpu().numpy())
