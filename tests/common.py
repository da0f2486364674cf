"""Small real data and short settings that the tests of the estimators share."""

import functools

import numpy as np
from sklearn.datasets import load_digits

from deepdensity import DECSClustering, IDCLClustering
from deepdensity.networks import ConvAutoencoder, TransformerAutoencoder

N_CLUSTERS = 10

# each a short fit of the class, as f(**more) -> estimator
idcl = functools.partial(
    IDCLClustering,
    N_CLUSTERS,
    pretrain_epochs=8,
    max_epochs=4,
    refresh_interval=1,
    batch_size=128,
    n_init=3,
    random_state=0,
)
decs = functools.partial(
    DECSClustering,
    N_CLUSTERS,
    pretrain_epochs=8,
    max_iter=12,
    refresh_interval=4,
    batch_size=128,
    n_init=3,
    random_state=0,
)
BOTH = [idcl, decs]

small_transformer = functools.partial(
    TransformerAutoencoder, width=16, hidden=(32, 32, 64)
)
small_conv = functools.partial(ConvAutoencoder, channels=(4, 8, 8, 16))


def digit_images(n=300):
    """Handwritten digits: images (n, 8, 8) in 0..16 and labels."""
    digits = load_digits()
    return digits.images[:n], digits.target[:n]


def digit_vectors(n=300):
    """The same, flat: (n, 64) in [0, 1]."""
    images, labels = digit_images(n)
    return images.reshape(n, -1) / 16, labels


def colour_images(n=120):
    """Digits in four colours, uint8 (n, 8, 8, 3)."""
    images, labels = digit_images(n)
    colours = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
    tint = colours[np.arange(n) % 4]
    return (images[..., None] * 15 * tint[:, None, None]).astype(np.uint8), labels
