"""Local density of an embedding: IDCL's Eq. 1 (cut-off distance, density) and Eq. 2.

Densities are computed tile by tile: no n x n matrix is held. Tensors are float64
by convention; the functions keep the dtype and the device that they are given.
"""

import math

import torch
from sklearn.utils import gen_batches
from torch import Tensor

from .distances import squared_distances
from .utils.ranking import ceil_share

__all__ = [
    "KERNELS",
    "cutoff_distance",
    "density_error",
    "difficulty_score",
    "local_density",
    "log_density",
    "sampled_density",
]

TILE = 1024  # rows and columns of a tile: 8 MiB in float64
PAIRS = 2**14  # pairs that are looked up at a time
GPU_TILE, GPU_PAIRS = 4096, 2**20  # of a GPU, where every call takes its time
MAX_PAIRS = 2**22  # pairs whose distances are ranked; more are sampled down to this


def gaussian_kernel(squared_distances: Tensor, cutoff: float) -> Tensor:
    r"""Gaussian kernel of density peaks, :math:`\exp(-(d / d_c)^2)`."""
    return squared_distances.div(-(cutoff**2)).exp_()


def cutoff_kernel(squared_distances: Tensor, cutoff: float) -> Tensor:
    r"""Cut-off kernel of density peaks: 1 where :math:`d < d_c`, else 0.

    The pair that d_c was taken from, and its ties, must not fall in by rounding.
    """
    return (squared_distances < cutoff**2 * (1 - 1e-10)).to(squared_distances.dtype)


KERNELS = {"gaussian": gaussian_kernel, "cutoff": cutoff_kernel}


def cutoff_distance(
    Z: Tensor,
    quantile: float = 0.02,
    generator: torch.Generator | None = None,
    max_pairs: int = MAX_PAIRS,
) -> float:
    r"""Distance d_c below which a share `quantile` of all pair distances lies.

    .. math::
        d_c = d_{(\lceil \mathrm{quantile} \cdot M \rceil)}, \qquad
        d_{(1)} \le \dots \le d_{(M)}, \quad M = n (n - 1) / 2

    As Zheng et al. 2024 have it below their Eq. 1, after Rodriguez and Laio 2014; the
    2 % are of their Section 4. Distances of zero between duplicates are passed over
    where they alone would fill the quantile.

    Up to `max_pairs` pairs the result is exact. Beyond, as many random pairs stand for
    all: the rank reached is then off by at most
    :math:`\sqrt{\ln(2 / \delta) / (2 \cdot \mathrm{max\_pairs})}` with probability
    :math:`1 - \delta` (Dvoretzky-Kiefer-Wolfowitz), 0.08 points at the default and
    :math:`\delta = 0.01`.

    Parameters
    ----------
    Z : tensor of shape (n, d)
        The embedding.
    quantile : float in (0, 1], default=0.02
    generator : torch.Generator, default=None
        Of the sampled pairs, on the CPU.
    max_pairs : int, default=2**22

    Returns
    -------
    float
        In the units of Z; 1.0 where no two rows differ.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.density import cutoff_distance
    >>> cutoff_distance(torch.tensor([[0.0], [1.0], [3.0]]), quantile=0.5)
    2.0
    """
    squared = pair_distances(Z, generator, max_pairs)
    if len(squared) == 0:
        return 1.0
    cutoff = squared.kthvalue(ceil_share(quantile, len(squared))).values
    if cutoff == 0:
        squared = squared[squared > 0]
        if len(squared) == 0:
            return 1.0
        cutoff = squared.kthvalue(ceil_share(quantile, len(squared))).values
    return math.sqrt(cutoff.item())


