"""How much the values of the network's input vary."""

import numpy as np
from sklearn.preprocessing import StandardScaler

from .inputs import Source

__all__ = ["data_variance"]

VARIANCE_ROWS = 10_000


def data_variance(source: Source) -> float:
    """Mean variance of the values of the network's input, over 10,000 rows at most."""
    part = source.part(np.arange(0, len(source), -(-len(source) // VARIANCE_ROWS)))
    scaler = StandardScaler()
    for rows in part.blocks():
        scaler.partial_fit(part.read(rows).flatten(1).cpu().numpy())
    return float(scaler.var_.mean())
