"""The training of an autoencoder on a source of batches: the only training loop.

The loop itself is skorch's. What is added: criteria see the embedding and the
reconstruction, batches come whole, and a block of code can run between epochs.
"""

import copy
from contextlib import contextmanager

import numpy as np
import torch
from skorch import NeuralNet
from skorch.history import History
from torch import nn

from .batches import BatchIterator, TrainingSet
from .inputs import BLOCK
from .losses import ReconstructionLoss
from .progress import EpochProgress

__all__ = ["AutoencoderNet", "Trainer", "decode", "embed", "reconstruction_error"]


class AutoencoderNet(NeuralNet):
    """skorch net around a module with ``encode`` and ``decode``.

    Its criterion gets embedding, reconstruction, batch and target; the decoder runs
    only for a criterion that `reconstructs`.
    """

    def infer(self, x, **fit_params):
        z = self.module_.encode(x)
        return z, self.module_.decode(z) if self.criterion_.reconstructs else None

    def get_loss(self, y_pred, y_true, X=None, training=False):
        z, reconstruction = y_pred
        return self.criterion_(z, reconstruction, X, y_true)


class DecoderNet(NeuralNet):
    """skorch net that trains the decoder alone: x is an embedding, the target its X."""

    def infer(self, x, **fit_params):
        return self.module_.decode(x)


