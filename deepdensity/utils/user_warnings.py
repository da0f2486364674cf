"""Warnings that point at the user's line."""

import sys
import warnings
from types import FrameType

from sklearn.exceptions import ConvergenceWarning

__all__ = ["warn"]

INSIDE = {"contextlib", "deepdensity", "joblib", "sklearn"}


def warn(message: str, category: type[Warning] = ConvergenceWarning) -> None:
    """A warning at the line that has called into this package.

    Frames of scikit-learn and joblib are passed over, too: `fit_predict` and pipelines
    call `fit` from there.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and package(frame) in INSIDE:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
