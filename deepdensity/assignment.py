"""Samples to clusters: Student-t soft assignment, its balance, the DEC target."""

import numpy as np
import torch
from torch import Tensor

from ._typing import Array
from .distances import squared_distances_to
from .utils.blocks import by_blocks

__all__ = [
    "cluster_balance",
    "cluster_means",
    "kernel_scale",
    "nearest_centre",
    "soft_assignment",
    "target_distribution",
]


def nearest_centre(Z: Array, centres: Array) -> Array:
    """Index of the nearest centre, for arrays (n, d) and (k, d): int array (n,).

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.assignment import nearest_centre
    >>> nearest_centre(np.array([[1.0], [8.0], [4.0]]), np.array([[0.0], [10.0]]))
    array([0, 1, 0])
    """
    to = torch.from_numpy(np.ascontiguousarray(centres))
    return by_blocks(lambda z: squared_distances_to(z, to).argmin(1), Z, len(centres))


def cluster_means(Z: Array, labels: Array, n_clusters: int) -> Array:
    """Mean of each cluster's rows, that of all rows for a label that is not there.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.assignment import cluster_means
    >>> Z, labels = np.array([[0.0], [2.0], [7.0]]), np.array([0, 0, 2])
    >>> cluster_means(Z, labels, 3)  # none is in cluster 1
    array([[1.],
           [3.],
           [7.]])
    """
    means = np.tile(Z.mean(0), (n_clusters, 1))
    for label in np.unique(labels):
        means[label] = Z[labels == label].mean(0)
    return means


def soft_assignment(squared_distances: Tensor, alpha: float = 1.0) -> Tensor:
    r"""Student-t soft assignment (DECS, Eq. 5; IDCL, Eq. 11, with alpha 1).

    .. math::
        q_{ij} = \frac{(1 + d_{ij}^2 / \alpha)^{-(\alpha + 1) / 2}}
                      {\sum_l (1 + d_{il}^2 / \alpha)^{-(\alpha + 1) / 2}}

    DECS takes the squared distances to its centres, IDCL the core similarities of
    Eq. 10. Computed by a softmax of logarithms: no sample is too far to be assigned.

    Parameters
    ----------
    squared_distances : tensor of shape (n, k)
        In squared units of the latent space, at least 0.
    alpha : float, default=1.0
        Degrees of freedom, above 0.

    Returns
    -------
    tensor of shape (n, k)
        Rows sum to 1.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.assignment import soft_assignment
    >>> soft_assignment(torch.tensor([[0.0, 4.0], [1.0, 1.0]]))
    tensor([[0.8333, 0.1667],
            [0.5000, 0.5000]])
    """
    logits = torch.log1p(squared_distances / alpha) * (-(alpha + 1) / 2)
    return torch.softmax(logits, dim=1)


def kernel_scale(Z: Array, centres: Array, labels: Array) -> float:
    r"""Square of the length that the Student-t kernel takes for its unit.

    .. math::
        s^2 = \frac{1}{4 n} \sum_i \|z_i - m_{c(i)}\|^2

    with c(i) the cluster of sample i. The kernel has a unit scale and the latent space
    has none: where clusters are much narrower than 1 every assignment is soft alike and
    training by it drives them together; where they are much wider, all are hard.

    Parameters
    ----------
    Z : array of shape (n, d)
    centres : array of shape (k, d)
    labels : int array of shape (n,)

    Returns
    -------
    float
        In squared units of the latent space; 1 where the clusters are points.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.assignment import kernel_scale
    >>> Z, centres = np.array([[0.0], [2.0], [9.0]]), np.array([[1.0], [5.0]])
    >>> kernel_scale(Z, centres, labels=np.array([0, 0, 1]))
    1.5
    """
    own = (
        torch.from_numpy(Z) - torch.from_numpy(centres)[torch.from_numpy(labels).long()]
    )
    return own.square_().sum(1).mean().item() / 4 or 1.0


def cluster_balance(q: Tensor) -> Tensor:
    r"""How far the clusters are from equal weight: 0 where they are equal.

    .. math::
        B = KL(\bar q \| u) = \sum_j \bar q_j \log(k \bar q_j), \qquad
        \bar q_j = \frac{1}{n} \sum_i q_{ij}

    The term against empty clusters of discriminative clustering (Krause et al. 2010,
    regularised information maximisation).

    Parameters
    ----------
    q : tensor of shape (n, k)
        Soft assignment.

    Returns
    -------
    tensor, a scalar
        In nats, from 0 to log k.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.assignment import cluster_balance
    >>> cluster_balance(torch.tensor([[0.75, 0.25], [0.25, 0.75]])).item()
    0.0
    >>> round(cluster_balance(torch.tensor([[0.75, 0.25], [0.75, 0.25]])).item(), 4)
    0.1308
    """
    share = q.mean(0)  # (k,)
    return torch.xlogy(share, share * q.shape[1]).sum()


def target_distribution(Q: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""DEC's auxiliary target (Xie et al. 2016, Eq. 3), which IDCL's Eq. 12 uses.

    .. math::
        p_{ij} = \frac{q_{ij}^2 / f_j}{\sum_l q_{il}^2 / f_l}, \qquad
        f_j = \sum_i q_{ij}

    Parameters
    ----------
    Q : tensor of shape (n, k)
        Soft assignment of the training set.
    weight : tensor of shape (k,), default=None
        f, up to a factor; None is as above. A batch that shows clusters out of their
        proportions needs those of all samples, or it would move samples from the
        clusters that it has many of to those that it has few of.

    Returns
    -------
    tensor of shape (n, k)
        Rows sum to 1; a column that is empty in Q stays empty.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.assignment import target_distribution
    >>> target_distribution(torch.tensor([[0.75, 0.25], [0.25, 0.75]]))
    tensor([[0.9000, 0.1000],
            [0.1000, 0.9000]])
    """
    weight = Q.sum(0) if weight is None else weight
    P = Q.square() / weight.clamp(min=torch.finfo(Q.dtype).tiny)
    return P / P.sum(1, keepdim=True)
