"""The head of IDCL: density cores, and the assignment of embeddings to them."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._typing import Array, Samples
from .assignment import soft_assignment
from .density import (
    cutoff_distance,
    density_error,
    difficulty_score,
    local_density,
    log_density,
    sampled_density,
)
from .density_cores import (
    DensityCores,
    blended_cores,
    core_silhouette,
    core_similarity,
    cores_of,
    density_core,
)
from .fitted import FittedDeepClustering
from .recipe import MIN_PER_CLUSTER, STREAM_FEWEST, STREAM_MEMORY, STREAM_SHARES
from .training.guard import Guard
from .training.trainer import Trainer
from .utils.devices import resolve_device
from .utils.user_warnings import warn

__all__ = ["DENSITIES", "DensityCoreHead"]

DENSITIES = ("auto", "exact", "sampled")
EXACT_PAIRS = 2**26  # up to which "auto" is exact: 11,585 samples
N_REFERENCE = 4096  # samples that a sampled density sums over
ROUNDINGS = 100  # of float32, that a squared cut-off distance must be


class DensityCoreHead(FittedDeepClustering):
    """Density cores as fitted attributes, and what follows from them."""

    _shares: Array
    _n_shares: int
    _n_batches: int  # that have been fitted, one after the other

    def _refresh_cores(self, Z: Array, labels: Array) -> None:
        """Densities, difficulty and density cores of an embedding (Eq. 1, 2 and 9)."""
        self._take_densities(Z)
        cores, self._core_counts = self._new_cores(Z, labels)
        self._take_cores(cores)

    def _take_cores(self, cores: DensityCores) -> None:
        self.core_means_ = cores.means.numpy()
        # a centre is a point: it has no spread
        spreads = cores.spreads.numpy()
        no_cores = self._core_fraction is None
        self.core_spreads_ = np.zeros_like(spreads) if no_cores else spreads

    def _blend_cores(self, new: DensityCores, counts: Array) -> None:
        """Cores that those of a batch, of so many samples each, have a part in.

        Means and spreads are running means over the samples of all cores so far,
        with those of earlier batches counted as four batches' worth at most, or as 50.
        """
        most = STREAM_MEMORY * counts.sum() / len(counts)
        before = np.minimum(self._core_counts, max(most, STREAM_FEWEST))
        self._core_counts = before + counts
        share = torch.from_numpy(counts / np.maximum(self._core_counts, 1))
        self._take_cores(blended_cores(self._cores(), new, share))

    def _blended_shares(self, Q: Tensor) -> tuple[Array, int]:
        """Shares of the clusters (k,), running means as the cores are, and of how many.

        Q (n, k) is of a batch.
        """
        n_before = min(self._n_shares, max(STREAM_MEMORY * len(Q), STREAM_SHARES))
        n_shares = n_before + len(Q)
        total = n_before * self._shares + Q.sum(0).numpy()
        return total / n_shares, n_shares

    def _new_cores(self, Z: Array, labels: Array) -> tuple[DensityCores, Array]:
        """Cores of an embedding's own, and how many samples each has."""
        members = density_core(self.density_, labels, self._core_fraction or 1.0)
        points = torch.from_numpy(np.array(Z, dtype=np.float64))
        self.core_sample_indices_ = np.sort(np.concatenate(list(members.values())))
        labels_of_cores = labels[self.core_sample_indices_]
        counts = np.bincount(labels_of_cores, minlength=len(self.core_means_))
        return cores_of(points, members, previous=self._cores()), counts

    def _take_densities(self, Z: Array) -> None:
        """Densities and difficulty of an embedding's samples (Eq. 1 and 2)."""
        points = torch.from_numpy(np.array(Z, dtype=np.float64))
        device = resolve_device(self.device)
        if device.type == "cuda":  # others may have no float64
            points = points.to(device)
        points = points - points.mean(0)  # far from 0 float32 would round distances
        generator = torch.Generator().manual_seed(self._density_seed)
        self._cutoff = cutoff_distance(points, self.cutoff_quantile, generator)
        self._density_kernel = self.density_kernel
        self._reference = self._reference_rows(len(points), generator)
        if self._reference is None:
            density = local_density(points, self._cutoff, self._density_kernel)
            self.density_error_ = 0.0
        else:
            density = sampled_density(
                points if self._is_narrow(points) else points.float(),
                self._cutoff,
                self._density_kernel,
                self._reference,
            ).double()
            self.density_error_ = density_error(len(points), len(self._reference))
        self.density_ = density.cpu().numpy()
        self.difficulty_ = difficulty_score(density).cpu().numpy()

    def _is_narrow(self, points: Tensor) -> bool:
        """Whether float32 would err by more than 1 % of the squared cut-off distance.

        Squared distances err by a rounding of the squared lengths of the points, which
        have their mean at 0. Below 1 % that is far less than a sample of them errs by.
        """
        lengths = points.square().sum(1)
        rounding = torch.finfo(torch.float32).eps * lengths.max()
        return bool(self._cutoff**2 < ROUNDINGS * rounding)

    def _reference_rows(
        self, n_samples: int, generator: torch.Generator
    ) -> Tensor | None:
        """The samples that densities sum over, sorted; None for all of them."""
        exact = self.density == "exact" or n_samples <= N_REFERENCE
        if exact or (self.density == "auto" and n_samples**2 // 2 <= EXACT_PAIRS):
            return None
        return torch.randperm(n_samples, generator=generator)[:N_REFERENCE].sort()[0]

    def _assign_anew(self, Z: Array, labels: Array) -> Array:
        """Assignment of an embedding to the cores of its own labels (Eq. 9 to 11)."""
        if not np.isfinite(Z).all():  # the guard sees that, and goes back
            return self._assign(np.zeros_like(Z))
        self._refresh_cores(Z, labels)
        return self._assign(Z)

    def _refresh(self, trainer: Trainer, guard: Guard, labels: Array) -> Array:
        """Densities and cores of the embedding as it is, and the assignment Q to them.

        Where the guard finds fault with them, those of its last good state.
        """
        Z = trainer.embed()
        Q = self._assign_anew(Z, labels)
        if not guard.passes(Z, Q.argmax(1)):
            Q = self._assign_anew(trainer.embed(), labels)
        return Q

    def _cores(
        self, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu"
    ) -> DensityCores:
        means, spreads = np.array(self.core_means_), np.array(self.core_spreads_)
        return DensityCores(
            torch.from_numpy(means).to(device, dtype),
            torch.from_numpy(spreads).to(device, dtype),
        )

    def _similarity(self, Z: Tensor) -> Tensor:
        return core_similarity(Z, self._cores())

    def _soft_assignment(self, Z: Tensor) -> Tensor:
        return soft_assignment(self._similarity(Z) / self.kernel_scale_)

    def score_samples(self, X: Samples) -> Array:
        """Log of the density of each sample among the embedded training samples.

        After `partial_fit` these are the samples of the last batch; a warning says so
        where they are fewer than ten a cluster, too few to tell outliers by.

        The kernel of Eq. 1 averaged over the training samples, or over those that a
        sampled density takes, and its logarithm: 0 where all of them are near, the
        lower the farther from all. As with kernel densities a training sample meets
        itself, too, so that its value is ``log((density_ + 1) / n_samples)`` where the
        density is exact, and is never below ``-log(n_samples)`` there: rank outliers
        among the training samples by ``density_``.

        Parameters
        ----------
        X : array-like or sparse matrix
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            At most 0; low for outliers. Minus infinity where
            ``density_kernel="cutoff"`` finds nothing near.
        """
        Z = torch.from_numpy(self._embed_new(X).astype(np.float64))
        self._warn_of_few_samples()
        reference = torch.from_numpy(self.embedding_.astype(np.float64))
        if self._reference is not None:
            reference = reference[self._reference]
        return log_density(Z, self._cutoff, self._density_kernel, reference).numpy()

    def _warn_of_few_samples(self) -> None:
        """Where a stream's last batch is too small to tell what is dense."""
        n_samples, enough = len(self.embedding_), MIN_PER_CLUSTER * self.n_clusters_
        if self._n_batches > 1 and n_samples < enough:
            warn(
                "score_samples goes by the density among the samples of the last "
                f"batch, and that had {n_samples}, for {self.n_clusters_} clusters: "
                "they say little of outliers. Give partial_fit batches of "
                f"{enough} or more.",
                UserWarning,
            )

    def score(self, X: Samples, y: Any = None) -> float:
        """Mean simplified silhouette of the samples with respect to the density cores.

        Needs no labels, higher is better; see
        :func:`deepdensity.density_cores.core_silhouette`. Free of the latent space's
        scale, it compares fits of the same `n_clusters` and `core_fraction`. Do not
        compare a fit that has gone back to its start with one that has not: its
        clusters are as wide as they were then, each as a whole in the place of a core,
        and it scores lower for that. Clusters without samples take no part, and
        where all are in one the score is 0.

        Parameters
        ----------
        X : array-like or sparse matrix
            As in `fit`.
        y : Ignored

        Returns
        -------
        float
            In [0, 1].
        """
        Z = self._embed_new(X)
        living = torch.from_numpy(self._core_counts > 0)  # an empty one is no rival

        def silhouette(block: Tensor) -> Tensor:
            return core_silhouette(self._similarity(block)[:, living])

        return float(self._in_blocks(silhouette, Z).mean())
