"""Random rows of X, whatever X is; NumPy's global generator is left alone."""

from numbers import Integral
from typing import Any

from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _num_samples

from .._typing import Samples
from ..samples.rows import take_rows
from ..utils.random_states import as_random_state

__all__ = ["SAMPLE_CONSTRAINTS", "random_rows"]

SAMPLE_CONSTRAINTS = {
    "max_samples": [Interval(Integral, 2, None, closed="left"), None],
    "random_state": ["random_state"],
}


def random_rows(X: Samples, max_samples: int | None, random_state: Any) -> Any:
    """X itself, or `max_samples` of its rows without repetition, if it has more."""
    if max_samples is None or _num_samples(X) <= max_samples:
        return X
    random = as_random_state(random_state)
    return take_rows(X, random.permutation(_num_samples(X))[:max_samples])
