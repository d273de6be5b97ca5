"""Roots in one dimension and a quantile, without a library."""

from __future__ import annotations

import math
from collections.abc import Callable

MOST_FREEDOM = 4e6
"""Degrees beyond which Student's t is the normal distribution to 6 digits, and logarithms of gammas lose theirs."""


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


def student(level: float, freedom: float) -> float:
    """What Student's t stays within, on both sides of 0, with a probability.

    With t = sqrt(freedom) tan(x) the probability is the integral of cos(x)^(freedom - 1) from 0, over that to pi/2:
    Simpson's rule on an even curve, and Newton's on one that bends one way only, so from below it never oversteps.

    >>> round(student(0.9, 3), 6)
    2.353363
    """
    freedom = min(freedom, MOST_FREEDOM)
    power, pieces = freedom - 1, 128

    def area(end: float) -> float:
        heights = [math.cos(end * place / pieces) ** power for place in range(pieces + 1)]
        inner = 4 * math.fsum(heights[1::2]) + 2 * math.fsum(heights[2:-1:2])
        return end / pieces / 3 * float(heights[0] + inner + heights[-1])

    whole = 0.5 * math.sqrt(math.pi) * math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom + 1) / 2))
    angle = goal = level * whole
    for _ in range(40):
        step = (goal - area(angle)) / math.cos(angle) ** power
        angle += step
        if abs(step) <= 1e-14 * angle:
            break
    return math.sqrt(freedom) * math.tan(angle)
