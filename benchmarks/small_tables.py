"""k-means, DECS and IDCL on small tables that scikit-learn has or makes.

    python -m benchmarks.small_tables [--data iris wine] [--seeds 0 1 2 3]

ACC / NMI, the mean over the seeds; features are standardised. The classes are used for
the scores alone. ``doc/trials_vectors.rst`` has what came of it.
"""

import argparse

import numpy as np
from sklearn import datasets
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from benchmarks.papers.scores import score
from deepdensity import DECSClustering, IDCLClustering


def drawn_out():
    """Three blobs, each long in one direction."""
    X, y = datasets.make_blobs(500, random_state=170)
    return X @ [[0.6, -0.6], [-0.4, 0.8]], y


DATA = {
    "iris": lambda: datasets.load_iris(return_X_y=True),
    "wine": lambda: datasets.load_wine(return_X_y=True),
    "cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
    "moons": lambda: datasets.make_moons(500, noise=0.05, random_state=30),
    "blobs": lambda: datasets.make_blobs(500, random_state=30),
    "widths": lambda: datasets.make_blobs(
        500, cluster_std=[1, 2.5, 0.5], random_state=170
    ),
    "drawn out": drawn_out,
    "sizes": lambda: datasets.make_blobs(
        [600, 200, 60, 20],
        centers=[[0, 0, 0], [5, 0, 0], [0, 5, 0], [0, 0, 5]],
        random_state=0,
    ),
}
METHODS = {
    "k-means": lambda k, seed: KMeans(k, n_init=10, random_state=seed),
    "DECS": lambda k, seed: DECSClustering(k, random_state=seed),
    "IDCL": lambda k, seed: IDCLClustering(k, random_state=seed),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3])
    options = parser.parse_args()
    print("".join(f"{head:14}" for head in ("", *METHODS)))
    for name in options.data:
        X, y = DATA[name]()
        X, k = StandardScaler().fit_transform(X), len(np.unique(y))
        print(f"{name:14}", end="", flush=True)
        for make in METHODS.values():
            scores = [score(y, make(k, s).fit_predict(X)) for s in options.seeds]
            acc, nmi = (np.mean([s[key] for s in scores]) for key in ("acc", "nmi"))
            print(f"{f'{acc:.3f} / {nmi:.3f}':14}", end="", flush=True)
        print()


if __name__ == "__main__":
    main()
