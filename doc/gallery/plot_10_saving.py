"""
Saving and loading
==================

A fit takes minutes, so that one keeps it. ``save`` writes a model to a single file that
is read without running any code of it; a pipeline goes by joblib, as all of
scikit-learn does; and an ONNX graph predicts where there is no Python.
"""

# %%
# A fitted model
# --------------
# Half a minute's worth of fit, on 600 digits.

from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.datasets import load_digits

import deepdensity

X = load_digits().data[:600] / 16
idcl = deepdensity.IDCLClustering(10, random_state=0).fit(X)
temporary = TemporaryDirectory()
folder = Path(temporary.name)

# %%
# A file that runs no code
# ------------------------
# The model comes back with its parameters, labels, history and all that a
# ``warm_start`` or ``partial_fit`` goes on from.

idcl.save(folder / "digits.safetensors")
again = deepdensity.load(folder / "digits.safetensors")
print((again.predict(X) == idcl.labels_).all(), len(again.history_), "epochs")
print(f"{(folder / 'digits.safetensors').stat().st_size / 2**20:.1f} MiB")

# %%
# The training data are not in the file, their embedding and labels are: enough for
# pictures without a new fit.

from deepdensity.inspection import EmbeddingDisplay

EmbeddingDisplay.from_predictions(
    again.embedding_,
    again.labels_,
    cores=again.core_sample_indices_,
    centers=again.core_means_,
    name="from the file",
)

# %%
# Pipelines
# ---------
# joblib and pickle keep everything, and run what the file says: load only what you
# trust, with the versions of the libraries that wrote it.

import joblib
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

pipeline = make_pipeline(FunctionTransformer(), idcl)  # fitted above
joblib.dump(pipeline, folder / "pipeline.joblib")
print((joblib.load(folder / "pipeline.joblib").predict(X) == idcl.labels_).all())

# %%
# ONNX
# ----
# The way from samples to labels as one graph, for servers without PyTorch:

import onnxruntime

import deepdensity.onnx

deepdensity.onnx.export(idcl, folder / "digits.onnx")
session = onnxruntime.InferenceSession(folder / "digits.onnx")
labels, probabilities, Z = session.run(None, {"X": X.astype("float32")})
print(f"{(labels == idcl.labels_).mean():.3f} of the labels are those of the fit")
temporary.cleanup()

# %%
# What the files hold, devices, and later versions of the package: :doc:`/saving`.
