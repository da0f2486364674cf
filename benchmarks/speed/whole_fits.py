"""Whole fits over ClustPy's: the same network, batches, epochs and data.

DECS stands beside DEC, both train the encoder alone in clustering; IDCL beside IDEC,
both reconstruct, too. Each pretrains and clusters for the same epochs, from k-means
with 20 starts; what this package's recipe adds (trials of starts, guard) is off, and
DECS's last refit of the decoder, which DEC has not, is counted. In bfloat16 where the
device computes in it.
"""

import functools

import numpy as np

from benchmarks.papers.data import load
from deepdensity import DECSClustering, IDCLClustering
from deepdensity.utils.devices import has_bfloat16

from .timing import Ratio, interleaved

__all__ = ["fit_over_clustpy"]

BATCH = 256
PRECISIONS = {"f32": "float32", "bf16": "bfloat16"}
PAIRS = {"DECS": "DEC", "IDCL": "IDEC"}


def fit_over_clustpy(device, n_rounds, data_home, n_samples, n_epochs):
    """Fits of `n_samples` images of USPS: seconds over those of ClustPy's method."""
    from benchmarks.papers.peers import fit_peer

    samples, _ = load("usps", data_home)
    samples = samples._replace(X=samples.X[:n_samples])
    precisions = dict(list(PRECISIONS.items())[: 1 + has_bfloat16(device)])
    for name, peer in PAIRS.items():
        settings = (peer, samples, 0, BATCH, n_epochs, n_epochs, device)
        functions = [
            functools.partial(fit_ours, name, samples, n_epochs, precision, device)
            for precision in precisions.values()
        ]
        functions.append(functools.partial(fit_peer, *settings))
        seconds = interleaved(functions, n_rounds, device)
        medians = np.median(seconds, axis=0)
        for i, precision in enumerate(precisions):
            ratios = list(seconds[:, i] / seconds[:, -1])
            what = f"fit, {name} {precision}, over ClustPy's {peer}"
            goal = "<= 0.10" if device.type == "cuda" else "<= 0.50"
            yield Ratio(what, medians[i], medians[-1], ratios, goal)


def fit_ours(name, samples, n_epochs, precision, device):
    """A fit of as many steps as the peer takes."""
    n_batches = -(-len(samples.X) // BATCH)
    common = {
        "image_shape": samples.image_shape,
        "batch_size": BATCH,
        "pretrain_epochs": n_epochs,
        "init": "k-means",
        "guard": False,
        "tol": 0,
        "precision": precision,
        "device": device,
        "random_state": 0,
    }
    if name == "DECS":
        model = DECSClustering(
            samples.n_clusters, max_iter=n_epochs * n_batches, **common
        )
    else:
        model = IDCLClustering(
            samples.n_clusters, max_epochs=n_epochs, pacing="none", **common
        )
    return model.fit(samples.X)
