"""The head of IDCL: density cores, and the assignment of embeddings to them."""

import numpy as np
import torch

from .assignment import (
    DensityCores,
    core_means,
    core_silhouette,
    core_similarity,
    density_core,
    soft_assignment,
)
from .density import (
    cutoff_distance,
    density_error,
    difficulty_score,
    local_density,
    sampled_density,
)

__all__ = ["DENSITIES", "DensityCoreHead"]

DENSITIES = ("auto", "exact", "sampled")
EXACT_PAIRS = 2**26  # up to which "auto" is exact: 11,585 samples
N_REFERENCE = 4096  # samples that a sampled density sums over


class DensityCoreHead:
    """Density cores as fitted attributes, and what follows from them."""

    def _refresh_cores(self, Z, labels):
        """Densities, difficulty and density cores of an embedding (Eq. 1, 2 and 9)."""
        Z = torch.from_numpy(np.array(Z, dtype=np.float64))
        generator = torch.Generator().manual_seed(self._density_seed)
        self._cutoff = cutoff_distance(Z, self.cutoff_quantile, generator)
        self._reference = self._reference_rows(len(Z), generator)
        if self._reference is None:
            density = local_density(Z, self._cutoff, self.density_kernel)
            self.density_error_ = 0.0
        else:  # in float32, which errs far less than the sample
            density = sampled_density(
                Z.float(), self._cutoff, self.density_kernel, self._reference
            ).double()
            self.density_error_ = density_error(len(Z), len(self._reference))
        self.density_ = density.numpy()
        self.difficulty_ = difficulty_score(density).numpy()
        members = density_core(self.density_, labels, self._core_fraction or 1.0)
        means, spreads = core_means(Z, members, previous=self._cores())
        self.core_sample_indices_ = np.sort(np.concatenate(list(members.values())))
        self.core_means_ = means.numpy()
        # a centre is a point: it has no spread
        self.core_spreads_ = spreads.numpy() * (self._core_fraction is not None)

    def _reference_rows(self, n_samples, generator):
        """The samples that densities sum over, sorted; None for all of them."""
        exact = self.density == "exact" or n_samples <= N_REFERENCE
        if exact or (self.density == "auto" and n_samples**2 // 2 <= EXACT_PAIRS):
            return None
        return torch.randperm(n_samples, generator=generator)[:N_REFERENCE].sort()[0]

    def _assign_anew(self, Z, labels):
        """Assignment of an embedding to the cores of its own labels (Eq. 9 to 11)."""
        if not np.isfinite(Z).all():
            return self._assign(np.zeros_like(Z))
        self._refresh_cores(Z, labels)
        return self._assign(Z)

    def _refresh(self, trainer, guard, labels):
        """Densities and cores of the embedding as it is, and the assignment Q to them.

        Where the guard finds fault with them, those of its last good state.
        """
        Z = trainer.embed()
        Q = self._assign_anew(Z, labels)
        if self.guard and guard.net.history and not guard.passes(Z, Q.argmax(1)):
            Q = self._assign_anew(trainer.embed(), labels)
        return Q

    def _cores(self, dtype=torch.float64, device="cpu"):
        means, spreads = np.array(self.core_means_), np.array(self.core_spreads_)
        return DensityCores(
            torch.from_numpy(means).to(device, dtype),
            torch.from_numpy(spreads).to(device, dtype),
        )

    def _similarity(self, Z):
        return core_similarity(Z, self._cores())

    def _soft_assignment(self, Z):
        return soft_assignment(self._similarity(Z) / self.kernel_scale_)

    def score_samples(self, X):
        """Local density of each sample among the embedded training samples.

        The kernel of Eq. 1 averaged over the training samples, or over those that a
        sampled density takes: 1 where all of them are near, 0 far from all. A training
        sample meets itself too, so that its value is ``(density_ + 1) / n_samples``
        where the density is exact.

        Parameters
        ----------
        X : array-like or sparse matrix
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            In [0, 1]; low for outliers.
        """
        Z = torch.from_numpy(self._embed(self._check_new_data(X)).astype(np.float64))
        reference = torch.from_numpy(self.embedding_.astype(np.float64))
        if self._reference is not None:
            reference = reference[self._reference]
        density = local_density(Z, self._cutoff, self.density_kernel, reference)
        return (density / len(reference)).numpy()

    def score(self, X, y=None):
        """Mean simplified silhouette of the samples with respect to the density cores.

        Needs no labels, higher is better; see
        :func:`deepdensity.assignment.core_silhouette`. Free of the latent space's
        scale, it compares fits of the same `n_clusters`.

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
        Z = self._embed(self._check_new_data(X))

        def silhouette(block):
            return core_silhouette(self._similarity(block))

        return float(self._in_blocks(silhouette, Z).mean())
