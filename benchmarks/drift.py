"""Clusters that drift, batch by batch: who follows them, and keeps their numbers.

    python -m benchmarks.drift [--seeds 0 1 2 3]

Each method is fitted to 400 samples of four clusters, and refined by ``partial_fit``
with 30 batches of 200, between which the clusters move. The figures are accuracies on
1,000 samples of the last places, with each cluster's number matched to a class at the
start and never again: mean and range over the seeds. "left as fitted" has seen no
batch.
"""

import argparse
import copy

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics.cluster import contingency_matrix

from deepdensity import DECSClustering, IDCLClustering

N_CLUSTERS, N_BATCHES = 4, 30
WIDTH = 0.6  # standard deviation of a cluster


def ring(random):
    """In a plane: a ring of clusters that turns by 3 degrees a batch, 90 in all."""
    first = random.uniform(0, 2 * np.pi)

    def centres(i_batch):
        angles = first + np.pi / 2 * np.arange(N_CLUSTERS) + np.radians(3 * i_batch)
        return 3 * np.column_stack([np.cos(angles), np.sin(angles)])

    return centres


def walk(random):
    """In ten dimensions: each cluster goes its own way, a quarter of WIDTH a batch."""
    first = 1.3 * random.normal(size=(N_CLUSTERS, 10))
    ways = random.normal(size=first.shape)
    ways *= WIDTH / 4 / np.linalg.norm(ways, axis=1, keepdims=True)
    return lambda i_batch: first + i_batch * ways


DATA = {"ring, 2 features": ring, "walk, 10 features": walk}
METHODS = {
    "MiniBatchKMeans": lambda s: MiniBatchKMeans(N_CLUSTERS, n_init=10, random_state=s),
    "DECS": lambda seed: DECSClustering(N_CLUSTERS, random_state=seed),
    "IDCL": lambda seed: IDCLClustering(N_CLUSTERS, random_state=seed),
}


def draw(centres, n_samples, random):
    y = random.randint(N_CLUSTERS, size=n_samples)
    return centres[y] + WIDTH * random.normal(size=(n_samples, centres.shape[1])), y


def accuracies(make, data, seed):
    """At the end: as fitted, and refined by all batches."""
    random = np.random.RandomState(seed)
    centres = data(random)
    X, y = draw(centres(0), 400, random)
    model = make(seed).fit(X)
    shared = contingency_matrix(y, model.predict(X))
    classes, clusters = linear_sum_assignment(shared, maximize=True)
    class_of = dict(zip(clusters, classes))
    as_fitted = copy.deepcopy(model)
    for i in range(1, N_BATCHES + 1):
        model.partial_fit(draw(centres(i), 200, random)[0])
    X, y = draw(centres(N_BATCHES), 1000, random)
    return [
        np.mean([class_of.get(cluster, -1) == k for cluster, k in zip(m.predict(X), y)])
        for m in (as_fitted, model)
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3])
    seeds = parser.parse_args().seeds
    for name, data in DATA.items():
        print(name)
        for method, make in METHODS.items():
            found = np.array([accuracies(make, data, seed) for seed in seeds])
            told = [
                f"{way} {a.mean():.3f} ({a.min():.3f} to {a.max():.3f})"
                for way, a in zip(("left as fitted", "refined"), found.T)
            ]
            print(f"  {method:16}", *told, sep="   ", flush=True)


if __name__ == "__main__":
    main()
