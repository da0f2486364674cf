"""What the package itself offers, without an import of its modules."""

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

import deepdensity

ROOT = Path(__file__).parents[1]


def test_modules_are_there_without_an_import_of_their_own():
    code = (
        "import deepdensity\n"
        "for name in deepdensity.SUBMODULES:\n"
        "    print(getattr(deepdensity, name).__name__)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    found = [f"deepdensity.{name}" for name in deepdensity.SUBMODULES]
    assert run.stdout.split() == found, run.stderr


@pytest.mark.parametrize("name", ["IDCLClustering", "DECSClustering"])
def test_defaults_are_those_of_the_docstring(name):
    estimator = getattr(deepdensity, name)
    parameter = r"^ {4}(\w+) : (?:[^\n]|\\\n)*?default=(\S+)$"
    told = dict(re.findall(parameter, estimator.__doc__, re.MULTILINE))
    defaults = estimator().get_params()
    assert told.keys() == defaults.keys()
    for parameter, default in defaults.items():
        assert ast.literal_eval(told[parameter]) == default, parameter


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'kmeans'"):
        deepdensity.kmeans()
    assert {"metrics", "IDCLClustering"} <= set(dir(deepdensity))


def test_the_oldest_versions_are_tested_of_all_that_is_required():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    needed = setup["options"]["install_requires"].split()
    plan = subprocess.run(
        ["make", "-n", "test-oldest"], cwd=ROOT, capture_output=True, text=True
    )
    pinned = re.search('TORCH="(.*?)"', plan.stdout).group(1).split()
    assert pinned == [requirement.replace(">=", "==") for requirement in needed]
    assert all("==" in requirement for requirement in pinned)
