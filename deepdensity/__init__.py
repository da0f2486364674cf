"""Deep density clustering for scikit-learn users."""

from ._version import __version__
from .decs import DECSClustering
from .idcl import IDCLClustering
from .loading import load

__all__ = ["DECSClustering", "IDCLClustering", "__version__", "load"]
