"""Accuracy on real data at the end of training; labels are used to score it alone.

One seed of what ``benchmarks/real_data.py`` runs over several, with its settings.
"""

import os

import pytest

from benchmarks.real_data import run

pytestmark = pytest.mark.slow

# the figures of each row: least ACC, least NMI; in the order that keeps two processes
# of pytest-xdist, which deals tests out by twos, busy for about as long
LEAST = {
    ("USPS", "DECS"): (0.985, 0.960),
    ("Digits", "IDCL"): (0.87, 0.82),
    ("USPS", "IDCL"): (0.970, 0.935),
}


@pytest.fixture
def data_home():
    home = os.environ.get("DEEPDENSITY_DATA_HOME")
    if not home:
        pytest.fail("DEEPDENSITY_DATA_HOME must name the folder that holds usps.npz")
    return home


@pytest.mark.parametrize(("data", "method"), LEAST)
def test_accuracy(data, method, data_home):
    row = run(data, method, seed=0, data_home=data_home)
    print(row)
    accuracy, information = LEAST[data, method]
    assert row["ACC"] >= accuracy
    assert row["NMI"] >= information
