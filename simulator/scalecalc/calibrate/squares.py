"""Least squares from afar: Levenberg's and Marquardt's steps, bent along the valley they follow.

Sums of powers and exponentials have long curved valleys, down which straight steps creep. One more look at the
residuals, a little way along the step, says how the way bends (geodesic acceleration, Transtrum and Sethna 2012); the
damping is in units of the steepest slopes seen, so that no coefficient flies off where it has none (More 1978).
"""

from __future__ import annotations

import numpy as np

from scalecalc.calibrate.newton import bounded, downhill, improved, relative
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.tape import Array

ROUGH = 1e-7
"""Cosine between the residuals and their slopes at which a valley's bottom is reached."""
MOST_STEPS = 200
WINDOW, CREEP = 20, 1e-9
"""A start that gains less than this part of its objective in so many steps is left where it is."""
TRIED, KEPT = 100, 16
"""After so many steps of all starts only so many go on, the lowest ones."""
FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING, HARDER, EASIER = 1e-2, 1e-15, 1e13, 4.0, 0.25
LOOK, BENT = 0.1, 0.75
"""How far along a step its bend is looked for, and how much a step may bend."""


def approach(
    squares: Problem, starts: Array, weights: Array | None = None, most: int = MOST_STEPS
) -> tuple[Array, Array]:
    """Where least squares lead from each start.

    Args:
        squares: a problem of least squares.
        starts: (s, p).
        weights: of the observations, (s, n) for resamples; None for one each.
        most: steps.

    Returns:
        Points (s, p), and half the sums of squares there, (s); inf where there is no value.
    """
    points, roots, rounding = np.array(starts, float), _roots(squares, weights), squares.rounding or 0.0
    residuals, slopes = _linearised(squares, points, roots)
    values, gradients, hessians = _normal(residuals, slopes)
    steepest = np.einsum("sii->si", hessians).copy()
    sizes, damping, before = (
        relative(values, gradients, hessians, rounding),
        np.full(len(points), FIRST_DAMPING),
        values.copy(),
    )
    active = np.flatnonzero(np.isfinite(values))
    for step in range(most):
        if step and step % WINDOW == 0:
            active = active[before[active] - values[active] > CREEP * values[active]]
            before = values.copy()
        if step == TRIED and weights is None:
            active = active[np.argsort(values[active], kind="stable")[:KEPT]]
        active = active[(sizes[active] > ROUGH) & (damping[active] <= MOST_DAMPING)]
        if not len(active):
            break
        steepest[active] = np.maximum(steepest[active], np.einsum("sii->si", hessians[active]))
        scale = np.sqrt(np.maximum(steepest[active], 1e-300))
        move = downhill(hessians[active], damping[active], scale)
        way = bounded(move(gradients[active]), points[active])
        # the second derivative along the way, from a third point on it
        own = None if roots is None else roots if roots.ndim == 1 else roots[active]
        with np.errstate(all="ignore"):
            ahead = squares.residuals(points[active] + LOOK * way)
            ahead = ahead if own is None else ahead * own
            along = np.einsum("spn,sp->sn", slopes[active], way)
            bend = 2.0 / LOOK * ((ahead - residuals[active]) / LOOK - along)
            aside = 0.5 * move(np.einsum("spn,sn->sp", slopes[active], bend))
            bent = 4.0 * ((aside * scale) ** 2).sum(axis=1) / np.maximum(((way * scale) ** 2).sum(axis=1), 1e-300)
        straight = bent <= BENT**2
        trial = points[active] + way + np.where(straight[:, None], aside, 0.0)
        new_residuals, new_slopes = _linearised(squares, trial, own)
        new = _normal(new_residuals, new_slopes)
        new_sizes = relative(*new, rounding)
        better = straight & improved(values[active], new[0], sizes[active], new_sizes, rounding)[0]
        won, lost = active[better], active[~better]
        points[won], sizes[won], residuals[won], slopes[won] = (
            column[better] for column in (trial, new_sizes, new_residuals, new_slopes)
        )
        values[won], gradients[won], hessians[won] = (column[better] for column in new)
        damping[won] = np.maximum(damping[won] * EASIER, LEAST_DAMPING)
        damping[lost] *= HARDER
    return points, values


def _roots(squares: Problem, weights: Array | None) -> Array | None:
    """Of the weights, (n) or (s, n): what residuals are multiplied by."""
    own = squares.weights
    both = own if weights is None else weights if own is None else own * weights
    return None if both is None else np.sqrt(both)


def _linearised(squares: Problem, points: Array, roots: Array | None) -> tuple[Array, Array]:
    """Weighted residuals (s, n) with their slopes (s, p, n)."""
    residuals, slopes = squares.linearised(points)
    slopes = slopes.transpose(0, 2, 1)
    if roots is None:
        return residuals, slopes
    # an observation of weight 0 has no say, even where it has no value
    with np.errstate(all="ignore"):
        own = roots[..., None, :]
        return np.where(roots > 0, residuals * roots, 0.0), np.where(own > 0, slopes * own, 0.0)


def _normal(residuals: Array, slopes: Array) -> tuple[Array, Array, Array]:
    """Half the sums of squares with their gradients, and what Gauss and Newton take for the Hessians."""
    with np.errstate(all="ignore"):
        values = 0.5 * np.einsum("sn,sn->s", residuals, residuals)
        gradients = np.matmul(slopes, residuals[:, :, None])[:, :, 0]
        hessians = np.matmul(slopes, slopes.transpose(0, 2, 1))
    bad = ~(np.isfinite(values) & np.isfinite(gradients).all(axis=1) & np.isfinite(hessians).all(axis=(1, 2)))
    values[bad], gradients[bad], hessians[bad] = np.inf, 0.0, np.eye(hessians.shape[1])
    return values, gradients, hessians
