"""scikit-learn's options, as a fit needs them, whatever the caller has made of them."""

from contextlib import AbstractContextManager
from typing import Any

from sklearn import config_context

__all__ = ["plain_sklearn"]


def plain_sklearn() -> AbstractContextManager[Any]:
    """Inside, arrays are NumPy's, and sparse ones matrices.

    With array_api_dispatch scikit-learn's mixtures cannot start at k-means, and tensors
    are not made arrays; its spectral embedding takes no sparse arrays.
    """
    plain: AbstractContextManager[Any] = config_context(
        array_api_dispatch=False, sparse_interface="spmatrix"
    )
    return plain
