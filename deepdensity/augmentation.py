"""Random rotations and shifts of a batch of images, on the batch's own device."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from .utils.devices import to_device

__all__ = ["random_affine"]


def random_affine(
    x: Tensor,
    generator: torch.Generator | None = None,
    max_angle: float = 10.0,
    max_shift: float = 0.1,
) -> Tensor:
    """Rotate and shift every image of a batch at random, by one affine grid.

    IDCL turns images by up to 10 degrees and shifts them by a share of their height
    that its text has lost (Zheng et al. 2024, Appendix F); DECS turns, shifts and crops
    them, and tells no amounts (Cheng et al. 2024, Section 4.4; its Eq. 2 has the view).
    The published code of DECS has 10 degrees and a tenth, does not crop, and repeats
    the edge where an image ends. Each image gets an angle and two shifts of its own.
    What comes in from outside is zero; nothing is cropped.

    Parameters
    ----------
    x : tensor of shape (b, c, h, w)
    generator : torch.Generator, default=None
        On the CPU, so that a seed gives the same images on every device.
    max_angle : float, default=10.0
        Largest rotation either way, in degrees.
    max_shift : float, default=0.1
        Largest shift either way, as a share of the image's height and width.

    Returns
    -------
    tensor of shape (b, c, h, w)
    """
    n_images, _, height, width = x.shape
    draws = torch.rand(3, n_images, generator=generator, dtype=torch.float32)
    unit = 2 * draws - 1  # in [-1, 1)
    angle = unit[0] * math.radians(max_angle)
    cos, sin = angle.cos(), angle.sin()
    # grid coordinates run from -1 to 1 over either side, so that a shift by a share s
    # of the side is 2 s, and a rotation has to undo the unequal scale of the two axes
    aspect = height / width
    shift_x, shift_y = 2 * max_shift * unit[1], 2 * max_shift * unit[2]
    theta = torch.stack(
        [cos, -sin * aspect, shift_x, sin / aspect, cos, shift_y], dim=1
    ).view(n_images, 2, 3)
    grid = F.affine_grid(
        to_device(theta, x.device).to(x.dtype), list(x.shape), align_corners=False
    )  # (b, h, w, 2)
    return F.grid_sample(x, grid, padding_mode="zeros", align_corners=False)
