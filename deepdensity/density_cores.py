"""Density cores: the densest samples of each cluster, and how near others are."""

from typing import NamedTuple

import torch
from torch import Tensor

from ._typing import Array
from .distances import squared_distances_to
from .utils.ranking import highest_per_cluster

__all__ = [
    "DensityCores",
    "blended_cores",
    "cores_of",
    "core_silhouette",
    "core_similarity",
    "density_core",
]


class DensityCores(NamedTuple):
    """The cores of all clusters, by what core similarity needs of them."""

    means: Tensor  # (k, d)
    spreads: Tensor  # (k,): mean squared distance of a core's samples to its mean


def density_core(density: Array, labels: Array, fraction: float) -> dict[int, Array]:
    r"""The densest samples of every cluster (Zheng et al. 2024, Eq. 9).

    .. math::
        D_j = \{x_i \in C_j : \rho_i \text{ among the }
        \lceil \epsilon |C_j| \rceil \text{ highest of } C_j\}

    Parameters
    ----------
    density : array of shape (n,)
    labels : int array of shape (n,)
    fraction : float in (0, 1]
        :math:`\epsilon`, 5 % in the paper.

    Returns
    -------
    dict of int to int array
        Indices of the core's samples for every label that occurs.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.density_cores import density_core
    >>> density, labels = np.array([3, 9, 5, 1, 2]), np.array([0, 0, 0, 1, 1])
    >>> density_core(density, labels, 0.5)
    {0: array([1, 2]), 1: array([4])}
    """
    cores = highest_per_cluster(density, labels, fraction)
    return {int(labels[core[0]]): core for core in cores}


def cores_of(
    Z: Tensor, samples: dict[int, Array], previous: DensityCores
) -> DensityCores:
    """Means and spreads of the cores.

    Parameters
    ----------
    Z : tensor of shape (n, d)
    samples : dict of int to int array
        The cores' samples, as :func:`density_core` gives them.
    previous : DensityCores
        Kept for a cluster without samples.

    Returns
    -------
    DensityCores

    Examples
    --------
    >>> import torch
    >>> from deepdensity.density_cores import DensityCores, cores_of
    >>> Z = torch.tensor([[0.0], [2.0], [9.0]])
    >>> before = DensityCores(torch.tensor([[5.0], [8.0]]), torch.tensor([0.0, 3.0]))
    >>> cores = cores_of(Z, {0: [0, 1]}, previous=before)
    >>> cores.means.tolist(), cores.spreads.tolist()
    ([[1.0], [8.0]], [1.0, 3.0])
    """
    means, spreads = previous.means.clone(), previous.spreads.clone()
    for label, core in samples.items():
        points = Z[torch.as_tensor(core, device=Z.device)]
        means[label] = points.mean(0)
        spreads[label] = (points - means[label]).square().sum(1).mean()
    return DensityCores(means, spreads)


def blended_cores(old: DensityCores, new: DensityCores, share: Tensor) -> DensityCores:
    r"""The cores of old and new samples together, as running means.

    .. math::
        \bar z_j = (1 - a_j) \bar z_j^{old} + a_j \bar z_j^{new}, \qquad
        v_j = (1 - a_j) v_j^{old} + a_j v_j^{new}
              + a_j (1 - a_j) \|\bar z_j^{new} - \bar z_j^{old}\|^2

    with :math:`v` the spreads: what Eq. 10 has of the samples of both, of which the
    share a is new.

    Parameters
    ----------
    old, new : DensityCores
    share : tensor of shape (k,)
        :math:`a`, in [0, 1].

    Returns
    -------
    DensityCores

    Examples
    --------
    >>> import torch
    >>> from deepdensity.density_cores import DensityCores, blended_cores
    >>> old = DensityCores(torch.tensor([[0.0], [0.0]]), torch.tensor([1.0, 1.0]))
    >>> new = DensityCores(torch.tensor([[4.0], [4.0]]), torch.tensor([3.0, 3.0]))
    >>> cores = blended_cores(old, new, torch.tensor([0.0, 0.5]))
    >>> cores.means.tolist(), cores.spreads.tolist()
    ([[0.0], [2.0]], [1.0, 6.0])
    """
    means = torch.lerp(old.means, new.means, share[:, None])
    apart = (new.means - old.means).square().sum(1)  # (k,)
    within = torch.lerp(old.spreads, new.spreads, share)
    return DensityCores(means, within + share * (1 - share) * apart)


def core_similarity(Z: Tensor, cores: DensityCores) -> Tensor:
    r"""Density-core similarity: small is near (Zheng et al. 2024, Eq. 10).

    .. math::
        s_{ij} = \frac{1}{|D_j|} \sum_{z \in D_j} \|z_i - z\|^2
               = \|z_i - \bar z_j\|^2
                 + \frac{1}{|D_j|} \sum_{z \in D_j} \|z - \bar z_j\|^2

    The text of the paper has lost the formula, as it has all. The mean over the core is
    chosen: with it the gradient of Eq. 12 has the form of DEC's, the mean a centre.
    The second form makes it O(n k d) whatever the size of the cores.

    Parameters
    ----------
    Z : tensor of shape (n, d)
    cores : DensityCores

    Returns
    -------
    tensor of shape (n, k)
        In squared units of the latent space.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.density_cores import DensityCores, core_similarity
    >>> cores = DensityCores(torch.tensor([[1.0], [9.0]]), torch.tensor([1.0, 0.0]))
    >>> core_similarity(torch.tensor([[0.0], [9.0]]), cores)
    tensor([[ 2., 81.],
            [65.,  0.]])
    """
    return squared_distances_to(Z, cores.means) + cores.spreads


def core_silhouette(similarity: Tensor) -> Tensor:
    r"""Simplified silhouette of every sample with respect to the density cores.

    .. math::
        \frac{s_{i(2)} - s_{i(1)}}{s_{i(2)}}

    where :math:`s_{i(1)} \le s_{i(2)}` are the two smallest core similarities of sample
    i: 1 deep in a cluster, 0 half way between two. Free of the latent space's scale.

    Parameters
    ----------
    similarity : tensor of shape (n, k)

    Returns
    -------
    tensor of shape (n,)
        In [0, 1]; 0 where there is one cluster only.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.density_cores import core_silhouette
    >>> core_silhouette(torch.tensor([[1.0, 4.0], [2.0, 2.0]]))
    tensor([0.7500, 0.0000])
    """
    if similarity.shape[1] < 2:
        return similarity.new_zeros(len(similarity))
    nearest = similarity.topk(2, dim=1, largest=False).values  # (n, 2)
    gap = nearest[:, 1] - nearest[:, 0]
    return gap / nearest[:, 1].clamp(min=torch.finfo(similarity.dtype).tiny)
