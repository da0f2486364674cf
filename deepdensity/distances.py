"""Squared Euclidean distances: of all pairs, and of samples to cluster centres."""

from torch import Tensor

__all__ = ["squared_distances", "squared_distances_to"]

MANY = 100  # centres, beyond which arrays of differences cost more than the network


def squared_distances(A: Tensor, B: Tensor) -> Tensor:
    """Squared Euclidean distances of the rows of (a, d) and (b, d): (a, b).

    By inner products, hence quick; rounding is relative to the squared norms, which is
    why callers centre their data.
    """
    squared = (A @ B.T).mul_(-2)
    squared += A.square().sum(1)[:, None]
    squared += B.square().sum(1)
    return squared.clamp_(min=0)


def squared_distances_to(Z: Tensor, centres: Tensor) -> Tensor:
    r"""Squared distance of every sample to every centre.

    .. math::
        d_{ij}^2 = \sum_c (z_{ic} - m_{jc})^2

    By differences: exact to rounding however far from the origin, and a row's result
    does not depend on the rows beside it. Of more than 100 centres by inner products of
    what is centred on their mean, which rounds relative to their spread.

    Parameters
    ----------
    Z : tensor of shape (n, d)
    centres : tensor of shape (k, d)

    Returns
    -------
    tensor of shape (n, k)

    Examples
    --------
    >>> import torch
    >>> from deepdensity.distances import squared_distances_to
    >>> Z, centres = torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [1.0, 0.0]])
    >>> squared_distances_to(Z, centres)
    tensor([[25.,  1.]])
    """
    if len(centres) > MANY:
        middle = centres.detach().mean(0)
        return squared_distances(Z - middle, centres - middle)
    return (Z[:, None, :] - centres).square().sum(2)  # (n, k, d) -> (n, k)
