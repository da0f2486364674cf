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
from .density import cutoff_distance, difficulty_score, local_density

__all__ = ["DensityCoreHead"]


class DensityCoreHead:
    """Density cores as fitted attributes, and what follows from them."""

    def _refresh_cores(self, Z, labels):
        """Densities, difficulty and density cores of an embedding (Eq. 1, 2 and 9)."""
        Z = torch.from_numpy(np.array(Z, dtype=np.float64))
        generator = torch.Generator().manual_seed(self._density_seed)
        self._cutoff = cutoff_distance(Z, self.cutoff_quantile, generator)
        density = local_density(Z, self._cutoff, self.density_kernel)
        self.density_ = density.numpy()
        self.difficulty_ = difficulty_score(density).numpy()
        members = density_core(self.density_, labels, self._core_fraction or 1.0)
        means, spreads = core_means(Z, members, previous=self._cores())
        self.core_sample_indices_ = np.sort(np.concatenate(list(members.values())))
        self.core_means_ = means.numpy()
        # a centre is a point: it has no spread
        self.core_spreads_ = spreads.numpy() * (self._core_fraction is not None)

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

        The kernel of Eq. 1 averaged over the training samples: 1 where all of them are
        near, 0 far from all. A training sample meets itself too, so that its value is
        ``(density_ + 1) / n_samples``.

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
