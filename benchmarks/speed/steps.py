"""A training step of the package over one of a bare torch loop."""

import copy
import functools
import math

import numpy as np
import torch

from benchmarks.plain_layers import with_layers_of_torch
from deepdensity.augmentation import random_affine
from deepdensity.density_cores import DensityCores
from deepdensity.losses import CurriculumLoss, InstabilityLoss, ReconstructionLoss
from deepdensity.networks.build import build_autoencoder
from deepdensity.recipe import BALANCE, GAMMA
from deepdensity.samples.inputs import Source, input_format
from deepdensity.samples.layout import image_layout
from deepdensity.training.batches import TrainingSet
from deepdensity.training.trainer import Trainer
from deepdensity.training.views import AugmentedViews
from deepdensity.utils.devices import has_bfloat16

from .timing import ratio

__all__ = [
    "compiled_step",
    "reduced_step",
    "step_by_products",
    "step_over_bare_loop",
    "step_over_few_clusters",
    "steps_on",
]

BATCH = 256
N_SAMPLES = 10 * BATCH
N_STEPS = 20  # a multiple of the batches in the samples
N_GPU_STEPS = 300  # where the first few, which are not recorded, weigh little
NETWORKS = {  # name -> shape of a sample
    "mlp": (784,),
    "shallow": (2000,),
    "conv": (1, 16, 16),
}
LOSSES = {
    "reconstruction": lambda k, device: ReconstructionLoss(),
    "stability": lambda k, device: InstabilityLoss(centres(k), balance=BALANCE),
    "curriculum": lambda k, device: curriculum_loss(k, device),
}


def steps_on(device):
    """Steps of one timing on a device."""
    return N_GPU_STEPS if device.type == "cuda" else N_STEPS


def centres(n_clusters, n_components=10):
    return np.random.default_rng(0).normal(size=(n_clusters, n_components))


def curriculum_loss(n_clusters, device):
    loss = CurriculumLoss(GAMMA)
    means = torch.from_numpy(centres(n_clusters)).float().to(device)
    loss.cores = DensityCores(means, torch.ones(n_clusters, device=device))
    return loss


def samples(shape):
    """Random samples of a shape, and their layout."""
    X = np.random.default_rng(0).normal(size=(N_SAMPLES, math.prod(shape)))
    return X.astype(np.float32), image_layout(
        shape if len(shape) == 1 else shape[1:], None
    )


class Setting:
    """A network, its data and a loss, to be trained in both ways."""

    def __init__(self, network, loss, device, bfloat16, n_clusters=10, shape=None):
        shape = shape or NETWORKS[network]
        X, layout = samples(shape)
        self.source = Source(X, input_format(X, layout), device)
        self.module = build_autoencoder(network, shape, 10, 0).to(device)
        self.loss = LOSSES[loss](n_clusters, device).to(device)
        self.targets = None
        if isinstance(self.loss, CurriculumLoss):
            logits = np.random.default_rng(1).normal(size=(N_SAMPLES, n_clusters))
            self.targets = torch.from_numpy(logits).float().softmax(1)
        self.augment = random_affine if len(shape) == 3 else None
        self.bfloat16 = bfloat16
        self.X = self.source.read(slice(None))  # in the loop's favour: already there

    def ours(self, compiled=False):
        views = {"cluster": AugmentedViews(self.augment, True)} if self.augment else {}
        trainer = Trainer(
            self.module,
            self.source,
            torch.Generator().manual_seed(0),
            lr=1e-3,
            batch_size=BATCH,
            views=views,
            bfloat16=self.bfloat16,
            compiled=compiled,
        )
        n_steps = steps_on(self.source.device)
        with trainer.phase("cluster", self.loss, 1, n_steps) as net:
            data = TrainingSet(self.source, None, self.targets, n_batches=n_steps)
            net.fit_loop(data, epochs=1)

    def bare_loop(self, n_steps=None):
        module, loss = self.module.train(), self.loss
        generator = torch.Generator().manual_seed(0)
        parameters = [*module.parameters(), *loss.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=True)
        n_steps = n_steps or steps_on(self.source.device)
        targets = None if self.targets is None else self.targets.to(self.X.device)
        for _ in range(n_steps // (N_SAMPLES // BATCH)):
            order = torch.randperm(len(self.X), generator=generator)
            for rows in order.to(self.X.device).split(BATCH):
                x = self.X[rows]
                view = self.augment(x, generator) if self.augment else x
                optimizer.zero_grad()
                with torch.autocast(x.device.type, torch.bfloat16, self.bfloat16):
                    z = module.encode(view)
                    back = module.decode(z).float() if loss.reconstructs else None
                target = None if targets is None else targets[rows]
                loss(z.float(), back, x, target).backward()
                optimizer.step()


def settings(device, networks=None):
    """Name and Setting of each network with each loss.

    In bfloat16, too, where the device computes in it.
    """
    for network in networks or NETWORKS:
        for loss in LOSSES:
            for bfloat16 in (False, True)[: 1 + has_bfloat16(device)]:
                name = f"{network}, {loss}, {'bf16' if bfloat16 else 'f32'}"
                yield name, Setting(network, loss, device, bfloat16)


def step_over_bare_loop(device, n_rounds):
    """The package's step over the bare loop's, for each network and loss."""
    goal = "<= 1.10" if device.type == "cuda" else "<= 1.05"
    for name, setting in settings(device):
        ways = setting.ours, setting.bare_loop
        yield ratio(f"step, {name}", *ways, n_rounds, device, goal, steps_on(device))


def step_over_few_clusters(device, n_rounds):
    """A step with 1,000 clusters over one with 10."""
    for network in NETWORKS:
        for loss in ("stability", "curriculum"):
            many, few = (
                Setting(network, loss, device, False, k).ours for k in (1000, 10)
            )
            name = f"step, {network}, {loss}, 1,000 clusters over 10"
            yield ratio(name, many, few, n_rounds, device, "<= 1.5", steps_on(device))


def reduced_step(device, n_rounds):
    """A step on images of 28 x 28 that are reduced over one at their own size."""
    for loss in LOSSES:
        reduced, whole = (
            Setting(network, loss, device, False, shape=(1, 28, 28)).ours
            for network in ("conv16", "conv")
        )
        name = f"step, 28 x 28, conv16 over conv, {loss}"
        yield ratio(name, reduced, whole, n_rounds, device, "", steps_on(device))


def step_by_products(device, n_rounds):
    """A step with gradients as matrix products over one with torch's own layers."""
    for name, setting in settings(device, ["conv"]):
        plain = copy.copy(setting)
        plain.module = with_layers_of_torch(copy.deepcopy(setting.module))
        ways = setting.ours, plain.ours
        yield ratio(
            f"by products, {name}", *ways, n_rounds, device, "", steps_on(device)
        )


def compiled_step(device, n_rounds):
    """A step with ``compile=True`` over one without; the first round compiles."""
    for name, setting in settings(device):
        ways = functools.partial(setting.ours, compiled=True), setting.ours
        yield ratio(
            f"compiled step, {name}", *ways, n_rounds, device, "", steps_on(device)
        )
