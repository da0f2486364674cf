"""What a display calls the values of a parameter."""

import functools
from collections import Counter
from typing import Any

import numpy as np

__all__ = ["distinct_values", "names_of_numbers", "short_name", "told_apart"]

DIGITS = range(6, 18)  # 17 tell all of float64 apart


def short_name(value: Any) -> str:
    """A value in short: a function's name, a partial's with what it sets."""
    if isinstance(value, functools.partial):
        given = [repr(arg) for arg in value.args]
        given += [f"{name}={arg!r}" for name, arg in value.keywords.items()]
        return f"{short_name(value.func)}({', '.join(given)})"
    if isinstance(value, str):
        return value
    if hasattr(value, "__name__"):
        return str(value.__name__)
    if callable(value):
        return type(value).__name__
    if hasattr(value, "__array__") and np.ndim(value):
        return f"{type(value).__name__} {np.shape(value)}"
    return str(value)


def told_apart(names: list[str]) -> list[str]:
    """Names with a number behind the second and further ones of a kind."""
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        seen[name] += 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return told


def names_of_numbers(numbers: Any) -> list[str]:
    """Different numbers by as many digits as tell them apart, six at least."""
    for n_digits in DIGITS:
        names = [f"{number:.{n_digits}g}" for number in numbers]
        if len(set(names)) == len(names):
            break
    return names


def distinct_values(values: list[Any]) -> tuple[list[int], list[Any]]:
    """The different ones among values, in their order, and the place of each there."""
    places, distinct = [], list[Any]()
    for value in values:
        found = [i for i, other in enumerate(distinct) if is_same(value, other)]
        if not found:
            found = [len(distinct)]
            distinct.append(value)
        places.append(found[0])
    return places, distinct


def is_same(a: Any, b: Any) -> bool:
    """Whether two values are one value of a parameter: True is not 1."""
    if a is b:
        return True
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    if hasattr(a, "__array__") and hasattr(b, "__array__"):
        return np.array_equal(np.asarray(a), np.asarray(b))
    return type(a == b) is bool and a == b
