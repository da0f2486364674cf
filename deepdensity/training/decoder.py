"""The refit of a decoder to an encoder that has been trained without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from .._typing import Samples
from ..samples.inputs import Source
from ..utils.devices import to_device
from .batches import TrainingSet
from .inference import embed
from .phase_net import PhaseNet
from .trainer import Trainer

__all__ = ["encoder_parameters", "refit_decoder"]


def refit_decoder(trainer: Trainer, n_epochs: int) -> None:
    """Train the decoder alone, so that it follows the encoder as it is now.

    Parameters that the embedding depends on, as tied weights do, stay as they are.
    """
    module, source = trainer.module, trainer.source
    if not n_epochs:
        return
    Z = torch.from_numpy(embed(module, source, torch.float32))
    with frozen(encoder_parameters(module, source)):
        if not any(p.requires_grad for p in module.parameters()):
            return
        n_steps = n_epochs * trainer.steps_per_epoch
        net = trainer.net(
            DecoderNet, "decoder", n_epochs, n_steps, criterion=nn.MSELoss
        )
        with trainer.finishing(net):
            net.fit_loop(DecoderSet(source, Z), epochs=n_epochs)


class DecoderNet(PhaseNet):
    """skorch net that trains the decoder alone: x is an embedding, the target its X."""

    def infer(self, x: Any, **fit_params: Any) -> Any:
        with self.precision(x):
            return self.module_.decode(x).float()

    def get_loss(
        self, y_pred: Any, y_true: Samples, X: Samples = None, training: bool = False
    ) -> Any:
        return self.criterion_(y_pred, y_true[1])


class DecoderSet(TrainingSet):
    """Embeddings as the input, the samples they stand for as the target."""

    def __init__(self, source: Source, Z: Tensor) -> None:
        super().__init__(source)
        self.Z = Z

    def __getitem__(self, chunk: Any) -> Any:
        x, _ = super().__getitem__(chunk)
        return to_device(self.Z[chunk], x.device), x


def encoder_parameters(module: Any, source: Source) -> Any:
    """The parameters that the embedding depends on."""
    learnt = [p for p in module.parameters() if p.requires_grad]
    z = module.eval().encode(source.read(slice(0, 2)))
    if not learnt or not z.requires_grad:  # an encoder whose weights are frozen
        return []
    gradients = torch.autograd.grad(z.sum(), learnt, allow_unused=True)
    return [p for p, gradient in zip(learnt, gradients) if gradient is not None]


@contextmanager
def frozen(parameters: Any) -> Iterator[None]:
    """No gradient reaches these parameters inside the block."""
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
