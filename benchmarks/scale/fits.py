"""One fit, in a process of its own: seconds and peak memory.

A small network (784-32-10 and back) and an epoch of each phase: what does not depend on
the number of epochs shows all the more. Batches hold 256 samples at every n, so that
epochs are equal. The seconds are the processor's, which other work on the machine
lengthens little; with more threads than one they are those of all of them.
"""

import functools
import json
import sys
import time

from benchmarks.scale.memory import Peak, anonymous

__all__ = ["fit"]

BATCH = 256
HIDDEN = (32,)
N_INIT = 3


def fit(estimator, layout, folder, n_samples, n_clusters=10):
    """Figures of one fit: a dict."""
    import torch

    from benchmarks.scale.samples import read
    from deepdensity import DECSClustering, IDCLClustering
    from deepdensity.networks import MLPAutoencoder

    torch.ones(2, 2) @ torch.ones(2, 2)  # libraries and threads start
    interpreter = anonymous()
    n_steps = -(-n_samples // BATCH)
    phase = {"IDCL": {"max_epochs": 1}, "DECS": {"max_iter": n_steps}}[estimator]
    kind = {"IDCL": IDCLClustering, "DECS": DECSClustering}[estimator]
    model = kind(
        n_clusters,
        autoencoder=functools.partial(MLPAutoencoder, hidden=HIDDEN),
        pretrain_epochs=1,
        batch_size=BATCH,
        n_init=N_INIT,
        random_state=0,
        **phase,
    )
    X = read(layout, folder, n_samples)  # what is left of it counts, as X does
    with Peak() as peak:
        start = time.process_time()
        model.fit(X)
        fitted = time.process_time()
        model.predict(X)
        end = time.process_time()
    return {
        "estimator": estimator,
        "layout": layout,
        "n_samples": n_samples,
        "n_clusters": n_clusters,
        "n_found": len(set(model.labels_)),
        "seconds": fitted - start,
        "predict_seconds": end - fitted,
        "mebibytes": (peak.peak - interpreter) / 2**20,
    }


if __name__ == "__main__":
    name, layout, folder, *numbers = sys.argv[1:]
    print(json.dumps(fit(name, layout, folder, *map(int, numbers))))
