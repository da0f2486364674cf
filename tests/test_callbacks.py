"""Callbacks of skorch, passed in `callbacks`: what each does to fits of both kinds."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    Freezer,
    LRScheduler,
    PassthroughScoring,
    TensorBoard,
    TrainEndCheckpoint,
)

from deepdensity import DECSClustering
from deepdensity.training.callback_checks import check_callbacks

from .common import BOTH, decs, digit_vectors, idcl

X, _ = digit_vectors(200)


def epochs_of(model, phase):
    return model.history_[:, "phase"].count(phase)


def checkpoint(folder, **more):
    return Checkpoint(
        monitor="train_loss_best",
        dirname=str(folder),
        f_params="{net.phase}.pt",
        f_optimizer=None,
        f_criterion="{net.phase}_criterion.pt",
        f_history=None,
        **more,
    )


@pytest.mark.parametrize("short", BOTH)
def test_checkpoints_hold_the_network_of_the_best_epoch_of_a_phase(short, tmp_path):
    only = {"max_epochs": 0} if short is not decs else {"max_iter": 0}
    model = short(autoencoder="mlp", callbacks=[checkpoint(tmp_path)], **only).fit(X)
    assert model.history_[-1, "train_loss_best"]  # so that the last is the best
    saved = torch.load(tmp_path / "pretrain.pt")
    for name, value in model.module_.state_dict().items():
        assert torch.equal(saved[name], value)
    short(callbacks=[checkpoint(tmp_path)]).fit(X)
    assert (tmp_path / "cluster.pt").exists()


class Spoil(Callback):
    """Makes the last epochs of the pretraining useless."""

    def on_epoch_begin(self, net, **kwargs):
        if net.phase == "pretrain" and len(net.history) > 5:
            for parameter in net.module_.parameters():
                parameter.data.mul_(3)


@pytest.mark.parametrize("short", BOTH)
def test_a_checkpoint_goes_back_to_the_best_epoch(short, tmp_path):
    only = {"max_epochs": 0} if short is not decs else {"max_iter": 0}
    best = checkpoint(tmp_path, load_best=True)
    model = short(callbacks=[Spoil(), best], **only).fit(X)
    assert not model.history_[-1, "train_loss_best"]
    saved = torch.load(tmp_path / "pretrain.pt")
    for name, value in model.module_.state_dict().items():
        assert torch.equal(saved[name], value)
    whole = short(callbacks=[checkpoint(tmp_path, load_best=True)], tol=0).fit(X)
    assert_array_equal(whole.predict(X), whole.labels_)


class Return(Callback):
    """Loads another state when the clustering phase is over, as a checkpoint does."""

    def on_train_end(self, net, **kwargs):
        if net.phase == "cluster":
            net.criterion_.centres.data.add_(0.01)
            net.history = net.history[:1]


def test_what_a_callback_loads_at_the_end_is_what_is_scored(monkeypatch):
    scored, information = [], DECSClustering._information

    def noted(model, trainer):
        scored.append(model.cluster_centers_.copy())
        return information(model, trainer)

    monkeypatch.setattr(DECSClustering, "_information", noted)
    settings = {"guard": False, "tol": 0, "refresh_interval": 5, "max_iter": 20}
    model = decs(callbacks=[Return()], **settings).fit(X)
    assert_array_equal(scored[-1], model.cluster_centers_)
    assert model.n_iter_ == 20  # of which the history has 5


@pytest.mark.parametrize("short", BOTH)
def test_early_stopping_ends_each_phase_for_itself(short):
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=0.9, sink=str)
    model = short(callbacks=[stop], pretrain_epochs=50, tol=0).fit(X)
    assert epochs_of(model, "pretrain") == 3  # one to compare with, two in vain
    assert epochs_of(model, "cluster") > 0
    assert_array_equal(model.predict(X), model.labels_)


class Writer:
    """Stands in for a SummaryWriter."""

    def __init__(self):
        self.scalars = []
        self.closed = 0

    def add_scalar(self, tag, scalar_value, global_step):
        self.scalars.append((tag, scalar_value, global_step))

    def close(self):
        self.closed += 1


@pytest.mark.parametrize("short", BOTH)
def test_tensorboard_is_given_losses_and_rates_of_each_phase(short):
    writer = Writer()
    model = short(callbacks=[TensorBoard(writer)]).fit(X)
    losses = [value for tag, value, _ in writer.scalars if tag == "Loss/train_loss"]
    assert_allclose(losses, model.history_[:, "train_loss"])
    rates = [value for tag, value, _ in writer.scalars if tag == "lr"]
    assert_allclose(rates, model.history_[:, "lr"])
    assert writer.closed == len(set(model.history_[:, "phase"]))


@pytest.mark.parametrize("short", BOTH)
def test_a_scheduler_sets_the_rate_of_each_phase_from_lr_on(short):
    decay = LRScheduler(policy="ExponentialLR", gamma=0.5)
    more = {"lr": 1e-3, "schedule": "constant", "tol": 0}
    model = short(callbacks=[("decay", decay)], **more).fit(X)
    rates = {
        phase: [row["lr"] for row in model.history_ if row["phase"] == phase]
        for phase in ("pretrain", "cluster")
    }
    for found in rates.values():
        assert_allclose(found, 1e-3 * 0.5 ** np.arange(len(found)))
    plain = short(**more).fit(X)
    assert not np.array_equal(plain.embedding_, model.embedding_)


@pytest.mark.parametrize(
    "decay", [LRScheduler, LRScheduler(), ("decay", LRScheduler(policy="StepLR"))]
)
@pytest.mark.parametrize("short", BOTH)
def test_a_scheduler_beside_a_schedule_is_an_error(short, decay):
    with pytest.raises(ValueError, match="LRScheduler.*'one-cycle'.*\"constant\""):
        short(callbacks=[decay]).fit(X)


# callbacks that look at validation data, which there is not, and what the error advises
OF_VALIDATION = [
    (EarlyStopping, r"EarlyStopping .*'valid_loss'.* monitor=\"train_loss\"\."),
    (EarlyStopping(), r"EarlyStopping .*'valid_loss'.* monitor=\"train_loss\"\."),
    (("stop", EarlyStopping("valid_acc")), r"'valid_acc'.* monitor=\"train_loss\"\."),
    (
        Checkpoint,
        r"Checkpoint .*'valid_loss_best'.* monitor=\"train_loss_best\", or None",
    ),
    (Checkpoint(), r"Checkpoint .*'valid_loss_best'.*\"train_loss_best\", or None"),
    (Checkpoint("valid_loss"), r"'valid_loss'.*\"train_loss_best\", or None"),
]


@pytest.mark.parametrize(("callback", "message"), OF_VALIDATION)
@pytest.mark.parametrize("schedule", ["one-cycle", "constant"])
def test_scores_of_validation_data_are_an_error(callback, message, schedule):
    with pytest.raises(ValueError, match=message):
        check_callbacks([TensorBoard(Writer()), callback], schedule)


@pytest.mark.parametrize("short", BOTH)
def test_the_error_comes_before_any_epoch(short):
    callbacks = [Count(), EarlyStopping()]
    with pytest.raises(ValueError, match="no validation data"):
        short(callbacks=callbacks[1:]).fit(X)
    callbacks[0].epochs = 0
    with pytest.raises(KeyError):  # its own callback might have recorded the score
        short(callbacks=callbacks).fit(X)
    assert callbacks[0].epochs == 1


class Count(Callback):
    """Counts epochs; as a class of a user's own it might record scores as well."""

    def on_epoch_end(self, net, **kwargs):
        self.epochs += 1


