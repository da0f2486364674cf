"""Parts of clusters, put together by what neighbours share about them."""

from typing import Any

import numpy as np
from scipy.special import entr

from .._typing import Array
from ..information import shared_and_lost

__all__ = ["merge_parts", "part_counts"]

MERGE_PRICE = 0.5  # nats of shared information that a lost one costs


def part_counts(weights: Any, parts: Array, n_parts: int) -> Array:
    """Weight of the edges of a graph between each two parts of its nodes.

    Parameters
    ----------
    weights : sparse matrix of shape (m, m)
        Symmetric.
    parts : int array of shape (m,)
        0 to n_parts - 1.
    n_parts : int

    Returns
    -------
    array of shape (n_parts, n_parts)
        Symmetric; edges within a part are counted from either end.
    """
    one_hot = np.eye(n_parts)[parts]  # (m, p)
    counts: Array = one_hot.T @ (weights @ one_hot)
    return counts


def merge_parts(
    counts: Array, n_clusters: int, price: float = MERGE_PRICE
) -> tuple[Array, float]:
    r"""Merge parts two by two, so that neighbours share most about the clusters.

    .. math::
        I(c; c') - \beta\, H(c \mid c'), \qquad
        I(c; c') = \sum_{ab} p_{ab} \log \frac{p_{ab}}{p_a p_b}

    with p_ab the share of pairs of neighbours of which one is in a and the other in b,
    symmetric, and H what of a cluster its neighbour does not tell. The two parts whose
    merger loses least of it become one, until as many are left as there are to be
    clusters. Little is lost where many are neighbours, and where both are small: no
    chain of mergers swallows what a few edges connect, as it does by the normalised
    cut. The score is :func:`~deepdensity.information.net_information`, at `price`, of
    neighbours in place of views; the mergers are those of the agglomerative information
    bottleneck (Slonim and Tishby 1999), with the neighbour's part, which is merged
    along, as the relevant variable.

    Parameters
    ----------
    counts : array of shape (p, p)
        Symmetric, not negative, as of :func:`part_counts`.
    n_clusters : int
        At most p.
    price : float, default=0.5
        :math:`\beta`: the larger, the more the sizes of clusters may differ.

    Returns
    -------
    clusters : int array of shape (p,)
        The cluster of each part, 0 to n_clusters - 1.
    score : float
        Of the clusters, in nats.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.starts.merging import merge_parts
    >>> counts = np.array([[8, 4, 0], [4, 8, 1], [0, 1, 9]])
    >>> clusters, score = merge_parts(counts, n_clusters=2)
    >>> clusters, round(score, 3)
    (array([0, 0, 1]), 0.279)
    """
    shares = counts / counts.sum()
    clusters = np.arange(len(shares))
    while len(shares) > n_clusters:
        losses = merger_losses(shares, price)
        a, b = sorted(np.unravel_index(losses.argmin(), losses.shape))
        into = np.arange(len(shares))
        into[b] = a
        into[into > b] -= 1
        clusters = into[clusters]
        one_hot = np.eye(len(shares) - 1)[into]
        shares = one_hot.T @ shares @ one_hot
    shared, lost = shared_and_lost(shares)
    return clusters, shared - price * lost


def merger_losses(shares: Array, price: float) -> Array:
    """What the score loses as each two parts merge: (p, p), infinite with itself.

    Only the rows and columns of the two change: their entries with each third part are
    added, and the four among themselves become one.
    """
    part, own = shares.sum(0), np.diag(shares)
    apart = entr(shares).sum(1)
    together = np.stack([entr(shares + row).sum(1) for row in shares])  # (p, p)
    # rows and columns as they are, less what the two sums hold of the two themselves
    joint = 2 * (apart[:, None] + apart - together)
    joint += 2 * (entr(own[:, None] + shares) + entr(own + shares))
    joint -= entr(own)[:, None] + entr(own) + 2 * entr(shares)
    joint -= entr(own[:, None] + own + 2 * shares)
    margin = entr(part)[:, None] + entr(part) - entr(part[:, None] + part)
    # I is twice the entropy of the marginal shares less that of the joint ones
    losses: Array = (1 + price) * (2 * margin - joint) - price * margin
    np.fill_diagonal(losses, np.inf)
    return losses
