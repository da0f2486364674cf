"""One fit, timed and scored: what most tables measure. Labels are for the scores."""

import time

import numpy as np
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from deepdensity.metrics import clustering_accuracy

__all__ = ["FIELDS", "measure", "score"]

PHASES = ("pretrain", "cluster")
FIELDS = (
    "n",
    "acc",
    "nmi",
    "ari",
    "n_found",
    "start_acc",
    "start_nmi",
    "wall_s",
    *(f"{kind}_{phase}" for kind in ("s", "epochs", "steps") for phase in PHASES),
    "device",
)


def score(y, labels):
    """ACC, NMI and ARI of labels, by the classes y."""
    values = {
        "acc": clustering_accuracy(y, labels),
        "nmi": normalized_mutual_info_score(y, labels),
        "ari": adjusted_rand_score(y, labels),
    }
    return {name: round(float(value), 5) for name, value in values.items()}


def measure(method, samples, y, seed):
    """The row of one fit, scored at the end of training."""
    begin = time.perf_counter()
    fit = method.fit(samples, seed, **method.settings)
    seconds = round(time.perf_counter() - begin, 2)
    shared = method.settings.get("memory") is not None  # some of it may be recalled
    row = {
        "n": samples.X.shape[0],
        "wall_s": "" if shared else seconds,
        "n_found": len(np.unique(fit.labels)),
        "device": fit.device,
        **score(y, fit.labels),
    }
    if fit.start_labels is not None:
        start = score(y, fit.start_labels)
        row.update(start_acc=start["acc"], start_nmi=start["nmi"])
    for name in PHASES:
        if name in fit.phases:
            seconds, epochs, steps = fit.phases[name]
            row[f"s_{name}"] = round(seconds, 2)
            row[f"epochs_{name}"] = round(epochs, 1)
            row[f"steps_{name}"] = steps
    return [row]
