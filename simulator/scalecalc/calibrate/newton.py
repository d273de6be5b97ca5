"""Many small fits at once: Newton's method with exact Hessians, all starts and all resamples as one batch.

Every problem has its own damping; one that is at its optimum leaves the batch. Far away, where Hessians have
directions of negative curvature, their Gauss-Newton part leads (Levenberg 1944, Marquardt 1963): the same steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scalecalc.calibrate.tape import Array

MOST_STEPS = 200
ENOUGH = 1e-11
"""Largest entry of a gradient, over the sum of weights' scale, at which a problem is solved."""
LEAST_DAMPING, MOST_DAMPING = 1e-15, 1e15
LONGEST = 3.0
"""Most a coordinate changes in one step, over its size or 1."""
CHUNK, CELLS = 48, 12_000
"""Problems computed together, more if they are small: their arrays stay in the processor's cache."""

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
    """Minimise from every start, in batches.

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
    together = CHUNK if weights is None else max(CHUNK, CELLS // weights.shape[1])
    parts = [
        evaluate(points[some], None if weights is None else weights[some])
        for some in (slice(first, first + together) for first in range(0, count, together))
    ]
    values, gradients, hessians = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    sizes = _sizes(values, gradients, hessians, rounding)
    damping, steps = np.full(count, 1e-3), np.zeros(count)
    waiting = np.flatnonzero(np.isfinite(values))
    active = waiting[:0]
    while True:
        going = (sizes[active] > enough) & (damping[active] <= MOST_DAMPING) & (steps[active] < most)
        active = active[going]
        # whoever waits takes the place of one that is done
        free = together - len(active)
        active, waiting = np.concatenate([active, waiting[:free]]), waiting[free:]
        active = active[sizes[active] > enough]
        if not len(active):
            if not len(waiting):
                break
            continue
        trial = points[active] + _steps(points[active], gradients[active], hessians[active], damping[active])
        new = evaluate(trial, None if weights is None else weights[active])
        new_values, new_sizes = new[0], _sizes(*new, rounding)
        steps[active] += 1
        gained = values[active] - new_values
        # near the optimum rounding hides the gain: there a smaller gradient is one
        flat = np.abs(gained) <= 1e-13 * np.abs(values[active])
        better = np.isfinite(new_values) & np.where(flat, new_sizes < sizes[active], gained > 0)
        won, lost = active[better], active[~better]
        points[won], sizes[won] = trial[better], new_sizes[better]
        values[won], gradients[won], hessians[won] = (column[better] for column in new)
        damping[won] = np.maximum(damping[won] * 0.1, LEAST_DAMPING)
        damping[lost] *= 10.0
    return Optimum(points, values, sizes, hessians, steps)


def _sizes(values: Array, gradients: Array, hessians: Array, rounding: float | None) -> Array:
    """The largest entry of each gradient, as it is or relative."""
    if rounding is None:
        return np.asarray(np.abs(gradients).max(axis=1))
    slopes = np.sqrt(np.maximum(np.abs(np.einsum("sii->si", hessians)), 1e-300))
    return np.asarray((np.abs(gradients) / slopes).max(axis=1) / np.sqrt(2.0 * values + rounding))


def _steps(points: Array, gradients: Array, hessians: Array, damping: Array) -> Array:
    """Downhill steps: along each eigenvector by the size of its curvature, damped by a part of the largest."""
    scale = np.sqrt(np.maximum(np.abs(np.einsum("sii->si", hessians)), 1e-300))
    scaled = hessians / (scale[:, :, None] * scale[:, None, :])
    curvatures, vectors = np.linalg.eigh(scaled)
    size = np.abs(curvatures) + damping[:, None]
    along = np.einsum("sij,si->sj", vectors, gradients / scale)
    move = -np.einsum("sij,sj->si", vectors, along / np.maximum(size, 1e-14)) / scale
    longest = (np.abs(move) / np.maximum(1.0, np.abs(points))).max(axis=1, keepdims=True)
    return np.asarray(move * np.minimum(1.0, LONGEST / np.maximum(longest, 1e-300)))
