"""
Text, from a sparse matrix
==========================

``TfidfVectorizer`` gives a CSR matrix, and both estimators take it as it is: rows are
made dense a batch at a time. The texts of this page are at hand wherever scikit-learn
is: the documentation of functions of SciPy and scikit-learn, by package.
"""

# %%
# The texts
# ---------
# Up to ninety docstrings each from six packages. What a function is for should show in
# its words; the package is the class, and is used for nothing but the scores.

from importlib import import_module
from inspect import ismodule

packages = ["scipy.stats", "scipy.signal", "scipy.special", "scipy.linalg"]
packages += ["scipy.ndimage", "sklearn.metrics"]
texts, y = [], []
for package in packages:
    module = import_module(package)
    members = (getattr(module, name) for name in module.__all__)
    found = [m.__doc__ for m in members if not ismodule(m) and m.__doc__]
    found = [text for text in found if len(text) > 200][:90]
    texts += found
    y += [package] * len(found)
print(len(texts), "texts, for instance:", texts[0][:200])

# %%
# Words that nearly all docstrings have, such as "Parameters", are left out by
# ``max_df``.

from sklearn.feature_extraction.text import TfidfVectorizer

vectorizer = TfidfVectorizer(
    stop_words="english",
    token_pattern=r"[a-z]{3,}",
    min_df=3,
    max_df=0.4,
    max_features=1000,
    sublinear_tf=True,
)
X = vectorizer.fit_transform(texts)
X

# %%
# The clusters
# ------------
# TF-IDF rows have unit length and need no scaling. Text has no augmentation: in its
# place the network turns a text with half of its words dropped into one of its nearest
# neighbours. The pretraining is shorter here than by default.
#
# On few texts much is luck, of k-means and of the networks. So each method is fitted
# with three seeds, and chooses one of its fits by a score that needs no classes:
# k-means by its inertia, IDCL by ``information_``, what two views of a text share about
# its cluster less three times what they do not.

from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from deepdensity import IDCLClustering
from deepdensity.metrics import clustering_accuracy


def report(name, labels):
    accuracy = clustering_accuracy(y, labels)
    information = normalized_mutual_info_score(y, labels)
    print(f"{name:15} ACC {accuracy:.3f}  NMI {information:.3f}")


fits = []
for seed in range(3):
    fits.append(IDCLClustering(6, pretrain_epochs=80, random_state=seed).fit(X))
    report(f"IDCL, seed {seed}", fits[-1].labels_)
idcl = max(fits, key=lambda fit: fit.information_)
report("IDCL, chosen", idcl.labels_)

# %%
# k-means on the same rows:

fits = []
for seed in range(3):
    fits.append(KMeans(6, n_init=20, random_state=seed).fit(X))
    report(f"k-means, seed {seed}", fits[-1].labels_)
report("k-means, chosen", min(fits, key=lambda fit: fit.inertia_).labels_)

# %%
# What the clusters are about
# ---------------------------
# The words whose weight in a cluster is highest above their mean over all texts:

import numpy as np

words = vectorizer.get_feature_names_out()
for cluster in range(6):
    members = idcl.labels_ == cluster
    excess = np.asarray(X[members].mean(axis=0) - X.mean(axis=0)).ravel()
    print(f"{members.sum():4} texts:", *words[np.argsort(-excess)[:8]])

# %%
# The texts in the embedding, by cluster and by package:

import matplotlib.pyplot as plt

from deepdensity.inspection import EmbeddingDisplay

figure, axes = plt.subplots(1, 2, figsize=(12, 6.2), layout="constrained")
options = {"method": "tsne", "outliers": 0, "random_state": 0}
EmbeddingDisplay.from_estimator(idcl, X, ax=axes[0], **options)
EmbeddingDisplay.from_estimator(idcl, X, y=y, ax=axes[1], **options)

# %%
# New texts
# ---------
# ``predict`` takes sparse rows, too. These are the packages that most texts of the new
# one's cluster come from:

from collections import Counter

new = ["Rotate an array in the plane of two axes by spline interpolation of an image."]
cluster = idcl.predict(vectorizer.transform(new))[0]
print(Counter(y[i] for i in np.flatnonzero(idcl.labels_ == cluster)).most_common(2))
