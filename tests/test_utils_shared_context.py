"""What the first thread in sets the last one out puts back."""

import pytest

from deepdensity.utils.shared_context import SharedContext


class Recorded:
    """A context that notes who goes in and out."""

    def __init__(self, notes):
        self.notes = notes

    def __enter__(self):
        self.notes.append("in")

    def __exit__(self, *exception):
        self.notes.append("out")


def test_the_first_in_enters_and_the_last_out_leaves():
    notes = []
    shared = SharedContext(lambda: Recorded(notes))
    with shared, shared:
        assert notes == ["in"]
    assert notes == ["in", "out"]
    with pytest.raises(KeyError), shared:
        raise KeyError
    assert notes == ["in", "out"] * 2
