"""The curriculum of IDCL: how many samples an epoch trains on, and which.

Pacing (Eq. 5) says which share of the samples an epoch gets, the cap (Eq. 6) leaves a
share out to the end, the selection (Eq. 7 and 8) takes the easiest of every cluster.
"""

from typing import Any

import numpy as np

from ._typing import Array
from .utils.ranking import highest_per_cluster

__all__ = [
    "PACINGS",
    "Curriculum",
    "Pace",
    "capped_fraction",
    "check_fractions",
    "exponential_pacing",
    "linear_pacing",
    "no_pacing",
    "power_pacing",
    "select_easiest",
]


def exponential_pacing(epoch: int, n_epochs: int, lambda_0: float) -> float:
    r"""Geometric growth (Zheng et al. 2024, Eq. 5): slow at first, then fast.

    .. math::
        \lambda(t) = \lambda_0^{1 - t / T}, \qquad \lambda(0) = \lambda_0, \quad
        \lambda(T) = 1

    Parameters
    ----------
    epoch : int
        t, from 0.
    n_epochs : int
        T, the epoch at which all samples are admitted, and stay so.
    lambda_0 : float in (0, 1]
        Share of the samples that the first epoch trains on.

    Returns
    -------
    float in [lambda_0, 1]

    Examples
    --------
    >>> from deepdensity.curriculum import exponential_pacing
    >>> [round(exponential_pacing(t, 4, 0.5), 2) for t in range(5)]
    [0.5, 0.59, 0.71, 0.84, 1.0]
    """
    return float(lambda_0 ** (1 - progress(epoch, n_epochs)))


def power_pacing(
    epoch: int, n_epochs: int, lambda_0: float, exponent: float = 2.0
) -> float:
    r"""Growth by a power, the paper's alternative to Eq. 5 (text above it).

    .. math::
        \lambda(t) = \lambda_0 + (1 - \lambda_0) (t / T)^a

    Parameters and return value are those of :func:`exponential_pacing`; `exponent` is
    a, above 1 for "slow, then fast".

    Examples
    --------
    >>> from deepdensity.curriculum import power_pacing
    >>> [round(power_pacing(t, 4, 0.5), 2) for t in range(5)]
    [0.5, 0.53, 0.62, 0.78, 1.0]
    """
    return float(lambda_0 + (1 - lambda_0) * progress(epoch, n_epochs) ** exponent)


def linear_pacing(epoch: int, n_epochs: int, lambda_0: float) -> float:
    r"""Growth by the same amount every epoch: :func:`power_pacing` with a = 1.

    Examples
    --------
    >>> from deepdensity.curriculum import linear_pacing
    >>> [linear_pacing(t, 4, 0.5) for t in range(5)]
    [0.5, 0.625, 0.75, 0.875, 1.0]
    """
    return power_pacing(epoch, n_epochs, lambda_0, exponent=1.0)


def no_pacing(epoch: int, n_epochs: int, lambda_0: float) -> float:
    """All samples from the first epoch on: the paper's model without curriculum.

    Examples
    --------
    >>> from deepdensity.curriculum import no_pacing
    >>> [no_pacing(t, 4, 0.5) for t in range(3)]
    [1.0, 1.0, 1.0]
    """
    return 1.0


PACINGS = {
    "exponential": exponential_pacing,
    "power": power_pacing,
    "linear": linear_pacing,
    "none": no_pacing,
}


def progress(epoch: int, n_epochs: int) -> float:
    """t / T, at most 1."""
    return min(1.0, epoch / n_epochs) if n_epochs else 1.0


def capped_fraction(fraction: float, lambda_max: float) -> float:
    r"""The share of samples in training, with a cap (Zheng et al. 2024, Eq. 6).

    .. math::
        \lambda_t = \min(\lambda(t), \lambda_{max})

    What lies beyond the cap, the samples of lowest density, is held to be outliers.

    Examples
    --------
    >>> from deepdensity.curriculum import capped_fraction
    >>> [capped_fraction(fraction, 0.95) for fraction in (0.6, 0.9, 1.0)]
    [0.6, 0.9, 0.95]
    """
    return min(fraction, lambda_max)


