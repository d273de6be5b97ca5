"""Roots and minima in one dimension of many functions at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FIRST, FINER = 257, 17
"""Points of a search's first grid, which must tell one valley from another, and of those that zoom in."""
MOST_GRIDS = 40


def minimise_all(
    function: Callable[[Array], Array], low: Array, high: Array, *, first: int = FIRST, precision: float = 1e-9
) -> Array:
    """Places of the least values of many functions, (s): a grid, then ever finer ones around its least point.

    >>> minimise_all(lambda x: (x - np.array([[3.0], [4.0]])) ** 2, np.zeros(2), np.full(2, 10.0)).round(6)
    array([3., 4.])

    Args:
        function: from places (s, g) to values (s, g); inf where there is none.
        low, high: where to look, (s).
        first: points of the first grid.
        precision: of the places.
    """
    for index in range(MOST_GRIDS):
        places = _grid(low, high, FINER if index else first)
        least = function(places).argmin(axis=1)
        low, high = _at(places, np.maximum(least - 1, 0)), _at(places, np.minimum(least + 1, places.shape[1] - 1))
        if float((high - low).max()) <= precision:
            break
    return _at(places, least)


def cross_all(function: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """The smallest places where many functions change sign, (s), to the last bits; NaN where one does not.

    >>> cross_all(lambda x: x * x - np.array([[4.0], [-1.0]]), np.zeros(2), np.full(2, 5.0)).round(9)
    array([ 2., nan])

    Args:
        function: from places (s, g) to values (s, g).
        low, high: where to look, (s).
    """
    never = np.zeros(len(low), dtype=bool)
    for index in range(MOST_GRIDS):
        places = _grid(low, high, FINER if index else FIRST)
        above = function(places) > 0
        if index == 0:
            before = above[:, :1]
            never = ~(above != before).any(axis=1)
        first = np.maximum((above != before).argmax(axis=1), 1)
        low, high = _at(places, first - 1), _at(places, first)
        if bool((high - low <= 4e-16 * np.abs(high)).all()):
            break
    return np.where(never, np.nan, 0.5 * (low + high))


def _grid(low: Array, high: Array, count: int) -> Array:
    shares = np.linspace(0.0, 1.0, count)
    found: Array = low[:, None] * (1.0 - shares) + high[:, None] * shares
    return found


def _at(places: Array, index: npt.NDArray[np.intp]) -> Array:
    found: Array = np.take_along_axis(places, index[:, None], 1)[:, 0]
    return found
