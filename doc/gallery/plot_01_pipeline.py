"""
Digits in a pipeline
====================

A deep clustering takes the place of k-means at the end of a scikit-learn pipeline. Here
it clusters 1,797 handwritten digits, given as rows of 64 grey values.
"""

# %%
# The data
# --------
# The classes are known, but no model on this page sees them. They say in the end how
# many digits have come into the right cluster.

from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X_old, X_new, y_old, y_new = X[:1500], X[1500:], y[:1500], y[1500:]
X.shape

# %%
# Two pipelines
# -------------
# They differ in the last step alone. Nothing but the number of clusters is given; a
# fit takes the better part of a minute.

from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from deepdensity import DECSClustering
from deepdensity.metrics import clustering_accuracy

kmeans = make_pipeline(MinMaxScaler(), KMeans(10, n_init=20, random_state=0))
decs = make_pipeline(MinMaxScaler(), DECSClustering(10, random_state=0))
for name, model in {"k-means": kmeans, "DECS": decs}.items():
    labels = model.fit_predict(X_old)
    print(f"{name:8} {clustering_accuracy(y_old, labels):.3f} in the right cluster")

# %%
# :func:`~deepdensity.metrics.clustering_accuracy` matches clusters with classes in the
# best way, since the numbers of clusters mean nothing.
#
# As vectors the pixels could stand in any order. With
# ``DECSClustering(10, image_shape=(8, 8))`` a convolutional network reads them as
# images, which takes longer and gets further: :doc:`/papers`.
#
# The embedding
# -------------
# The network has learnt ten numbers for each digit. Seen in two dimensions, with the
# number of each cluster at its centre and crosses at the samples that are least surely
# in one:

from deepdensity.inspection import EmbeddingDisplay

EmbeddingDisplay.from_estimator(decs, X_old, method="tsne", random_state=0)

# %%
# New samples
# -----------
# The pipeline has ``predict``, as one with k-means has, and ``predict_proba`` besides.
# Where a probability is low, somebody should look.

import numpy as np

labels_new = decs.predict(X_new)
surest = decs.predict_proba(X_new).max(axis=1)
right = clustering_accuracy(y_new, labels_new)
print(f"{right:.3f} of the new digits in the right cluster")
print(f"{np.mean(surest < 0.6):.3f} of them with a probability below 0.6")

# %%
# Ten names
# ---------
# Clusters have numbers, not names. Look at the most stable sample of each, name it, and
# all digits have names, for ten looks. A classifier that is trained on the ten samples
# alone makes less of them.

from sklearn.neighbors import KNeighborsClassifier

scores = decs.score_samples(X_old)
labels = decs.predict(X_old)
typical = [np.argmax(np.where(labels == c, scores, -np.inf)) for c in range(10)]
names = y_old[typical]
classifier = KNeighborsClassifier(1).fit(X_old[typical], names)
print(f"names of the clusters: {np.mean(names[labels_new] == y_new):.3f} right")
print(f"nearest of the ten:    {classifier.score(X_new, y_new):.3f} right")
