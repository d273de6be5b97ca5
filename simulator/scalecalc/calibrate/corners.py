"""Least absolute deviations to the last digit: at its optimum as many residuals are 0 as there are coefficients.

From one such corner to a lower one: the weights with which the slopes of the zero residuals balance all others tell
whether the corner is the optimum (none exceeds 1) and else which residual to let go; along the edge that then opens
the sum falls until enough others have changed their sign (Barrodale and Roberts 1973), and the last of these is the
new zero. Newton's method makes the zeros exact, as slopes change along the edge (Osborne and Watson 1971).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scalecalc.calibrate.losses import Loss
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.tape import Array

MOST_EDGES, MOST_STEPS = 100, 12
ENOUGH = 1e-9
"""By how much the balance may fail at an optimum: rounding."""
LINEAR = Loss("linear", 0.0, lambda r: (r, np.ones_like(r), np.zeros_like(r)))
TOGETHER = 500_000
"""Slopes held at once."""


class Corner(NamedTuple):
    """Where a batch ended: points (s, p), sums of absolute deviations (s), and by how much each balance fails (s)."""

    points: Array
    values: Array
    failing: Array


def corners(problem: Problem, points: Array, weights: Array | None = None) -> Corner:
    """From near an optimum to it, corner by corner.

    Args:
        problem: its residuals and weights; its loss does not matter.
        points: (s, p).
        weights: of the observations, (s, n) for resamples; None for one each.

    Returns:
        `failing` is 0 at an optimum, inf where no corner was found.
    """
    count = len(points)
    together = max(1, TOGETHER // (len(problem.observed) * points.shape[1]))
    parts = [
        _descend(
            problem, points[some], _weights(problem, None if weights is None else weights[some], len(points[some]))
        )
        for some in (slice(first, first + together) for first in range(0, count, together))
    ]
    return Corner(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def edges(problem: Problem, points: Array, weights: Array | None, rounding: float) -> Corner:
    """The same where the valley bends so much that its lowest point lies on an edge: fewer residuals are 0.

    Newton's method with the zeros as constraints and their weights as multipliers.

    Args:
        problem, weights: as for `corners`.
        points: optima of absolute deviations rounded off below `rounding`, (s, p).
        rounding: what residuals that are 0 are below.
    """
    linear = replace(problem, loss=LINEAR, weights=None)
    weights, points = _weights(problem, weights, len(points)), points.copy()
    found = Corner(points, np.full(len(points), np.inf), np.full(len(points), np.inf))
    first = problem.residuals(points)
    inside = (np.abs(first) <= rounding) & (weights > 0)
    counts, size = inside.sum(axis=1), points.shape[1]
    for count in (n for n in range(size) if (counts == n).any()):
        some = np.flatnonzero(counts == count)
        own, x = weights[some], points[some]
        zeros = np.argsort(~inside[some], axis=1, kind="stable")[:, :count]
        multipliers = np.take_along_axis(own * first[some] / rounding, zeros, 1)
        for _ in range(MOST_STEPS):
            residuals, slopes = problem.linearised(x)
            pulls = np.sign(residuals) * own
            np.put_along_axis(pulls, zeros, multipliers, 1)
            _, gradients, hessians = linear.evaluate(x, pulls)
            at_zero = np.take_along_axis(slopes, zeros[:, :, None], 1)
            system = np.zeros((len(some), size + count, size + count))
            system[:, :size, :size], system[:, size:, :size] = hessians, at_zero
            system[:, :size, size:] = at_zero.transpose(0, 2, 1)
            wrong = np.concatenate([gradients, np.take_along_axis(residuals, zeros, 1)], axis=1)
            move = _solved(system, -wrong)
            x, multipliers = x + move[:, :size], multipliers + move[:, size:]
        excess = np.abs(multipliers) - np.take_along_axis(own, zeros, 1)
        failing = np.concatenate([np.abs(wrong), excess], axis=1).max(axis=1)
        found.points[some], found.values[some] = x, _sums(problem.residuals(x), own)
        found.failing[some] = np.where(np.isfinite(failing), failing, np.inf)
    return found


def _descend(problem: Problem, points: Array, weights: Array) -> Corner:
    residuals, _ = problem.linearised(points)
    # a run that is in no resample is no corner's
    order = np.where((weights > 0) & np.isfinite(residuals), np.abs(residuals), np.inf)
    zeros = np.argsort(order, axis=1)[:, : points.shape[1]]
    points, residuals, slopes = _met(problem, points, zeros, MOST_STEPS)
    values, failing = _sums(residuals, weights), np.full(len(points), np.inf)
    active = np.flatnonzero(np.isfinite(values))
    for _ in range(MOST_EDGES):
        own, zero = weights[active], zeros[active]
        at_zero = np.take_along_axis(slopes[active], zero[:, :, None], 1)
        others = np.sign(residuals[active]) * own
        np.put_along_axis(others, zero, 0.0, 1)
        pull = np.einsum("sn,snp->sp", others, slopes[active])
        balance = _solved(at_zero.transpose(0, 2, 1), -pull)
        excess = np.abs(balance) - np.take_along_axis(own, zero, 1)
        failing[active] = np.where(np.isfinite(excess).all(axis=1), np.maximum(excess.max(axis=1), 0.0), np.inf)
        going = (failing[active] > ENOUGH) & np.isfinite(failing[active])
        if not going.any():
            break
        active, zero, own, at_zero = active[going], zero[going], own[going], at_zero[going]
        freed = excess[going].argmax(axis=1)
        row = np.arange(len(active))
        way = np.zeros((len(active), points.shape[1]))
        way[row, freed] = np.sign(balance[going][row, freed])
        way = _solved(at_zero, way)
        length, entering = _crossing(residuals[active], slopes[active], zero, own, way, excess[going][row, freed])
        new_zero = zero.copy()
        new_zero[row, freed] = entering
        trial, new_residuals, new_slopes = _met(problem, points[active] + length[:, None] * way, new_zero, 1)
        new_values = _sums(new_residuals, own)
        lower = new_values < values[active]
        active = active[lower]
        points[active], values[active], zeros[active] = trial[lower], new_values[lower], new_zero[lower]
        residuals[active], slopes[active] = new_residuals[lower], new_slopes[lower]
    final, residuals, _ = _met(problem, points, zeros, MOST_STEPS)
    values = _sums(residuals, weights)
    failing = np.where(failing > ENOUGH, failing, 0.0)
    return Corner(final, values, np.where(np.isfinite(values), failing, np.inf))


def _met(problem: Problem, points: Array, zeros: NDArray[np.int64], most: int) -> tuple[Array, Array, Array]:
    """Points at which the residuals `zeros` (s, p) are 0, with all residuals and slopes there."""
    for _ in range(most):
        residuals, slopes = problem.linearised(points)
        at_zero = np.take_along_axis(slopes, zeros[:, :, None], 1)
        move = _solved(at_zero, -np.take_along_axis(residuals, zeros, 1))
        points = points + move
        if np.abs(move).max(initial=0.0) < 1e-15 * max(1.0, float(np.abs(points).max(initial=0.0))):
            break
    return (points, *problem.linearised(points))


def _crossing(
    residuals: Array, slopes: Array, zero: NDArray[np.int64], weights: Array, way: Array, fall: Array
) -> tuple[Array, NDArray[np.int64]]:
    """How far the sum falls along an edge (s), and whose residual is 0 there (s)."""
    with np.errstate(all="ignore"):
        rates = np.einsum("snp,sp->sn", slopes, way)
        places = -residuals / rates
    np.put_along_axis(places, zero, -1.0, 1)
    places = np.where((places > 0) & np.isfinite(places), places, np.inf)
    order = np.argsort(places, axis=1)
    gains = np.where(np.isfinite(places), 2.0 * weights * np.abs(rates), 0.0)
    risen = np.cumsum(np.take_along_axis(gains, order, 1), axis=1) >= fall[:, None]
    chosen = np.take_along_axis(order, risen.argmax(axis=1)[:, None], 1)
    length = np.where(risen.any(axis=1), np.take_along_axis(places, chosen, 1)[:, 0], np.nan)
    return length, chosen[:, 0]


def _sums(residuals: Array, weights: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.einsum("sn,sn->s", np.abs(residuals), weights))


def _weights(problem: Problem, weights: Array | None, count: int) -> Array:
    own = np.ones(len(problem.observed)) if problem.weights is None else problem.weights
    return np.broadcast_to(own if weights is None else own * weights, (count, len(own)))


def _solved(matrices: Array, right: Array) -> Array:
    """Solutions of small systems; NaN where a matrix has no inverse."""
    regular = np.asarray(np.isfinite(matrices).all(axis=(1, 2)) & np.isfinite(right).all(axis=1))
    determinants = np.asarray(np.linalg.det(np.where(regular[:, None, None], matrices, 0.0)))
    regular = regular & (np.abs(determinants) > 0)
    found = np.full_like(right, np.nan)
    if regular.any():
        found[regular] = np.linalg.solve(matrices[regular], right[regular][:, :, None])[:, :, 0]
    return found
