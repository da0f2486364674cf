"""How much the values of the network's input vary."""

from .inputs import Source, moments

__all__ = ["data_variance"]

VARIANCE_ROWS = 10_000


def data_variance(source: Source) -> float:
    """Mean variance of the values of the network's input, over 10,000 rows at most."""
    step = -(-len(source) // VARIANCE_ROWS)
    _, variance = moments(source.X[::step])
    return float((variance / source.format.scale**2).mean())