class Trainer:
    """One fit's network, data and random generator, and what is done with them.

    Parameters
    ----------
    module : torch.nn.Module
        With ``encode`` and ``decode``; trained in place.
    source : Source
    generator : torch.Generator
        Of shuffling and augmentation, on the CPU.
    lr : float
    batch_size : int
    augment : callable or None
        ``augment(x, generator) -> x``.
    callbacks : list of skorch callbacks, default=None
        Given to every phase; ``net.phase`` names it.
    verbose : int, default=0

    Attributes
    ----------
    history : skorch.history.History
        A row for each epoch of all phases so far; "phase" names the phase.
    """

    def __init__(
        self,
        module,
        source,
        generator,
        *,
        lr,
        batch_size,
        augment,
        callbacks=None,
        verbose=0,
    ):
        self.module = module.to(source.device)
        self.source = source
        self.generator = generator
        self.lr = lr
        self.batch_size = batch_size
        self.augment = augment
        self.callbacks = callbacks
        self.verbose = verbose
        self.history = History()

    @property
    def steps_per_epoch(self):
        return -(-len(self.source) // self.batch_size)

    @contextmanager
    def phase(self, name, criterion, n_epochs):
        """A net to train by ``net.fit_loop(..., epochs=1)``, an epoch at a time.

        Around the block stand skorch's train begin and train end; a callback that stops
        the training (as skorch's EarlyStopping does, by a KeyboardInterrupt) ends it.
        """
        net = self.net(
            AutoencoderNet,
            name,
            n_epochs,
            criterion=criterion,
            iterator_train__augment=self.augment,
        )
        with stopped_by_callback():
            yield net
        self.finish(net)

    def net(self, kind, name, n_epochs, **params):
        """An initialised skorch net on this module and source."""
        callbacks = list(self.callbacks or [])
        if self.verbose:
            callbacks.append(("epoch_progress", EpochProgress(name, n_epochs)))
        net = kind(
            self.module,
            optimizer=torch.optim.Adam,
            optimizer__fused=True,
            lr=self.lr,
            batch_size=self.batch_size,
            iterator_train=BatchIterator,
            iterator_train__generator=self.generator,
            train_split=None,
            callbacks=callbacks,
            callbacks__print_log=None,
            verbose=0,
            device=self.source.device,
            **params,
        ).initialize()
        net.phase = name
        net.notify("on_train_begin", X=None, y=None)
        return net

    def finish(self, net):
        """End a net's training and keep its history."""
        net.notify("on_train_end", X=None, y=None)
        for row in net.history:
            row["phase"] = net.phase
        self.history.extend(net.history)

    def pretrain(self, n_epochs):
        """Minimise the reconstruction error (DECS, Eq. 2; IDCL, Eq. 13)."""
        if n_epochs:
            with self.phase("pretrain", ReconstructionLoss(), n_epochs) as net:
                net.fit_loop(TrainingSet(self.source), epochs=n_epochs)

    def embed(self):
        """Embedding of all rows, computed in float32: float64 array (n, latent)."""
        Z = embed(self.module, self.source, torch.float32)
        if not np.isfinite(Z).all():
            raise ValueError(
                "The training has diverged: the embedding holds NaN or infinity. A "
                f"smaller lr than lr={self.lr} may help."
            )
        return Z.astype(np.float64)

    def embed_views(self, n_views):
        """Mean embedding of the augmented views of each row: float64 (n, latent)."""
        if self.augment is None:
            return self.embed()
        total = 0.0
        for _ in range(n_views):
            Z = embed(self.module, self.source, torch.float32, self.view)
            total = total + Z.astype(np.float64)
        return total / n_views

    def view(self, x):
        """A batch, augmented."""
        return self.augment(x, self.generator)

    def refit_decoder(self, n_epochs):
        """Train the decoder alone, so that it follows an encoder trained without it.

        Parameters that the embedding depends on, as tied weights do, stay as they are.
        """
        if not n_epochs:
            return
        Z = torch.from_numpy(embed(self.module, self.source, torch.float32))
        with frozen(encoder_parameters(self.module, self.source)):
            if not any(p.requires_grad for p in self.module.parameters()):
                return
            net = self.net(DecoderNet, "decoder", n_epochs, criterion=nn.MSELoss)
            with stopped_by_callback():
                net.fit_loop(DecoderSet(self.source, Z), epochs=n_epochs)
            self.finish(net)


class DecoderSet(TrainingSet):
    """Embeddings as the input, the samples they stand for as the target."""

    def __init__(self, source, Z):
        super().__init__(source)
        self.Z = Z

    def __getitem__(self, chunk):
        x, _ = super().__getitem__(chunk)
        return self.Z[chunk].to(x.device), x


@contextmanager
def stopped_by_callback():
    """Lets a callback end the block, as skorch's EarlyStopping does by an interrupt."""
    try:
        yield
    except KeyboardInterrupt:
        pass


def encoder_parameters(module, source):
    """The parameters that the embedding depends on."""
    learnt = [p for p in module.parameters() if p.requires_grad]
    z = module.eval().encode(source.read(slice(0, 2)))
    gradients = torch.autograd.grad(z.sum(), learnt, allow_unused=True)
    return [p for p, gradient in zip(learnt, gradients) if gradient is not None]


@contextmanager
def frozen(parameters):
    """No gradient reaches these parameters inside the block."""
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


def in_dtype(module, dtype, device):
    """The module in evaluation mode: itself in float32, a converted copy otherwise."""
    module.eval()
    if dtype == torch.float32:
        return module
    return copy.deepcopy(module).to(device=device, dtype=dtype)


def embed(module, source, dtype, view=None):
    """Embedding of all rows, block by block: array (n, latent) of the given dtype.

    `view`, if given, is applied to each block before. In float64 a row's embedding
    does not depend, to seven digits, on its block.
    """
    module = in_dtype(module, dtype, source.device)
    blocks = []
    with torch.inference_mode():
        for rows in source.blocks():
            x = source.read(rows, dtype)
            blocks.append(module.encode(x if view is None else view(x)).cpu())
    return torch.cat(blocks).numpy()


def decode(module, Z, format, device):
    """Rows in the units of X for embeddings Z (m, latent), in the dtype of Z."""
    Z = torch.from_numpy(Z)
    module = in_dtype(module, Z.dtype, device)
    with torch.inference_mode():
        blocks = [
            format.restore(module.decode(block.to(device))).cpu()
            for block in Z.split(BLOCK)
        ]
    return torch.cat(blocks).numpy()


def reconstruction_error(module, source):
    """Mean squared error of the reconstructed values, in squared units of X."""
    module.eval()
    total = 0.0
    with torch.inference_mode():
        for rows in source.blocks():
            x = source.read(rows)
            error = (module.decode(module.encode(x)) - x).double().square().sum()
            total += error.item()
    return total * source.format.scale**2 / (len(source) * source.X.shape[1])