def pair_distances(
    Z: Tensor, generator: torch.Generator | None, max_pairs: int
) -> Tensor:
    """Squared distances of all pairs of rows, or of `max_pairs` random ones: (m,)."""
    n = len(Z)
    if n * (n - 1) // 2 <= max_pairs:
        return torch.pdist(Z) ** 2
    squared = Z.new_empty(max_pairs)
    for chunk in torch.split(squared, GPU_PAIRS if Z.is_cuda else PAIRS):
        first = torch.randint(n, chunk.shape, generator=generator)
        other = (first + torch.randint(1, n, chunk.shape, generator=generator)) % n
        difference = Z[first.to(Z.device)] - Z[other.to(Z.device)]
        chunk.copy_(difference.square_().sum(1))
    return squared


def local_density(
    Z: Tensor, cutoff: float, kernel: str = "gaussian", reference: Tensor | None = None
) -> Tensor:
    r"""Local density of every sample (Zheng et al. 2024, Eq. 1).

    .. math::
        \rho_i = \sum_{l \ne i} \exp\left(-(d_{il} / d_c)^2\right)
        \qquad \text{or} \qquad
        \rho_i = \#\{l \ne i : d_{il} < d_c\}

    the Gaussian and the cut-off kernel of Rodriguez & Laio (2014), which the paper
    cites. Time O(n^2 d), memory O(n).

    Parameters
    ----------
    Z : tensor of shape (n, d)
    cutoff : float
        d_c, in the units of Z, above 0.
    kernel : {"gaussian", "cutoff"}, default="gaussian"
    reference : tensor of shape (m, d), default=None
        Samples to sum over in place of Z itself; no pair is left out then.

    Returns
    -------
    tensor of shape (n,)
        Between 0 and n - 1 (or m): a number of neighbours.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.density import local_density
    >>> Z = torch.tensor([[0.0], [1.0], [9.0]])
    >>> local_density(Z, 2.0, kernel="cutoff")
    tensor([1., 1., 0.])
    """
    if kernel not in KERNELS:
        raise ValueError(f"kernel={kernel!r} must be one of {sorted(KERNELS)}.")
    weigh = KERNELS[kernel]
    centre = (Z if reference is None else reference).mean(0)
    Z = Z - centre  # keeps digits in the inner products below
    density = Z.new_zeros(len(Z))
    size = GPU_TILE if Z.is_cuda else TILE
    if reference is not None:
        reference = reference - centre
        for rows in gen_batches(len(Z), size):
            for columns in gen_batches(len(reference), size):
                squared = squared_distances(Z[rows], reference[columns])
                density[rows] += weigh(squared, cutoff).sum(1)
        return density

    tiles = list(gen_batches(len(Z), size))
    for i, rows in enumerate(tiles):
        for columns in tiles[i:]:  # the matrix is symmetric
            weight = weigh(squared_distances(Z[rows], Z[columns]), cutoff)
            if columns.start == rows.start:
                weight.fill_diagonal_(0)  # l != i
            else:
                density[columns] += weight.sum(0)
            density[rows] += weight.sum(1)
    return density


def sampled_density(Z: Tensor, cutoff: float, kernel: str, reference: Tensor) -> Tensor:
    r"""Estimate of the local density from a sample of the samples.

    .. math::
        \hat\rho_i = \frac{n - 1}{|R \setminus i|}
                     \sum_{l \in R \setminus i} K(d_{il} / d_c)

    with K the kernel of Eq. 1 and R drawn without replacement, the same for all i, so
    that near samples err alike. Time O(n m d), memory O(n); see :func:`density_error`.

    Parameters
    ----------
    Z : tensor of shape (n, d)
    cutoff, kernel
        As in :func:`local_density`.
    reference : int tensor of shape (m,)
        R: two or more rows of Z, each once.

    Returns
    -------
    tensor of shape (n,)
        Between 0 and n - 1.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.density import sampled_density
    >>> Z = torch.tensor([[0.0], [1.0], [2.0], [9.0]])
    >>> sampled_density(Z, 1.5, "cutoff", torch.tensor([0, 1]))  # exact: 1, 2, 1, 0
    tensor([3.0000, 3.0000, 1.5000, 0.0000])
    """
    total = local_density(Z, cutoff, kernel, Z[reference])
    count = torch.full_like(total, len(reference))
    total[reference] -= 1  # K(0): a sample has no part in its own density
    count[reference] -= 1
    return total.clamp_(min=0) / count * (len(Z) - 1)


