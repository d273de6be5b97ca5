"""Roots in one dimension, without a library."""

from __future__ import annotations

from collections.abc import Callable


def bisect(function: Callable[[float], float], low: float, high: float) -> float:
    """Where `function` changes sign between `low` and `high`, to the last bits of a double.

    >>> round(bisect(lambda x: x * x - 2, 0.0, 2.0), 12)
    1.414213562373
    """
    rising = function(high) > 0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if (function(middle) > 0) == rising:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


def first_crossing(function: Callable[[float], float], low: float, high: float, step: float) -> float | None:
    """The smallest place where `function` changes sign, scanned in steps and then bisected; None if it does not."""
    place, value = low, function(low)
    while place < high:
        following = min(place + step, high)
        next_value = function(following)
        if value == 0:
            return place
        if (value > 0) != (next_value > 0):
            return bisect(function, place, following)
        place, value = following, next_value
    return None
