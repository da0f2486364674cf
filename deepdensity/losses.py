"""What each phase of training minimises, as criteria for the skorch nets.

A criterion is called with the embedding z (b, latent), the reconstruction (None unless
the criterion `reconstructs`), the samples to reconstruct and the target rows (or None).
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._typing import Array
from .assignment import cluster_balance, soft_assignment
from .density_cores import DensityCores, core_similarity
from .distances import squared_distances_to
from .stability import determinacy, instability, otsu_threshold, sample_stability

__all__ = [
    "CurriculumLoss",
    "InstabilityLoss",
    "ReconstructionLoss",
    "kl_divergence",
    "total_loss",
]


def total_loss(
    reconstruction: Tensor, clustering: Tensor, gamma: float = 0.1
) -> Tensor:
    r"""Loss of IDCL (Zheng et al. 2024, Eq. 14).

    .. math::
        L = L_r + \gamma L_c

    The text of the paper has lost the formula; gamma stands with the clustering loss as
    in IDEC (Guo et al. 2017), the paper's model.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.losses import total_loss
    >>> total_loss(torch.tensor(1.0), torch.tensor(2.5), gamma=0.2)
    tensor(1.5000)
    """
    return reconstruction + gamma * clustering


def kl_divergence(P: Tensor, Q: Tensor) -> Tensor:
    r"""Clustering loss of IDCL (Zheng et al. 2024, Eq. 12), a mean over samples.

    .. math::
        L_c = KL(P \| Q) = \frac{1}{n} \sum_i \sum_j p_{ij} \log \frac{p_{ij}}{q_{ij}}

    With P and the cores constant its gradient, the paper's Eq. 15, is
    :math:`\frac{2}{n} \sum_j (1 + s_{ij})^{-1} (p_{ij} - q_{ij}) (z_i - \bar z_j)`.

    Parameters
    ----------
    P, Q : tensors of shape (n, k)
        Target and soft assignment.

    Returns
    -------
    tensor, a scalar
        In nats, at least 0.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.losses import kl_divergence
    >>> P, Q = torch.tensor([[0.9, 0.1]]), torch.tensor([[0.75, 0.25]])
    >>> round(kl_divergence(P, Q).item(), 4)
    0.0725
    """
    log_q = Q.clamp(min=torch.finfo(Q.dtype).tiny).log()
    return (torch.xlogy(P, P) - P * log_q).sum(1).mean()


class ReconstructionLoss(nn.Module):
    r"""Mean squared error of the reconstruction (IDCL, Eq. 13; DECS, Eq. 2).

    .. math::
        L_r = \frac{1}{n d} \sum_i \|x_i - g(f(\tilde x_i))\|^2

    with :math:`\tilde x` the view of the sample that the network sees, and x the sample
    itself, or, of a vector, one of its nearest neighbours; a mean over the d values of
    a sample too, where DECS has their sum. DECS compares with the view
    itself, :math:`\tilde x_i` in the place of :math:`x_i`
    (``pretrain_target="augmented"``); of IDCL's Eq. 13 the words are left.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.losses import ReconstructionLoss
    >>> x, reconstruction = torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]])
    >>> ReconstructionLoss()(None, reconstruction, x)
    tensor(2.)
    """

    reconstructs = True

    def forward(
        self,
        z: Tensor,
        reconstruction: Tensor,
        original: Tensor,
        target: Any = None,
    ) -> Tensor:
        return F.mse_loss(reconstruction, original)


class CurriculumLoss(ReconstructionLoss):
    r"""Loss of IDCL's clustering phase: Eq. 14 of Eq. 13 and 12.

    Parameters
    ----------
    gamma : float
        Weight of the clustering loss.
    scale : float, default=1.0
        Squared unit of the Student-t kernel, in squared units of the latent space.

    Attributes
    ----------
    cores : DensityCores
        Of the last refresh, constants of the gradient; to be set before training.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.density_cores import DensityCores
    >>> from deepdensity.losses import CurriculumLoss
    >>> loss = CurriculumLoss(gamma=0.1)
    >>> loss.cores = DensityCores(torch.tensor([[0.0], [2.0]]), torch.zeros(2))
    >>> z, target = torch.tensor([[0.0]]), torch.tensor([[1.0, 0.0]])
    >>> x = torch.zeros(1, 4)
    >>> round(loss(z, x, x, target).item(), 4)  # a tenth of -log q, q being 5/6
    0.0182
    """

    def __init__(self, gamma: float, scale: float = 1.0) -> None:
        super().__init__()
        self.gamma = gamma
        self.scale = scale
        self._cores: Any = None

    @property
    def cores(self) -> Any:
        return self._cores

    @cores.setter
    def cores(self, cores: Any) -> None:
        # in the place of the last ones, where a recorded step looks for them
        if self._cores is not None:
            cores = DensityCores(*map(Tensor.copy_, self._cores, cores))
        self._cores = cores

    def forward(
        self, z: Tensor, reconstruction: Tensor, original: Tensor, target: Any = None
    ) -> Tensor:
        q = soft_assignment(core_similarity(z, self.cores) / self.scale)  # Eq. 10, 11
        clustering = kl_divergence(target, q)  # Eq. 12
        error = F.mse_loss(reconstruction, original)  # Eq. 13
        return total_loss(error, clustering, self.gamma)


class InstabilityLoss(nn.Module):
    r"""Loss of DECS's clustering phase, of the embedding and its centres.

    .. math::
        L = L_c + \beta B + w L_r

    with :math:`L_c` of Eq. 8. The paper's Eq. 1 adds :math:`L_r`, as a sum over the
    values of a sample, where it is a mean here, so that w would be their number. Its
    Fig. 1 and Algorithm 1 drop the decoder after the pretraining, which is followed
    here unless w is above 0. The balance B of the clusters (see
    :func:`deepdensity.assignment.cluster_balance`) keeps small ones from dying out; the
    reconstruction error (Eq. 2) keeps the decoder in step.

    Parameters
    ----------
    centres : tensor or array of shape (k, latent)
        Where the centres start; they are learnt beside the encoder (Eq. 17).
    alpha, lambda_var, form
        As in Eq. 5, 7 and 6.
    balance : float, default=0.0
        Weight beta.
    reconstruction : float, default=0.0
        Weight w.
    scale : float, default=1.0
        Squared unit of the Student-t kernel, in squared units of the latent space.

    Examples
    --------
    >>> import torch
    >>> from deepdensity.losses import InstabilityLoss
    >>> loss = InstabilityLoss(torch.tensor([[0.0], [10.0]]))
    >>> sure, unsure = torch.tensor([[0.0], [10.0]]), torch.tensor([[4.0], [6.0]])
    >>> loss(sure, None, None).item() < loss(unsure, None, None).item()
    True
    """

    def __init__(
        self,
        centres: Tensor | Array,
        alpha: float = 1.0,
        lambda_var: float = 0.8,
        form: str = "quadratic",
        *,
        balance: float = 0.0,
        reconstruction: float = 0.0,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        if not isinstance(centres, Tensor):  # of a loaded model they may be read-only
            centres = torch.from_numpy(np.array(centres))
        self.centres = nn.Parameter(centres.float().clone())
        self.alpha = alpha
        self.lambda_var = lambda_var
        self.form = form
        self.balance = balance
        self.reconstruction = reconstruction
        self.scale = scale

    @property
    def reconstructs(self) -> bool:
        return self.reconstruction > 0

    def forward(
        self,
        z: Tensor,
        reconstruction: Tensor,
        original: Tensor,
        target: Any = None,
    ) -> Tensor:
        distances = squared_distances_to(z, self.centres) / self.scale
        q = soft_assignment(distances, self.alpha)  # Eq. 5
        fq = determinacy(q, otsu_threshold(q), self.form)  # Eq. 6
        loss = instability(sample_stability(fq, self.lambda_var))  # Eq. 7, 8
        if self.balance:
            loss = loss + self.balance * cluster_balance(q)
        if self.reconstructs:
            error = F.mse_loss(reconstruction, original)  # Eq. 2
            loss = loss + self.reconstruction * error
        return loss
