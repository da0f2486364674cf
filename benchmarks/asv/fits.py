"""Time, peak memory and accuracy of the default fits, beside one another.

All three are tracked, so that no gain in speed hides a loss of accuracy. Digits comes
with scikit-learn; USPS is read from the folder that DEEPDENSITY_DATA_HOME names, and is
left out where there is none. DEEPDENSITY_ASV_ROWS=300 takes so many rows only, to try
the suite itself.
"""

import os
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from deepdensity import DECSClustering, IDCLClustering
from deepdensity.metrics import clustering_accuracy

ESTIMATORS = {"IDCL": IDCLClustering, "DECS": DECSClustering}
N_CLUSTERS = 10


def digits():
    data = load_digits()
    return data.images.astype(np.float32) / 16, data.target


def usps():
    home = os.environ.get("DEEPDENSITY_DATA_HOME")
    path = Path(home or ".") / "usps.npz"
    if not path.exists():
        raise NotImplementedError("DEEPDENSITY_DATA_HOME has no usps.npz")  # left out
    with np.load(path) as file:
        X, y = file["X"], file["y"]
    return X.reshape(len(X), 16, 16).astype(np.float32) / 2000, y


DATA = {"digits": digits, "usps": usps}


class Fits:
    """A fit out of the box, of both estimators on each set."""

    params = [list(ESTIMATORS), list(DATA)]
    param_names = ["estimator", "data"]
    timeout = 7200
    number, repeat, rounds, warmup_time = 1, 1, 1, 0  # a fit takes minutes

    def setup(self, estimator, data):
        n_rows = int(os.environ.get("DEEPDENSITY_ASV_ROWS", 0)) or None
        X, y = DATA[data]()
        self.X, self.y = X[:n_rows], y[:n_rows]
        self.model = ESTIMATORS[estimator](N_CLUSTERS, random_state=0)

    def time_fit(self, estimator, data):
        self.model.fit(self.X)

    def peakmem_fit(self, estimator, data):
        self.model.fit(self.X)

    def track_accuracy(self, estimator, data):
        return clustering_accuracy(self.y, self.model.fit_predict(self.X))

    track_accuracy.unit = "share of the samples"


class NewSamples:
    """`predict` and `transform` of 10,000 images, by a barely trained network."""

    params = [list(ESTIMATORS)]
    param_names = ["estimator"]

    def setup(self, estimator):
        images, _ = digits()
        self.X = np.resize(images, (10_000, *images.shape[1:]))
        self.model = ESTIMATORS[estimator](
            N_CLUSTERS, pretrain_epochs=1, init="k-means", guard=False, random_state=0
        )
        limit = "max_epochs" if estimator == "IDCL" else "max_iter"
        self.model.set_params(**{limit: 1}).fit(images[:200])

    def time_transform(self, estimator):
        self.model.transform(self.X)

    def time_predict(self, estimator):
        self.model.predict(self.X)

    def peakmem_predict(self, estimator):
        self.model.predict(self.X)
