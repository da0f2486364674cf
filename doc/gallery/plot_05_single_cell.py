"""
Single-cell counts
==================

Counts of genes in cells go into a pipeline as they are, from a CSR matrix or an AnnData
object: :class:`~deepdensity.single_cell.CountsTransformer` normalises them. The counts
of this page are simulated, since no real ones can be had without a network; with your
own, only the first step differs.
"""

# %%
# Simulated counts
# ----------------
# A thousand cells of six kinds, the rarest of them one in 25. Counts are negative
# binomial: a Poisson number with a rate that varies from cell to cell. Kinds differ in
# the rates of some eight genes in a hundred, and cells in how deeply they were
# sequenced.

import numpy as np
from scipy import sparse

rng = np.random.default_rng(0)
kinds = np.repeat(np.arange(6), [400, 250, 150, 100, 60, 40])
n_cells, n_genes = len(kinds), 1000
rates = rng.gamma(0.5, size=n_genes) * np.exp(
    rng.normal(0, 1.5, (6, n_genes)) * (rng.random((6, n_genes)) < 0.08)
)
rates /= rates.sum(axis=1, keepdims=True)
depth = rng.lognormal(np.log(2000), 0.5, n_cells)
means = rates[kinds] * depth[:, None]
counts = sparse.csr_array(rng.poisson(rng.gamma(1.0, means)))
print(f"{n_cells} cells, {n_genes} genes, {counts.nnz / means.size:.0%} of them seen")

# %%
# With your own data
# ------------------
# An AnnData object goes straight into the pipeline below, in the place of ``counts``::
#
#     adata = anndata.read_h5ad("cells.h5ad")
#     pipeline.fit(adata)  # CountsTransformer(layer="counts") if they are in a layer
#     adata.obs["cluster"] = pipeline[-1].labels_
#     adata.obsm["X_idcl"] = pipeline[-1].embedding_
#
# ``CountsTransformer`` wants raw counts. Where ``adata.X`` holds logarithms already, as
# after scanpy's ``log1p``, name the layer that has the counts, or leave the transformer
# out and give ``adata.X`` to the clustering.
#
# The pipeline
# ------------
# Totals scaled to the median, logarithms, the 300 genes that vary most, and the
# clustering. Kinds of cells are of very unequal numbers, and k-means likes equal ones;
# of its many results clusters start from that one whose cells share their cluster with
# their neighbours. The pretraining is shorter than by default.

from sklearn.pipeline import make_pipeline

from deepdensity import IDCLClustering
from deepdensity.single_cell import CountsTransformer

pipeline = make_pipeline(
    CountsTransformer(n_top_genes=300),
    IDCLClustering(6, pretrain_epochs=80, random_state=0),
)
labels = pipeline.fit_predict(counts)

# %%
# Beside the usual way
# --------------------
# Principal components of the same genes, with k-means and with a Gaussian mixture.
# These kinds are more distinct than most in a tissue, as simulated ones are; on real
# cells the gain was not certain (:doc:`/papers`). Run several, and trust what they
# agree on.

from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

components = make_pipeline(CountsTransformer(n_top_genes=300), PCA(20, random_state=0))
Z = components.fit_transform(counts)
results = {
    "IDCL": labels,
    "PCA, k-means": KMeans(6, n_init=20, random_state=0).fit_predict(Z),
    "PCA, mixture": GaussianMixture(6, n_init=20, random_state=0).fit_predict(Z),
}
for name, found in results.items():
    print(f"{name:13} adjusted Rand index {adjusted_rand_score(kinds, found):.3f}")

# %%
# Who is where
# ------------
# Cells of each simulated kind, by the clusters of IDCL and by those of k-means:

import matplotlib.pyplot as plt
from sklearn.metrics.cluster import contingency_matrix

figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
for ax, name in zip(axes, ["IDCL", "PCA, k-means"]):
    table = contingency_matrix(kinds, results[name])
    ax.imshow(table, cmap="Blues", vmax=1.2 * table.max())
    for (row, column), number in np.ndenumerate(table):
        colour = "white" if number > 0.7 * table.max() else "black"
        ax.text(column, row, number, ha="center", va="center", color=colour)
    ax.set(xlabel="cluster", ylabel="simulated kind", title=name)
plt.show()

# %%
# The embedding, with the density cores of the clusters:

from deepdensity.inspection import EmbeddingDisplay

EmbeddingDisplay.from_estimator(pipeline, counts, method="tsne", random_state=0)
