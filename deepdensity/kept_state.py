"""A fit that fails, or is interrupted, loses nothing that was fitted before."""

import functools
from collections.abc import Callable
from typing import Any

from ._typing import Samples
from .training.interruption import Interruption
from .utils.plain_sklearn import plain_sklearn
from .utils.torch_state import plain_torch
from .utils.user_warnings import warn

__all__ = ["keeps_fitted_state"]


def keeps_fitted_state(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a fit so that where it fails the estimator stays as it was.

    The first Ctrl-C is no failure: the fit ends soon, and a warning says so.
    """

    @functools.wraps(fit)
    def wrapper(self: Any, X: Samples, y: Any = None) -> Any:
        before = vars(self).copy()
        try:
            with plain_sklearn(), plain_torch(), Interruption() as interruption:
                self._interruption = interruption
                fit(self, X, y)
            vars(self).pop("_interruption", None)  # of a fit in another thread, maybe
            if interruption.asked:
                warn(interruption.message())
            return self
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return wrapper
