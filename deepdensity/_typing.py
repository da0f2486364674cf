"""Names for types that stand in many signatures."""

import os
from typing import Any, Literal, TypeAlias

from numpy.typing import NDArray

__all__ = ["Array", "Auto", "Axes", "Estimator", "FilePath", "Samples"]

Array: TypeAlias = NDArray[Any]
Auto: TypeAlias = Literal["auto"]  # a parameter that `fit` chooses
FilePath: TypeAlias = str | os.PathLike[str]
# libraries without types of their own
Axes: TypeAlias = Any  # of matplotlib
Estimator: TypeAlias = Any  # of scikit-learn
Samples: TypeAlias = Any  # X: arrays, sparse matrices, data frames, AnnData objects
