"""Random states: their own entropy where none is asked for, and scikit-learn's rest."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deepdensity.utils.random_states import as_random_state


def test_none_draws_nothing_from_numpy():
    before = np.random.get_state()[1].copy()
    first, second = (as_random_state(None).randint(2**31, size=8) for _ in range(2))
    assert_array_equal(np.random.get_state()[1], before)
    assert (first != second).any()


def test_seeds_and_states_are_scikit_learns():
    assert as_random_state(3).randint(100) == np.random.RandomState(3).randint(100)
    state = np.random.RandomState(0)
    assert as_random_state(state) is state
    with pytest.raises(ValueError, match="'abc' cannot be used to seed"):
        as_random_state("abc")
