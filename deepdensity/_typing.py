"""Names for types that stand in many signatures."""

from typing import Any, TypeAlias

from numpy.typing import NDArray

__all__ = ["Array", "Axes", "Estimator", "Samples"]

Array: TypeAlias = NDArray[Any]
# libraries without types of their own
Axes: TypeAlias = Any  # of matplotlib
Estimator: TypeAlias = Any  # of scikit-learn
Samples: TypeAlias = Any  # X: arrays, sparse matrices, data frames, AnnData objects