def select_easiest(difficulty: Array, labels: Array, fraction: float) -> Array:
    r"""Indices of the training set (Zheng et al. 2024, Eq. 7 and 8).

    .. math::
        X_t = \bigcup_j \{x_i \in C_j : S_i \text{ among the }
        \lceil \lambda_t |C_j| \rceil \text{ highest of } C_j\}

    Parameters
    ----------
    difficulty : array of shape (n,)
        Score S of Eq. 2: high is easy.
    labels : int array of shape (n,)
    fraction : float in (0, 1]
        :math:`\lambda_t`.

    Returns
    -------
    int array
        Sorted. Of equal scores the earlier samples are taken.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.curriculum import select_easiest
    >>> select_easiest(np.array([0.9, 0.1, 0.5, 0.7]), np.array([0, 0, 1, 1]), 0.5)
    array([0, 3])
    """
    return np.sort(np.concatenate(highest_per_cluster(difficulty, labels, fraction)))


def check_fractions(lambda_0: float, lambda_max: float) -> None:
    """Raise a ValueError unless the first share is at most the largest."""
    if lambda_0 > lambda_max:
        raise ValueError(
            f"lambda_0={lambda_0} must be in (0, lambda_max], and lambda_max="
            f"{lambda_max}."
        )


class Pace:
    """The share of the samples that each epoch trains on (IDCL, Eq. 5 and 6).

    Parameters
    ----------
    pacing : str or callable
        A name in PACINGS, or ``f(epoch, n_epochs, lambda_0)``.
    pacing_epochs : int or None
        T of Eq. 5; None is half of `max_epochs`.
    max_epochs : int
    lambda_0, lambda_max : float

    Attributes
    ----------
    n_epochs : int
        T; 0 without a curriculum.
    lambda_max : float
        The cap; 1 without a curriculum.

    Raises
    ------
    ValueError
        Where `lambda_0` is above `lambda_max`.

    Examples
    --------
    >>> from deepdensity.curriculum import Pace
    >>> pace = Pace("linear", None, max_epochs=8, lambda_0=0.5, lambda_max=0.9)
    >>> [pace.fraction(t) for t in range(5)]
    [0.5, 0.625, 0.75, 0.875, 0.9]
    """

    def __init__(
        self,
        pacing: Any,
        pacing_epochs: int | None,
        max_epochs: int,
        lambda_0: float,
        lambda_max: float,
    ) -> None:
        check_fractions(lambda_0, lambda_max)
        self.pacing = pacing
        self.n_epochs = pacing_epochs or -(-max_epochs // 2)
        self.lambda_0 = lambda_0
        self.lambda_max = lambda_max
        if pacing == "none":  # all samples: no cap either
            self.n_epochs, self.lambda_max = 0, 1.0

    def fraction(self, epoch: int) -> float:
        pacing = self.pacing if callable(self.pacing) else PACINGS[self.pacing]
        try:
            fraction = float(pacing(epoch, self.n_epochs, self.lambda_0))
        except Exception as error:
            raise ValueError(
                f"pacing={self.pacing!r} cannot be called as "
                f"f(epoch, n_epochs, lambda_0), or gives no number: {error}"
            ) from error
        if not 0 < fraction <= 1:
            raise ValueError(
                f"pacing={self.pacing!r} gave {fraction!r} at epoch {epoch}; it must "
                "give a share in (0, 1]."
            )
        return capped_fraction(fraction, self.lambda_max)


class Curriculum:
    """What each epoch trained on: ``curriculum[t]`` is the index array of epoch t.

    A slice gives a list of such arrays.

    Held as one bit a sample and epoch.

    Parameters
    ----------
    n_samples : int
    pacing_epochs : int, default=None
        T of Eq. 5, by which it grew; None where it does not grow.

    Attributes
    ----------
    fractions : list of float
        :math:`\\lambda_t` of each epoch.
    """

    def __init__(self, n_samples: int, pacing_epochs: int | None = None) -> None:
        self.n_samples = n_samples
        self.pacing_epochs = pacing_epochs
        self.fractions: list[float] = []
        self._bits: list[Array] = []

    def append(self, fraction: float, indices: Array) -> None:
        """Note one more epoch."""
        chosen = np.zeros(self.n_samples, dtype=bool)
        chosen[indices] = True
        self.fractions.append(float(fraction))
        self._bits.append(np.packbits(chosen))

    def __len__(self) -> int:
        return len(self._bits)

    def __getitem__(self, epoch: Any) -> Any:
        if isinstance(epoch, slice):
            return [self[t] for t in range(len(self))[epoch]]
        chosen = np.unpackbits(self._bits[epoch], count=self.n_samples)
        return np.flatnonzero(chosen)

    def __repr__(self) -> str:
        return f"Curriculum({len(self)} epochs of {self.n_samples} samples)"
