"""`transform` and `predict` over the bare forward pass."""

import functools

import numpy as np
import torch

from deepdensity import DECSClustering
from deepdensity.samples.inputs import Source

from .timing import ratio

__all__ = ["transform_over_forward"]

N_SAMPLES = 10_000
BLOCK = 512  # as the package has it: larger blocks are slower on a CPU
SHAPES = {"mlp": (784,), "conv": (16, 16)}


def transform_over_forward(device, n_rounds):
    """Time of `transform` and `predict` over the network's alone, of the same rows."""
    for network, shape in SHAPES.items():
        for dtype in (np.float32, np.uint8):
            X = np.random.default_rng(0).integers(256, size=(N_SAMPLES, *shape))
            X = X.astype(dtype)
            model = DECSClustering(
                10,
                autoencoder=network,
                pretrain_epochs=0,
                max_iter=0,
                init="k-means",
                n_init=1,
                device=device,
                random_state=0,
            ).fit(X[:1000])
            rows = forward_input(model, X, device)
            forward = functools.partial(forward_pass, model.module_, rows)
            for method in ("transform", "predict"):
                name = f"{method}, {network}, {np.dtype(dtype).name}, over forward"
                ours = functools.partial(getattr(model, method), X)
                yield ratio(name, ours, forward, n_rounds, device, "<= 1.11")


def forward_pass(module, rows):
    with torch.inference_mode():
        for block in rows.split(BLOCK):
            module.encode(block).cpu()


def forward_input(model, X, device):
    """All rows as the network takes them: scaled, in float32, on the device."""
    source = Source(X.reshape(len(X), -1), model._format, device)
    return source.read(slice(None))
