"""How much the length of a vector counts beside its direction."""

import numpy as np

from ._typing import Array

__all__ = ["by_power"]


def by_power(Z: Array, power: float) -> Array:
    r"""Rows divided by a power of their length, a row of zeros left as it is.

    .. math::
        \hat z_i = z_i / \|z_i\|^a

    With a = 0 length counts as it is, with 1/2 by its root, and with 1 not at all:
    Euclidean distances are in the order of cosine distances then.

    Parameters
    ----------
    Z : array of shape (n, d)
    power : float
        a, from 0 to 1.

    Returns
    -------
    array of shape (n, d)

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.lengths import by_power
    >>> by_power(np.array([[3.0, 4.0], [0.0, 0.0]]), 1)
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    length = np.linalg.norm(Z, axis=1, keepdims=True)
    scaled: Array = Z / np.where(length > 0, length, 1) ** power
    return scaled
