"""A fit either ends, or leaves the estimator as it was."""

import signal

import pytest
from sklearn.exceptions import ConvergenceWarning

from deepdensity.kept_state import keeps_fitted_state

from .common import ctrl_c_is_heard


@pytest.fixture(autouse=True)
def signals_are_heard():
    with ctrl_c_is_heard():
        yield


class Model:
    """Its fit changes one attribute, adds one, removes one, and then does `last`."""

    def __init__(self, last):
        self.last = last
        self.labels_, self.old_ = "before", "before"

    @keeps_fitted_state
    def fit(self, X, y=None):
        """Fit."""
        self.labels_, self.new_ = X, y
        del self.old_
        self.last(self)


def fail(error):
    def last(model):
        raise error

    return last


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit()])
def test_what_fails_leaves_everything_as_it_was(error):
    model = Model(fail(error))
    before = vars(model).copy()
    with pytest.raises(type(error)) as raised:
        model.fit("after")
    assert raised.value is error
    assert vars(model) == before and list(vars(model)) == list(before)


def test_what_ends_counts_and_returns_the_estimator():
    model = Model(lambda model: None)
    assert model.fit("after", "y") is model
    assert (model.labels_, model.new_) == ("after", "y")
    assert set(vars(model)) == {"last", "labels_", "new_"}  # no trace of the wrapper
    assert Model.fit.__doc__ == "Fit." and Model.fit.__name__ == "fit"


def test_one_interrupt_is_no_failure():
    model = Model(lambda model: signal.raise_signal(signal.SIGINT))
    with pytest.warns(ConvergenceWarning, match="nterrupt"):
        model.fit("after")
    assert model.labels_ == "after"


def test_a_second_one_is():
    def twice(model):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    model = Model(twice)
    with pytest.raises(KeyboardInterrupt):
        model.fit("after")
    assert model.labels_ == model.old_ == "before"
