"""The refit of the decoder: what it learns, and what it keeps as it is."""

import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from deepdensity.networks import MLPAutoencoder
from deepdensity.training.decoder import encoder_parameters, refit_decoder
from deepdensity.training.inference import reconstruction_error

from .common import digits_source, trainer


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
    error = reconstruction_error(run.module, run.source, before)
    refit_decoder(run, 5)
    assert_array_equal(run.embed(), before)
    assert not torch.equal(run.module.out.weight, weights)
    assert reconstruction_error(run.module, run.source, before) < error
    assert all(p.requires_grad for p in run.module.parameters())
    assert run.history[:, "phase"] == ["decoder"] * 5


def test_encoder_parameters_are_those_the_embedding_depends_on():
    module = MLPAutoencoder((64,), 5)
    found = encoder_parameters(module, digits_source())
    assert {id(p) for p in found} == {id(p) for p in module.encoder.parameters()}


def test_an_encoder_that_does_not_learn_has_no_parameters():
    module = MLPAutoencoder((64,), 5)
    module.encoder.requires_grad_(False)
    assert encoder_parameters(module, digits_source()) == []
    module.requires_grad_(False)
    assert encoder_parameters(module, digits_source()) == []


def test_the_decoder_is_refitted_to_the_samples_as_they_are():
    def away(x, rows, drawn):
        return x + 9, x - 9

    views = {"pretrain": away, "cluster": away}
    run = trainer(digits_source(), lr=1e-2, views=views)
    refit_decoder(run, 40)
    assert run.history[-1, "train_loss"] < 0.9 * run.history[0, "train_loss"]
    assert run.history[0, "train_loss"] < 2  # far from 9


def test_the_decoder_is_refitted_in_the_precision_of_the_fit():
    single, half = trainer(digits_source()), trainer(digits_source(), bfloat16=True)
    for run in (single, half):
        refit_decoder(run, 10)
    losses = [run.history[:, "train_loss"] for run in (single, half)]
    assert losses[0] != losses[1]
    assert_allclose(*losses, rtol=0.02)
    assert all(p.dtype == torch.float32 for p in half.module.parameters())
