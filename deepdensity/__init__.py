"""Deep density clustering for scikit-learn users."""

from .decs import DECSClustering
from .idcl import IDCLClustering

__all__ = ["DECSClustering", "IDCLClustering"]
__version__ = "0.1.0"
