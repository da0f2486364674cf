"""`load`: the estimator in a file, whichever it is."""

from typing import Any

import torch

from ._typing import FilePath
from .decs import DECSClustering
from .idcl import IDCLClustering
from .persistence.saving import load_estimator

__all__ = ["load"]

CLASSES = {kind.__name__: kind for kind in (IDCLClustering, DECSClustering)}


def load(
    path: FilePath, device: str | torch.device = "auto", **parameters: Any
) -> IDCLClustering | DECSClustering:
    """Read a fitted estimator that its `save` has written.

    Nothing in the file is run, so that it may come from anywhere.

    Parameters
    ----------
    path : str or path-like
    device : str or torch.device, default="auto"
        To compute on. "auto" is the device of the fit where there is one, else the CPU.
    **parameters
        Values of parameters that no file holds, objects and functions of your own:
        `autoencoder`, without which a network of your own cannot be built, and
        `augment`, `pacing`, `callbacks` and `memory`, in whose place stands the
        default, with a warning, if they are not given.

    Returns
    -------
    IDCLClustering or DECSClustering

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> import deepdensity
    >>> X = load_iris().data
    >>> idcl = deepdensity.IDCLClustering(3, pretrain_epochs=20, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     idcl.save(f"{folder}/iris.safetensors")
    ...     again = deepdensity.load(f"{folder}/iris.safetensors")
    >>> bool((again.predict(X) == idcl.labels_).all())
    True
    """
    model: IDCLClustering | DECSClustering
    model = load_estimator(path, CLASSES, device, **parameters)
    return model
