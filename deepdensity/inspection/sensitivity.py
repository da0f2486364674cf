"""SensitivityDisplay: how a score depends on two parameters, or one."""

from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import MetaEstimatorMixin
from sklearn.utils.validation import check_is_fitted

from .._typing import Array, Axes, Estimator
from ._axes import needs_matplotlib, one_axes
from ._names import distinct_values, names_of_numbers, short_name, told_apart
from ._palette import ink_on

__all__ = ["SensitivityDisplay"]

MAX_VALUES = 12  # numbers of a parameter; more, as a random search draws, are binned
N_BINS = 8
LOG_RANGE = 50  # positive numbers that span more than this get bins of equal ratio


class SensitivityDisplay:
    """Heat map of a score over two parameters (Cheng et al. 2024, Fig. 4).

    Make one by :meth:`from_estimator`, of a fitted search, or :meth:`from_cv_results`;
    there is no ``from_predictions``, since a search is judged by scores. A cell is the
    mean of the candidates that have its two values, whatever their other parameters
    are; one without candidates, or whose fits have all failed, is hatched. A parameter
    of more than 12 different numbers, as a randomised search has, is cut into 8 spans.
    A search over one parameter makes a single row. Different functions of one name have
    a number behind it, in the order of the search.

    Parameters
    ----------
    scores : ndarray of shape (n_y, n_x)
        Mean of the candidates; NaN where there is none.
    counts : int ndarray of shape (n_y, n_x)
        Number of candidates.
    values_x, values_y : list of str
        What the columns and the rows stand for.
    param_x, param_y : str
        Names of the parameters; `param_y` is None where there is one only.
    score_name : str, default="score"

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    im_ : matplotlib AxesImage
    text_ : ndarray of matplotlib Text, shape (n_y, n_x), or None
        None in the place of a missing cell's.
    missing_ : list of matplotlib Rectangle
        The hatched cells.
    colorbar_ : matplotlib Colorbar or None

    Examples
    --------
    >>> from deepdensity.inspection import SensitivityDisplay
    >>> display = SensitivityDisplay.from_cv_results({
    ...     "param_lambda_0": [0.4, 0.4, 0.6, 0.6],
    ...     "param_pacing": ["linear", "none", "linear", "none"],
    ...     "mean_test_score": [0.7, 0.6, 0.8, 0.6],
    ... })
    >>> display.param_x, display.values_x, display.scores.tolist()
    ('lambda_0', ['0.4', '0.6'], [[0.7, 0.8], [0.6, 0.6]])
    """

    def __init__(
        self,
        scores: Array,
        counts: Array,
        values_x: list[str],
        values_y: list[str],
        *,
        param_x: str,
        param_y: str | None = None,
        score_name: str = "score",
    ) -> None:
        self.scores = scores
        self.counts = counts
        self.values_x = values_x
        self.values_y = values_y
        self.param_x = param_x
        self.param_y = param_y
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        param_x: str | None = None,
        param_y: str | None = None,
        score: str | None = None,
        *,
        ax: Axes = None,
        **plot_params: Any,
    ) -> Self:
        """Draw the results of a fitted search.

        Parameters
        ----------
        estimator : GridSearchCV, RandomizedSearchCV or the like
            Fitted: with `cv_results_`.
        param_x, param_y : str, default=None
            Names of parameters. None takes the first that have several values, and for
            `param_y` none if there is no other.
        score : str, default=None
            Key of `cv_results_`. None takes the mean of the score that the search went
            by, "mean_test_score" or, of several, the one that `refit` names.
        ax : matplotlib Axes, default=None
            None makes a new figure.
        **plot_params
            See :meth:`plot`.

        Returns
        -------
        SensitivityDisplay
        """
        needs_matplotlib(cls, "from_estimator")
        may_search = isinstance(estimator, MetaEstimatorMixin)
        if not may_search and not hasattr(estimator, "cv_results_"):
            raise TypeError(
                "estimator must be a search, with cv_results_ as GridSearchCV has; got "
                f"{type(estimator).__name__}."
            )
        check_is_fitted(estimator, "cv_results_")
        if score is None:
            refit = getattr(estimator, "refit", None)
            several = getattr(estimator, "multimetric_", False)
            named = several and isinstance(refit, str)
            score = f"mean_test_{refit if named else 'score'}"
        return cls.from_cv_results(
            estimator.cv_results_, param_x, param_y, score, ax=ax, **plot_params
        )

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Any,
        param_x: str | None = None,
        param_y: str | None = None,
        score: str = "mean_test_score",
        *,
        ax: Axes = None,
        **plot_params: Any,
    ) -> Self:
        """Draw the results of a search, given as a dict or data frame.

        Parameters
        ----------
        cv_results : dict of str to array-like, or DataFrame
            With ``"param_"`` and the names of the parameters, and `score`.
        score : str, default="mean_test_score"
            Key of `cv_results`.
        param_x, param_y, ax, **plot_params
            As in :meth:`from_estimator`.

        Returns
        -------
        SensitivityDisplay
        """
        needs_matplotlib(cls, "from_cv_results")
        if score not in cv_results:
            known = [key for key in cv_results if key.startswith(("mean_", "split"))]
            raise ValueError(f"score={score!r} must be one of {', '.join(known)}.")
        params = {
            key.removeprefix("param_"): list(cv_results[key])
            for key in cv_results
            if key.startswith("param_")
        }
        param_x, param_y = choose_params(params, param_x, param_y)
        values = np.asarray(cv_results[score], dtype=float)
        columns, values_x = as_cells(params[param_x])
        if param_y is None:
            rows, values_y = np.zeros_like(columns), [""]
        else:
            rows, values_y = as_cells(params[param_y])
        counts = np.zeros((len(values_y), len(values_x)), dtype=int)
        totals = np.zeros(counts.shape)
        known = (columns >= 0) & (rows >= 0) & ~np.isnan(values)
        if "iter" in cv_results:  # of a halving search
            known &= last_iteration(cv_results["params"], cv_results["iter"])
        np.add.at(counts, (rows[known], columns[known]), 1)
        np.add.at(totals, (rows[known], columns[known]), values[known])
        scores = np.divide(
            totals, counts, out=np.full(counts.shape, np.nan), where=counts > 0
        )
        return cls(
            scores,
            counts,
            values_x,
            values_y,
            param_x=param_x,
            param_y=param_y,
            score_name=score,
        ).plot(ax=ax, **plot_params)

    def plot(
        self,
        ax: Axes = None,
        *,
        cmap: Any = "viridis",
        include_values: bool = True,
        values_format: str = ".3g",
        colorbar: bool = True,
        im_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        cmap : str or matplotlib Colormap, default="viridis"
        include_values : bool, default=True
            Whether to write the scores into the cells.
        values_format : str, default=".3g"
        colorbar : bool, default=True
        im_kw : dict, default=None
            For matplotlib's `imshow`.

        Returns
        -------
        self
        """
        needs_matplotlib(type(self), "plot")
        from matplotlib.patches import Rectangle

        n_y, n_x = self.scores.shape
        ax = one_axes(ax, (2.2 + 0.75 * n_x, 1.6 + 0.6 * n_y))
        style = {"cmap": cmap, "aspect": "auto", "interpolation": "nearest"}
        self.im_ = ax.imshow(self.scores, **{**style, **(im_kw or {})})
        missing = np.isnan(self.scores)
        self.missing_ = [
            ax.add_patch(
                Rectangle(
                    (x - 0.5, y - 0.5), 1, 1, fill=False, hatch="///", ec="0.6", lw=0
                )
            )
            for y, x in np.argwhere(missing)
        ]
        self.text_ = None
        if include_values:
            self.text_ = np.full(self.scores.shape, None, dtype=object)
            for y, x in np.argwhere(~missing):
                value = self.scores[y, x]
                self.text_[y, x] = ax.text(
                    x,
                    y,
                    format(value, values_format),
                    ha="center",
                    va="center",
                    fontsize=9,
                    color=ink_on(self.im_.cmap(self.im_.norm(value))),
                )
        slanted = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
        is_long = max(map(len, self.values_x)) > 6
        ax.set_xticks(range(n_x), self.values_x, **(slanted if is_long else {}))
        if self.param_y is None:
            ax.set_yticks([])
        else:
            ax.set_yticks(range(n_y), self.values_y)
        ax.set(xlabel=self.param_x, ylabel=self.param_y or "")
        self.colorbar_ = None
        if colorbar and not missing.all():
            self.colorbar_ = ax.figure.colorbar(self.im_, ax=ax, label=self.score_name)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self


def choose_params(params: Any, param_x: str | None, param_y: str | None) -> Any:
    """Two names of `params`: those given, else the first that have several values.

    The second is None where nothing is left for it.
    """
    given = [
        None if name is None else name.removeprefix("param_")
        for name in (param_x, param_y)
    ]
    for which, name in zip(("param_x", "param_y"), given):
        if name is not None and name not in params:
            raise ValueError(f"{which}={name!r} must be one of {', '.join(params)}.")
    varying = [
        name
        for name, values in params.items()
        if len(as_cells(values)[1]) > 1 and name not in given
    ]
    names = [name or (varying.pop(0) if varying else None) for name in given]
    if names[0] is None:
        raise ValueError(
            f"param_x=None takes a parameter that has several values, and is not "
            f"param_y={param_y!r}: there is none among {', '.join(params)}."
        )
    if names[0] == names[1]:
        raise ValueError(
            f"param_x={param_x!r} and param_y={param_y!r} must be two parameters, of "
            f"{', '.join(params)}."
        )
    return names


def last_iteration(params: Any, iterations: Any) -> Array:
    """Whether a row is its candidate's last: bool array (n_rows,).

    Those before are of fewer samples, or of less of another resource.
    """
    last: dict[str, int] = {}
    for i, one in zip(iterations, params):
        last[repr(one)] = max(i, last.get(repr(one), i))
    return np.array([last[repr(one)] == i for i, one in zip(iterations, params)])


def as_cells(values: list[Any] | Array) -> tuple[Array, list[str]]:
    """The place of each value on an axis, and what the axis says there.

    Returns
    -------
    places : int array of shape (n_candidates,)
        -1 for a parameter that the candidate does not have.
    names : list of str
        Numbers in ascending order, spans where they are many; others as they come.
    """
    present = [i for i, value in enumerate(values) if not is_absent(value)]
    places = np.full(len(values), -1)
    kept = [values[i] for i in present]
    if kept and all(is_number(value) for value in kept):
        numbers = np.unique(np.array(kept, dtype=float))
        if len(numbers) > MAX_VALUES:
            places[present], names = in_spans(np.array(kept, dtype=float))
            return places, names
        places[present] = np.searchsorted(numbers, np.array(kept, dtype=float))
        return places, names_of_numbers(numbers)
    found, distinct = distinct_values(kept)
    places[present] = found
    return places, told_apart([short_name(value) for value in distinct])


def in_spans(numbers: Any) -> Any:
    """The span that each number falls into, and the spans' names."""
    low, high = numbers.min(), numbers.max()
    by_ratio = low > 0 and high > LOG_RANGE * low
    edges = (np.geomspace if by_ratio else np.linspace)(low, high, N_BINS + 1)
    places = np.searchsorted(edges[1:-1], numbers, side="right")
    return places, [f"{a:.2g} to {b:.2g}" for a, b in zip(edges, edges[1:])]


def is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def is_absent(value: Any) -> bool:
    """Masked, as in the results of a search, or NaN, as in a data frame of them."""
    return value is np.ma.masked or (isinstance(value, float) and value != value)
