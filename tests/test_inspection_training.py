"""TrainingDisplay: the history as it was recorded, and scores over the epochs."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import normalized_mutual_info_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import ExponentialLR

from deepdensity.callbacks import LabelRecorder
from deepdensity.inspection import TrainingDisplay
from deepdensity.metrics import clustering_accuracy

from .common import decs, digit_vectors, idcl

X, Y = digit_vectors(150)


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted():
    return idcl(max_epochs=5, refresh_interval=4).fit(X)


def history(n_pretrain=3, n_cluster=4, **last):
    rows = [{"phase": "pretrain", "train_loss": 1 / (i + 1)} for i in range(n_pretrain)]
    rows += [{"phase": "cluster", "train_loss": 2.0 - i} for i in range(n_cluster)]
    rows[-1].update(last)
    return rows


def test_history_of_idcl_is_drawn(fitted):
    display = TrainingDisplay.from_estimator(fitted)
    rows = fitted.history_
    assert display.phases == ["pretrain"] * 8 + ["cluster"] * 5
    assert_allclose(display.losses, [row["train_loss"] for row in rows])
    assert_allclose(display.fractions[8:], fitted.curriculum_.fractions)
    assert np.isnan(display.fractions[:8]).all()
    rates = fitted.history_[:, "lr"]
    assert_array_equal(display.learning_rates, rates)
    assert display.scores is None
    assert sorted(display.axes_) == [
        "fraction",
        "label_change",
        "learning_rate",
        "loss",
    ]
    pretrain, cluster = display.lines_["loss"]
    assert_array_equal(pretrain.get_xdata(), np.arange(1, 9))
    assert_array_equal(cluster.get_xdata(), np.arange(9, 14))
    assert_allclose(cluster.get_ydata(), display.losses[8:])
    (change,) = display.lines_["label_change"]
    noted = [
        (epoch, row["label_change"])
        for epoch, row in enumerate(rows, start=1)
        if "label_change" in row
    ]
    assert_allclose(np.transpose(change.get_data()), noted)
    assert len(noted) < 5  # not refreshed before every epoch
    told = [text.get_text() for text in display.axes_["loss"].texts]
    assert told == ["pretraining", "clustering"]
    assert display.axes_["loss"].get_title() == "IDCLClustering"
    assert display.rollbacks == {} and display.rollback_lines_ == []


def test_decs_in_a_pipeline_has_a_decoder_phase():
    model = make_pipeline(MinMaxScaler(), decs()).fit(X)
    display = TrainingDisplay.from_estimator(model)
    assert display.phases == [row["phase"] for row in model[-1].history_]
    assert display.phases[-1] == "decoder" and len(display.lines_["loss"]) == 3
    assert sorted(display.axes_) == ["label_change", "learning_rate", "loss"]


def test_learning_rates_of_a_scheduler_are_drawn():
    scheduler = LRScheduler(ExponentialLR, gamma=0.5)
    model = decs(callbacks=[scheduler], schedule="constant", lr=1e-3).fit(X)
    display = TrainingDisplay.from_estimator(model)
    assert_allclose(display.learning_rates[:8], 1e-3 * 0.5 ** np.arange(8))
    drawn = display.lines_["learning_rate"][0]
    assert_allclose(drawn.get_ydata(), display.learning_rates[:8])


def test_a_history_without_learning_rates_has_no_panel_of_them():
    rows = history(1, 1)
    display = TrainingDisplay.from_predictions([0, 1], [[0, 1]], history=rows)
    assert display.learning_rates is None
    assert "learning_rate" not in display.axes_


def test_rollbacks_are_marked_in_every_panel():
    rows = history(2, 3, rollback="collapsed", label_change=0.5)
    display = TrainingDisplay.from_predictions([0, 1], [[0, 1]] * 3, history=rows)
    assert display.rollbacks == {5: "collapsed"}
    assert len(display.rollback_lines_) == len(display.axes_) == 3
    assert all(set(line.get_xdata()) == {5} for line in display.rollback_lines_)
    told = [text.get_text() for text in display.axes_["loss"].texts]
    assert "rolled back: collapsed" in told


def test_scores_against_classes(fitted):
    random = np.random.default_rng(0)
    labels = [
        np.where(random.random(150) < noise, random.integers(10, size=150), Y)
        for noise in (0.8, 0.5, 0.3, 0.2, 0.1)
    ]
    display = TrainingDisplay.from_estimator(fitted, y=Y, labels=labels)
    for name, score in (
        ("ACC", clustering_accuracy),
        ("NMI", normalized_mutual_info_score),
    ):
        expected = [score(Y, clusters) for clusters in labels]
        assert_allclose(display.scores[name][8:], expected)
        assert np.isnan(display.scores[name][:8]).all()
    acc, nmi = display.lines_["scores"]
    assert_array_equal(acc.get_xdata(), np.arange(9, 14))
    assert_allclose(nmi.get_ydata(), display.scores["NMI"][8:])
    told = [text.get_text() for text in display.axes_["scores"].get_legend().texts]
    assert told[0] == f"ACC (at last {display.scores['ACC'][-1]:.3f})"


def test_scores_alone_and_of_all_phases():
    display = TrainingDisplay.from_predictions(
        list("aabb"), [[0, 0, 0, 1], None, [1, 1, 0, 0]]
    )
    assert list(display.axes_) == ["scores"]
    assert_allclose(display.scores["ACC"], [0.75, np.nan, 1])
    acc = display.lines_["scores"][0]
    assert_array_equal(acc.get_xdata(), [1, 3])
    both = TrainingDisplay.from_predictions(
        [0, 1], [[0, 1]] * 7, history=history(), name="mine"
    )
    assert_allclose(both.scores["NMI"], np.ones(7))
    assert both.axes_["loss"].get_title() == "mine"


def test_losses_of_wide_range_are_on_a_log_scale():
    rows = history()
    plain = TrainingDisplay.from_predictions([0, 1], [[0, 1]] * 4, history=rows)
    assert plain.axes_["loss"].get_yscale() == "linear"  # one of them is negative
    rows[3:] = [{"phase": "cluster", "train_loss": 50.0}] * 4
    wide = TrainingDisplay.from_predictions([0, 1], [[0, 1]] * 4, history=rows)
    assert wide.axes_["loss"].get_yscale() == "log"


def test_losses_that_are_all_infinite_are_no_error():
    rows = [{"phase": "cluster", "train_loss": np.inf}] * 7
    display = TrainingDisplay.from_predictions([0, 1], [[0, 1]] * 7, history=rows)
    assert display.axes_["loss"].get_yscale() == "linear"


def test_it_draws_in_the_place_of_other_axes(fitted):
    display = TrainingDisplay.from_estimator(fitted)
    _, axes = plt.subplots(1, 2)
    assert display.plot(axes[0], line_kw={"linewidth": 3}) is display
    assert display.ax_ is axes[0] and not axes[0].axison
    right = axes[0].get_position().x1
    panels = list(display.axes_.values())
    assert all(panel.get_position().x1 <= right + 1e-9 for panel in panels)
    assert panels[0].get_shared_x_axes().joined(*panels[:2])
    assert display.lines_["loss"][0].get_linewidth() == 3


@pytest.mark.parametrize(
    ("labels", "rows", "message"),
    [
        ([[0, 1]] * 5, history(), "list of 5; there are 4 epochs .* and 7 of all"),
        ([[0, 1, 1]] * 4, history(), "3 labels of an epoch, and y_true has 2"),
        ([None] * 4, history(), "no labels of any epoch"),
        ([[0, 1]], [], "history_ has no epochs"),
    ],
)
def test_bad_input(labels, rows, message):
    with pytest.raises(ValueError, match=message):
        TrainingDisplay.from_predictions([0, 1], labels, history=rows)


def test_any_number_of_scores_is_drawn_but_those_without_values():
    scores = {str(i): np.array([0.1, 0.2 * i]) for i in range(6)}
    display = TrainingDisplay(
        ["pretrain", "cluster"],
        np.ones(2),
        scores={**scores, "none": np.full(2, np.nan)},
    ).plot()
    told = [text.get_text() for text in display.axes_["scores"].get_legend().texts]
    assert told == [f"{i} (at last {0.2 * i:.3f})" for i in range(6)]
    assert len(display.lines_["scores"]) == 6


def test_classes_and_labels_need_one_another(fitted):
    with pytest.raises(ValueError, match="y_true.* and labels must be given together"):
        TrainingDisplay.from_estimator(fitted, labels=[Y] * 5)
    with pytest.raises(ValueError, match="y_true.* and labels must be given together"):
        TrainingDisplay.from_predictions(Y, None)
    with pytest.raises(ValueError, match="150 labels of an epoch, and y_true has 149"):
        TrainingDisplay.from_estimator(fitted, y=Y[1:])


# -- scores of an estimator ------------------------------------------------------------


def scores_at(display):
    """Epoch, from 1, -> ACC, as the line has it."""
    return dict(np.transpose(display.lines_["scores"][0].get_data()))


def test_classes_alone_give_the_scores_of_start_and_end(fitted):
    display = TrainingDisplay.from_estimator(fitted, y=Y)
    expected = {
        8: clustering_accuracy(Y, fitted.pretrain_labels_),
        13: clustering_accuracy(Y, fitted.labels_),
    }
    assert scores_at(display) == pytest.approx(expected)
    nmi = normalized_mutual_info_score(Y, fitted.labels_)
    assert display.scores["NMI"][-1] == pytest.approx(nmi)
    assert set(display.axes_) > {"loss", "scores"}
    named = TrainingDisplay.from_estimator(fitted, y=list(map(str, Y)))
    assert_array_equal(named.scores["ACC"], display.scores["ACC"])


@pytest.mark.parametrize("as_tuple", [False, True])
def test_a_recorder_gives_the_scores_of_every_refresh(as_tuple):
    recorder = LabelRecorder()
    callbacks = [("labels", recorder)] if as_tuple else [LRScheduler, recorder]
    model = idcl(
        callbacks=callbacks, refresh_interval=4, max_epochs=5, schedule="constant"
    ).fit(X)
    display = TrainingDisplay.from_estimator(model, y=Y)
    expected = {
        8 + epoch: clustering_accuracy(Y, labels)
        for epoch, labels in {**recorder.labels_, 5: model.labels_}.items()
    }
    assert list(expected) == [8, 10, 12, 13]  # two steps an epoch
    assert scores_at(display) == pytest.approx(expected)
    again = TrainingDisplay.from_predictions(
        Y, recorder.labels_, history=model.history_
    )
    assert_array_equal(again.scores["ACC"][:12], display.scores["ACC"][:12])
    given = TrainingDisplay.from_estimator(model, y=Y, labels=[None] * 4 + [Y])
    assert scores_at(given) == {13: 1}


def test_scores_of_a_pipeline_and_a_search_are_those_of_their_recorder():
    recorder = LabelRecorder()
    pipeline = make_pipeline(MinMaxScaler(), decs(callbacks=[recorder]))
    display = TrainingDisplay.from_estimator(pipeline.fit(X), y=Y)
    assert len(recorder.labels_) == 3
    assert list(scores_at(display)) == [8, 9, 10, 11]
    assert display.phases[11:] == ["decoder"] * len(display.phases[11:]) != []
    few = {"max_iter": 4, "pretrain_epochs": 1, "tol": 0}
    search = GridSearchCV(decs(callbacks=[LabelRecorder()], **few), {"alpha": [1.0]})
    display = TrainingDisplay.from_estimator(search.set_params(cv=2).fit(X), y=Y)
    assert list(scores_at(display)) == [1, 2]


def test_without_an_epoch_before_it_the_start_is_not_drawn():
    short = TrainingDisplay.from_predictions([0, 1], {0: [0, 0], 2: [0, 1]})
    assert scores_at(short) == {2: 1}
    model = decs(max_iter=0).fit(X)
    display = TrainingDisplay.from_estimator(model, y=Y)
    assert scores_at(display) == {8: clustering_accuracy(Y, model.labels_)}


def test_labels_of_epochs_that_there_were_not():
    with pytest.raises(ValueError, match=r"dict of \[0, 5\].* from 0 to 4"):
        TrainingDisplay.from_predictions(
            [0, 1], {0: [0, 1], 5: [0, 1]}, history=history()
        )
