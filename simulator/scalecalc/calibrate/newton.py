"""Many small fits at once: Newton's method with exact Hessians, all starts and all resamples as one batch.

Every problem has its own damping; one that is at its optimum leaves the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scalecalc.calibrate.tape import Array

MOST_STEPS = 200
ENOUGH = 1e-11
"""Largest entry of a gradient, over the sum of weights' scale, at which a problem is solved."""
FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-4, 1e-15, 1e15
SPARE, LEVEL = 8, 1e4
"""Steps without any visible gain, and how many times the gradient asked for they may end at."""
SINGULAR = 1e-14
"""Curvatures below this part of the diagonal are rounding."""
LONGEST = 3.0
"""Most a coordinate changes in one step, over its size or 1."""

Evaluate = Callable[[Array, Array | None], tuple[Array, Array, Array]]
"""Objectives (s), gradients (s, p) and Hessians (s, p, p) of s problems at their points (s, p) with weights (s, n)."""


class Optimum(NamedTuple):
    """Where a batch ended.

    Attributes:
        points: (s, p).
        values: objectives, (s).
        gradients: largest entry of each gradient, relative if asked for, (s).
        hessians: (s, p, p).
        steps: Newton steps of each, (s).
    """

    points: Array
    values: Array
    gradients: Array
    hessians: Array
    steps: Array


def minimise(
    evaluate: Evaluate, starts: Array, weights: Array | None = None, enough: float = ENOUGH,
    rounding: float | None = None, most: int = MOST_STEPS,
) -> Optimum:  # fmt: skip
    """Minimise from every start.

    Args:
        evaluate: the objectives.
        starts: (s, p).
        weights: of the observations, (s, n) for resamples; None for one each.
        enough: gradient at which to stop.
        rounding: an objective of squares that is as good as 0. With it gradients are relative, whatever the units: of
            least squares, the cosines between the residuals and their slopes.
        most: steps.
    """
    points, count = np.array(starts, float), len(starts)
    values, gradients, hessians = evaluate(points, weights)
    sizes = _sizes(values, gradients, hessians, rounding)
    damping, steps, spare = np.full(count, FIRST_DAMPING), np.zeros(count), np.full(count, SPARE)
    active = np.flatnonzero(np.isfinite(values))
    while True:
        going = (sizes[active] > enough) & (steps[active] < most)
        active = active[going & (damping[active] <= MOST_DAMPING) & (spare[active] > 0)]
        if not len(active):
            return Optimum(points, values, sizes, hessians, steps)
        move = downhill(hessians[active], damping[active])(gradients[active])
        trial = points[active] + bounded(move, points[active])
        new = evaluate(trial, None if weights is None else weights[active])
        new_values, new_sizes = new[0], _sizes(*new, rounding)
        steps[active] += 1
        better, hidden = improved(values[active], new_values, sizes[active], new_sizes, rounding or 0.0)
        # on level ground it is the damping that holds a step back, and one that seems worse may lead on
        level = hidden & ~better
        spare[active[level]] -= 1
        damping[active] *= np.where(level, 1e-3, np.where(better, 0.1, 10.0))
        better |= level & (new_sizes <= LEVEL * enough)
        won = active[better]
        points[won], sizes[won] = trial[better], new_sizes[better]
        values[won], gradients[won], hessians[won] = (column[better] for column in new)
        damping[won] = np.maximum(damping[won], LEAST_DAMPING)


def improved(
    values: Array, new_values: Array, sizes: Array, new_sizes: Array, rounding: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which steps are kept, and of which rounding hides the gain: near the optimum a smaller gradient is one.

    Differences that are small beside what was observed hold fewer digits: `rounding` is that of an objective of 0.
    """
    gained = values - new_values
    flat = np.abs(gained) <= 1e-13 * np.abs(values) + 3e-10 * np.sqrt(np.abs(values) * rounding)
    return np.isfinite(new_values) & np.where(flat, new_sizes < sizes, gained > 0), flat


def _sizes(values: Array, gradients: Array, hessians: Array, rounding: float | None) -> Array:
    """The largest entry of each gradient, as it is or relative."""
    if rounding is None:
        return np.asarray(np.abs(gradients).max(axis=1))
    return relative(values, gradients, hessians, rounding)


def relative(values: Array, gradients: Array, hessians: Array, rounding: float) -> Array:
    """Of least squares: the largest cosine between the residuals and their slopes."""
    slopes = np.sqrt(np.maximum(np.abs(np.einsum("sii->si", hessians)), 1e-300))
    return np.asarray((np.abs(gradients) / slopes).max(axis=1) / np.sqrt(2.0 * values + rounding))


def bounded(move: Array, points: Array) -> Array:
    """Moves no longer than a step may be."""
    longest = (np.abs(move) / np.maximum(1.0, np.abs(points))).max(axis=1, keepdims=True)
    return np.asarray(move * np.minimum(1.0, LONGEST / np.maximum(longest, 1e-300)))


def downhill(hessians: Array, damping: Array, scale: Array | None = None) -> Callable[[Array], Array]:
    """From gradients (s, p) to moves: minus the damped inverse Hessian times them.

    Of a Hessian that is not positive definite, along each eigenvector by the size of its curvature.

    Args:
        hessians: (s, p, p).
        damping: what is added to the curvatures in units of the scale, (s).
        scale: of the coordinates, (s, p): roots of curvatures; the Hessian's own if None.
    """
    if scale is None:
        scale = np.sqrt(np.maximum(np.abs(np.einsum("sii->si", hessians)), 1e-300))
    scaled = hessians / (scale[:, :, None] * scale[:, None, :])
    size = scaled.shape[1]
    # the problems along the last axis: each operation is one of all of them
    factor = scaled.transpose(1, 2, 0).copy()
    definite = np.ones(len(scaled), bool)
    with np.errstate(all="ignore"):
        for j in range(size):
            pivot = factor[j, j] + damping - (factor[j, :j] ** 2).sum(axis=0)
            definite &= pivot > SINGULAR
            factor[j, j] = np.sqrt(np.maximum(pivot, SINGULAR))
            factor[j + 1 :, j] -= np.einsum("iks,ks->is", factor[j + 1 :, :j], factor[j, :j])
            factor[j + 1 :, j] /= factor[j, j]
    bent = np.flatnonzero(~(definite & np.isfinite(factor).all(axis=(0, 1))))
    curvatures, vectors = np.linalg.eigh(scaled[bent])
    curvatures = np.maximum(np.abs(curvatures) + damping[bent, None], SINGULAR)

    def move(gradients: Array) -> Array:
        right = gradients / scale
        x = right.T.copy()
        with np.errstate(all="ignore"):
            for j in range(size):
                x[j] = (x[j] - np.einsum("ks,ks->s", factor[j, :j], x[:j])) / factor[j, j]
            for j in reversed(range(size)):
                x[j] = (x[j] - np.einsum("ks,ks->s", factor[j + 1 :, j], x[j + 1 :])) / factor[j, j]
        found = x.T
        along = np.einsum("sij,si->sj", vectors, right[bent]) / curvatures
        found[bent] = np.einsum("sij,sj->si", vectors, along)
        return np.asarray(-found / scale)

    return move
