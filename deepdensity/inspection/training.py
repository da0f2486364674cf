"""TrainingDisplay: how a fit went, epoch by epoch."""

from itertools import cycle
from typing import Any, Self

import numpy as np

from .._typing import Array, Axes, Estimator, Samples
from ..training.phase_net import PHASES
from ._axes import needs_matplotlib, one_axes, split_axes
from ._fitted import fitted_parts
from ._scores import labels_of, scores_of

__all__ = ["TrainingDisplay"]

COLOURS = {"pretrain": "#0072B2", "cluster": "#D55E00", "decoder": "#009E73"}
DASHES = ("-", "--", ":", "-.")
ROLLBACK = "#660000"
FEW = 40  # values or fewer have a mark each
LOG_RANGE = 10  # losses that span more than this are drawn on a log scale


class TrainingDisplay:
    """Losses, curriculum, label changes and rollbacks over the epochs of all phases.

    Make one by :meth:`from_estimator`, which also draws scores where classes are known,
    or by :meth:`from_predictions` for scores of labels given as such. A panel for each
    quantity that was recorded; epochs are counted from 1 through all phases. A phase's
    loss is its own: that of the clustering phase does not go on where the pretraining's
    ends.

    Parameters
    ----------
    phases : list of str
        Phase of each epoch: "pretrain", "cluster" or "decoder".
    losses : ndarray of shape (n_epochs,)
        Mean training loss; NaN where none is known.
    fractions : ndarray of shape (n_epochs,), default=None
        Share of the samples that the epoch trained on; NaN outside the curriculum.
    label_changes : ndarray of shape (n_epochs,), default=None
        Share of the labels that changed at the refresh; NaN where there was none.
    learning_rates : ndarray of shape (n_epochs,), default=None
        At the end of the epoch.
    rollbacks : dict of int to str, default=None
        Epoch after which the guard went back -> why.
    scores : dict of str to ndarray of shape (n_epochs,), default=None
        Name of a score -> its values; NaN where there are none.
    name : str, default=None
        The title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Invisible: it holds the place of `axes_`.
    axes_ : dict of str to matplotlib Axes
        By "loss", "fraction", "label_change", "learning_rate" and "scores": those that
        were recorded.
    figure_ : matplotlib Figure
    lines_ : dict of str to list of matplotlib Line2D
        By the same names: one for each phase, or for each score.
    rollback_lines_ : list of matplotlib Line2D
        One in each panel for each rollback.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from deepdensity import IDCLClustering
    >>> from deepdensity.inspection import TrainingDisplay
    >>> idcl = IDCLClustering(3, pretrain_epochs=3, max_epochs=4, random_state=0)
    >>> display = TrainingDisplay.from_estimator(idcl.fit(load_iris().data))
    >>> display.phases.count("pretrain"), sorted(display.axes_)
    (3, ['fraction', 'label_change', 'learning_rate', 'loss'])

    Accuracy (ACC) and NMI at every refresh, of what a callback has recorded:

    >>> from deepdensity.callbacks import LabelRecorder
    >>> X, y = load_iris(return_X_y=True)
    >>> idcl = idcl.set_params(callbacks=[LabelRecorder()], refresh_interval=2).fit(X)
    >>> display = TrainingDisplay.from_estimator(idcl, y=y)
    >>> [len(line.get_xdata()) for line in display.lines_["scores"]]
    [3, 3]
    """

    def __init__(
        self,
        phases: list[str],
        losses: Array,
        *,
        fractions: Array | None = None,
        label_changes: Any = None,
        learning_rates: Array | None = None,
        rollbacks: Any = None,
        scores: Any = None,
        name: str | None = None,
    ) -> None:
        self.phases = phases
        self.losses = losses
        self.fractions = fractions
        self.label_changes = label_changes
        self.learning_rates = learning_rates
        self.rollbacks = rollbacks
        self.scores = scores
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        *,
        y: Samples = None,
        labels: Any | None = None,
        ax: Axes = None,
        **plot_params: Any,
    ) -> Self:
        """Draw the history of a fitted estimator, and its scores if `y` is given.

        Parameters
        ----------
        estimator : IDCLClustering, DECSClustering, or a pipeline or search of one
            Fitted.
        y : array-like of shape (n_samples,), default=None
            Classes of the training data, for the accuracy of the best matching (ACC)
            and the normalised mutual information (NMI).
        labels : list or dict of array-like of shape (n_samples,), default=None
            As in :meth:`from_predictions`. None takes what a
            :class:`~deepdensity.callbacks.LabelRecorder` among the estimator's
            `callbacks` has recorded, and `labels_` at the end; without one,
            `pretrain_labels_` and `labels_`, which makes two points.
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **plot_params
            See :meth:`plot`.

        Returns
        -------
        TrainingDisplay
        """
        needs_matplotlib(cls, "from_estimator")
        model = fitted_parts(estimator)[1]
        if y is not None and labels is None:
            labels = labels_of(model)
        return cls._build(y, labels, model.history_, type(model).__name__).plot(
            ax=ax, **plot_params
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: Samples,
        labels: Any,
        *,
        history: Any = None,
        name: str | None = None,
        ax: Axes = None,
        **plot_params: Any,
    ) -> Self:
        """Draw scores of the labels after each epoch, against known classes.

        They are the accuracy of the best matching (ACC) and the normalised mutual
        information (NMI).

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Classes.
        labels : list or dict of array-like of shape (n_samples,)
            Clusters after each epoch of the clustering phase, or of all phases; None
            stands for an epoch without. Or a dict, as the `labels_` of a
            :class:`~deepdensity.callbacks.LabelRecorder`: epochs of the clustering
            phase that were done -> clusters. Those of 0, its start, are drawn at the
            epoch before it, if there is one.
        history : list of dict, default=None
            `history_` of an estimator, to be drawn as well.
        name : str, default=None
            The title.
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **plot_params
            See :meth:`plot`.

        Returns
        -------
        TrainingDisplay
        """
        needs_matplotlib(cls, "from_predictions")
        return cls._build(y_true, labels, history, name).plot(ax=ax, **plot_params)

    @classmethod
    def _build(
        cls, y_true: Samples, labels: Any, history: Any, name: str | None
    ) -> Self:
        if (y_true is None) != (labels is None):
            raise ValueError(
                "The classes (y or y_true) and labels must be given together."
            )
        if history is None:
            n_epochs = max(labels) if isinstance(labels, dict) else len(labels)
            history = [{"phase": "cluster"}] * n_epochs
        elif not len(history):
            raise ValueError("history_ has no epochs: nothing was trained.")
        rows = list(history)
        phases = [row["phase"] for row in rows]
        rollbacks = {
            epoch: row["rollback"]
            for epoch, row in enumerate(rows, start=1)
            if "rollback" in row
        }
        return cls(
            phases,
            column(rows, "train_loss"),
            fractions=recorded(column(rows, "fraction")),
            label_changes=recorded(column(rows, "label_change")),
            learning_rates=recorded(column(rows, "lr")),
            rollbacks=rollbacks,
            scores=None if labels is None else scores_of(y_true, labels, phases),
            name=name,
        )

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
        values = {
            "loss": recorded(self.losses),
            "fraction": self.fractions,
            "label_change": self.label_changes,
            "learning_rate": self.learning_rates,
            "scores": self.scores,
        }
        values = {key: value for key, value in values.items() if value is not None}
        ax = one_axes(ax, (8, 1.6 + 1.5 * len(values)))
        heights = [1.6 if key == "loss" else 1 for key in values]
        panels = split_axes(ax, len(values), 1, height_ratios=heights, sharex=True)[
            :, 0
        ]
        self.axes_ = dict(zip(values, panels))
        style = {"linewidth": 1.5, **(line_kw or {})}
        self.lines_ = {
            key: self._draw_scores(panel, style)
            if key == "scores"
            else self._draw_phases(panel, values[key], style)
            for key, panel in self.axes_.items()
        }
        self._label_panels(values)
        self._mark_phases()
        self._mark_rollbacks()
        if self.name:
            panels[0].set_title(self.name, pad=18)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _epochs(self) -> Array:
        return np.arange(1, len(self.phases) + 1)

    def _spans(self) -> Any:
        """(phase, first, last epoch) of each run of epochs of one phase."""
        starts = [
            i for i, p in enumerate(self.phases) if i == 0 or p != self.phases[i - 1]
        ]
        ends = [*starts[1:], len(self.phases)]
        return [(self.phases[i], i + 1, end) for i, end in zip(starts, ends)]

    def _draw_phases(self, panel: Any, values: Array, style: dict[str, Any]) -> Any:
        """A line for each phase that has values, with gaps bridged within it."""
        lines = []
        epochs = self._epochs()
        for phase, first, last in self._spans():
            x, y = epochs[first - 1 : last], values[first - 1 : last]
            known = ~np.isnan(y)
            if known.any():
                marker = "o" if known.sum() <= FEW else None
                colour = phase_colour(phase)
                lines += panel.plot(
                    x[known], y[known], c=colour, marker=marker, ms=3, **style
                )
        return lines

    def _draw_scores(self, panel: Any, style: dict[str, Any]) -> Any:
        lines = []
        for (name, values), dashes in zip(self.scores.items(), cycle(DASHES)):
            known = ~np.isnan(values)
            if not known.any():
                continue
            x, y = self._epochs()[known], values[known]
            label = f"{name} (at last {y[-1]:.3f})"
            marker = "o" if known.sum() <= FEW else None
            lines += panel.plot(
                x, y, c="black", ls=dashes, marker=marker, ms=3, label=label, **style
            )
        if lines:
            panel.legend(fontsize=8)
        return lines

    def _label_panels(self, values: dict[str, Any]) -> None:
        names = {
            "loss": "loss",
            "fraction": "share of samples\nin training",
            "label_change": "share of labels\nchanged",
            "learning_rate": "learning rate",
            "scores": "score",
        }
        for key, panel in self.axes_.items():
            panel.set_ylabel(names[key], fontsize=9)
            panel.tick_params(which="both", labelsize=8)
            panel.grid(axis="y", alpha=0.3)
        if "fraction" in self.axes_:
            self.axes_["fraction"].set_ylim(0, 1.05)
        if "label_change" in self.axes_:
            top = 1.1 * np.nanmax(self.label_changes)
            self.axes_["label_change"].set_ylim(0, top or 1)
        if "loss" in values:
            losses = values["loss"][np.isfinite(values["loss"])]
            low, high = losses.min(initial=np.inf), losses.max(initial=0)
            if 0 < low < high / LOG_RANGE:
                self.axes_["loss"].set_yscale("log")
        last = list(self.axes_.values())[-1]
        last.set_xlabel("epoch, through all phases", fontsize=9)
        last.xaxis.get_major_locator().set_params(integer=True)

    def _mark_phases(self) -> None:
        """A line where a phase begins, and its name above the first panel."""
        panels = list(self.axes_.values())
        n_epochs = len(self.phases)
        for phase, first, last in self._spans():
            for panel in panels:
                if first > 1:
                    panel.axvline(first - 0.5, color="0.7", lw=1, zorder=0)
            short = (last + 1 - first) / n_epochs < 0.12
            panels[0].annotate(
                PHASES.get(phase, phase),
                ((first + last) / 2, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=7 if short else 9,
                color=phase_colour(phase),
            )
        panels[0].set_xlim(0.5, n_epochs + 0.5)

    def _mark_rollbacks(self) -> None:
        """Where the guard went back: a line through all panels, and the reason."""
        self.rollback_lines_ = []
        for epoch, reason in (self.rollbacks or {}).items():
            for panel in self.axes_.values():
                line = panel.axvline(epoch, color=ROLLBACK, ls=":", lw=1.3, zorder=1)
                self.rollback_lines_.append(line)
            next(iter(self.axes_.values())).annotate(
                f"rolled back: {reason}",
                (epoch, 0.97),
                xycoords=("data", "axes fraction"),
                xytext=(-3, 0),
                textcoords="offset points",
                rotation=90,
                ha="right",
                va="top",
                fontsize=7,
                color=ROLLBACK,
                bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.5},
            )


def column(rows: Any, key: Any) -> Array:
    """A value of each row of a history, NaN where it has none."""
    return np.array([row.get(key, np.nan) for row in rows], dtype=float)


def recorded(values: Array) -> Array | None:
    """None in the place of values of which none is known."""
    return None if np.isnan(values).all() else values


def phase_colour(phase: str) -> str:
    return COLOURS.get(phase, "#222222")
