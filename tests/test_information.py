"""Scores of labels from view to view, against sums over every pair."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deepdensity.information import net_information

from . import reference


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_views", [2, 4])
def test_view_information_agrees_with_the_loop(seed, n_views):
    views = list(np.random.default_rng(seed).integers(4, size=(n_views, 60)))
    found = net_information(views, price=0)
    assert type(found) is float
    assert_allclose(found, reference.view_information(views), rtol=1e-10, atol=1e-12)


def test_view_information_is_high_for_many_even_clusters_that_stay():
    even = np.arange(60) % 4
    assert_allclose(net_information([even] * 3, price=0), np.log(4), rtol=1e-12)
    assert net_information([even % 2] * 3, price=0) < net_information(
        [even] * 3, price=0
    )
    uneven = np.where(np.arange(60) < 57, 0, even)
    assert net_information([uneven] * 3, price=0) < net_information([even] * 3, price=0)
    changing = [np.random.default_rng(i).permutation(even) for i in range(3)]
    assert net_information(changing, price=0) < 0.2
    assert_allclose(net_information([0 * even] * 3, price=0), 0, atol=1e-12)


def test_net_information_is_that_of_its_definition():
    random = np.random.RandomState(0)
    truth = random.randint(4, size=200)
    views = [np.where(random.rand(200) < 0.9, truth, 3 - truth) for _ in range(3)]
    for price in (0.0, 1.0, 3.0):
        expected = reference.net_information(views, price)
        assert_allclose(net_information(views, price), expected, rtol=1e-10)


def test_net_information_rises_with_clusters_that_stay_and_falls_with_a_cut():
    truth = np.arange(1200) % 6
    coin = np.random.RandomState(0).randint(2, size=(2, 1200))
    merged = [np.where(truth == 5, 4, truth)] * 2
    right = [truth, truth]
    cut = [np.where(truth == 5, 5 + side, truth) for side in coin]
    assert_allclose(net_information(right), math.log(6))
    assert net_information(merged) < net_information(right)
    assert net_information(cut) < net_information(merged)


def test_net_information_counts_what_is_lost_both_ways():
    fine, coarse = np.arange(40) % 4, np.arange(40) % 2  # H = log 4 and log 2
    expected = math.log(2) - 3 * math.log(2) / 2  # fine has log 2 more than they share
    for views in ([fine, coarse], [coarse, fine]):
        assert_allclose(net_information(views), expected)


def test_labels_may_be_of_any_integer_type():
    labels = np.arange(60) % 5
    for dtype in (np.int8, np.int32, np.int64):
        assert_allclose(
            net_information([labels.astype(dtype)] * 2, price=0), math.log(5)
        )
