"""Sample stability: the equations of DECS (Cheng et al. 2024), Eq. 6 to 8.

The soft assignment q of Eq. 5 is :func:`deepdensity.assignment.soft_assignment`.
"""

import torch
from torch import Tensor

__all__ = [
    "DETERMINACIES",
    "centre_gradient_bound",
    "determinacy",
    "instability",
    "otsu_threshold",
    "sample_stability",
]

DETERMINACIES = ("linear", "quadratic")


def otsu_threshold(q: Tensor, n_bins: int = 1000) -> Tensor:
    r"""Threshold t that splits the values of q best in two (Otsu 1979).

    .. math::
        t = \arg\max_t \; w_0(t) \, w_1(t) \, (\mu_0(t) - \mu_1(t))^2

    with the weights and means of the values below and above t, over a histogram on
    [0, 1]. DECS takes it as the co-association probability of lowest determinacy
    (below its Eq. 6). No gradient passes.

    Parameters
    ----------
    q : tensor of any shape
        Values in [0, 1].
    n_bins : int, default=1000

    Returns
    -------
    tensor, a scalar
        An inner edge of a bin, thus inside (0, 1): never 0 or 1. Of equally good
        thresholds the first; the middle of the gap where it lies in an empty one.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.stability import otsu_threshold
    >>> otsu_threshold(torch.tensor([0.1, 0.1, 0.7, 0.9]))
    tensor(0.4005)
    """
    real = torch.float32 if q.device.type == "mps" else torch.float64
    counts = histogram(q.detach().flatten().float(), n_bins).to(real)
    edges = torch.arange(1, n_bins, device=q.device, dtype=real) / n_bins
    centres = (torch.arange(n_bins, device=q.device, dtype=real) + 0.5) / n_bins
    below = counts.cumsum(0)[:-1]  # (n_bins - 1,): an entry for each inner edge
    above = counts.sum() - below
    mass = (counts * centres).cumsum(0)
    # w_0 w_1 (mu_0 - mu_1)^2, as a single fraction
    split = (mass[-1] * below - counts.sum() * mass[:-1]).square()
    variance = split / (below * above).clamp(min=1)
    best = variance >= variance.max() * (1 - 1e-9)
    # of the best edges the first and those that follow it without a gap: the mean of
    # them, by masks, so that no value leaves the device
    started = best.cumsum(0) > 0
    gaps = (started & ~best).cumsum(0)
    run = (best & (gaps == 0)).to(real)
    return ((run * edges).sum() / run.sum()).to(q.dtype)


def histogram(values: Tensor, n_bins: int) -> Tensor:
    """How many values (n,) fall in each of `n_bins` even bins on [0, 1]: (n_bins,).

    A GPU counts by torch.histc, which does not wait for it; on a CPU bincount is three
    times as fast.
    """
    if values.device.type == "cpu":
        bins = (values * n_bins).long().clamp_(0, n_bins - 1)
        return torch.bincount(bins, minlength=n_bins)
    # in parts: the float32 counts of histc stop at 2^24
    parts = torch.split(values, 2**22)
    counted = [torch.histc(part, n_bins, min=0.0, max=1.0) for part in parts]
    real = torch.float32 if values.device.type == "mps" else torch.float64
    return torch.stack([counts.to(real) for counts in counted]).sum(0)


def determinacy(q: Tensor, threshold: Tensor, form: str = "quadratic") -> Tensor:
    r"""How surely q says "in" or "out" (Cheng et al. 2024, Eq. 6).

    .. math::
        fq = \frac{(q - t)^2}{t^2} \;\text{for}\; q < t, \qquad
        fq = \frac{(q - t)^2}{(1 - t)^2} \;\text{for}\; q \ge t

    The form "linear" is the square root of this, :math:`|q - t| / t` and
    :math:`|q - t| / (1 - t)`, which the authors' published code uses.

    Parameters
    ----------
    q : tensor of any shape
        Values in [0, 1].
    threshold : tensor, a scalar
        t in (0, 1), a constant.
    form : {"quadratic", "linear"}, default="quadratic"

    Returns
    -------
    tensor of the shape of q
        In [0, 1]; 0 at the threshold.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.stability import determinacy
    >>> determinacy(torch.tensor([0.0, 0.25, 0.5, 1.0]), torch.tensor(0.5))
    tensor([1.0000, 0.2500, 0.0000, 1.0000])
    """
    if form not in DETERMINACIES:
        raise ValueError(f"form={form!r} must be one of {list(DETERMINACIES)}.")
    side = (q >= threshold).to(q.dtype) - threshold  # -t or 1 - t
    share = (q - threshold) / side  # positive on either side
    return share if form == "linear" else share.square()


