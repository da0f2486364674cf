"""Ctrl-C in a fit: what is kept, what is said, and what a callback may do all the same.

The signals are real: they are raised by callbacks and by patched functions, in the main
thread, where Python handles them.
"""

import signal
import threading
import warnings

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EarlyStopping

from deepdensity import DECSClustering, IDCLClustering, base, first_clusters
from deepdensity.model_selection import InSampleSplit
from deepdensity.networks.mlp import MLPAutoencoder
from deepdensity.training import interruption as interruption_module
from deepdensity.training.interruption import Interrupted, Interruption

from .common import (
    BOTH,
    ctrl_c_is_heard,
    decs,
    digit_images,
    digit_vectors,
    idcl,
    small_conv,
)


@pytest.fixture(autouse=True)
def signals_are_heard(monkeypatch):
    """Presses of different fits come slowly, unless a test says otherwise."""
    monkeypatch.setattr(interruption_module, "SOON", 0)
    with ctrl_c_is_heard():
        yield


def ctrl_c():
    signal.raise_signal(signal.SIGINT)


class Interrupt(Callback):
    """Presses Ctrl-C, `times` times, in the step-th batch of a phase."""

    def __init__(self, phase, step=2, times=1):
        self.phase = phase
        self.step = step
        self.times = times
        self.ends = []

    def initialize(self):
        self.n_steps = 0
        return self

    def on_batch_end(self, net, **kwargs):
        self.n_steps += net.phase == self.phase
        if net.phase == self.phase and self.n_steps == self.step:
            for _ in range(self.times):
                ctrl_c()

    def on_train_end(self, net, **kwargs):
        self.ends.append(net.phase)


def interrupted_fit(model, X, message):
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        model.fit(X)
    # at the user's line, and so is another of clusters that so short a fit has lost
    told = [str(warning.message) for warning in caught]
    assert [warning.filename for warning in caught] == [__file__] * len(told)
    assert sum("distinct clusters" not in message for message in told) == 1
    assert_usable(model, X)
    return model


def assert_usable(model, X):
    assert_array_equal(model.predict(X), model.labels_)
    assert np.isfinite(model.embedding_).all()
    assert np.isfinite(model.score(X))
    assert len(np.unique(model.labels_)) > 1
    assert model.inverse_transform(model.embedding_).shape == X.shape
    assert not hasattr(model, "_interruption")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def rows_of(model, phase):
    return [row for row in model.history_ if row["phase"] == phase]


# -- in each phase ---------------------------------------------------------------------


@pytest.mark.parametrize("short", BOTH)
def test_in_the_pretraining_what_is_trained_is_kept_with_a_k_means_start(short):
    X, _ = digit_vectors(200)
    press = Interrupt("pretrain", step=5)
    model = short(callbacks=[press], guard=True)
    message = r"in the pretraining phase, after 3 epochs \(5 steps\)"
    interrupted_fit(model, X, message)
    assert press.ends == ["pretrain"]
    assert len(model.history_) == 3
    assert np.isfinite(model.history_[:, "train_loss"]).all()
    assert model.n_iter_ == 0
    assert_array_equal(model.labels_.shape, model.pretrain_labels_.shape)
    trained = short(pretrain_epochs=0).fit(X)
    assert not np.array_equal(trained.embedding_, model.embedding_)


@pytest.mark.parametrize("short", BOTH)
def test_in_the_clustering_phase_the_present_state_is_kept(short):
    X, _ = digit_vectors(200)
    press = Interrupt("cluster", step=5)
    model = short(callbacks=[press], tol=0, lr=1e-5)
    n_epochs = 3 if short is idcl else 2
    message = rf"in the clustering phase, after {n_epochs} epochs \(5 steps\)"
    interrupted_fit(model, X, message)
    assert len(rows_of(model, "cluster")) == n_epochs
    assert model.n_iter_ == (3 if short is idcl else 5)
    assert not rows_of(model, "decoder")
    plain = short(tol=0, lr=1e-5).fit(X)
    start = short(**{"max_epochs" if short is idcl else "max_iter": 0}, lr=1e-5).fit(X)
    moved = np.abs(model.embedding_ - start.embedding_).max()
    assert 0 < moved < np.abs(plain.embedding_ - start.embedding_).max()


@pytest.mark.parametrize("short", BOTH)
def test_a_state_that_is_not_good_gives_way_to_the_last_good_one(short):
    X, _ = digit_vectors(200)

    class Spoil(Interrupt):
        def on_batch_end(self, net, **kwargs):
            super().on_batch_end(net, **kwargs)
            if self.n_steps == self.step:
                for parameter in net.module_.parameters():
                    parameter.data.fill_(float("nan"))

    model = short(callbacks=[Spoil("cluster", step=6)], tol=0, guard=True, lr=1e-5)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X)
    told = " ".join(str(warning.message) for warning in caught)
    assert "diverged 1 time" in told and "Interrupted in the clustering phase" in told
    assert_usable(model, X)


