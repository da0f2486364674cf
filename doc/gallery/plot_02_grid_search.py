"""
A grid search without classes
=============================

Which settings suit the data, where nobody knows the classes? ``GridSearchCV`` works as
elsewhere, with two things of this package: a split that trains and scores on all
samples, and a memory that pretrains the network once for all candidates.
"""

# %%
# Pacing and first share of the curriculum
# ----------------------------------------
# The first 600 digits, as vectors. A clustering is made for the samples at hand, so
# :class:`~deepdensity.model_selection.InSampleSplit` holds none of them out. The
# curriculum of :class:`~deepdensity.IDCLClustering` is what is searched: the share of
# the samples that it begins with, and the pace at which it takes in the others. (The
# network is a small one, so that this page is soon built.)
#
# Two scores are kept. The silhouette of the embedding needs no classes, and chooses.
# The accuracy needs them; it is there to see what that choice was worth.

from tempfile import TemporaryDirectory

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from deepdensity import DECSClustering, IDCLClustering
from deepdensity.metrics import accuracy_scorer, embedding_silhouette
from deepdensity.model_selection import InSampleSplit

X, y = load_digits(return_X_y=True)
X, y = X[:600] / 16, y[:600]
folder = TemporaryDirectory()  # in real use any path that is to outlast the search
shared = {"autoencoder": "shallow", "memory": folder.name, "random_state": 0}
choose = {
    "scoring": {"silhouette": embedding_silhouette, "accuracy": accuracy_scorer},
    "refit": "silhouette",
    "cv": InSampleSplit(),
}
search = GridSearchCV(
    IDCLClustering(10, **shared),
    {"pacing": ["exponential", "linear", "none"], "lambda_0": [0.3, 0.6, 0.9]},
    **choose,
).fit(X, y)
search.best_params_

# %%
# The first candidate has pretrained the network. The others have read it from the
# folder, and the refit has read all of the best one:

for seconds in search.cv_results_["mean_fit_time"]:
    print(f"{seconds:4.1f} s")
print(f"{search.refit_time_:4.1f} s for the refit")

# %%
# With ``n_jobs`` the workers of joblib must have as many threads as the main process,
# or the refit rounds otherwise and trains again; :mod:`deepdensity.memory` tells how.

# %%
# How much the settings matter
# ----------------------------
# A search tells more than its winner. Where the whole map is even, the choice does not
# matter; where the best is at the edge, search further. (Without a curriculum, pacing
# "none", the first share has no say.)

from deepdensity.inspection import SensitivityDisplay

SensitivityDisplay.from_estimator(search, score="mean_test_silhouette")

# %%
# Degrees of freedom and weight of the variance
# ---------------------------------------------
# Of :class:`~deepdensity.DECSClustering` it is ``alpha`` and ``lambda_var``, as in
# Fig. 4 of its paper. The network in the folder serves it, too.

stability_search = GridSearchCV(
    DECSClustering(10, **shared),
    {"alpha": [0.5, 1.0, 2.0], "lambda_var": [0.4, 0.8, 1.2]},
    **choose,
).fit(X, y)
SensitivityDisplay.from_estimator(stability_search, score="mean_test_silhouette")

# %%
# A look at the classes
# ---------------------
# A high score does not prove that the clusters are those that one means. Here the
# classes are known, and the score can be held against them. Where accuracies are level,
# the score had little to choose from; a low score that costs none tells of a fit that
# was stopped early, by the guard for instance.

import matplotlib.pyplot as plt

silhouettes = search.cv_results_["mean_test_silhouette"]
accuracies = search.cv_results_["mean_test_accuracy"]
best = search.best_index_
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.scatter(silhouettes, accuracies, c="#0072B2", label="candidate")
ax.scatter(
    silhouettes[best], accuracies[best], s=160, fc="none", ec="#D55E00", label="chosen"
)
ax.set(xlabel="silhouette of the embedding", ylabel="accuracy", ylim=(0.5, 1))
ax.legend()
print(f"accuracy of the chosen candidate: {accuracies[best]:.3f}")
print(f"of all: {accuracies.min():.3f} to {accuracies.max():.3f}")
