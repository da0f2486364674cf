"""The convolutional autoencoder of DECS on a reduced image: the default for images."""

from torch import Tensor
from torch.nn import functional as F

from .conv import SMALLEST_SIDE, ConvAutoencoder

__all__ = ["Conv16Autoencoder"]


class Conv16Autoencoder(ConvAutoencoder):
    """:class:`ConvAutoencoder` on an image that is reduced to 16 x 16.

    Of an image that is larger the shorter side becomes 16 and the longer one follows,
    by interpolation that averages; the reconstruction is enlarged to the image's own
    size. A convolution sees more of the image then, and takes a third to a quarter of
    the time at 28 x 28 (``doc/trials_images.rst``). What is smaller than a pixel of the
    reduced image is lost: "conv" takes it as it is.
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
