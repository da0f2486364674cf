"""The training loop: what steps do, and what is embedded."""

import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import Callback
from torch import nn

from deepdensity.augmentation import random_affine
from deepdensity.losses import ReconstructionLoss
from deepdensity.training.batches import TrainingSet
from deepdensity.training.decoder import refit_decoder
from deepdensity.training.schedules import SCHEDULES, WARM_UP
from deepdensity.training.views import AugmentedViews

from .common import digits_source, generator, trainer


def test_training_is_that_of_a_bare_torch_loop():
    source = digits_source()
    run = trainer(source)
    bare = copy.deepcopy(run.module)
    run.pretrain(3)

    optimiser = torch.optim.Adam(bare.parameters(), lr=1e-3, fused=True)
    generator = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(3):
        order = torch.randperm(150, generator=generator)
        for chunk in order.tensor_split(3):
            x = source.read(chunk.numpy())
            loss = ((bare.decode(bare.encode(x)) - x) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    for ours, theirs in zip(run.module.parameters(), bare.parameters(), strict=True):
        assert_allclose(ours.detach(), theirs.detach(), rtol=1e-6, atol=1e-8)
    batches = [b["train_loss"] for row in run.history for b in row["batches"]]
    assert_allclose(batches, losses, rtol=1e-6)


def affine_trainer():
    views = AugmentedViews(random_affine, clean=True)
    phases = {"pretrain": views, "cluster": views}
    source = digits_source(image=True)
    return trainer(source, views=phases)


def test_view_averaged_embedding_is_a_mean_over_augmented_views():
    run, drawn = affine_trainer(), generator()
    x = run.source.read(slice(0, 150))
    with torch.no_grad():
        views = [run.module.encode(random_affine(x, drawn)) for _ in range(3)]
    assert_allclose(run.embed_views(3), torch.stack(views).mean(0), atol=1e-5)


def test_a_single_view_is_embedded_as_the_clustering_phase_sees_it():
    seen = []

    def views(x, rows, drawn):
        seen.append(rows)
        return x + torch.rand(len(x), 1, generator=drawn), None

    run, drawn = trainer(digits_source(n=700), views={"cluster": views}), generator()
    found = run.embed_view()
    x = run.source.read(slice(0, 700))
    with torch.no_grad():
        expected = run.module.encode(x + torch.rand(700, 1, generator=drawn))
    assert_allclose(found, expected, atol=1e-5)
    assert_array_equal(np.concatenate(seen), np.arange(700))  # block by block


def test_without_augmentation_the_view_averaged_embedding_is_the_embedding():
    plain = trainer(digits_source())
    assert_array_equal(plain.embed_views(3), plain.embed())
    assert_array_equal(plain.embed_view(), plain.embed())
    of_vectors = trainer(digits_source(), views={"cluster": lambda x, *_: (2 * x, x)})
    assert_array_equal(of_vectors.embed_views(3), of_vectors.embed())


def test_a_callback_ends_a_phase_and_keeps_its_history():
    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise KeyboardInterrupt

    run = trainer(digits_source(), callbacks=[Stop()])
    with run.phase("cluster", ReconstructionLoss(), 5, 15) as net:
        ran = [net.run_epoch(TrainingSet(run.source)) for _ in range(4)]
        assert net.ended
    assert ran == [True, True, False, False]
    assert run.history[:, "phase"] == ["cluster"] * 2


def test_the_decoder_does_not_run_for_a_criterion_without_reconstruction():
    class NormLoss(nn.Module):
        reconstructs = False

        def forward(self, z, reconstruction, original, target):
            assert reconstruction is None
            return z.square().mean()

    run = trainer(digits_source())
    run.module.decode = None  # would fail if called
    with run.phase("cluster", NormLoss(), 1, 7) as net:
        net.fit_loop(TrainingSet(run.source, n_batches=7), epochs=1)
    assert run.history[0, "train_batch_count"] == 7


# -- views, schedule, precision --------------------------------------------------------


class Recorder(ReconstructionLoss):
    """Notes what the criterion is given."""

    def __init__(self):
        super().__init__()
        self.given = []

    def forward(self, z, reconstruction, original, target):
        self.given.append((z.detach(), reconstruction.detach(), original, target))
        return super().forward(z, reconstruction, original, target)


def shift_by(number):
    return lambda x, rows, drawn: (x + number, x - number)


def test_each_phase_has_its_own_views():
    views = {"pretrain": shift_by(1), "cluster": shift_by(2)}
    run, inputs = trainer(digits_source(), lr=1e-12, views=views), []
    encode = run.module.encode
    run.module.encode = lambda x: (inputs.append(x), encode(x))[1]
    for name, number in [("pretrain", 1), ("cluster", 2), ("other", 0)]:
        inputs.clear()
        criterion = Recorder()
        with run.phase(name, criterion, 1, 3) as net:
            net.fit_loop(TrainingSet(run.source), epochs=1)
        assert len(criterion.given) == 3
        for x, (z, reconstruction, original, target) in zip(inputs, criterion.given):
            assert_allclose(x - number, original + number, atol=1e-6)
            with torch.no_grad():
                assert_allclose(encode(x), z, atol=1e-5)
                assert_allclose(run.module.decode(z), reconstruction, atol=1e-5)
            assert target is None


def test_pretraining_turns_the_view_into_its_original():
    run = trainer(digits_source(), views={"pretrain": shift_by(0.5)}, lr=1e-2)
    run.pretrain(60)
    x = run.source.read(slice(0, 150))
    with torch.no_grad():
        back = run.module.decode(run.module.encode(x + 0.5))
    assert (back - (x - 0.5)).square().mean() < (back - (x + 0.5)).square().mean() / 2


class Rates(Callback):
    """Notes the learning rate of every step."""

    def __init__(self):
        self.seen = []

    def on_batch_end(self, net, training=False, **kwargs):
        self.seen.append(net.optimizer_.param_groups[0]["lr"])


@pytest.mark.parametrize("name", ["constant", *SCHEDULES])
def test_each_phase_runs_through_the_schedule(name):
    rates = Rates()
    run = trainer(digits_source(), schedule=name, lr=0.02, callbacks=[rates])
    run.pretrain(4)
    with run.phase("cluster", ReconstructionLoss(), 1, 7) as net:
        net.fit_loop(TrainingSet(run.source, n_batches=7), epochs=1)
    refit_decoder(run, 2)
    # only a network at random warms up
    schedule = SCHEDULES.get(name, lambda progress, warm_up: 1.0)
    expected = [
        0.02 * schedule((step + 0.5) / n_steps, warm_up)
        for n_steps, warm_up in ((12, WARM_UP), (7, 0.0), (6, 0.0))
        for step in range(n_steps)
    ]
    assert_allclose(rates.seen, expected, rtol=1e-12)


def test_bfloat16_trains_nearly_the_same_and_embeds_in_float32():
    single, half = trainer(digits_source()), trainer(digits_source(), bfloat16=True)
    criteria = Recorder(), Recorder()
    for run, criterion in zip((single, half), criteria):
        with run.phase("cluster", criterion, 1, 30) as net:
            net.fit_loop(TrainingSet(run.source, n_batches=30), epochs=1)
    for z, reconstruction, _, _ in criteria[1].given:
        assert z.dtype == reconstruction.dtype == torch.float32
        assert torch.equal(z, z.bfloat16().float())  # it was computed in bfloat16
    assert not torch.equal(criteria[0].given[0][0], criteria[1].given[0][0])
    assert all(p.dtype == torch.float32 for p in half.module.parameters())
    losses = [run.history[-1, "train_loss"] for run in (single, half)]
    assert_allclose(*losses, rtol=0.02)
    x = half.source.read(slice(0, 150))
    with torch.no_grad():
        assert_allclose(half.embed(), half.module.encode(x), atol=1e-6)


# -- trials ----------------------------------------------------------------------------


def test_a_trial_leaves_no_trace():
    seen = Rates()
    run = trainer(digits_source(), callbacks=[seen], verbose=1)
    run.pretrain(1)
    state = copy.deepcopy(run.module.state_dict())
    drawn, n_seen = run.generator.get_state(), len(seen.seen)
    n_rows, numpy_state = len(run.history), np.random.get_state()[1].copy()
    torch_state = torch.get_rng_state()
    trial = run.trial(3)
    with trial.phase("cluster", ReconstructionLoss(), 1, 5) as net:
        net.fit_loop(TrainingSet(trial.source, n_batches=5), epochs=1)
    trial.embed_view()
    assert all(torch.equal(state[key], v) for key, v in run.module.state_dict().items())
    assert not np.array_equal(trial.embed(), run.embed())
    assert torch.equal(run.generator.get_state(), drawn)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert_array_equal(np.random.get_state()[1], numpy_state)
    assert len(run.history) == n_rows and len(seen.seen) == n_seen
    assert len(trial.history) == 1


def test_a_trial_is_silent_and_follows_its_seed(capfd):
    run = trainer(digits_source(), verbose=1)
    embedded = []
    for seed in (3, 3, 4):
        trial = run.trial(seed)
        trial.pretrain(2)
        embedded.append(trial.embed())
    assert capfd.readouterr() == ("", "")
    assert_array_equal(embedded[0], embedded[1])
    assert not np.array_equal(embedded[0], embedded[2])
