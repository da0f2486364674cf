"""A release writes what later ones must read: ``python -m tests.write_fixture``.

For each estimator ``tests/fixtures/VERSION/NAME.safetensors``, a tiny fitted model, and
beside it ``NAME.json``, some samples and what the model made of them.
"""

import json
import sys
from pathlib import Path

from sklearn.datasets import load_iris

from deepdensity import DECSClustering, IDCLClustering, __version__

FIXTURES = Path(__file__).parent / "fixtures"
MODELS = {
    "idcl": IDCLClustering(max_epochs=8),
    "decs": DECSClustering(max_iter=8),
}
METHODS = (
    "predict",
    "predict_proba",
    "transform",
    "score_samples",
    "score",
)


def write(folder):
    """Models and what they make of their training data, into a new folder."""
    folder.mkdir(parents=True)
    X = load_iris().data[::5]
    for name, model in MODELS.items():
        model.set_params(
            n_clusters=3,
            n_components=2,
            autoencoder="shallow",
            pretrain_epochs=12,
            n_init=3,
            lr=0.03,
            random_state=0,
        ).fit(X)
        model.save(folder / f"{name}.safetensors")
        values = {method: getattr(model, method)(X) for method in METHODS}
        values["inverse_transform"] = model.inverse_transform(model.embedding_)
        values = {
            key: getattr(v, "tolist", lambda v=v: v)() for key, v in values.items()
        }
        text = json.dumps({"X": X.tolist(), **values})
        (folder / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    target = FIXTURES / __version__
    if target.exists():
        sys.exit(
            f"{target} is there: the fixture of a release stays as it was written."
        )
    write(target)
