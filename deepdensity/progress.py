"""A progress bar over the epochs of a phase, as a skorch callback."""

from skorch.callbacks import Callback
from tqdm.auto import tqdm

__all__ = ["EpochProgress"]


class EpochProgress(Callback):
    """One bar a phase, with the loss behind it.

    Parameters
    ----------
    phase : str
        Shown before the bar.
    total : int
        Number of epochs.
    """

    def __init__(self, phase, total):
        self.phase = phase
        self.total = total

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.bar_ = tqdm(total=self.total, desc=self.phase, unit="epoch")

    def on_epoch_end(self, net, **kwargs):
        self.bar_.set_postfix(loss=f"{net.history[-1, 'train_loss']:.4g}")
        self.bar_.update()

    def on_train_end(self, net, X=None, y=None, **kwargs):
        self.bar_.close()
