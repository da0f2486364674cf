"""k-means, DECS and IDCL on scikit-learn's Digits: scores, and the two embeddings.

    python benchmarks/digits_demo.py [--picture digits_embedding.png]

The labels of the digits are used for the scores alone.
"""

import argparse
import time

import matplotlib

matplotlib.use("Agg")  # a file, no window

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from deepdensity import DECSClustering, IDCLClustering
from deepdensity.metrics import clustering_accuracy

METHODS = {
    "k-means": KMeans(10, n_init=20, random_state=0),
    "DECS": DECSClustering(10, verbose=1, random_state=0),
    "IDCL": IDCLClustering(10, verbose=1, random_state=0),
}
SCORES = {
    "ACC": clustering_accuracy,
    "NMI": normalized_mutual_info_score,
    "ARI": adjusted_rand_score,
}
COLOURS = np.array(  # Petroff's ten, chosen to differ for the colour-blind too
    "#3f90da #ffa90e #bd1f01 #94a4a2 #832db6 "
    "#a96b59 #e76300 #b9ac70 #717581 #92dadd".split()
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--picture", default="digits_embedding.png", help="where the picture is saved"
    )
    picture = parser.parse_args().picture

    X, y = load_digits(return_X_y=True)
    print(f"Digits: {len(X)} images of 8 x 8 pixels, 10 classes")
    results = {}
    for name, method in METHODS.items():
        print(f"fitting {name}", flush=True)
        start = time.perf_counter()
        labels = method.fit_predict(X)
        seconds = time.perf_counter() - start
        scores = {score: function(y, labels) for score, function in SCORES.items()}
        results[name] = {**scores, "seconds": seconds}

    print_table(results)
    draw(X, results, picture)
    print(f"\nThe embeddings are drawn in {picture}")


def print_table(results):
    print(f"\n{'method':<8}", *(f"{score:>6}" for score in SCORES), f"{'seconds':>8}")
    for name, row in results.items():
        scores = (f"{row[score]:6.3f}" for score in SCORES)
        print(f"{name:<8}", *scores, f"{row['seconds']:8.1f}")


def draw(X, results, picture):
    """The embedding of each deep method, seen along its first principal axes."""
    figure, axes = plt.subplots(1, 2, figsize=(13, 7.6), layout="constrained")
    for name, ax in zip(["DECS", "IDCL"], axes):
        method = METHODS[name]
        Z = method.transform(X)
        pca = PCA(2, random_state=0).fit(Z)
        draw_samples(ax, pca.transform(Z), method.labels_)
        if name == "IDCL":
            cores = method.core_sample_indices_
            draw_cores(ax, pca.transform(Z[cores]), method.labels_[cores])
            centres = pca.transform(method.core_means_)
        else:
            centres = pca.transform(method.cluster_centers_)
            draw_centres(ax, centres[np.unique(method.labels_)])
        number_clusters(ax, centres, method.labels_)
        scores = "   ".join(f"{s} {results[name][s]:.3f}" for s in SCORES)
        ax.set_title(f"{name}\n{scores}", fontsize=13)
        share = pca.explained_variance_ratio_
        ax.set_xlabel(f"first principal component ({share[0]:.0%} of the variance)")
        ax.set_ylabel(f"second principal component ({share[1]:.0%})")
        ax.legend(
            title="beside a cluster: its number (and size)",
            loc="upper center",
            bbox_to_anchor=(0.5, -0.1),
            ncols=2,
            frameon=False,
            fontsize=11,
            title_fontsize=11,
        )
    figure.savefig(picture, dpi=120)


def draw_samples(ax, points, labels):
    """All samples, on a square with one scale for both axes and room for numbers."""
    low, high = points.min(axis=0), points.max(axis=0)
    reach = 0.66 * (high - low).max()
    x, y = (low + high) / 2
    ax.set(xlim=(x - reach, x + reach), ylim=(y - reach, y + reach), box_aspect=1)
    ax.scatter(*points.T, c=COLOURS[labels], s=18, alpha=0.6, linewidths=0)
    ax.scatter([], [], c="#717581", s=36, label="sample")


def draw_cores(ax, points, labels):
    style = {"s": 32, "edgecolors": "black", "linewidths": 1}
    ax.scatter(*points.T, c=COLOURS[labels], **style)
    ax.scatter([], [], c="#717581", label="sample in a density core", **style)


def draw_centres(ax, points):
    style = {"facecolors": "none", "edgecolors": "black", "s": 110, "linewidths": 1}
    ax.scatter(*points.T, label="cluster centre", **style)


def number_clusters(ax, centres, labels):
    """Number and size of each cluster that has samples, off the other centres."""
    clusters, sizes = np.unique(labels, return_counts=True)
    points = centres[clusters]
    for cluster, size, point in zip(clusters, sizes, points):
        away = point - points
        distance = np.linalg.norm(away, axis=1, keepdims=True) + 1e-9
        push = (away / distance**3).sum(axis=0)
        ax.annotate(
            f"{cluster} ({size})",
            point,
            xytext=34 * push / (np.linalg.norm(push) + 1e-9),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=10,
            fontweight="bold",
            bbox={
                "boxstyle": "round,pad=0.25",
                "facecolor": "white",
                "edgecolor": COLOURS[cluster],
                "linewidth": 1.8,
            },
            arrowprops={"arrowstyle": "-", "color": "#717581", "shrinkB": 4},
        )


if __name__ == "__main__":
    main()
