"""SensitivityDisplay: means over candidates of a search, cell by cell."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import loguniform, uniform
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deepdensity.inspection import SensitivityDisplay

from .common import digit_vectors

X, _ = digit_vectors(120)


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def search():
    return GridSearchCV(
        KMeans(random_state=0),
        {"n_clusters": [10, 2, 5], "init": ["random", "k-means++"], "n_init": [1, 2]},
        cv=2,
        return_train_score=True,
    ).fit(X)


def results(**columns):
    return {"mean_test_score": columns.pop("score"), **columns}


def naive_mean(cv_results, score, **wanted):
    scores = [
        value
        for value, params in zip(cv_results[score], cv_results["params"])
        if all(params[name] == value for name, value in wanted.items())
    ]
    return np.mean(scores)


def test_of_several_scores_it_is_the_one_that_the_search_went_by():
    search = GridSearchCV(
        KMeans(random_state=0),
        {"n_clusters": [2, 5]},
        cv=2,
        scoring={"a": lambda model, *_: model.n_clusters, "b": lambda *_: 7.0},
        refit="b",
    ).fit(X)
    display = SensitivityDisplay.from_estimator(search)
    assert display.score_name == "mean_test_b"
    assert_array_equal(display.scores, [[7.0, 7.0]])
    display = SensitivityDisplay.from_estimator(search, score="mean_test_a")
    assert_array_equal(display.scores, [[2.0, 5.0]])


def test_of_a_single_score_the_name_of_refit_says_nothing():
    search = GridSearchCV(KMeans(), {"n_clusters": [2, 5]}, cv=2, refit="inertia")
    display = SensitivityDisplay.from_estimator(search.fit(X))
    assert display.score_name == "mean_test_score"


def test_cells_are_means_over_the_other_parameters(search):
    display = SensitivityDisplay.from_estimator(search, "n_clusters", "init")
    assert (display.param_x, display.param_y) == ("n_clusters", "init")
    assert display.values_x == ["2", "5", "10"]  # numbers ascend
    assert display.values_y == ["random", "k-means++"]  # names as they come
    for y, init in enumerate(display.values_y):
        for x, k in enumerate((2, 5, 10)):
            expected = naive_mean(
                search.cv_results_, "mean_test_score", n_clusters=k, init=init
            )
            assert display.scores[y, x] == pytest.approx(expected)
    assert_array_equal(display.counts, np.full((2, 3), 2))


def test_the_picture_shows_the_cells(search):
    display = SensitivityDisplay.from_estimator(search, "n_clusters", "init")
    assert_allclose(display.im_.get_array(), display.scores)
    for (y, x), text in np.ndenumerate(display.text_):
        assert text.get_text() == format(display.scores[y, x], ".3g")
        assert text.get_position() == (x, y)
    assert display.ax_.get_xlabel() == "n_clusters"
    assert display.ax_.get_ylabel() == "init"
    ticks = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    assert ticks == ["random", "k-means++"]
    assert display.colorbar_.ax.get_ylabel() == "mean_test_score"
    assert display.missing_ == []


def test_parameters_are_chosen_and_named_with_and_without_prefix(search):
    first = SensitivityDisplay.from_estimator(search)
    assert (first.param_x, first.param_y) == ("init", "n_clusters")
    other = SensitivityDisplay.from_estimator(search, param_y="param_init")
    assert (other.param_x, other.param_y) == ("n_clusters", "init")
    train = SensitivityDisplay.from_estimator(search, score="mean_train_score")
    assert train.score_name == "mean_train_score"
    assert not np.allclose(train.scores, first.scores)


def test_missing_and_failed_candidates_are_hatched():
    display = SensitivityDisplay.from_cv_results(
        results(
            param_a=[1, 1, 2, 2, 3],
            param_b=["u", "v", "u", "u", "v"],
            score=[0.5, np.nan, 0.1, 0.3, 0.9],
        )
    )
    expected = [[0.5, 0.2, np.nan], [np.nan, np.nan, 0.9]]
    assert_allclose(display.scores, expected)
    assert_array_equal(display.counts, [[1, 2, 0], [0, 0, 1]])
    corners = sorted(patch.get_xy() for patch in display.missing_)
    assert corners == [(-0.5, 0.5), (0.5, 0.5), (1.5, -0.5)]
    assert all(patch.get_hatch() for patch in display.missing_)
    written = [text is not None for text in display.text_.ravel()]
    assert_array_equal(written, ~np.isnan(np.ravel(expected)))


def test_candidates_without_the_parameter_are_left_out():
    masked = np.ma.array([1, 2, 0], mask=[False, False, True], dtype=object)
    display = SensitivityDisplay.from_cv_results(
        results(param_a=masked, param_b=["u", "v", "u"], score=[0.5, 0.6, 99.0])
    )
    assert display.values_x == ["1", "2"]
    assert_allclose(display.scores, [[0.5, np.nan], [np.nan, 0.6]])


def test_many_numbers_are_cut_into_spans():
    search = RandomizedSearchCV(
        KMeans(2, n_init=1),
        {"tol": loguniform(1e-5, 1e-1), "max_iter": list(range(1, 41))},
        n_iter=40,
        cv=2,
        random_state=0,
    ).fit(X[:20])
    display = SensitivityDisplay.from_estimator(search, "tol", "max_iter")
    assert display.scores.shape == (8, 8) and display.counts.sum() == 40
    tol = np.array([params["tol"] for params in search.cv_results_["params"]])
    edges = np.geomspace(tol.min(), tol.max(), 9)  # of equal ratios
    expected, _ = np.histogram(np.log(tol), np.log(edges))
    assert_array_equal(display.counts.sum(axis=0), expected)
    assert display.values_x[0] == f"{edges[0]:.2g} to {edges[1]:.2g}"
    max_iter = [params["max_iter"] for params in search.cv_results_["params"]]
    drawn = np.histogram(max_iter, np.linspace(min(max_iter), max(max_iter), 9))[0]
    assert_array_equal(display.counts.sum(axis=1), drawn)


def test_evenly_spread_numbers_get_spans_of_equal_length():
    numbers = uniform(0.1, 0.8).rvs(50, random_state=0)
    display = SensitivityDisplay.from_cv_results(
        results(param_a=numbers, param_b=[1, 2] * 25, score=np.arange(50.0))
    )
    edges = np.linspace(numbers.min(), numbers.max(), 9)
    assert_array_equal(display.counts.sum(axis=0), np.histogram(numbers, edges)[0])
    assert display.values_y == ["1", "2"]


def test_steps_of_a_pipeline_and_functions_have_names():
    def own(X, n_clusters, random_state):
        return X[:n_clusters]

    search = GridSearchCV(
        make_pipeline(StandardScaler(), KMeans(n_init=1, random_state=0)),
        {"kmeans__init": [own, "random"], "standardscaler__with_std": [True, False]},
        cv=2,
    ).fit(X)
    display = SensitivityDisplay.from_estimator(search)
    assert display.param_x == "kmeans__init"
    assert display.values_x == ["own", "random"]
    assert display.values_y == ["True", "False"]


def test_data_frames_will_do(search):
    frame = pd.DataFrame(search.cv_results_)
    display = SensitivityDisplay.from_cv_results(frame, "n_clusters", "init")
    expected = SensitivityDisplay.from_estimator(search, "n_clusters", "init")
    assert_allclose(display.scores, expected.scores)


def test_it_draws_again_without_values_and_bar(search):
    display = SensitivityDisplay.from_estimator(search)
    _, ax = plt.subplots()
    again = display.plot(
        ax, include_values=False, colorbar=False, cmap="cividis", im_kw={"vmin": 0}
    )
    assert again is display and display.ax_ is ax and display.figure_ is ax.figure
    assert display.text_ is None and display.colorbar_ is None
    assert display.im_.get_cmap().name == "cividis" and display.im_.norm.vmin == 0
    assert len(ax.texts) == 0


def test_unfitted_search_is_refused():
    with pytest.raises(TypeError, match="must be a search, with cv_results_.*KMeans"):
        SensitivityDisplay.from_estimator(KMeans(2).fit(X))
    with pytest.raises(NotFittedError, match="GridSearchCV"):
        SensitivityDisplay.from_estimator(
            GridSearchCV(KMeans(), {"n_clusters": [2, 3]})
        )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"param_x": "c"}, "param_x='c' must be one of a, b, one"),
        ({"param_y": "c"}, "param_y='c' must be one of a, b, one"),
        ({"param_x": "a", "param_y": "a"}, "must be two parameters"),
        ({"score": "mean"}, "score='mean' must be one of mean_test_score"),
    ],
)
def test_bad_input(params, message):
    given = results(param_a=[1, 2], param_b=[3, 4], param_one=[5, 5], score=[0.1, 0.2])
    with pytest.raises(ValueError, match=message):
        SensitivityDisplay.from_cv_results(given, **params)


@pytest.mark.parametrize("chosen", [{}, {"param_x": "a"}])
def test_one_varying_parameter_makes_a_row(chosen):
    given = results(param_one=[5, 5, 5], param_a=[2, 1, 2], score=[0.1, 0.2, 0.3])
    display = SensitivityDisplay.from_cv_results(given, **chosen)
    assert (display.param_x, display.param_y) == ("a", None)
    assert_allclose(display.scores, [[0.2, 0.2]])
    assert_array_equal(display.counts, [[1, 2]])
    assert (display.values_x, display.values_y) == (["1", "2"], [""])
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("a", "")
    assert len(display.ax_.get_yticks()) == 0
    display = SensitivityDisplay.from_cv_results(given, param_y="one")
    assert (display.param_x, display.param_y) == ("a", "one")
    assert display.scores.shape == (1, 2)


@pytest.mark.parametrize(
    ("given", "param_y"),
    [
        (results(param_a=[1, 2], param_one=[5, 5], score=[0.1, 0.2]), "a"),
        (results(param_a=[1, 1], param_one=[5, 5], score=[0.1, 0.2]), None),
    ],
)
def test_no_parameter_for_the_columns(given, param_y):
    with pytest.raises(ValueError, match=r"there is none among a, one\."):
        SensitivityDisplay.from_cv_results(given, param_y=param_y)


def test_of_a_halving_search_the_last_iteration_of_each_candidate_counts():
    values = [0.4, 0.6, 0.4]
    results = {
        "param_lambda_0": values,
        "param_lambda_max": [0.9, 0.9, 0.9],
        "params": [{"lambda_0": v, "lambda_max": 0.9} for v in values],
        "iter": [0, 0, 1],
        "mean_test_score": [0.5, 0.3, 0.9],
    }
    display = SensitivityDisplay.from_cv_results(
        results, param_x="lambda_0", param_y="lambda_max"
    )
    assert_array_equal(display.scores, [[0.9, 0.3]])
    assert_array_equal(display.counts, [[1, 1]])


def test_what_is_nan_in_a_data_frame_is_not_a_value():
    masked = np.ma.array([0.4, 0.6, 0.0], mask=[False, False, True])
    results = {
        "param_lambda_0": masked,
        "param_tol": np.ma.array([0.1, 0.1, 0.2]),
        "mean_test_score": [0.5, 0.6, 0.7],
    }
    frame = pd.DataFrame(results)
    for given in (results, frame):
        display = SensitivityDisplay.from_cv_results(
            given, param_x="lambda_0", param_y="tol"
        )
        assert list(display.values_x) == ["0.4", "0.6"]


def test_different_values_of_one_name_have_a_cell_each():
    def pacing(scale):
        def steps(epoch, n_epochs, lambda_0):
            return scale

        return steps

    functions = [pacing(0.5), pacing(1.0)]
    labels = [np.zeros(9), np.ones(9)]  # as for `init`
    grid = [(f, start) for f in functions for start in labels]
    display = SensitivityDisplay.from_cv_results(
        {
            "param_pacing": [f for f, _ in grid],
            "param_init": [start.copy() for _, start in grid],
            "mean_test_score": [1.0, 2.0, 3.0, 4.0],
        },
        "init",
        "pacing",
    )
    assert_array_equal(display.scores, [[1, 2], [3, 4]])
    assert display.values_y == ["steps", "steps (2)"]
    assert display.values_x == ["ndarray (9,)", "ndarray (9,) (2)"]


def test_numbers_alike_in_six_digits_are_told_apart():
    lambdas = [0.1, 0.10000001, 0.5]
    display = SensitivityDisplay.from_cv_results(
        {
            "param_lambda_0": lambdas * 2,
            "param_guard": [True] * 3 + [1] * 3,  # no number beside a number
            "mean_test_score": np.arange(6.0),
        }
    )
    assert display.values_x == ["0.1", "0.10000001", "0.5"]
    assert display.values_y == ["True", "1"]
    assert_array_equal(display.scores, np.arange(6).reshape(2, 3))