def log_density(Z: Tensor, cutoff: float, kernel: str, reference: Tensor) -> Tensor:
    r"""Logarithm of the mean kernel between new samples and a reference.

    .. math::
        \log \frac{1}{m} \sum_{l=1}^{m} K(d_{il} / d_c)

    with K the kernel of Eq. 1 of Zheng et al. 2024: the log of a kernel density, but
    for the constant that makes it one. Time O(n m d), memory O(n).

    Parameters
    ----------
    Z : tensor of shape (n, d)
    cutoff, kernel
        As in :func:`local_density`.
    reference : tensor of shape (m, d)

    Returns
    -------
    tensor of shape (n,)
        At most 0; minus infinity where the cut-off kernel has no sample near.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.density import log_density
    >>> Z = torch.tensor([[0.0], [40.0]])
    >>> log_density(Z, 1.0, "gaussian", torch.tensor([[0.0]]))
    tensor([    0., -1600.])
    """
    if kernel != "gaussian":  # a count: there is nothing to underflow
        return local_density(Z, cutoff, kernel, reference).div_(len(reference)).log_()
    centre = reference.mean(0)  # keeps digits in the inner products below
    Z, reference = Z - centre, reference - centre
    total = Z.new_full((len(Z),), -math.inf)
    for rows in gen_batches(len(Z), TILE):
        for columns in gen_batches(len(reference), TILE):
            squared = squared_distances(Z[rows], reference[columns])
            nearest = squared.amin(1)  # whose kernel is taken out: the sum has a 1
            weight = gaussian_kernel(squared.sub_(nearest[:, None]), cutoff)
            tile = weight.sum(1).log_() - nearest / cutoff**2
            total[rows] = torch.logaddexp(total[rows], tile)
    # at most 0, but for rounding
    return (total - math.log(len(reference))).clamp_(max=0)


def density_error(n_samples: int, n_reference: int, delta: float = 0.01) -> float:
    r"""Bound of the error of every sampled density at once.

    .. math::
        \max_i |\hat\rho_i - \rho_i| \le (n - 1)
            \sqrt{\frac{\ln(2 n / \delta)}{2 (m - 1)}}
        \quad \text{with probability } 1 - \delta

    by Hoeffding's inequality, which holds for draws without replacement, for each of n
    samples and m - 1 draws, and a union bound over them.

    Parameters
    ----------
    n_samples, n_reference : int
        n and m; without error where m is n.
    delta : float, default=0.01

    Returns
    -------
    float
        A number of neighbours, as the density is; n - 1 at most.

    Examples
    --------
    >>> from deepdensity.density import density_error
    >>> round(density_error(20_000, 4096)), density_error(4096, 4096)
    (862, 0.0)
    """
    if n_reference >= n_samples:
        return 0.0
    bound = math.sqrt(math.log(2 * n_samples / delta) / (2 * (n_reference - 1)))
    return (n_samples - 1) * min(1.0, bound)


def difficulty_score(density: Tensor) -> Tensor:
    r"""Density scaled to [0, 1]: the higher, the easier (Zheng et al. 2024, Eq. 2).

    .. math::
        S_i = \frac{\rho_i - \min_l \rho_l}{\max_l \rho_l - \min_l \rho_l}

    Parameters
    ----------
    density : tensor of shape (n,)

    Returns
    -------
    tensor of shape (n,)
        All ones where every density is the same: no sample is harder than another.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.density import difficulty_score
    >>> difficulty_score(torch.tensor([1.0, 3.0, 5.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    low, high = density.min(), density.max()
    if high == low:
        return torch.ones_like(density)
    return (density - low) / (high - low)
