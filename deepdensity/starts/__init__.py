"""Where the clustering phase starts: at k-means, as in DECS's paper, or elsewhere.

``kmeans``, ``scaled_kmeans``, ``mixtures`` (merged ones by ``merging``), ``spectral``
and ``given`` make one start each, of as many samples as ``sizes`` says; ``several``
those of images, among which ``best_trial`` chooses: by ``trials``, which train a start
for a while, and ``split_merge``, which repairs the best.
"""

from .given import given_labels
from .kmeans import kmeans_start
from .mixtures import (
    gaussian_mixture_start,
    merged_mixture_start,
    view_mixture_start,
)
from .scaled_kmeans import most_central, scaled_kmeans_start
from .several import same_partition, several_starts
from .sizes import too_few
from .spectral import spectral_start

__all__ = [
    "STARTS",
    "gaussian_mixture_start",
    "given_labels",
    "kmeans_start",
    "merged_mixture_start",
    "most_central",
    "same_partition",
    "scaled_kmeans_start",
    "several_starts",
    "spectral_start",
    "too_few",
    "view_mixture_start",
]

STARTS = {
    "k-means": kmeans_start,
    "scaled-k-means": scaled_kmeans_start,
    "gaussian-mixture": gaussian_mixture_start,
    "view-mixture": view_mixture_start,
    "merged-mixture": merged_mixture_start,
    "spectral": spectral_start,
}
