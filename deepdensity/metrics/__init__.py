"""Scores of a clustering: against known classes, and without any.

What takes ``(estimator, X, y=None)`` is a scorer of scikit-learn, greater is better:
``GridSearchCV(..., scoring=embedding_silhouette)``. Options are set by
``functools.partial(embedding_silhouette, max_samples=1000)``.
"""

from .accuracy import accuracy_scorer, clustering_accuracy
from .resampling import resampling_agreement
from .silhouette import embedding_silhouette
from .stability import mean_stability
from .validity import density_validity, density_validity_score

__all__ = [
    "accuracy_scorer",
    "clustering_accuracy",
    "density_validity",
    "density_validity_score",
    "embedding_silhouette",
    "mean_stability",
    "resampling_agreement",
]
