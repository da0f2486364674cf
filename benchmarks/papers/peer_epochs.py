"""How long ClustPy's methods train: for as many steps as DECS at its defaults."""

from deepdensity.recipe import (
    ITERATIONS,
    VECTOR_STEPS,
    auto_batch_size,
    pretraining_epochs,
)

__all__ = ["default_epochs"]


def default_epochs(n_samples, is_image, batch_size):
    """Epochs of pretraining and of clustering, in batches of `batch_size`.

    DECS pretrains on images in smaller batches than it clusters in; a peer has one
    size for both phases. So steps are matched, not epochs, and rounded up. Those of
    the trials that DECS makes of several starts have no counterpart.
    """
    own_batch = auto_batch_size(n_samples, is_image)
    own_steps = -(-n_samples // own_batch)
    pretraining = own_steps * pretraining_epochs(n_samples, own_steps)
    clustering = ITERATIONS if is_image else VECTOR_STEPS
    n_batches = -(-n_samples // batch_size)
    return -(-pretraining // n_batches), -(-clustering // n_batches)
