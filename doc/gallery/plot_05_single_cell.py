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
# The pipeline
# ------------
# Totals scaled to the median, logarithms, the 300 genes that vary most, and the
# clustering. The pretraining is shorter than by default.

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
# Principal components and k-means of the same genes, seeds and all. On counts, deep
# clustering is one opinion more and no sure gain: on real cells none was certain
# (:doc:`/papers`). Run both, and trust what they agree on.

from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

usual = make_pipeline(
    CountsTransformer(n_top_genes=300),
    PCA(20, random_state=0),
    KMeans(6, n_init=20, random_state=0),
)
usual_labels = usual.fit_predict(counts)
print(f"kinds and IDCL            {adjusted_rand_score(kinds, labels):.3f}")
print(f"kinds and PCA, k-means    {adjusted_rand_score(kinds, usual_labels):.3f}")
print(f"one another               {adjusted_rand_score(labels, usual_labels):.3f}")

# %%
# Who is where
# ------------
# Cells of each simulated kind, by cluster. k-means and its kin like clusters of equal
# size, so that the largest kinds are the ones that may be cut.

import matplotlib.pyplot as plt
from sklearn.metrics.cluster import contingency_matrix

table = contingency_matrix(kinds, labels)
figure, ax = plt.subplots(figsize=(5.5, 4.4), layout="constrained")
ax.imshow(table, cmap="Blues", vmax=table.max() * 1.2)
for (row, column), number in np.ndenumerate(table):
    colour = "white" if number > 0.7 * table.max() else "black"
    ax.text(column, row, number, ha="center", va="center", color=colour)
ax.set(xlabel="cluster", ylabel="kind", title="cells of each kind in each cluster")

# %%
# The embedding, with the density cores of the clusters:

from deepdensity.inspection import EmbeddingDisplay

EmbeddingDisplay.from_estimator(pipeline, counts, method="tsne", random_state=0)
