"""The convolutional autoencoder of DECS (Cheng et al. 2024, Section 4.4)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .convolutions import Conv2d, ConvTranspose2d

__all__ = ["ConvAutoencoder"]

SMALLEST_SIDE = 16  # of 8 or fewer three halvings leave a single pixel


def conv_block(n_in: int, n_out: int) -> list[nn.Module]:
    return [Conv2d(n_in, n_out), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]


def up_block(n_in: int, n_out: int) -> list[nn.Module]:
    up = ConvTranspose2d(n_in, n_out)
    return [up, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]


class ConvAutoencoder(nn.Module):
    """Four 3x3 convolutions, 32-64-128-256, and their mirror image (DECS, Section 4.4).

    Each convolution is followed by batch normalisation and ReLU, the first three by
    2x2 max-pooling, as in the authors' code; the paper has strides of 2, and pooling
    after each. A linear layer makes the embedding. The decoder goes back by transposed
    convolutions of stride 2, and ends without a ReLU, as the code does; the paper has
    one after every convolution. Any height and width will do: a side below 16 is
    enlarged to 16 by interpolation on the way in and reduced on the way out.

    The authors' code differs. ReLU comes before the batch normalisation there. And
    where a side is no multiple of 8 it drops odd last rows and columns and does not pad
    the last convolution: 28 x 28 is 3 x 3 before that and 1 x 1 after it. Here odd ones
    are pooled, to 4 x 4, and the convolution is padded.

    Parameters
    ----------
    input_shape : tuple of int
        ``(channels, height, width)`` of one image.
    n_components : int
        Size of the latent space.
    channels : tuple of int, default=(32, 64, 128, 256)
        Channels of the encoder's convolutions; all but the last halve the image.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        n_components: int,
        channels: tuple[int, ...] = (32, 64, 128, 256),
    ) -> None:
        super().__init__()
        n_channels, *size = input_shape
        self.size = tuple(size)  # (h, w) of the image
        self.inner_size = tuple(
            max(SMALLEST_SIDE, side) for side in self.reduced(self.size)
        )
        n_halvings = len(channels) - 1
        # a pooling keeps an odd last row
        grid = tuple(-(-side // 2**n_halvings) for side in self.inner_size)
        n_flat = channels[-1] * grid[0] * grid[1]

        encoder = []
        for n_in, n_out in zip((n_channels, *channels[:-2]), channels[:-1]):
            *block, relu = conv_block(n_in, n_out)
            # the maximum is taken before ReLU: the same, of a quarter of the pixels
            encoder += [*block, nn.MaxPool2d(2, ceil_mode=True), relu]
        encoder += conv_block(channels[-2], channels[-1])
        self.encoder = nn.Sequential(
            *encoder, nn.Flatten(), nn.Linear(n_flat, n_components)
        )

        back = channels[::-1]
        decoder = [nn.Linear(n_components, n_flat), nn.ReLU()]
        decoder += [nn.Unflatten(1, (back[0], *grid))]
        for n_in, n_out in zip(back[:-1], back[1:]):
            decoder += up_block(n_in, n_out)
        self.decoder = nn.Sequential(*decoder, Conv2d(back[-1], n_channels))
        # the faster layout on a CPU; torch documents it, and its types leave it out
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @staticmethod
    def reduced(size: tuple[int, ...]) -> tuple[int, ...]:
        """The size at which an image is looked at: its own, (h, w) -> (h, w)."""
        return size

    def resized(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, c, inner h, inner w)."""
        return resize(x, self.inner_size)

    def encode(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, n_components)."""
        x = self.resized(x).contiguous(memory_format=torch.channels_last)
        embedding: Tensor = self.encoder(x)
        return embedding

    def decode(self, z: Tensor) -> Tensor:
        """(b, n_components) -> (b, c, h, w)."""
        x = self.decoder(z)  # each side a multiple of 8, at least the inner size
        height, width = self.inner_size
        return resize(x[:, :, :height, :width], self.size)


def resize(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Bilinear interpolation of (b, c, h, w) to ``size``; x itself where it fits."""
    if x.shape[-2:] == tuple(size):
        return x
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)