class Stop(EarlyStopping):
    """A class of a user's own, which may do as it likes."""


def scoring(**params):
    return EpochScoring(lambda net, X, y: 0.5, **{"name": "half", **params})


class OwnScoring(EpochScoring):
    """A class of a user's own likewise."""


FINE = [
    [EarlyStopping("train_loss")],
    [Checkpoint("train_loss_best"), Checkpoint(None), Checkpoint(lambda net: True)],
    [TrainEndCheckpoint()],
    [Stop()],
    [scoring(name="valid_loss", on_train=True, use_caching=False), EarlyStopping()],
    [scoring(on_train=True, use_caching=False)],
    [OwnScoring(None, name="half")],
    [("score", PassthroughScoring("valid_loss", on_train=True)), EarlyStopping],
    [Count, Checkpoint()],
    [],
    None,
]


@pytest.mark.parametrize("callbacks", FINE)
def test_what_may_work_is_let_through(callbacks):
    check_callbacks(callbacks, "one-cycle")


@pytest.mark.parametrize("short", BOTH)
def test_a_score_of_the_epoch_is_recorded(short):
    callback = scoring(on_train=True, use_caching=False)
    model = short(callbacks=[callback]).fit(digit_vectors(150)[0])
    assert set(model.history_[:, "half"]) == {0.5}


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize(
    "params", [{}, {"on_train": True}, {"use_caching": False}, {"name": "valid_loss"}]
)
def test_a_score_that_nothing_is_there_for_is_an_error(short, params):
    with pytest.raises(ValueError, match="choose on_train=True and use_caching=False"):
        short(callbacks=[("half", scoring(**params))]).fit(digit_vectors(150)[0])


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("callback", [BatchScoring("accuracy", name="a"), BatchScoring])
def test_a_score_of_batches_is_an_error(short, callback):
    with pytest.raises(ValueError, match="BatchScoring.*choose EpochScoring"):
        short(callbacks=[callback]).fit(digit_vectors(150)[0])


