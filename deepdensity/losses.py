"""What each phase of training minimises, as criteria for the skorch nets.

A criterion is called with the embedding z (b, latent), the reconstruction (None unless
the criterion `reconstructs`), the batch x and the target rows (or None).
"""

import torch
from torch import nn
from torch.nn import functional as F

from .assignment import (
    core_similarity,
    kl_divergence,
    soft_assignment,
    squared_distances_to,
)
from .stability import determinacy, instability, otsu_threshold, sample_stability

__all__ = ["CurriculumLoss", "InstabilityLoss", "ReconstructionLoss", "total_loss"]


def total_loss(reconstruction, clustering, gamma=0.1):
    r"""Loss of IDCL (Zheng et al. 2024, Eq. 14).

    .. math::
        L = L_r + \gamma L_c

    The text of the paper has lost the formula; gamma stands with the clustering loss as
    in IDEC (Guo et al. 2017), the paper's model.
    """
    return reconstruction + gamma * clustering


class ReconstructionLoss(nn.Module):
    r"""Mean squared error of the reconstruction (IDCL, Eq. 13; DECS, Eq. 2).

    .. math::
        L_r = \frac{1}{n d} \sum_i \|x_i - g(f(x_i))\|^2

    with x the augmented sample; a mean over the d values of a sample too, where DECS
    has their sum.
    """

    reconstructs = True

    def forward(self, z, reconstruction, x, target=None):
        return F.mse_loss(reconstruction, x)


class CurriculumLoss(ReconstructionLoss):
    r"""Loss of IDCL's clustering phase: Eq. 14 of Eq. 13 and 12.

    Parameters
    ----------
    gamma : float
        Weight of the clustering loss.

    Attributes
    ----------
    cores : DensityCores
        Of the last refresh, constants of the gradient; to be set before training.
    """

    def __init__(self, gamma):
        super().__init__()
        self.gamma = gamma
        self.cores = None

    def forward(self, z, reconstruction, x, target):
        q = soft_assignment(core_similarity(z, self.cores))  # Eq. 10, 11
        clustering = kl_divergence(target, q)  # Eq. 12
        return total_loss(F.mse_loss(reconstruction, x), clustering, self.gamma)


class InstabilityLoss(nn.Module):
    """Loss of DECS's clustering phase, Eq. 5 to 8, of the embedding and its centres.

    Parameters
    ----------
    centres : tensor of shape (k, latent)
        Where the centres start; they are learnt beside the encoder (Eq. 17).
    alpha, lambda_var, form
        As in Eq. 5, 7 and 6.
    """

    reconstructs = False

    def __init__(self, centres, alpha, lambda_var, form):
        super().__init__()
        self.centres = nn.Parameter(torch.as_tensor(centres).float().clone())
        self.alpha = alpha
        self.lambda_var = lambda_var
        self.form = form

    def forward(self, z, reconstruction, x, target=None):
        q = soft_assignment(squared_distances_to(z, self.centres), self.alpha)  # Eq. 5
        fq = determinacy(q, otsu_threshold(q), self.form)  # Eq. 6
        return instability(sample_stability(fq, self.lambda_var))  # Eq. 7, 8
