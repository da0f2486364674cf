"""The methods that are compared: each a function of samples, without labels, and seed.

IDCL, DECS
    default-constructed: only `n_clusters`, `image_shape` and `random_state` are given.
IDCL paper, DECS paper
    the papers' settings, from :mod:`deepdensity.papers`; vectors, for which the papers'
    image networks are no use, take "mlp".
k-means
    20 starts, on the features as they are.
k-means PCA 50, Gaussian mixture, spectral, HDBSCAN
    on the first 50 principal components (on the features themselves if there are no
    more than 50).
DEC, IDEC, DCN, DipDECK
    ClustPy's, see :mod:`benchmarks.papers.peers`.
"""

import inspect
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.cluster import HDBSCAN, KMeans, SpectralClustering
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier

from deepdensity import DECSClustering, IDCLClustering, papers
from deepdensity.networks.build import FOR_IMAGES

from .fits import Fit, Phase

__all__ = ["METHODS", "Method"]

N_COMPONENTS = 50
MAX_GRAPH = 10_000  # samples


class Method(NamedTuple):
    """A way to cluster: ``fit(samples, seed, **settings)`` -> Fit."""

    fit: Callable
    parameters: frozenset  # what can be set
    settings: dict = {}  # what is, for a variant of a method

    def variant(self, **settings):
        return self._replace(settings={**self.settings, **settings})


def plain(fit):
    """The Method of a function whose keyword-only arguments can be set."""
    parameters = inspect.signature(fit).parameters.values()
    names = (p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
    return Method(fit, frozenset(names))


# -- this package's ----------------------------------------------------------------


def deep(estimator, base=None):
    """The Method of an estimator, by default as it is, or with settings `base`."""

    def fit(samples, seed, **settings):
        settings = {**(base or {}), **settings}
        if samples.image_shape is None and settings.get("autoencoder") in FOR_IMAGES:
            settings["autoencoder"] = "mlp" if base else "auto"
        model = estimator(
            samples.n_clusters,
            **{"image_shape": samples.image_shape, "random_state": seed, **settings},
        ).fit(samples.X)
        return Fit(
            model.labels_,
            getattr(model, "pretrain_labels_", None),
            phases(model.history_, samples.X.shape[0]),
            next(model.module_.parameters()).device.type,
        )

    return Method(fit, frozenset(estimator().get_params()))


def phases(history, n_samples):
    """Name -> Phase, summed over the rows of a history."""
    names = list(dict.fromkeys(row["phase"] for row in history))
    return {
        name: total([row for row in history if row["phase"] == name], n_samples)
        for name in names
    }


def total(rows, n_samples):
    batches = [batch for row in rows for batch in row["batches"]]
    n_read = sum(batch["train_batch_size"] for batch in batches)
    seconds = sum(row["dur"] for row in rows)
    return Phase(seconds, n_read / n_samples, len(batches))


# -- scikit-learn's ----------------------------------------------------------------


def principal_components(samples, seed):
    if samples.X.shape[1] <= N_COMPONENTS:
        return samples.X
    return PCA(N_COMPONENTS, random_state=seed).fit_transform(samples.X)


def kmeans(samples, seed, *, n_init=20):
    model = KMeans(samples.n_clusters, n_init=n_init, random_state=seed)
    return Fit(model.fit_predict(samples.X))


def kmeans_pca(samples, seed, *, n_init=20):
    Z = principal_components(samples, seed)
    return kmeans(samples._replace(X=Z), seed, n_init=n_init)


def gaussian_mixture(samples, seed, *, n_init=5, covariance_type="full"):
    """A full covariance matrix for each component, the best of 5 starts."""
    model = GaussianMixture(
        samples.n_clusters,
        covariance_type=covariance_type,
        n_init=n_init,
        random_state=seed,
    )
    return Fit(model.fit_predict(principal_components(samples, seed)))


def spectral(samples, seed, *, n_neighbors=10):
    """On the graph of 10 neighbours, of 10,000 samples at random where there are more.

    The others follow their 10 nearest neighbours among these.
    """
    Z = principal_components(samples, seed)
    chosen = np.arange(len(Z))
    if len(Z) > MAX_GRAPH:
        random = np.random.default_rng(seed)
        chosen = random.choice(len(Z), MAX_GRAPH, replace=False)
    model = SpectralClustering(
        samples.n_clusters,
        affinity="nearest_neighbors",
        n_neighbors=n_neighbors,
        random_state=seed,
    )
    labels = model.fit_predict(Z[chosen])
    if len(Z) > MAX_GRAPH:
        labels = KNeighborsClassifier(n_neighbors).fit(Z[chosen], labels).predict(Z)
    return Fit(labels)


def hdbscan(samples, seed, *, min_cluster_size=None):
    """Noise counts as one cluster; the seed changes the components alone.

    The smallest cluster allowed is a tenth of the mean class: it is told the number of
    classes in this way only.
    """
    Z = principal_components(samples, seed)
    if min_cluster_size is None:
        min_cluster_size = max(5, len(Z) // (10 * samples.n_clusters))
    return Fit(HDBSCAN(min_cluster_size, copy=True).fit_predict(Z))


# -- ClustPy's ---------------------------------------------------------------------


def peer(name):
    """The Method of one of ClustPy's algorithms; ClustPy is imported when it runs."""

    def fit(
        samples,
        seed,
        *,
        batch_size=256,
        pretrain_epochs=None,
        clustering_epochs=None,
        precision="float32",
        memory=None,
    ):
        from .peers import fit_peer

        epochs = pretrain_epochs, clustering_epochs
        options = {"precision": precision, "memory": memory}
        return fit_peer(name, samples, seed, batch_size, *epochs, **options)

    return plain(fit)


METHODS = {
    "IDCL": deep(IDCLClustering),
    "DECS": deep(DECSClustering),
    "IDCL paper": deep(IDCLClustering, papers.IDCL),
    "DECS paper": deep(DECSClustering, papers.DECS),
    "k-means": plain(kmeans),
    "k-means PCA 50": plain(kmeans_pca),
    "Gaussian mixture": plain(gaussian_mixture),
    "spectral": plain(spectral),
    "HDBSCAN": plain(hdbscan),
    "DEC": peer("DEC"),
    "IDEC": peer("IDEC"),
    "DCN": peer("DCN"),
    "DipDECK": peer("DipDECK"),
}
