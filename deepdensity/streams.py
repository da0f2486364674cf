"""A stream of batches: each further one refines encoder and clusters."""

import copy
import functools
from typing import Any, Self

from ._decorators import fit_context
from ._typing import Samples
from .base import BaseDeepClustering
from .kept_state import keeps_fitted_state
from .neighbours import nearest_neighbours, neighbours_in_cluster
from .recipe import CLUSTER_BATCH, MIN_PER_CLUSTER, STREAM_RATE, given_or
from .samples.inputs import Source, check_range
from .samples.unpacking import unpacked
from .training.guard import Guard
from .training.trainer import Trainer
from .utils.devices import resolve_device
from .utils.user_warnings import warn

__all__ = ["StreamClustering"]


class StreamClustering(BaseDeepClustering):
    """`partial_fit` of the estimators; a subclass brings the training on a batch.

    That is `_train_on(trainer, Z)`, with Z (n, latent) the batch's embedding before it,
    and `_set_refined_head(taken_back)`, true where the guard has taken it back.
    """

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Samples, y: Any = None) -> Self:
        """Refine encoder and clusters with one more batch of a stream.

        The first batch of an estimator that has not been fitted is given to `fit`: it
        needs as many samples as clusters at least, and should show all of them. Each
        further batch, of any size, is trained on for ten epochs at a constant tenth of
        `lr`: by the estimator's own loss, in DECS without the balance, and with a third
        of the reconstruction error where `reconstruction_weight` is 0. Cluster i stays
        cluster i, the input is scaled as in the first call, and nothing is kept of a
        batch but what it has changed in network and clusters; `labels_`, `embedding_`,
        `history_` and all else that is a matter of samples or epochs are those of the
        last batch, and `pretrain_labels_` its clusters before it was trained on.
        Network and number of clusters are those of the first call, whatever
        `n_clusters`, `n_components` and `autoencoder` say later.

        Parameters
        ----------
        X : array-like or sparse matrix
            As in `fit`; samples of the same shape in each call.
        y : Ignored

        Returns
        -------
        self
        """
        if not hasattr(self, "module_"):
            self.fit(X)
        else:
            self._validate_params()  # set_params may have come between
            self._refine(X)
        return self

    @keeps_fitted_state
    def _refine(self, X: Samples, y: Any = None) -> Self:
        """One more batch: the estimator's own part is `_train_on(trainer, Z)`."""
        trainer = self._resume(X)
        Z = self._keep_clusters(trainer)
        guard, n_iter = self._train_on(trainer, Z)
        if guard.n_rollbacks:
            warn(
                "The batch made the training lose clusters or diverge: network and "
                "clusters went back to what they were before it. A smaller lr or "
                "larger batches may help. See 'rollback' in history_."
            )
        self._set_fitted(trainer, n_iter)
        self._n_batches += 1
        self._set_refined_head(taken_back=guard.n_rollbacks > 0)
        self.information_ = self._information(trainer)
        return self

    def _resume(self, X: Samples) -> Trainer:
        """The trainer of one more batch, on a copy of the network."""
        self._check_callbacks("constant")
        X, device = self._check_new_data(X), resolve_device(self.device)
        source = Source(unpacked(X), self._format, device)
        check_range(source)
        seed = (self._start_seed + self._n_batches) % 2**31
        at_most = neighbours_in_cluster(len(source), self.n_clusters_)
        find = functools.partial(nearest_neighbours, at_most=at_most)
        return self._trainer(
            copy.deepcopy(self.module_),
            source,
            seed,
            seed,
            find,
            lr=STREAM_RATE * self.lr,
            batch_size=given_or(self.batch_size, CLUSTER_BATCH),
        )

    def _stream_guard(self, net: Any) -> Guard:
        """A guard for a batch: a cluster of which it has few samples may lose them."""
        labels = self.pretrain_labels_
        return Guard(net, labels, self.n_clusters_, MIN_PER_CLUSTER, self.guard)
