"""A fitted estimator as an ONNX graph: samples to labels, without Python.

The graph standardises the samples, embeds them in float32 and assigns the embeddings
in float64, as `predict` does with float32 samples.
"""

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import torch
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from ._typing import Estimator, FilePath
from .fitted import FittedDeepClustering
from .utils.best_estimator import best_of
from .utils.files import replacing

__all__ = ["export"]

OUTPUTS = ("labels", "probabilities", "embedding")
# torch's own, which warns of every operator of torchvision where that is not installed
OPERATORS_LOGGER = "torch.onnx._internal.exporter._registration"


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


def export(estimator: Estimator, path: FilePath) -> None:
    """Write encoder and soft assignment of a fitted estimator to an ONNX file.

    Its input ``X`` is float32, of any number of samples, each of the shape and in the
    units that `fit` has seen: flat where those were flat. Its outputs are ``labels``
    (n,), int64; ``probabilities`` (n, n_clusters) and ``embedding`` (n, n_components),
    float32: what `predict`, `predict_proba` and `transform` return for float32 samples.

    It needs the packages onnx and onnxscript, and torch 2.10 or newer: earlier ones
    cannot export every network.

    Parameters
    ----------
    estimator : IDCLClustering or DECSClustering, or a search over one
        Fitted; of a search its `best_estimator_` is written. A network of your own must
        be one that :func:`torch.export.export` can take.
    path : str or path-like
        What stands there is replaced once the new file is complete.

    Raises
    ------
    TypeError
        Of a pipeline, whose other steps a graph does not hold, and of what is neither.
    FileNotFoundError
        Of a folder that is not there.

    Examples
    --------
    >>> import tempfile
    >>> import onnxruntime
    >>> from sklearn.datasets import load_iris
    >>> import deepdensity.onnx
    >>> X = load_iris().data.astype("float32")
    >>> idcl = deepdensity.IDCLClustering(3, pretrain_epochs=20, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     deepdensity.onnx.export(idcl, f"{folder}/iris.onnx")
    ...     session = onnxruntime.InferenceSession(f"{folder}/iris.onnx")
    >>> labels, probabilities, embedding = session.run(None, {"X": X})
    >>> bool((labels == idcl.labels_).all())
    True
    """
    estimator = fitted_model(estimator)
    check_installed()
    samples = torch.zeros(2, *estimator._sample_shape, dtype=torch.float32)
    with replacing(path) as beside:
        with warnings.catch_warnings(), errors_only(OPERATORS_LOGGER):
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
        assert program is not None  # as dynamo=True promises
        program.save(beside, external_data=False)


def fitted_model(estimator: Estimator) -> FittedDeepClustering:
    """The estimator itself, or the best one of a search."""
    check_is_fitted(estimator)
    model = best_of(estimator)
    if isinstance(model, FittedDeepClustering):
        return model
    if isinstance(model, Pipeline):
        name = "pipeline" if model is estimator else "search.best_estimator_"
        raise TypeError(
            "The graph of a pipeline would lack the steps before the last: export that "
            f"alone, export({name}[-1], path), and give the graph "
            f"{name}[:-1].transform(X)."
        )
    raise TypeError(
        "export takes a fitted IDCLClustering or DECSClustering, or a search with one "
        f"as best_estimator_, not {type(model).__name__}."
    )


@contextmanager
def errors_only(name: str) -> Iterator[None]:
    """A logger passes on nothing below an error meanwhile."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def check_installed() -> None:
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"export needs {' and '.join(missing)}: pip install {' '.join(missing)}"
        )
