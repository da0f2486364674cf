"""What "auto" means: the recipe that works without labels, as pure functions.

The settings were found on the sets of ``doc/papers.rst``. ``doc/recipe.rst`` lists them
and what each is worth, ``doc/trials_images.rst`` and ``doc/trials_vectors.rst`` what
was seen on the way.
"""

import math
from typing import TypeVar

from ._typing import Auto

__all__ = [
    "BALANCE",
    "CLUSTER_BATCH",
    "GAMMA",
    "MIN_PER_CLUSTER",
    "NUMBER_BALANCE",
    "STREAM_EPOCHS",
    "STREAM_FEWEST",
    "STREAM_MEMORY",
    "STREAM_RATE",
    "STREAM_RECONSTRUCTION",
    "STREAM_SHARES",
    "TRIAL_BALANCE",
    "TRIAL_STEPS",
    "VECTOR_STEPS",
    "auto_batch_size",
    "auto_epochs",
    "decs_iterations",
    "given_or",
    "idcl_epochs",
    "pretraining_epochs",
    "refresh_steps",
]

_Value = TypeVar("_Value", int, float)

BALANCE = 0.5  # of DECS where samples are augmented,
TRIAL_BALANCE = 1.0  # and of the trials of starts, and where that does better
NUMBER_BALANCE = 0.3  # of the trials of numbers of clusters
MIN_PER_CLUSTER = 10  # samples; with fewer on average k-means makes the start
CLUSTER_BATCH = 256  # of the clustering phases: as in the papers
GAMMA = 2.0  # clustering loss of IDCL, relative to the variance of the input
DECS_EPOCHS = 20  # of its clustering phase,
DECS_STEPS = (2000, 6000)  # but at least and at most
IDCL_EPOCHS = 40
IDCL_STEPS = (300, 6000)
VECTOR_STEPS = 200  # of both where nothing is augmented
PRETRAIN_EPOCHS = 20
FEWEST_STEPS = (200, 800)  # of pretraining: as many as samples, within these
MOST_STEPS = 4000
TRIAL_STEPS = 150
STREAM_EPOCHS = 10  # over each batch of a stream but the first
STREAM_RATE = 0.1  # of lr, which is for a network at random
STREAM_RECONSTRUCTION = 1 / 3  # weight in DECS, where the decoder must follow
STREAM_MEMORY = 4  # batches that the cores of IDCL remember
STREAM_FEWEST = 50  # samples of each core that they remember where batches are small
STREAM_SHARES = 500  # samples that the clusters' shares remember, likewise
REFRESH_STEPS = 100
REFRESH_EPOCHS = 2  # or more steps, so that refreshes stay cheap beside training

BATCHES_PER_EPOCH = 128
SMALLEST_BATCH = 32
LARGEST_BATCH = 128  # of images
VECTOR_BATCH = 256


def given_or(value: _Value | Auto, auto: _Value) -> _Value:
    """A parameter's value, or what its "auto" is here."""
    return auto if value == "auto" else value


def auto_batch_size(n_samples: int, is_image: bool) -> int:
    """256; of images 32, 64 or 128: the largest that makes 128 batches, if any does.

    Twenty epochs over a small set of images are too few steps in batches of 256. The
    wide layers for vectors cost as much in small batches, and learn in fewer steps.
    """
    if not is_image:
        return VECTOR_BATCH
    power = math.floor(math.log2(max(1, n_samples / BATCHES_PER_EPOCH)))
    return int(min(LARGEST_BATCH, max(SMALLEST_BATCH, 2**power)))


def auto_epochs(
    n_epochs: int, steps_per_epoch: int, at_least: int, at_most: int
) -> int:
    """`n_epochs`, or as many as make at least and at most so many steps."""
    most = max(1, at_most // steps_per_epoch)
    least = -(-at_least // steps_per_epoch)
    return max(least, min(n_epochs, most))


def pretraining_epochs(n_samples: int, steps_per_epoch: int) -> int:
    """20, but at least 200 to 800 steps, the more the more samples, at most 4,000."""
    fewest, most_of_fewest = FEWEST_STEPS
    at_least = min(most_of_fewest, max(fewest, n_samples))
    return auto_epochs(PRETRAIN_EPOCHS, steps_per_epoch, at_least, MOST_STEPS)


def decs_iterations(steps_per_epoch: int, augmented: bool) -> int:
    """Of its clustering phase: 20 epochs, but 2,000 to 6,000 steps.

    Where nothing is augmented 200 steps.
    """
    if not augmented:
        return VECTOR_STEPS
    at_least, at_most = DECS_STEPS
    return min(at_most, max(at_least, DECS_EPOCHS * steps_per_epoch))


def idcl_epochs(steps_per_epoch: int, augmented: bool) -> int:
    """Of its clustering phase: 40, but 300 to 6,000 steps.

    Where nothing is augmented about 200 steps.
    """
    least, most = IDCL_STEPS if augmented else (VECTOR_STEPS, VECTOR_STEPS)
    return auto_epochs(IDCL_EPOCHS, steps_per_epoch, least, most)


def refresh_steps(steps_per_epoch: int) -> int:
    """Gradient steps between two refreshes: 100, but at least two epochs.

    A refresh embeds all samples, which costs a good part of an epoch.
    """
    return max(REFRESH_STEPS, REFRESH_EPOCHS * steps_per_epoch)
