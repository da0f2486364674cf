"""What is known of a data set before its data is there."""

from typing import Any, NamedTuple

__all__ = ["Record"]


class Record(NamedTuple):
    """Name, layout and origin of a data set.

    Attributes
    ----------
    title : str
    file : str
        Name of its npz file in the data home.
    layout : str
        What that file holds, for error messages.
    values : str
        Type, range and unit of ``data``.
    source : str
        Where the set comes from.
    citation : str
    target_names : tuple of str or None
        Of class 0, 1, ...; None where the file must tell them.
    image_shape : tuple of int or None
        Of one sample; None where the samples tell it, or are no images.
    """

    title: str
    file: str
    layout: str
    values: str
    source: str
    citation: str
    target_names: tuple[Any, ...] | None
    image_shape: tuple[int, ...] | None = None

    def describe(self, n_samples: int, n_features: int, n_classes: int) -> str:
        """The text ``DESCR`` of a loaded set."""
        lines = [
            self.title,
            "-" * len(self.title),
            "",
            f":Number of samples: {n_samples}",
            f":Number of values in each: {n_features}",
            f":Number of classes: {n_classes}",
            f":Values: {self.values}",
            f":Source: {self.source}",
            f":Citation: {self.citation}",
        ]
        return "\n".join(lines) + "\n"
