"""The fully connected autoencoder, for vectors."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["MLPAutoencoder", "ShallowAutoencoder", "linear_stack"]


def linear_stack(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers of these widths, first to last, a ReLU between two of them."""
    layers = []
    for n_in, n_out in zip(widths[:-1], widths[1:]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def first_width(n_features: int) -> int:
    """Four times the number of features, between 64 and 500."""
    return min(500, max(64, 4 * n_features))


def default_hidden(n_features: int) -> tuple[int, ...]:
    """Widths of the hidden layers: DEC's 500-500-2000, less for short samples."""
    width = first_width(n_features)
    return (width, width, 4 * width)


class MLPAutoencoder(nn.Module):
    """d-500-500-2000-latent and back, ReLU between (Xie et al. 2016).

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one sample: ``(n_features,)``, or ``(channels, height, width)``,
        which is flattened.
    n_components : int
        Size of the latent space.
    hidden : tuple of int, default=None
        Widths of the encoder's hidden layers; the decoder mirrors them. None is
        ``(500, 500, 2000)`` from 125 features on and narrower below.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        n_components: int,
        hidden: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        n_features = math.prod(input_shape)
        hidden = default_hidden(n_features) if hidden is None else tuple(hidden)
        widths = (n_features, *hidden, n_components)
        self.encoder = nn.Sequential(nn.Flatten(), linear_stack(widths))
        self.decoder = nn.Sequential(
            linear_stack(widths[::-1]), nn.Unflatten(1, tuple(input_shape))
        )

    def encode(self, x: Tensor) -> Tensor:
        """``(b, *input_shape)`` -> (b, n_components)."""
        embedding: Tensor = self.encoder(x)
        return embedding

    def decode(self, z: Tensor) -> Tensor:
        """(b, n_components) -> ``(b, *input_shape)``."""
        reconstruction: Tensor = self.decoder(z)
        return reconstruction


class ShallowAutoencoder(MLPAutoencoder):
    """d-500-latent and back: better for long vectors than the deep one, and faster.

    The hidden layer is narrower for fewer than 125 features. Parameters as in
    :class:`MLPAutoencoder`.
    """

    def __init__(self, input_shape: tuple[int, ...], n_components: int) -> None:
        width = first_width(math.prod(input_shape))
        super().__init__(input_shape, n_components, hidden=(width,))
