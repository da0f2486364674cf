"""How long ClustPy's methods train: for as many steps as DECS at its defaults."""

from deepdensity.recipe import (
    CLUSTER_BATCH,
    auto_batch_size,
    decs_iterations,
    pretraining_epochs,
)

__all__ = ["default_epochs", "pretraining_steps"]


def default_epochs(n_samples, is_image, batch_size):
    """Epochs of pretraining and of clustering, in batches of `batch_size`.

    DECS pretrains on images in smaller batches than it clusters in; a peer has one
    size for both phases. So steps are matched, not epochs, and rounded up. Those of
    the trials that DECS makes of several starts have no counterpart.
    """
    n_batches = -(-n_samples // batch_size)
    clustering = decs_iterations(-(-n_samples // CLUSTER_BATCH), augmented=is_image)
    steps = pretraining_steps(n_samples, is_image), clustering
    return tuple(-(-n // n_batches) for n in steps)


def pretraining_steps(n_samples, is_image):
    """Steps of the pretraining of both estimators at their defaults."""
    steps = -(-n_samples // auto_batch_size(n_samples, is_image))
    return steps * pretraining_epochs(n_samples, steps)
