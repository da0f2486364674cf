"""What the package itself offers, without an import of its modules."""

import subprocess
import sys

import pytest

import deepdensity


def test_modules_are_there_without_an_import_of_their_own():
    code = (
        "import deepdensity\n"
        "for name in deepdensity.SUBMODULES:\n"
        "    print(getattr(deepdensity, name).__name__)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    found = [f"deepdensity.{name}" for name in deepdensity.SUBMODULES]
    assert run.stdout.split() == found, run.stderr


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'kmeans'"):
        deepdensity.kmeans()
    assert {"metrics", "IDCLClustering"} <= set(dir(deepdensity))
