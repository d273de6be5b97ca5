"""Rolling origins: laws fitted to the smaller runs only, to see what they say of the larger ones.

All parts of the runs are fitted at once: a run a part may not see has weight 0 in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from scalecalc.calibrate.fit import FINE, descend, scale_of
from scalecalc.calibrate.losses import least_squares
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.squares import approach
from scalecalc.calibrate.starts import starts
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError

COUNT = 4
SEEDS, ROUGH_STEPS, KEPT = 12, 30, 3
"""Starts of each part, steps all of them take, and how many then go on: the best ones."""


def origins(along: Array, horizon: float | None = None, count: int = COUNT) -> Array:
    """Up to where `along` is seen, farthest first: evenly by factors down to the largest value over `horizon`.

    Args:
        along: compute, or what else grows, of each observation.
        horizon: the factor beyond the largest run that predictions are wanted for; without one the root of the
            range, so that each origin sees at least half of the decades.
        count: of origins.

    Raises:
        FitError: all observations lie at one place.

    >>> origins(np.array([1.0, 10.0, 100.0, 10000.0]), count=2)
    array([1000.,  100.])
    """
    least, largest = float(along.min()), float(along.max())
    if not largest > least:
        raise FitError("runs of one size only", todo="give runs of several sizes: nothing grows along them")
    factor = (largest / least) ** 0.5 if horizon is None else horizon
    found: Array = largest * factor ** -(np.arange(1, count + 1) / count)
    return found


def fit_parts(
    problem: Problem, weights: Array, ranges: Mapping[str, tuple[float, float]] | None = None, seeds: int = SEEDS
) -> Array:
    """The best coordinates for each row of weights, (s, p); NaN where there is no optimum.

    Args:
        problem: of all observations.
        weights: (s, n), 0 for what a part may not see.
        ranges: where nonlinear coefficients are looked for.
        seeds: starts of each part, made from the observations all parts may see.
    """
    seen = (weights > 0).all(axis=0)
    if int(seen.sum()) < len(problem.names):
        seen = weights[np.argmin((weights > 0).sum(axis=1))] > 0
    points = starts(problem.chosen(np.asarray(seen)), ranges, seeds)
    count, tries, size = len(weights), len(points), len(problem.names)
    squares = replace(problem, loss=least_squares())
    rough, values = approach(squares, np.tile(points, (count, 1)), np.repeat(weights, tries, axis=0), ROUGH_STEPS)
    kept = np.argsort(_finite(values).reshape(count, tries), axis=1)[:, :KEPT]
    points = np.take_along_axis(rough.reshape(count, tries, size), kept[:, :, None], 1).reshape(-1, size)
    found = descend(problem, points, np.repeat(weights, kept.shape[1], axis=0))
    solved = found.gradients <= FINE * scale_of(problem.loss)
    values = _finite(np.where(solved, found.values, np.inf)).reshape(count, -1)
    chosen = found.points.reshape(count, -1, size)[np.arange(count), values.argmin(axis=1)]
    enough = (weights > 0).sum(axis=1) > size
    return np.where((np.isfinite(values.min(axis=1)) & enough)[:, None], chosen, np.nan)


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.inf)


def predictions(problem: Problem, points: Array, values: Mapping[str, Array]) -> Array:
    """The formula at values of its variables (n) for each point, (s, n)."""
    coefficients = {name: value[:, None] for name, value in problem.coefficients(points).items()}
    shape = (len(points), len(next(iter(values.values()))))
    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(problem.formula.evaluate({**coefficients, **values})), shape)
