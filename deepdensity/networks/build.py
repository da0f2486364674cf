"""From the parameter `autoencoder` to a module that is known to fit the data."""

import copy
from typing import Any

import torch
from torch import nn

from ..utils.torch_state import float32_by_default, own_draws, seeding
from .conv import ConvAutoencoder
from .conv16 import Conv16Autoencoder
from .mlp import MLPAutoencoder, ShallowAutoencoder
from .transformer import TransformerAutoencoder

__all__ = [
    "AUTOENCODERS",
    "FOR_IMAGES",
    "auto_autoencoder",
    "build_autoencoder",
    "check_autoencoder",
    "network_name",
]

AUTOENCODERS = {
    "conv": ConvAutoencoder,
    "conv16": Conv16Autoencoder,
    "mlp": MLPAutoencoder,
    "shallow": ShallowAutoencoder,
    "transformer": TransformerAutoencoder,
}

FOR_IMAGES = ("conv", "conv16", "transformer")
LONG_VECTOR = 125  # features from which "auto" is the shallow network


def build_autoencoder(
    autoencoder: Any, input_shape: tuple[int, ...], n_components: int, seed: int
) -> Any:
    """A module for one fit.

    Parameters
    ----------
    autoencoder : str, class or instance
        "auto" (see :func:`auto_autoencoder`), a name in AUTOENCODERS, a class or
        function that is called with ``(input_shape, n_components)``, or a module, which
        is copied.
    input_shape : tuple of int
        (d,) or (c, h, w).
    n_components : int
    seed : int
        Of the initial weights. The global generator of torch is left as it was.

    Returns
    -------
    torch.nn.Module in float32
    """
    if isinstance(autoencoder, nn.Module):
        module = copy.deepcopy(autoencoder).cpu()
    else:
        is_image = len(input_shape) == 3
        if autoencoder == "auto":
            autoencoder = auto_autoencoder(input_shape)
        if autoencoder in FOR_IMAGES and not is_image:
            raise ValueError(
                f"autoencoder={autoencoder!r} takes images, and a sample of X is a "
                f"vector of {input_shape[0]} values: give image_shape, or X as "
                "(n, h, w), (n, h, w, c) or (n, c, h, w)."
            )
        if isinstance(autoencoder, str):
            autoencoder = AUTOENCODERS[autoencoder]
        # weights are drawn from torch's global generator: borrowed, and put back
        cpu = torch.device("cpu")
        with seeding, own_draws(seed, cpu), float32_by_default(), cpu:
            try:
                module = autoencoder(input_shape, n_components)
            except Exception as error:
                raise ValueError(
                    f"autoencoder={autoencoder!r} cannot be called with (input_shape="
                    f"{input_shape}, n_components={n_components}): {error}"
                ) from error
    check_autoencoder(module, input_shape, n_components)
    return module.float()


def auto_autoencoder(input_shape: tuple[int, ...]) -> str:
    """The name that "auto" stands for: by the shape of a sample, (d,) or (c, h, w).

    Long vectors, as of words or genes, are almost linear in what matters, and a deep
    network learns their noise; short ones hold little noise and many bends.
    """
    if len(input_shape) == 3:
        return "conv16"
    return "mlp" if input_shape[0] < LONG_VECTOR else "shallow"


def network_name(autoencoder: Any, input_shape: tuple[int, ...]) -> str | None:
    """The name in AUTOENCODERS that the parameter stands for; None of one's own."""
    if not isinstance(autoencoder, str):
        return None
    return auto_autoencoder(input_shape) if autoencoder == "auto" else autoencoder


def check_autoencoder(
    module: Any, input_shape: tuple[int, ...], n_components: int
) -> None:
    """Raise a ValueError unless encode and decode exist and give the right shapes."""
    name = type(module).__name__
    for method in ("encode", "decode"):
        if not callable(getattr(module, method, None)):
            raise ValueError(
                f"autoencoder={name} has no method {method!r}; it must be a "
                "torch.nn.Module with encode(x) -> z and decode(z) -> x."
            )
    x = torch.zeros(2, *input_shape, dtype=torch.float32, device="cpu")
    module.float().eval()
    try:
        with torch.no_grad():
            z = module.encode(x)
            back = module.decode(z)
    except Exception as error:
        raise ValueError(
            f"autoencoder={name} cannot take a batch of shape {tuple(x.shape)}, the "
            f"shape of the samples of X: {error}"
        ) from error
    if tuple(z.shape) != (2, n_components):
        raise ValueError(
            f"autoencoder={name} encodes a batch of 2 to the shape {tuple(z.shape)}; "
            f"with n_components={n_components} it must be (2, {n_components})."
        )
    if back.shape != x.shape:
        raise ValueError(
            f"autoencoder={name} decodes to the shape {tuple(back.shape)}; it must be "
            f"that of the batch, {tuple(x.shape)}."
        )
