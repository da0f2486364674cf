"""What a fitted search has refitted."""

from typing import Any

from .._typing import Estimator

__all__ = ["best_of"]


def best_of(estimator: Estimator) -> Any:
    """The best estimator of a fitted search; itself of what is no search.

    Raises
    ------
    ValueError
        Of a search that has refitted none.
    """
    if hasattr(estimator, "cv_results_") and not hasattr(estimator, "best_estimator_"):
        raise ValueError(
            f"The {type(estimator).__name__} has refit=False, and so no "
            "best_estimator_: with refit=True, or the name of a score, it fits one."
        )
    return getattr(estimator, "best_estimator_", estimator)
