"""Pictures of a fit, in the way of scikit-learn's Display classes.

A display is made by ``from_estimator`` (or from data, by ``from_predictions`` and its
kin), which draws it as well; it holds what it draws, so that ``plot`` can draw it
again. matplotlib is imported only when something is drawn.
"""

from .cluster_images import ClusterImagesDisplay
from .embedding import EmbeddingDisplay
from .pacing import PacingDisplay
from .reconstruction import ReconstructionDisplay
from .sensitivity import SensitivityDisplay
from .training import TrainingDisplay

__all__ = [
    "ClusterImagesDisplay",
    "EmbeddingDisplay",
    "PacingDisplay",
    "ReconstructionDisplay",
    "SensitivityDisplay",
    "TrainingDisplay",
]
