"""Warnings name the line that has called into the package, whoever lies between."""

import warnings

import pytest
from sklearn.exceptions import ConvergenceWarning

from deepdensity.utils.user_warnings import warn


def function_of(module, code, **names):
    """`call`, as `code` defines it in a module of that name."""
    namespace = {"__name__": module, "warn": warn, **names}
    exec(compile(code, f"<{module}>", "exec"), namespace)
    return namespace["call"]


def told(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    (warning,) = caught
    return warning


@pytest.mark.parametrize(
    "between", ["deepdensity.base", "sklearn.pipeline", "joblib.parallel", "contextlib"]
)
def test_frames_of_libraries_are_passed_over(between):
    inner = function_of("deepdensity.fitted", "def call(): warn('message')")
    outer = function_of(between, "def call(): inner()", inner=inner)
    warning = told(outer)
    assert warning.filename == __file__
    assert str(warning.message) == "message"
    assert warning.category is ConvergenceWarning


def test_a_module_whose_name_only_begins_alike_is_the_users():
    inner = function_of("deepdensity.fitted", "def call(): warn('message')")
    users = function_of("deepdensity_tools", "def call(): inner()", inner=inner)
    assert told(users).filename == "<deepdensity_tools>"


def test_another_category():
    inner = function_of("deepdensity.fitted", "def call(): warn('m', UserWarning)")
    assert told(inner).category is UserWarning
