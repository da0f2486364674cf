"""The graph gives in onnxruntime what the estimator gives."""

import functools
import logging
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from torch import nn

import deepdensity.onnx
from deepdensity.model_selection import InSampleSplit
from deepdensity.networks import Conv16Autoencoder, MLPAutoencoder

from .common import colour_images, decs, digit_vectors, idcl

X, _ = digit_vectors(200)
X = X.astype(np.float32)

pytestmark = pytest.mark.filterwarnings(
    # of a model so short that clusters may stay empty
    "ignore::sklearn.exceptions.ConvergenceWarning"
)


def session_of(model, path):
    deepdensity.onnx.export(model, path)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def assert_agrees(model, session, X):
    (given,) = session.get_inputs()
    assert (given.name, given.type) == ("X", "tensor(float)")
    assert given.shape[1:] == list(X.shape[1:])
    names = [output.name for output in session.get_outputs()]
    outputs = dict(zip(names, session.run(None, {"X": X.astype(np.float32)})))
    X = X.astype(np.float32)
    Z = model.transform(X)
    assert outputs["labels"].dtype == np.int64
    assert outputs["probabilities"].dtype == outputs["embedding"].dtype == np.float32
    assert_array_equal(outputs["labels"], model.predict(X))
    assert_allclose(outputs["embedding"], Z, rtol=1e-4, atol=1e-4 * np.abs(Z).max())
    assert_allclose(outputs["probabilities"], model.predict_proba(X), atol=1e-3)


@pytest.mark.parametrize(
    ("short", "autoencoder", "image_shape"),
    [
        (idcl, "conv", (8, 8)),
        (decs, "transformer", (8, 8)),
        (idcl, "mlp", None),
        (decs, "shallow", None),
        (decs, "mlp", (8, 8)),
    ],
)
def test_named_networks(short, autoencoder, image_shape, tmp_path):
    model = short(autoencoder=autoencoder, image_shape=image_shape, kernel_scale=0.5)
    session = session_of(model.fit(X), tmp_path / "model.onnx")
    for n in (200, 7, 1):
        assert_agrees(model, session, X[:n])


def test_images_that_the_network_reduces(tmp_path):
    images = np.random.default_rng(0).random((60, 28, 28), dtype=np.float32)
    small = functools.partial(Conv16Autoencoder, channels=(4, 4, 4, 4))
    model = decs(autoencoder=small).fit(images)
    assert_agrees(model, session_of(model, tmp_path / "model.onnx"), images)


def test_images_of_three_axes_as_fit_has_seen_them(tmp_path):
    images, _ = colour_images()
    model = decs(alpha=2.0, autoencoder="mlp").fit(images)
    session = session_of(model, tmp_path / "model.onnx")
    assert session.get_inputs()[0].shape[1:] == [8, 8, 3]
    assert_agrees(model, session, images.astype(np.float32))


def test_all_digits_in_their_own_units(tmp_path):
    digits = load_digits().data
    model = idcl(pretrain_epochs=4).fit(digits[:600])
    assert_agrees(model, session_of(model, tmp_path / "model.onnx"), digits)


class Trapped(MLPAutoencoder):
    """A network that no exporter can follow."""

    def encode(self, x):
        z = super().encode(x)
        return z if float(z.detach().sum()) > -1e30 else -z


def test_what_cannot_be_exported_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_text("before")
    with pytest.raises(NotFittedError):
        deepdensity.onnx.export(idcl(), path)
    model = decs(autoencoder=lambda *shape: Trapped(*shape, hidden=(8,))).fit(X)
    with pytest.raises(Exception, match="(?i)data-dependent"):
        deepdensity.onnx.export(model, path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    assert isinstance(model.module_, nn.Module)


def test_without_onnx_the_message_says_what_to_install(tmp_path, monkeypatch):
    model = decs().fit(X)
    monkeypatch.setattr(deepdensity.onnx, "find_spec", lambda name: None)
    message = r"needs onnx and onnxscript: pip install onnx onnxscript"
    with pytest.raises(ImportError, match=message):
        deepdensity.onnx.export(model, tmp_path / "model.onnx")
    assert "onnxruntime" in sys.modules  # which the export itself does not need


def test_of_a_search_its_best_estimator_is_written(tmp_path):
    search = GridSearchCV(decs(), {"alpha": [1.0, 2.0]}, cv=InSampleSplit()).fit(X)
    session = session_of(search, tmp_path / "model.onnx")
    assert_agrees(search.best_estimator_, session, X)
    assert_array_equal(session.run(["labels"], {"X": X})[0], search.predict(X))


def test_of_a_pipeline_the_last_step_is_to_be_written(tmp_path):
    path = tmp_path / "model.onnx"
    pipeline = make_pipeline(MinMaxScaler(), decs()).fit(X)
    message = r"export\(pipeline\[-1\], path\), and give .* pipeline\[:-1\]\.transform"
    with pytest.raises(TypeError, match=message):
        deepdensity.onnx.export(pipeline, path)
    grid = {"minmaxscaler__clip": [True]}
    search = GridSearchCV(pipeline, grid, cv=InSampleSplit()).fit(X)
    message = r"export\(search\.best_estimator_\[-1\], path\)"
    with pytest.raises(TypeError, match=message):
        deepdensity.onnx.export(search, path)
    assert not path.exists()
    session = session_of(pipeline[-1], path)  # as the message says
    (labels,) = session.run(["labels"], {"X": pipeline[:-1].transform(X)})
    assert_array_equal(labels, pipeline.predict(X))


def test_what_is_no_model_of_this_package(tmp_path):
    path = tmp_path / "model.onnx"
    kmeans = KMeans(2).fit(X)
    once = {"param_grid": {"n_clusters": [2]}, "cv": InSampleSplit()}
    refitted = GridSearchCV(KMeans(), **once).fit(X)
    for other in (kmeans, refitted):
        with pytest.raises(TypeError, match=r"or DECSClustering.*, not KMeans\."):
            deepdensity.onnx.export(other, path)
    search = GridSearchCV(decs(), {"alpha": [1.0]}, cv=InSampleSplit(), refit=False)
    with pytest.raises(NotFittedError):
        deepdensity.onnx.export(search, path)
    with pytest.raises(ValueError, match="GridSearchCV has refit=False.*refit=True"):
        deepdensity.onnx.export(search.fit(X), path)


QUIET = """
import numpy as np
import deepdensity.onnx
X = np.random.default_rng(0).random((40, 6))
few = {"pretrain_epochs": 1, "max_epochs": 1, "init": "k-means", "guard": False}
model = deepdensity.IDCLClustering(2, random_state=0, **few).fit(X)
deepdensity.onnx.export(model, "model.onnx")
"""


def test_nothing_is_printed(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore::UserWarning", "-c", QUIET],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert (tmp_path / "model.onnx").exists()


def test_loggers_are_left_as_they_were(tmp_path):
    logger = logging.getLogger(deepdensity.onnx.OPERATORS_LOGGER)
    before = logger.level
    model = decs().fit(X)
    try:
        logger.setLevel(logging.INFO)
        deepdensity.onnx.export(model, tmp_path / "model.onnx")
        assert logger.level == logging.INFO
        with pytest.raises(OSError):
            deepdensity.onnx.export(model, tmp_path / "none" / "model.onnx")
        assert logger.level == logging.INFO
    finally:
        logger.setLevel(before)
