"""The highest share of scores, of all samples and of each cluster."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deepdensity.utils.ranking import ceil_share, highest_per_cluster

from . import reference


def test_the_share_of_a_cluster_is_rounded_up_in_exact_arithmetic():
    for percent in range(1, 101):
        for size in (1, 2, 3, 7, 20, 99, 100, 300, 1000, 70_000):
            assert ceil_share(percent / 100, size) == -(-percent * size // 100)


@pytest.mark.parametrize("fraction", [1e-3, 1e-8, 1e-12])
def test_the_smallest_share_is_one_sample(fraction):
    assert ceil_share(fraction, 5) == 1


@pytest.mark.parametrize("seed", range(5))
def test_highest_of_each_cluster_against_the_naive_version(seed):
    random = np.random.default_rng(seed)
    score, labels = random.normal(size=60), random.integers(0, 4, 60)
    found = highest_per_cluster(score, labels, 0.3)
    assert len(found) == 4
    for label, members in enumerate(found):
        expected = reference.highest_of_cluster(score, labels, label, 0.3)
        assert_array_equal(np.sort(members), np.sort(expected))
