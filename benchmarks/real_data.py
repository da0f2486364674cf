"""USPS and Digits: the estimators' accuracy on real data, over seeds.

    python benchmarks/real_data.py --data-home FOLDER [--seeds 0 1] [--out FILE.csv]

Fits are scored at the end of training; labels are used for the scores only. Rows go to
the CSV file as they come, and those already there are not run again.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from tqdm import tqdm

from deepdensity import DECSClustering, IDCLClustering
from deepdensity.metrics import clustering_accuracy

FIELDS = ["data", "method", "seed", "ACC", "NMI", "ARI", "seconds", "n_iter"]

# the recipe of each row; all epochs and iterations are run
USPS_DECS = {"pretrain_epochs": 100, "max_iter": 3000, "init": "spectral", "tol": 0}
USPS_IDCL = {
    "autoencoder": "conv",
    "pretrain_epochs": 100,
    "max_epochs": 40,
    "init": "spectral",
    "tol": 0,
}
DIGITS_IDCL = {
    "autoencoder": "conv",
    "pretrain_epochs": 150,
    "max_epochs": 60,
    "init": "gaussian-mixture",
    "tol": 0,
}

RUNS = {
    ("USPS", "DECS"): (DECSClustering, USPS_DECS),
    ("USPS", "IDCL"): (IDCLClustering, USPS_IDCL),
    ("Digits", "IDCL"): (IDCLClustering, DIGITS_IDCL),
}


def load(data, data_home):
    """X and y: images (n, h, w) in [0, 1]."""
    if data == "Digits":
        digits = load_digits()
        return digits.images.astype(np.float32) / 16, digits.target
    with np.load(Path(data_home) / "usps.npz") as file:
        return (file["X"] / 2000).astype(np.float32), file["y"]


def run(data, method, seed, data_home, verbose=0):
    """Fit once and score the final labels: a row of the table."""
    X, y = load(data, data_home)
    estimator, settings = RUNS[data, method]
    model = estimator(10, random_state=seed, verbose=verbose, **settings)
    start = time.perf_counter()
    labels = model.fit_predict(X)
    seconds = time.perf_counter() - start
    scores = clustering_accuracy, normalized_mutual_info_score, adjusted_rand_score
    values = [round(float(score(y, labels)), 4) for score in scores]
    row = [data, method, seed, *values, round(seconds, 1), model.n_iter_]
    return dict(zip(FIELDS, row, strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home", required=True, help="folder with usps.npz")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--out", default="real_data.csv")
    options = parser.parse_args()
    out = Path(options.out)
    rows = list(csv.DictReader(out.open())) if out.exists() else []
    done = {(row["data"], row["method"], int(row["seed"])) for row in rows}
    jobs = [(*key, seed) for key in RUNS for seed in options.seeds]
    for job in tqdm([job for job in jobs if job not in done], unit="fit"):
        rows.append(run(*job, options.data_home))
        with out.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(rows)
    for row in [dict(zip(FIELDS, FIELDS, strict=True)), *rows]:
        print("".join(f"{row[field]!s:>9}" for field in FIELDS))


if __name__ == "__main__":
    main()
