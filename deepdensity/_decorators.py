"""scikit-learn's decorators, with types: they keep that of what they decorate."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import sklearn.base
import sklearn.utils._param_validation

__all__ = ["fit_context", "validate_params"]

Function = TypeVar("Function", bound=Callable[..., Any])


class Decorator(Protocol):
    """What gives a function back that is called as before."""

    def __call__(self, function: Function, /) -> Function: ...


fit_context: Callable[..., Decorator] = sklearn.base._fit_context
validate_params: Callable[..., Decorator] = (
    sklearn.utils._param_validation.validate_params
)
