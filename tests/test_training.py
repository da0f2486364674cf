"""The training loop: what steps do, what is embedded, what a decoder refit keeps."""

import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from deepdensity.augmentation import random_affine
from deepdensity.batches import TrainingSet
from deepdensity.inputs import Source, image_layout, input_format
from deepdensity.losses import ReconstructionLoss
from deepdensity.networks import ConvAutoencoder, MLPAutoencoder
from deepdensity.training import (
    Trainer,
    decode,
    embed,
    encoder_parameters,
    reconstruction_error,
)

from .common import digit_vectors

CPU = torch.device("cpu")


def digits_source(image=False, n=150):
    X, _ = digit_vectors(n)
    layout = image_layout((64,), (8, 8) if image else None)
    return Source(X, input_format(X, layout), CPU)


def trainer(source, module=None, augment=None, lr=1e-3):
    torch_state = torch.get_rng_state()
    torch.manual_seed(0)
    module = module or MLPAutoencoder(source.format.layout.shape, 5, hidden=(32,))
    torch.set_rng_state(torch_state)
    generator = torch.Generator().manual_seed(0)
    return Trainer(
        module, source, generator, lr=lr, batch_size=50, augment=augment, verbose=0
    )


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


@pytest.mark.parametrize("image", [False, True])
def test_embedding_is_that_of_each_row_alone(image):
    source = digits_source(image)
    shape = source.format.layout.shape
    module = ConvAutoencoder(shape, 5) if image else MLPAutoencoder(shape, 5)
    whole = embed(module, source, torch.float64)
    alone = [
        embed(module, Source(source.X[i : i + 1], source.format, CPU), torch.float64)
        for i in range(20)
    ]
    assert whole.dtype == np.float64
    assert_allclose(np.concatenate(alone), whole[:20], rtol=1e-9)
    assert next(module.parameters()).dtype == torch.float32  # a copy was converted
    assert_allclose(embed(module, source, torch.float32), whole, atol=1e-4)


def test_view_averaged_embedding_is_a_mean_over_augmented_views():
    run = trainer(digits_source(image=True), augment=random_affine)
    generator = torch.Generator().manual_seed(0)
    x = run.source.read(slice(0, 150))
    with torch.no_grad():
        views = [run.module.encode(random_affine(x, generator)) for _ in range(3)]
    assert_allclose(run.embed_views(3), torch.stack(views).mean(0), atol=1e-5)
    plain = trainer(digits_source())
    assert_array_equal(plain.embed_views(3), plain.embed())


def test_decode_and_reconstruction_error_are_in_the_units_of_X():
    source = digits_source(image=True)
    run = trainer(source)
    run.pretrain(5)
    Z = embed(run.module, source, torch.float64)
    rows = decode(run.module, Z, source.format, CPU)
    assert rows.shape == source.X.shape
    error = ((rows - source.X) ** 2).mean()
    assert_allclose(reconstruction_error(run.module, source), error, rtol=1e-5)


class Shared(nn.Module):
    """Weights that both directions use, and a layer of the decoder alone."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(5, 64) / 8)
        self.norm = nn.BatchNorm1d(64)
        self.out = nn.Linear(64, 64)

    def encode(self, x):
        return self.norm(x) @ self.weight.T

    def decode(self, z):
        return self.out(z @ self.weight)


def test_refit_of_the_decoder_leaves_the_embedding_as_it_was():
    run = trainer(digits_source(), Shared(), lr=1e-2)
    before, weights = run.embed(), run.module.out.weight.detach().clone()
    error = reconstruction_error(run.module, run.source)
    run.refit_decoder(5)
    assert_array_equal(run.embed(), before)
    assert not torch.equal(run.module.out.weight, weights)
    assert reconstruction_error(run.module, run.source) < error
    assert all(p.requires_grad for p in run.module.parameters())
    assert run.history[:, "phase"] == ["decoder"] * 5


def test_encoder_parameters_are_those_the_embedding_depends_on():
    module = MLPAutoencoder((64,), 5)
    found = encoder_parameters(module, digits_source())
    assert {id(p) for p in found} == {id(p) for p in module.encoder.parameters()}


def test_an_interrupt_ends_a_phase_and_keeps_its_history():
    run = trainer(digits_source())
    with run.phase("cluster", ReconstructionLoss(), 5) as net:
        net.fit_loop(TrainingSet(run.source), epochs=1)
        raise KeyboardInterrupt
    assert run.history[:, "phase"] == ["cluster"]


def test_the_decoder_does_not_run_for_a_criterion_without_reconstruction():
    class NormLoss(nn.Module):
        reconstructs = False

        def forward(self, z, reconstruction, x, target=None):
            assert reconstruction is None
            return z.square().mean()

    run = trainer(digits_source())
    run.module.decode = None  # would fail if called
    with run.phase("cluster", NormLoss(), 1) as net:
        net.fit_loop(TrainingSet(run.source, n_batches=7), epochs=1)
    assert run.history[0, "train_batch_count"] == 7