def sample_stability(fq: Tensor, lambda_var: float = 0.8) -> Tensor:
    r"""Stability of every sample (Cheng et al. 2024, Eq. 7).

    .. math::
        sq_i = \frac{1}{k} \sum_j fq_{ij}
             - \frac{\lambda}{k} \sum_j (fq_{ij} - \overline{fq}_i)^2

    Its gradient is the paper's Eq. 10, :math:`\frac{1}{k} - \frac{2 \lambda}{k}
    (fq_{ij} - \overline{fq}_i)`.

    Parameters
    ----------
    fq : tensor of shape (n, k)
    lambda_var : float, default=0.8
        Weight of the (population) variance, at least 0.

    Returns
    -------
    tensor of shape (n,)
        At most 1, reached where every determinacy is 1; at least 0 for lambda_var <= 1.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.stability import sample_stability
    >>> sample_stability(torch.tensor([[1.0, 1.0], [0.5, 0.5], [1.0, 0.0]]))
    tensor([1.0000, 0.5000, 0.3000])
    """
    mean = fq.mean(1, keepdim=True)
    variance = (fq - mean).square().mean(1)  # ten times as fast as Tensor.var
    return mean.squeeze(1) - lambda_var * variance


def instability(sq: Tensor) -> Tensor:
    r"""The clustering loss of DECS (Cheng et al. 2024, Eq. 8).

    .. math::
        L_c = 1 - \frac{1}{n} \sum_i sq_i

    Parameters
    ----------
    sq : tensor of shape (n,)

    Returns
    -------
    tensor, a scalar
    """
    return 1 - sq.mean()


def centre_gradient_bound(
    radius: float,
    n_clusters: int,
    threshold: float,
    alpha: float = 1.0,
    lambda_var: float = 0.8,
    scale: float = 1.0,
) -> float:
    r"""Bound on the gradient of the loss with respect to one centre (Theorem 1).

    .. math::
        \left\| \frac{\partial L_c}{\partial m_j} \right\| \le
        \frac{(1 + 2 \lambda)(\alpha + 1)}{k \, \alpha \, \min(t, 1 - t)}
        \min\left(\max_i \|z_i - m_j\|, \frac{\sqrt{\alpha}}{2}\right)

    As printed (Eq. 23) the theorem follows one sample, one :math:`q_{ij}` and the case
    q < t, while a centre moves every q of every sample. With t constant:

    - :math:`|\partial sq_i / \partial fq_{il}| \le (1 + 2 \lambda) / k` (Eq. 20);
    - :math:`|\partial fq / \partial q| \le 2 / \min(t, 1 - t)`, by both cases of
      Eq. 11, since :math:`|q - t|` is at most t below and 1 - t above (1 over that
      minimum in the linear form);
    - :math:`\partial q_{il} / \partial m_j = \frac{\alpha + 1}{\alpha} q_{il}
      (\delta_{lj} - q_{ij}) (z_i - m_j) / (1 + \|z_i - m_j\|^2 / \alpha)`, and
      :math:`\sum_l q_{il} |\delta_{lj} - q_{ij}| = 2 q_{ij} (1 - q_{ij}) \le 1/2`;
    - :math:`r / (1 + r^2 / \alpha) \le \min(r, \sqrt{\alpha} / 2)`.

    The mean over samples leaves no 1 / n. The second term of the minimum makes the loss
    Lipschitz in the centres whatever the data.

    Parameters
    ----------
    radius : float
        :math:`\max_i \|z_i - m_j\|`; infinity gives the bound that holds everywhere.
    n_clusters : int
    threshold : float in (0, 1)
    alpha, lambda_var : float
    scale : float, default=1.0
        :math:`s^2`, the squared unit of the Student-t kernel (`kernel_scale_`). In
        units of s the latent space has the bound above.

    Returns
    -------
    float
        Holds for both forms of the determinacy, and for L_c alone, without a balance.
    """
    unit = scale**0.5
    reach = min(radius / unit, alpha**0.5 / 2)
    steepness = (1 + 2 * lambda_var) * (alpha + 1) / (n_clusters * alpha)
    return float(steepness * reach / min(threshold, 1 - threshold) / unit)
