"""The convolutional autoencoder of DECS on a reduced image: the default for images."""

from torch import Tensor
from torch.nn import functional as F

from .conv import SMALLEST_SIDE, ConvAutoencoder

__all__ = ["Conv16Autoencoder"]


class Conv16Autoencoder(ConvAutoencoder):
    """:class:`ConvAutoencoder` on an image of 16 x 16, whatever its size outside.

    Of an image that is larger the shorter side becomes 16 and the longer one follows,
    by interpolation that averages; the reconstruction is enlarged to the image's own
    size. A convolution sees more of the image then, and costs as many times less as the
    image has fewer pixels: a third to a quarter at 28 x 28, where clusters are the
    better for it (see the page on the recipe). What is smaller than a pixel of 16 x 16
    is lost: "conv" takes the image as it is.
    """

    @staticmethod
    def reduced(size: tuple[int, ...]) -> tuple[int, ...]:
        factor = min(1.0, SMALLEST_SIDE / min(size))
        return tuple(round(factor * side) for side in size)

    def resized(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, c, inner h, inner w): means of what a pixel covers."""
        if min(self.size) <= SMALLEST_SIDE:
            return super().resized(x)
        return F.interpolate(x, self.inner_size, mode="bilinear", antialias=True)
