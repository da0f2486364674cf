"""The nets of a phase: the same training with recorded steps as without."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, GradientNormClipping

from deepdensity import DECSClustering, IDCLClustering
from deepdensity.losses import InstabilityLoss, ReconstructionLoss
from deepdensity.networks import MLPAutoencoder
from deepdensity.training.batches import TrainingSet
from deepdensity.training.decoder import refit_decoder
from deepdensity.training.guard import Guard
from deepdensity.training.phase_net import read_losses
from deepdensity.training.trainer import Trainer

from .common import Recorder, digit_vectors, digits_source, points, trainer


def record_all(recorder, monkeypatch):
    """Record the steps of all nets that are made from now on."""
    own = Trainer.net

    def net(self, *args, **kwargs):
        made = own(self, *args, **kwargs)
        made.record_steps(recorder)
        return made

    monkeypatch.setattr(Trainer, "net", net)


def trained(recorder, monkeypatch, callbacks=None, n_epochs=4):
    """A trainer after both phases, its steps recorded or as they are."""
    if recorder is not None:
        record_all(recorder, monkeypatch)
    run = trainer(digits_source(), schedule="one-cycle", callbacks=callbacks)
    run.pretrain(n_epochs)
    loss = InstabilityLoss(points(0, 4, 5), balance=0.5)
    with run.phase("cluster", loss, n_epochs, 3 * n_epochs) as net:
        guard = Guard(net, np.arange(150) % 4, 4)
        for epoch in range(n_epochs):
            if epoch == 2:  # to be gone back from, with the momentum forgotten
                assert not guard.passes(np.full((150, 5), np.nan), np.zeros(150, int))
            net.run_epoch(TrainingSet(run.source))
    refit_decoder(run, 2)
    monkeypatch.undo()
    return run, loss


def test_training_is_the_same_with_recorded_steps(monkeypatch):
    plain, plain_loss = trained(None, monkeypatch)
    recorder = Recorder()
    run, loss = trained(recorder, monkeypatch)
    assert recorder.n_replayed > recorder.n_run / 4 > 0
    for name in ("train_loss", "lr"):
        found, expected = (
            [row[name] for row in h] for h in (run.history, plain.history)
        )
        np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert torch.allclose(loss.centres, plain_loss.centres, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(run.embed(), plain.embed(), rtol=1e-2, atol=1e-3)
    assert all(isinstance(row["lr"], float) for row in run.history)


class SetsRate(Callback):
    """Puts a number where the rate of a recorded step is a tensor."""

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        for group in net.optimizer_.param_groups:
            group["lr"] = 0.0


def test_a_rate_that_a_callback_sets_counts(monkeypatch):
    before = trainer(digits_source()).embed()
    run, _ = trained(Recorder(), monkeypatch, callbacks=[SetsRate()], n_epochs=2)
    # the schedule's own callback comes later, and sets it again
    assert not np.allclose(run.embed(), before)
    record_all(Recorder(), monkeypatch)
    run = trainer(digits_source(), callbacks=[SetsRate()])
    run.pretrain(3)
    np.testing.assert_array_equal(run.embed(), before)


def test_steps_are_as_they_are_where_a_callback_looks_at_gradients(monkeypatch):
    recorder = Recorder()
    clip = GradientNormClipping(1e-9)
    run, _ = trained(recorder, monkeypatch, callbacks=[clip], n_epochs=2)
    assert recorder.n_run == recorder.n_recorded == 0
    assert len(run.history) == 6


def test_losses_that_are_left_on_the_device_are_read_at_last():
    batches = [{"train_loss": torch.tensor(0.5)}, {"train_loss": 2.0}, {}]
    read_losses(batches, "train_loss")
    assert batches == [{"train_loss": 0.5}, {"train_loss": 2.0}, {}]
    assert isinstance(batches[0]["train_loss"], float)
    read_losses([], "train_loss")


def test_layers_are_told_of_the_mode_where_it_changes(monkeypatch):
    run, told = trainer(digits_source()), []
    train = MLPAutoencoder.train

    def noted(self, mode=True):
        told.append(mode)
        return train(self, mode)

    monkeypatch.setattr(MLPAutoencoder, "train", noted)
    run.module.eval()
    told.clear()
    with run.phase("pretrain", ReconstructionLoss(), 2, 6) as net:
        for _ in range(2):
            net.run_epoch(TrainingSet(run.source))
            run.embed()  # in evaluation mode
    assert net.n_steps == 6
    assert told == [True, False, True, False]


# steps are recorded as CUDA graphs, for which no CPU can stand in
on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")


@on_cuda
@pytest.mark.parametrize("estimator", [DECSClustering, IDCLClustering])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_seed_gives_the_same_bits_on_a_gpu(estimator, precision):
    X, _ = digit_vectors(600)
    settings = {"init": "k-means", "pretrain_epochs": 4, "image_shape": (8, 8)}
    first, second = (
        estimator(10, device="cuda", precision=precision, random_state=0, **settings)
        .fit(X)
        .embedding_
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@on_cuda
def test_replays_on_a_gpu_are_the_steps(monkeypatch):
    X, _ = digit_vectors(600)
    settings = {"init": "k-means", "pretrain_epochs": 4, "image_shape": (8, 8)}
    model = DECSClustering(10, device="cuda", random_state=0, **settings)
    recorded = model.fit(X).embedding_
    monkeypatch.setattr(
        "deepdensity.training.phase_net.PhaseNet.record_steps", lambda *_: None
    )
    np.testing.assert_allclose(model.fit(X).embedding_, recorded, rtol=1e-3, atol=1e-3)
