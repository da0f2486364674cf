"""The graph gives in onnxruntime what the estimator gives."""

import sys

import numpy as np
import onnxruntime
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from torch import nn

import deepdensity.onnx
from deepdensity.networks import MLPAutoencoder

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
    with pytest.raises(Exception, match="(?i)data-dependent|export"):
        deepdensity.onnx.export(model, path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    assert isinstance(model.module_, nn.Module)


def test_without_onnx_the_message_says_what_to_install(tmp_path, monkeypatch):
    model = decs().fit(X)
    monkeypatch.setattr(deepdensity.onnx, "find_spec", lambda name: None)
    message = r"needs onnx and onnxscript: pip install deepdensity\[onnx\]"
    with pytest.raises(ImportError, match=message):
        deepdensity.onnx.export(model, tmp_path / "model.onnx")
    assert "onnxruntime" in sys.modules  # which the export itself does not need
