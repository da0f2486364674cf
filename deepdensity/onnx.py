"""A fitted estimator as an ONNX graph: samples to labels, without Python.

The graph standardises the samples, embeds them in float32 and assigns the embeddings
in float64, as `predict` does with float32 samples.
"""

import copy
import warnings
from importlib.util import find_spec
from pathlib import Path

import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from ._typing import Estimator
from .state_file import replacing

__all__ = ["export"]

OUTPUTS = ("labels", "probabilities", "embedding")


class Prediction(nn.Module):
    """A fitted estimator's `predict`, `predict_proba` and `transform` as one module."""

    def __init__(self, estimator: Estimator) -> None:
        super().__init__()
        self.module = copy.deepcopy(estimator.module_).cpu()
        self.estimator = estimator

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows = x.flatten(1)
        z = self.module.encode(self.estimator._format.normalise(rows))
        q = self.estimator._soft_assignment(z.double())
        return q.argmax(1), q.float(), z


def export(estimator: Estimator, path: str | Path) -> None:
    """Write encoder and soft assignment of a fitted estimator to an ONNX file.

    Its input ``X`` is float32, of any number of samples, each of the shape and in the
    units that `fit` has seen: flat where those were flat. Its outputs are ``labels``
    (n,), int64; ``probabilities`` (n, n_clusters) and ``embedding`` (n, n_components),
    float32: what `predict`, `predict_proba` and `transform` return for float32 samples.

    It needs the packages onnx and onnxscript.

    Parameters
    ----------
    estimator : IDCLClustering or DECSClustering
        Fitted. A network of your own must be one that :func:`torch.export.export` can
        take.
    path : str or path-like
        What stands there is replaced once the new file is complete.
    """
    check_is_fitted(estimator)
    check_installed()
    samples = torch.zeros(2, *estimator._sample_shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's, of its own code
        program = torch.onnx.export(
            Prediction(estimator).eval(),
            (samples,),
            dynamo=True,
            input_names=["X"],
            output_names=OUTPUTS,
            dynamic_shapes=({0: torch.export.Dim("n_samples")},),
            verbose=False,
        )
    with replacing(path) as beside:
        assert program is not None  # as dynamo=True promises
        program.save(beside, external_data=False)


def check_installed() -> None:
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"export needs {' and '.join(missing)}: pip install deepdensity[onnx]"
        )
