"""What ``n_clusters="auto"`` finds.

python -m benchmarks.papers.number_of_clusters --data-home FOLDER

The fit ends at the start of the clustering phase, since both estimators look for the
number before it, and in the same way.
"""

import time

from deepdensity import DECSClustering

from .methods import Method
from .runner import Table, main

__all__ = ["TABLE", "measure"]

FIELDS = ("n_classes", "found", "scores", "wall_s")


def measure(method, samples, y, seed):
    """The row of one search; how many classes there are is for the table alone."""
    begin = time.perf_counter()
    model = method.fit(samples, seed, **method.settings)
    scores = model.n_clusters_scores_.items()
    return [
        {
            "n_classes": samples.n_clusters,
            "found": model.n_clusters_,
            "scores": " ".join(f"{k}:{score:.3f}" for k, score in scores),
            "wall_s": round(time.perf_counter() - begin, 2),
        }
    ]


def fit(samples, seed, **settings):
    return DECSClustering(
        "auto",
        image_shape=samples.image_shape,
        init="k-means",
        max_iter=0,
        random_state=seed,
        **settings,
    ).fit(samples.X)


TABLE = Table(
    "number_of_clusters",
    'What n_clusters="auto" finds.',
    {"auto": Method(fit, frozenset({"precision", "device", "autoencoder"}))},
    measure,
    FIELDS,
    data=("digits", "usps", "mnist_test", "pbmc", "kidney", "r8"),
)

if __name__ == "__main__":
    main(TABLE)
