"""ClustPy's deep methods on this package's networks, batches and augmentation.

DEC, IDEC, DCN and DipDECK get the autoencoder that DECS takes by default ("conv16" for
images, "mlp" or "shallow" for vectors), the same input scale, augmented images, and,
unless told otherwise, as many steps of both phases as DECS at its defaults, in batches
of 256 (:mod:`benchmarks.papers.peer_epochs`). DECS's trials of starts, and the
neighbours that it shows in place of vectors, they do not have. The rest is ClustPy's:
learning rates of 1e-3 and 1e-4, batch normalisation by running means in clustering,
labels by a last k-means in DEC and IDEC. DipDECK finds the number of clusters by
itself, from at least 35, and counts its epochs anew after every merge. All pretrain
alike: the methods of a set and seed share one pretrained network where `memory` names a
folder, which is to be a new one where a version or this module has changed.

With ``precision="bfloat16"`` convolutional steps take about half the time where the
processor has it: their passes run in torch's autocast and on this package's faster
layers. Such seconds are not ClustPy's.
"""

import contextlib
import os
import time

import clustpy.deep
import joblib
import numpy as np
import torch
from clustpy.deep.neural_networks._abstract_autoencoder import _AbstractAutoencoder
from scipy import sparse
from torch.utils.data import default_collate

from benchmarks.plain_layers import with_layers_of_torch
from deepdensity.augmentation import random_affine
from deepdensity.networks.build import build_autoencoder
from deepdensity.samples.inputs import input_format
from deepdensity.samples.layout import image_layout

from .fits import Fit, Phase
from .peer_epochs import default_epochs

__all__ = ["fit_peer"]

EMBEDDING_SIZE = 10
PRECISIONS = ("float32", "bfloat16")


class Adapter(_AbstractAutoencoder):
    """One of this package's networks for flat rows, in float32 of torch's layers."""

    def __init__(self, shape, seed, precision):
        super().__init__(random_state=seed)
        self.shape = shape
        self.bfloat16 = precision == "bfloat16"
        module = build_autoencoder("auto", shape, EMBEDDING_SIZE, seed)
        self.module = module if self.bfloat16 else with_layers_of_torch(module)

    def encode(self, x):
        with self.autocast(x):
            return self.module.encode(x.view(-1, *self.shape)).float()

    def decode(self, z):
        with self.autocast(z):
            return self.module.decode(z).flatten(1).float()

    def autocast(self, x):
        """Where gradients are taken, in clustering from a network in eval mode, too."""
        enabled = self.bfloat16 and torch.is_grad_enabled()
        return torch.autocast(x.device.type, torch.bfloat16, enabled=enabled)


class RecordedAdam:
    """Makes the optimiser of a phase, and keeps it and the time it was made."""

    def __call__(self, params, **kwargs):
        self.begin = time.perf_counter()
        self.optimizer = torch.optim.Adam(params, **kwargs)
        return self.optimizer

    def phase(self, n_batches):
        """The phase that ends now."""
        seconds = time.perf_counter() - self.begin
        steps = (int(s["step"]) for s in self.optimizer.state.values())
        steps = max(steps, default=0)
        return Phase(seconds, steps / n_batches, steps)


def fit_peer(
    name,
    samples,
    seed,
    batch_size,
    pretrain_epochs,
    clustering_epochs,
    device=None,
    precision="float32",
    memory=None,
):
    """Fit one of ClustPy's methods; by default on CUDA, where there is one."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision!r} must be one of {PRECISIONS}.")
    n_samples = samples.X.shape[0]
    is_image = samples.image_shape is not None
    default = default_epochs(n_samples, is_image, batch_size)
    if pretrain_epochs is None:
        pretrain_epochs = default[0]
    if clustering_epochs is None:
        clustering_epochs = default[1]
    X, shape = network_input(samples)
    network = Adapter(shape, seed, precision)
    step = joblib.Memory(memory, verbose=0).cache(pretrain)
    weights, pretraining = step(
        X, shape, seed, precision, batch_size, pretrain_epochs, device
    )
    network.load_state_dict(weights)
    network.fitted = True
    network.eval()  # as ClustPy leaves a network that it has trained
    optimizer = RecordedAdam()
    model = getattr(clustpy.deep, name)(
        **number_of_clusters(name, samples.n_clusters),
        batch_size=batch_size,
        clustering_epochs=clustering_epochs,
        optimizer_class=optimizer,
        neural_network=network,
        embedding_size=EMBEDDING_SIZE,
        initial_clustering_params={"n_init": 20},
        custom_dataloaders=loaders(X, shape, batch_size, seed),
        device=device,
        random_state=seed,
    )
    with silence():
        model.fit(X)
    clustering = optimizer.phase(-(-n_samples // batch_size))
    device = next(model.neural_network_trained_.parameters()).device.type
    phases = {"pretrain": pretraining, "cluster": clustering}
    return Fit(model.labels_, phases=phases, device=device)


def pretrain(X, shape, seed, precision, batch_size, n_epochs, device):
    """The weights of ClustPy's pretraining, one for all its methods, and its Phase."""
    network = Adapter(shape, seed, precision)
    network.to(clustpy.deep.detect_device(device))
    train, _ = loaders(X, shape, batch_size, seed)
    optimizer = RecordedAdam()
    with silence():
        network.fit(n_epochs, dataloader=train, optimizer_class=optimizer)
    weights = {name: value.cpu() for name, value in network.state_dict().items()}
    return weights, optimizer.phase(len(train))


def number_of_clusters(name, n_clusters):
    if name == "DipDECK":
        return {"n_clusters_init": max(35, 2 * n_clusters)}  # 35 is ClustPy's
    return {"n_clusters": n_clusters}


def network_input(samples):
    """All samples as flat rows at the scale this package trains at, and their shape."""
    X = samples.X.toarray() if sparse.issparse(samples.X) else samples.X
    layout = image_layout((X.shape[1],), samples.image_shape)
    rows = torch.from_numpy(np.array(X, dtype=np.float32))
    batch = input_format(X, layout).normalise(rows)
    return batch.flatten(1).float().numpy(), layout.shape


def loaders(X, shape, batch_size, seed):
    """Batches to train on, images among them augmented, and batches as they are."""
    generator = torch.Generator().manual_seed(seed)

    def augmented(rows):
        index, x = default_collate(rows)
        x = random_affine(x.view(-1, *shape), generator).flatten(1)
        return [index, x]

    is_image = len(shape) == 3
    get_dataloader = clustpy.deep.get_dataloader
    options = {"collate_fn": augmented} if is_image else {}
    return (
        get_dataloader(X, batch_size, shuffle=True, dl_kwargs=options),
        get_dataloader(X, batch_size, shuffle=False),
    )


@contextlib.contextmanager
def silence():
    """No progress bars of ClustPy's between the one of the run."""
    with open(os.devnull, "w") as nowhere:
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            yield