def test_in_the_refit_of_the_decoder_the_clusters_are_those_of_a_whole_fit():
    X, _ = digit_vectors(200)
    more = {"pretrain_epochs": 40}
    press = Interrupt("decoder", step=3)
    model = interrupted_fit(
        decs(callbacks=[press], **more), X, r"decoder phase, after 2 epochs \(3 steps\)"
    )
    whole = decs(**more).fit(X)
    assert_array_equal(model.labels_, whole.labels_)
    assert len(rows_of(whole, "decoder")) > len(rows_of(model, "decoder")) == 2


@pytest.mark.parametrize("stop", ["view-mixture", "parts 1", "parts 2", "merged"])
@pytest.mark.parametrize("short", BOTH)
def test_in_the_trials_of_starts_the_best_so_far_is_kept(short, stop, monkeypatch):
    images, trained = digit_images(150)[0], []
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 5)
    try_start = first_clusters.best_trial.__globals__["try_start"]

    def interrupted_trial(*args, **kwargs):
        name = "merged" if args[1] in trained else args[1]  # its parts come first
        trained.append(args[1])
        if name == stop:
            ctrl_c()
        return try_start(*args, **kwargs)

    monkeypatch.setitem(
        first_clusters.best_trial.__globals__, "try_start", interrupted_trial
    )
    model = short(init="auto", autoencoder=small_conv)
    interrupted_fit(model, images, "Interrupted in the trials of starts")
    names = list(dict.fromkeys(trained))
    if stop == "merged":
        assert list(model.start_scores_) == ["view-mixture", trained[-1]]
        assert len(trained) == len(names) + 1
    else:  # parts are no clusters yet
        assert list(model.start_scores_) == ["view-mixture"]
        assert trained == names and names[-1] == stop
    assert set(model.history_[:, "phase"]) == {"pretrain"}


def test_while_the_number_of_clusters_is_sought_the_best_so_far_is_taken(monkeypatch):
    images, tried = digit_images(150)[0], []
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 5)
    try_start = first_clusters.try_numbers.__globals__["try_start"]

    def interrupted_trial(*args, **kwargs):
        tried.append(int(args[1]))
        if len(tried) == 2:
            ctrl_c()
        return try_start(*args, **kwargs)

    monkeypatch.setitem(
        first_clusters.try_numbers.__globals__, "try_start", interrupted_trial
    )
    model = decs(autoencoder=small_conv).set_params(n_clusters="auto")
    interrupted_fit(model, images, "Interrupted in the trials of starts")
    assert list(model.n_clusters_scores_) == tried == [2, 3]


@pytest.mark.parametrize("short", BOTH)
def test_while_starts_are_made_k_means_is_taken_at_once(short, monkeypatch):
    images, after = digit_images(150)[0], []

    def several_starts(*args):
        ctrl_c()
        after.append(True)

    monkeypatch.setattr(first_clusters, "several_starts", several_starts)
    model = short(init="auto", autoencoder=small_conv)
    interrupted_fit(model, images, "Interrupted before the clusters had a start")
    assert not after
    assert model.start_scores_ == {}
    assert_array_equal(model.labels_.shape, (150,))


@pytest.mark.parametrize("short", BOTH)
def test_an_interrupt_when_all_is_trained_changes_nothing(short, monkeypatch):
    X, _ = digit_vectors(150)
    whole = short().fit(X)
    error = base.reconstruction_error
    monkeypatch.setattr(
        base, "reconstruction_error", lambda *args: (ctrl_c(), error(*args))[1]
    )
    model = interrupted_fit(short(), X, "training was over: the fit is complete")
    assert_array_equal(model.embedding_, whole.embedding_)


# -- twice, elsewhere, and by a callback -----------------------------------------------


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("phase", ["pretrain", "cluster"])
def test_a_second_one_raises_and_leaves_the_estimator_as_it_was(short, phase):
    X, _ = digit_vectors(150)
    model = short(callbacks=[Interrupt(phase, times=2)])
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert not hasattr(model, "module_") and not hasattr(model, "_interruption")
    fitted = short().fit(X)
    before = vars(fitted).copy()
    with pytest.raises(KeyboardInterrupt):
        fitted.set_params(callbacks=[Interrupt(phase, times=2)]).fit(X)
    assert {**vars(fitted), "callbacks": None} == before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_one_while_the_fit_wraps_up_raises(monkeypatch):
    X, _ = digit_vectors(150)
    monkeypatch.setattr(base, "reconstruction_error", lambda *args: ctrl_c())
    model = idcl(callbacks=[Interrupt("cluster")])
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert not hasattr(model, "labels_")


@pytest.mark.parametrize("short", BOTH)
def test_a_callback_that_stops_training_ends_its_phase_alone(short):
    X, _ = digit_vectors(150)

    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            if net.phase == "pretrain" and len(net.history) == 3:
                raise KeyboardInterrupt

    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model = short(callbacks=[Stop()], tol=0).fit(X)
    assert len(rows_of(model, "pretrain")) == 3
    assert len(rows_of(model, "cluster")) > 2