@pytest.mark.parametrize("short", BOTH)
def test_a_callback_that_freezes_all_is_an_error(short):
    with pytest.raises(ValueError, match="nothing to train.*callback"):
        short(callbacks=[Freezer("*")]).fit(digit_vectors(150)[0])


class Score(Callback):
    """Records a score that is called as if it were one of validation data."""

    def on_epoch_end(self, net, **kwargs):
        net.history.record("valid_loss", 1.0)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("other", [print, "progress", ("name", print)])
def test_what_is_no_callback_is_an_error(short, other):
    with pytest.raises(ValueError, match="callbacks holds an object of the type"):
        short(callbacks=[other]).fit(digit_vectors(150)[0])
    model = short().fit(digit_vectors(150)[0]).set_params(callbacks=[other])
    with pytest.raises(ValueError, match="callbacks holds an object of the type"):
        model.partial_fit(digit_vectors(150)[0])


def test_decs_refuses_what_would_part_its_network_from_its_centres():
    stop = EarlyStopping(monitor="train_loss", load_best=True)
    X, _ = digit_vectors(150)
    for callback in (stop, ("stop", stop)):
        with pytest.raises(ValueError, match="load_best=True, which brings back"):
            decs(callbacks=[callback]).fit(X)
    model = decs().fit(X).set_params(callbacks=[stop])
    before = model.predict(X)
    with pytest.raises(ValueError, match="load_best=True, which brings back"):
        model.partial_fit(X)
    assert_array_equal(model.predict(X), before)
    model = idcl(callbacks=[stop]).fit(X)  # whose cores are of the network in the end
    assert_array_equal(model.predict(X), model.labels_)


def test_early_stopping_by_a_score_of_ones_own():
    stop = EarlyStopping(patience=2, sink=str)
    model = decs(callbacks=[Score(), stop], pretrain_epochs=50).fit(X)
    assert epochs_of(model, "pretrain") == 3


class StopClustering(Callback):
    """Stops the clustering phase at the end of an epoch, as EarlyStopping does."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, net, **kwargs):
        if net.phase == "cluster" and len(net.history) == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("epoch", [1, 2])
@pytest.mark.parametrize("short", BOTH)
def test_the_epoch_that_a_callback_stops_after_counts(short, epoch):
    model = short(callbacks=[StopClustering(epoch)], tol=0).fit(X)
    rows = [row for row in model.history_ if row["phase"] == "cluster"]
    assert len(rows) == epoch
    assert all("label_change" in row for row in rows)
    if short is decs:
        assert model.n_iter_ == sum(len(row["batches"]) for row in rows) == 4 * epoch
    else:
        assert model.n_iter_ == len(model.curriculum_) == epoch
        fractions = [row["fraction"] for row in rows]
        assert fractions == list(model.curriculum_.fractions)
