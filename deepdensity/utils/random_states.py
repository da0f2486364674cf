"""Random states of a call's own: NumPy's global generator is nobody's to draw from."""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["as_random_state"]


def as_random_state(random_state: Any) -> np.random.RandomState:
    """A RandomState as scikit-learn makes it, but of fresh entropy for None.

    Examples
    --------
    >>> from deepdensity.utils.random_states import as_random_state
    >>> int(as_random_state(0).randint(100)), int(as_random_state(0).randint(100))
    (44, 44)
    """
    if random_state is None:
        return np.random.RandomState()
    state: np.random.RandomState = check_random_state(random_state)
    return state
