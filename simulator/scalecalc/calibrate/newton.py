"""Many small fits at once: Newton's method with exact Hessians, all starts and all resamples as one batch.

Every problem has its own damping; one that is at its optimum leaves the batch.
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
CHUNK, CELLS = 48, 12_000
"""Problems computed together, more if they are small: their arrays stay in the processor's cache."""

Evaluate = Callable[[Array, Array | None], tuple[Array, Array, Array]]
"""Objectives (s), gradients (s, p) and Hessians (s, p, p) of s problems at their points (s, p) with weights (s, n)."""


class Optimum(NamedTuple):
    """Where a batch ended.

    Attributes:
        points: (s, p).
        values: objectives, (s).
        gradients: largest entry of each gradient, (s).
        hessians: (s, p, p).
        steps: Newton steps of each, (s).
    """

    points: Array
    values: Array
    gradients: Array
    hessians: Array
    steps: Array


def minimise(
    evaluate: Evaluate, starts: Array, weights: Array | None = None, enough: float = ENOUGH, most: int = MOST_STEPS
) -> Optimum:
    """Minimise from every start, in batches.

    Args:
        evaluate: the objectives.
        starts: (s, p).
        weights: of the observations, (s, n) for resamples; None for one each.
        enough: gradient at which to stop.
        most: steps after which to stop anywhere.
    """
    parts = []
    together = CHUNK if weights is None else max(CHUNK, CELLS // weights.shape[1])
    for first in range(0, len(starts), together):
        some = slice(first, first + together)
        parts.append(_batch(evaluate, starts[some], None if weights is None else weights[some], enough, most))
    return Optimum(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _batch(evaluate: Evaluate, starts: Array, weights: Array | None, enough: float, most: int) -> Optimum:
    points = np.array(starts, float)
    count = len(points)
    values, gradients, hessians = evaluate(points, weights)
    damping, steps = np.full(count, 1e-3), np.zeros(count)
    stuck = np.zeros(count, bool)
    for _ in range(most):
        sizes = np.abs(gradients).max(axis=1)
        active = np.flatnonzero(np.isfinite(values) & (sizes > enough) & ~stuck)
        if not len(active):
            break
        move = _steps(gradients[active], hessians[active], damping[active])
        trial = points[active] + move
        mine = None if weights is None else weights[active]
        new_values, new_gradients, new_hessians = evaluate(trial, mine)
        steps[active] += 1
        before, after = sizes[active], np.abs(new_gradients).max(axis=1)
        gained = values[active] - new_values
        # near the optimum rounding hides the gain: there a smaller gradient is one
        flat = np.abs(gained) <= 1e-13 * np.abs(values[active])
        better = np.isfinite(new_values) & np.where(flat, after < before, gained > 0)
        won = active[better]
        points[won], values[won] = trial[better], new_values[better]
        gradients[won], hessians[won] = new_gradients[better], new_hessians[better]
        damping[won] = np.maximum(damping[won] * 0.1, LEAST_DAMPING)
        lost = active[~better]
        damping[lost] *= 10.0
        stuck[lost] = damping[lost] > MOST_DAMPING
    return Optimum(points, values, np.abs(gradients).max(axis=1), hessians, steps)


def _steps(gradients: Array, hessians: Array, damping: Array) -> Array:
    """Downhill steps: along each eigenvector by the size of its curvature, damped by a part of the largest."""
    scale = np.sqrt(np.maximum(np.abs(np.einsum("sii->si", hessians)), 1e-300))
    scaled = hessians / (scale[:, :, None] * scale[:, None, :])
    curvatures, vectors = np.linalg.eigh(scaled)
    size = np.abs(curvatures) + damping[:, None]
    along = np.einsum("sij,si->sj", vectors, gradients / scale)
    move = -np.einsum("sij,sj->si", vectors, along / np.maximum(size, 1e-14)) / scale
    longest = np.abs(move).max(axis=1, keepdims=True)
    return np.asarray(move * np.minimum(1.0, 3.0 / np.maximum(longest, 1e-300)))