@pytest.mark.parametrize("refresh", [1, 3])
def test_in_a_refresh_no_epoch_is_counted_that_was_not_trained(refresh, monkeypatch):
    X, _ = digit_vectors(200)
    refreshed, calls = IDCLClustering._refresh, []

    def interrupted(self, *args):
        calls.append(1)
        if len(calls) == refresh:
            ctrl_c()
        return refreshed(self, *args)

    monkeypatch.setattr(IDCLClustering, "_refresh", interrupted)
    model = interrupted_fit(idcl(tol=0), X, "in the clustering phase")
    rows = rows_of(model, "cluster")
    assert len(rows) == model.n_iter_ == len(model.curriculum_) == refresh - 1
    assert [row["fraction"] for row in rows] == list(model.curriculum_.fractions)


def test_before_an_interval_of_decs_no_iteration_is_counted(monkeypatch):
    X, _ = digit_vectors(200)
    labels, calls = DECSClustering._labels, []

    def interrupted(self, Z):
        calls.append(1)
        if len(calls) == 1:  # after the first interval
            ctrl_c()
        return labels(self, Z)

    monkeypatch.setattr(DECSClustering, "_labels", interrupted)
    model = interrupted_fit(decs(tol=0), X, "in the clustering phase")
    assert len(rows_of(model, "cluster")) == 1
    assert model.n_iter_ == 4


def test_an_interrupted_pretraining_is_not_kept_in_memory(tmp_path, monkeypatch):
    X, _ = digit_vectors(150)
    memory = joblib.Memory(str(tmp_path), verbose=0)
    embed, calls = base.Trainer.embed, []

    def interrupted(self):
        calls.append(1)
        if len(calls) == 1:
            ctrl_c()
        return embed(self)

    monkeypatch.setattr(base.Trainer, "embed", interrupted)
    interrupted_fit(idcl(memory=memory), X, "before the clusters had a start")
    model = idcl(memory=memory).fit(X)
    assert_array_equal(model.labels_, idcl().fit(X).labels_)
    assert len(rows_of(model, "cluster")) > 0


def test_fits_in_other_threads_leave_signals_alone():
    seen = []

    def work():
        with Interruption() as interruption:
            seen.append(signal.getsignal(signal.SIGINT))
        seen.append(interruption.asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler, False]


def test_an_application_keeps_its_own_handler():
    pressed = []
    before = signal.signal(signal.SIGINT, lambda *args: pressed.append(args[0]))
    try:
        with Interruption() as interruption:
            ctrl_c()
        assert not interruption.asked
    finally:
        signal.signal(signal.SIGINT, before)
    assert pressed == [signal.SIGINT]


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("phase", ["pretrain", "cluster"])
def test_a_handler_that_raises_ends_the_fit(short, phase):
    """An application's own: what it raises is not taken for a callback's stop."""
    X, _ = digit_vectors(150)

    class Asked(KeyboardInterrupt):
        pass

    def ask(number, frame):
        raise Asked

    signal.signal(signal.SIGINT, ask)
    steps = {"n": 0}

    class Net(MLPAutoencoder):
        def encode(self, x):
            steps["n"] += self.training
            if steps["n"] == (3 if phase == "pretrain" else 12):
                ctrl_c()
            return super().encode(x)

    model = short(autoencoder=Net, pretrain_epochs=3, batch_size=50)
    with pytest.raises(Asked):
        model.fit(X)
    assert not hasattr(model, "labels_")


@pytest.mark.parametrize("short", BOTH)
def test_a_handler_that_raises_amid_callbacks_ends_the_fit(short):
    """Python's own is `raise KeyboardInterrupt`, as that of many applications."""

    def ask(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, ask)
    X, _ = digit_vectors(150)
    model = short(callbacks=[Interrupt("pretrain")])
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert not hasattr(model, "labels_")
    assert signal.getsignal(signal.SIGINT) is ask
    stop = EarlyStopping(monitor="train_loss", patience=1, threshold=10, sink=str)
    model.set_params(callbacks=[stop]).fit(X)  # raises one too, and is no signal
    assert len(rows_of(model, "pretrain")) == 2 and model.labels_.shape == (150,)


def test_two_presses_within_a_second_end_a_search_across_its_candidates(monkeypatch):
    monkeypatch.undo()  # the second as it is
    signal.signal(signal.SIGINT, signal.default_int_handler)
    X, _ = digit_vectors(150)

    class Press(Callback):
        """Once in each fit."""

        def on_train_begin(self, net, **kwargs):
            if net.phase == "pretrain":
                ctrl_c()

    search = GridSearchCV(
        decs(callbacks=[Press()]),
        {"alpha": [0.5, 1.0, 2.0]},
        cv=InSampleSplit(),
    )
    with pytest.raises(KeyboardInterrupt):
        with pytest.warns(ConvergenceWarning, match="Interrupted"):
            search.fit(X)
    assert not hasattr(search, "cv_results_")


def test_the_first_is_noted_the_second_raises():
    with Interruption() as interruption:
        ctrl_c()
        assert interruption.asked and not interruption.insisted
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
        assert interruption.insisted
    with Interruption() as interruption, pytest.raises(Interrupted):
        with interruption.at_once():
            ctrl_c()
    assert interruption.asked and not interruption.insisted
    interruption.note("here")
    interruption.note("there")
    assert interruption.message().startswith("Interrupted here:")
