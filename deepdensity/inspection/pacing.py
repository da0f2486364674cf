"""PacingDisplay: how fast a curriculum admits the samples."""

from typing import Any, Self

import numpy as np

from .._typing import Array, Axes, Estimator
from ..curriculum import PACINGS, Pace, check_fractions
from ._axes import needs_matplotlib, one_axes
from ._fitted import last_step
from ._names import short_name, told_apart

__all__ = ["PacingDisplay"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#660000")
DASHES = ("-", "--", "-.", ":")
FEW = 60  # epochs or fewer have a mark each


class PacingDisplay:
    """Share of the samples in training against the epoch (IDCL, Eq. 5 and 6).

    Make one by :meth:`from_estimator`, or by :meth:`from_pacings` to compare pacing
    functions. Marked are `lambda_0`, with which they start, `lambda_max`, which they
    do not exceed ("none" does), and `pacing_epochs`, T of Eq. 5. There is no
    ``from_predictions``: a curriculum is a plan, and predicts nothing.

    Parameters
    ----------
    fractions : dict of str to ndarray of shape (n_epochs,)
        Name of the curve -> share in each epoch, counted from 0.
    lambda_0 : float
    lambda_max : float
    pacing_epochs : int, default=None
        Where not known, it is not marked.
    name : str, default=None
        The title.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        One for each of `fractions`.
    marks_ : dict of str to matplotlib Line2D
        By "lambda_0", "lambda_max" and "pacing_epochs".

    Examples
    --------
    >>> from deepdensity.inspection import PacingDisplay
    >>> pacings = ["linear", "none"]
    >>> display = PacingDisplay.from_pacings(pacings, max_epochs=4, lambda_0=0.6)
    >>> {name: shares.tolist() for name, shares in display.fractions.items()}
    {'linear': [0.6, 0.8, 1.0, 1.0], 'none': [1.0, 1.0, 1.0, 1.0]}
    """

    def __init__(
        self,
        fractions: Any,
        *,
        lambda_0: float,
        lambda_max: float,
        pacing_epochs: int | None = None,
        name: str | None = None,
    ) -> None:
        self.fractions = fractions
        self.lambda_0 = lambda_0
        self.lambda_max = lambda_max
        self.pacing_epochs = pacing_epochs
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        *,
        max_epochs: int | None = None,
        ax: Axes = None,
        **plot_params: Any,
    ) -> Self:
        """Draw the curriculum of an IDCLClustering: its own once fitted, or its plan.

        Parameters
        ----------
        estimator : IDCLClustering, or a pipeline or search of one
            Fitted or not. If fitted, the shares are those that it trained on.
        max_epochs : int, default=None
            Length of the plan of an unfitted estimator whose `max_epochs` is "auto".
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **plot_params
            See :meth:`plot`.

        Returns
        -------
        PacingDisplay
        """
        needs_matplotlib(cls, "from_estimator")
        search = getattr(estimator, "estimator", estimator)  # of a search, not fitted
        model = last_step(getattr(estimator, "best_estimator_", search))
        if not hasattr(model, "lambda_0"):
            raise TypeError(f"{type(model).__name__} has no curriculum.")
        check_fractions(model.lambda_0, model.lambda_max)
        if hasattr(model, "curriculum_"):
            shares = np.array(model.curriculum_.fractions)
            pacing_epochs = model.curriculum_.pacing_epochs
        else:
            if max_epochs is None:
                max_epochs = model.max_epochs
            if max_epochs == "auto":
                raise ValueError(
                    'max_epochs="auto" depends on the data: fit the estimator, or give '
                    "max_epochs here."
                )
            pace = Pace(
                model.pacing,
                model.pacing_epochs,
                max_epochs,
                model.lambda_0,
                model.lambda_max,
            )
            shares, pacing_epochs = shares_of(pace, max_epochs), pace.n_epochs or None
        return cls(
            {short_name(model.pacing): shares},
            lambda_0=model.lambda_0,
            lambda_max=model.lambda_max,
            pacing_epochs=pacing_epochs,
            name=type(model).__name__,
        ).plot(ax=ax, **plot_params)

    @classmethod
    def from_pacings(
        cls,
        pacings: Any = None,
        *,
        max_epochs: int = 40,
        pacing_epochs: int | None = None,
        lambda_0: float = 0.9,
        lambda_max: float = 1.0,
        ax: Axes = None,
        **plot_params: Any,
    ) -> Self:
        """Draw pacing functions beside one another.

        Parameters
        ----------
        pacings : list of str or callable, default=None
            Names in ``deepdensity.curriculum.PACINGS``, or functions
            ``f(epoch, n_epochs, lambda_0)``. None draws all that have a name.
        max_epochs : int, default=40
        pacing_epochs : int, default=None
            None is half of `max_epochs`.
        lambda_0, lambda_max : float, default=0.9 and 1.0
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **plot_params
            See :meth:`plot`.

        Returns
        -------
        PacingDisplay
        """
        needs_matplotlib(cls, "from_pacings")
        if max_epochs < 1:
            raise ValueError(f"max_epochs={max_epochs} must be at least 1.")
        pacings = list(PACINGS if pacings is None else pacings)
        if not pacings:
            raise ValueError("pacings is empty; None draws all that have a name.")
        shares = []
        for pacing in pacings:
            if not callable(pacing) and pacing not in PACINGS:
                raise ValueError(
                    f"pacings has {pacing!r}, which is neither a function nor one of "
                    f"{', '.join(PACINGS)}."
                )
            pace = Pace(pacing, pacing_epochs, max_epochs, lambda_0, lambda_max)
            shares.append(shares_of(pace, max_epochs))
        names = told_apart([short_name(pacing) for pacing in pacings])
        return cls(
            dict(zip(names, shares)),
            lambda_0=lambda_0,
            lambda_max=lambda_max,
            pacing_epochs=pacing_epochs or -(-max_epochs // 2),
        ).plot(ax=ax, **plot_params)

    def plot(self, ax: Axes = None, *, line_kw: dict[str, Any] | None = None) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        line_kw : dict, default=None
            For matplotlib's `plot` of all lines.

        Returns
        -------
        self
        """
        needs_matplotlib(type(self), "plot")
        ax = one_axes(ax, (7, 4.5))
        self.lines_ = []
        for i, (name, shares) in enumerate(self.fractions.items()):
            style = {
                "color": COLOURS[i % len(COLOURS)],
                "ls": DASHES[i % len(DASHES)],
                "marker": "." if len(shares) <= FEW else None,
                "label": name,
                **(line_kw or {}),
            }
            self.lines_ += ax.plot(np.arange(len(shares)), shares, **style)
        highest = max(np.max(shares, initial=0) for shares in self.fractions.values())
        side = "top" if highest > self.lambda_max else "bottom"  # away from the curves
        self.marks_ = {
            "lambda_0": mark_share(ax, r"$\lambda_0$", self.lambda_0, "top"),
            "lambda_max": mark_share(ax, r"$\lambda_{max}$", self.lambda_max, side),
        }
        if self.pacing_epochs is not None:
            self.marks_["pacing_epochs"] = mark_epoch(ax, self.pacing_epochs)
        ax.set(
            xlabel="epoch of the clustering phase",
            ylabel="share of the samples in training",
            ylim=(0, 1.08),
            title=self.name or "",
        )
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(loc="lower right", title="pacing")
        self.ax_ = ax
        self.figure_ = ax.figure
        return self


def mark_share(ax: Axes, symbol: Any, share: float, side: str) -> Any:
    """A dotted line at a share, named at the right margin."""
    ax.annotate(
        f"{symbol} = {share:g}",
        (1, share),
        xycoords=("axes fraction", "data"),
        xytext=(-4, -4 if side == "top" else 2),
        textcoords="offset points",
        ha="right",
        va=side,
        fontsize=9,
    )
    return ax.axhline(share, color="0.4", ls=":", lw=1, zorder=1)


def mark_epoch(ax: Axes, epoch: int) -> Any:
    """A dashed line at an epoch, named at the bottom."""
    ax.annotate(
        f"pacing_epochs = {epoch}",
        (epoch, 0.02),
        xycoords=("data", "axes fraction"),
        xytext=(-3, 0),
        textcoords="offset points",
        rotation=90,
        ha="right",
        va="bottom",
        fontsize=9,
    )
    return ax.axvline(epoch, color="0.4", ls="--", lw=1, zorder=1)


def shares_of(pace: Any, n_epochs: int) -> Array:
    return np.array([pace.fraction(epoch) for epoch in range(n_epochs)])
