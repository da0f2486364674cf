"""PacingDisplay: the shares of the curriculum, as planned and as trained."""

import functools

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from deepdensity import IDCLClustering
from deepdensity.curriculum import PACINGS
from deepdensity.inspection import PacingDisplay

from . import reference
from .common import decs, digit_vectors, idcl

X, _ = digit_vectors(120)


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


def test_all_pacings_are_drawn_beside_one_another():
    display = PacingDisplay.from_pacings(
        max_epochs=30, pacing_epochs=12, lambda_0=0.3, lambda_max=0.9
    )
    assert list(display.fractions) == list(PACINGS)
    for name, pacing in (
        ("exponential", reference.exponential_pacing),
        ("linear", reference.linear_pacing),
    ):
        expected = [
            reference.capped_fraction(pacing(t, 12, 0.3), 0.9) for t in range(30)
        ]
        assert_allclose(display.fractions[name], expected)
    assert (display.fractions["none"] == 1).all()
    for line, (name, shares) in zip(display.lines_, display.fractions.items()):
        assert line.get_label() == name
        assert_array_equal(line.get_xdata(), np.arange(30))
        assert_allclose(line.get_ydata(), shares)
    styles = {(line.get_color(), line.get_linestyle()) for line in display.lines_}
    assert len(styles) == 4


def test_start_cap_and_length_are_marked():
    display = PacingDisplay.from_pacings(
        ["linear"], max_epochs=9, lambda_0=0.5, lambda_max=0.95
    )
    assert display.pacing_epochs == 5
    marks = display.marks_
    assert_allclose(marks["lambda_0"].get_ydata(), 0.5)
    assert_allclose(marks["lambda_max"].get_ydata(), 0.95)
    assert_allclose(marks["pacing_epochs"].get_xdata(), 5)
    told = " ".join(text.get_text() for text in display.ax_.texts)
    assert "= 0.5" in told and "= 0.95" in told and "pacing_epochs = 5" in told


@pytest.mark.parametrize("saved_dpi", [50, 100, 300])
def test_the_name_of_the_cap_lies_on_no_curve(saved_dpi):
    for pacings in (None, ["linear", "power"]):
        display = PacingDisplay.from_pacings(pacings, lambda_max=0.97)
        display.figure_.set_dpi(saved_dpi)
        display.figure_.draw_without_rendering()
        name = next(text for text in display.ax_.texts if "max" in text.get_text())
        box = name.get_window_extent()
        points = [
            line.get_transform().transform(line.get_xydata()) for line in display.lines_
        ]
        assert not box.count_contains(np.concatenate(points))
        above = box.y0 > display.ax_.transData.transform((0, 0.97))[1]
        assert above == (pacings is not None)


def test_a_function_is_drawn_by_its_name():
    def steps(epoch, n_epochs, lambda_0):
        return lambda_0 if epoch < n_epochs else 1.0

    display = PacingDisplay.from_pacings([steps, "power"], max_epochs=4)
    assert_allclose(display.fractions["steps"], [0.9, 0.9, 1, 1])
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["steps", "power"]


def test_functions_of_one_name_are_told_apart():
    def share(epoch, n_epochs, lambda_0, step):
        return min(1.0, lambda_0 + step * epoch)

    parts = [functools.partial(share, step=step) for step in (0.1, 0.2)]
    twice = [lambda *args: 0.9, lambda *args: 1.0]
    display = PacingDisplay.from_pacings([*parts, *twice], lambda_0=0.5, max_epochs=3)
    shares = {
        "share(step=0.1)": [0.5, 0.6, 0.7],
        "share(step=0.2)": [0.5, 0.7, 0.9],
        "<lambda>": [0.9] * 3,
        "<lambda> (2)": [1.0] * 3,
    }
    assert list(display.fractions) == list(shares)
    for name, expected in shares.items():
        assert_allclose(display.fractions[name], expected)
    assert len(display.lines_) == 4


def test_unfitted_estimator_shows_its_plan():
    model = idcl(max_epochs=20, pacing="linear", pacing_epochs=8, lambda_0=0.2)
    display = PacingDisplay.from_estimator(model)
    expected = [0.2 + 0.8 * min(1, t / 8) for t in range(20)]
    assert_allclose(display.fractions["linear"], expected)
    assert display.pacing_epochs == 8 and display.name == "IDCLClustering"
    auto = PacingDisplay.from_estimator(IDCLClustering(3), max_epochs=6)
    assert len(auto.fractions["exponential"]) == 6 and auto.pacing_epochs == 3
    none = PacingDisplay.from_estimator(idcl(pacing="none"))
    assert "pacing_epochs" not in none.marks_


@pytest.mark.parametrize("max_epochs", [6, "auto"])
def test_fitted_estimator_shows_what_it_trained_on(max_epochs):
    model = idcl(max_epochs=max_epochs, tol=0, batch_size=4, pretrain_epochs=1)
    model = make_pipeline(MinMaxScaler(), model).fit(X)
    display = PacingDisplay.from_estimator(model)
    inner = model[-1]
    assert_allclose(display.fractions["exponential"], inner.curriculum_.fractions)
    assert display.pacing_epochs == -(-inner.n_iter_ // 2)


def test_the_length_of_the_pacing_is_that_of_the_fit():
    model = idcl(max_epochs=6, tol=0).fit(X)
    assert PacingDisplay.from_estimator(model).pacing_epochs == 3
    model.set_params(max_epochs=20)
    assert PacingDisplay.from_estimator(model).pacing_epochs == 3
    model.partial_fit(X)  # at full share
    assert PacingDisplay.from_estimator(model).pacing_epochs is None


def test_it_draws_again_on_other_axes():
    display = PacingDisplay.from_pacings()
    _, ax = plt.subplots()
    assert display.plot(ax, line_kw={"linewidth": 3}) is display
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert {line.get_linewidth() for line in display.lines_} == {3}


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (
            lambda: PacingDisplay.from_pacings(["cubic"]),
            ValueError,
            "'cubic', which is neither a function nor one of exponential",
        ),
        (
            lambda: PacingDisplay.from_pacings(lambda_0=0.9, lambda_max=0.5),
            ValueError,
            "lambda_0=0.9",
        ),
        (
            lambda: PacingDisplay.from_pacings([]),
            ValueError,
            "pacings is empty; None draws all",
        ),
        (
            lambda: PacingDisplay.from_pacings(max_epochs=0),
            ValueError,
            "max_epochs=0 must be at least 1",
        ),
        (
            lambda: PacingDisplay.from_estimator(IDCLClustering(3)),
            ValueError,
            'max_epochs="auto" depends on the data',
        ),
        (
            lambda: PacingDisplay.from_estimator(decs()),
            TypeError,
            "DECSClustering has no curriculum",
        ),
    ],
)
def test_bad_input(draw, error, message):
    with pytest.raises(error, match=message):
        draw()


def test_the_plan_of_a_search_that_is_not_fitted():
    search = GridSearchCV(IDCLClustering(max_epochs=4), {"lambda_0": [0.5]})
    display = PacingDisplay.from_estimator(search)
    assert display.name == "IDCLClustering"
    assert [len(shares) for shares in display.fractions.values()] == [4]
