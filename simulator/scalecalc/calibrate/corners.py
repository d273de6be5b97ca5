"""Least absolute deviations to the last digit: at its optimum as many residuals are 0 as there are coefficients.

A smoothed loss leads to that corner; which residuals are 0 there is then known, and Newton's method makes them so.
That it is the optimum shows in the weights with which the slopes of these residuals balance all others: none
exceeds 1.
"""

from __future__ import annotations

import numpy as np

from scalecalc.calibrate.newton import Optimum
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.tape import Array

MOST_STEPS = 30


def corners(problem: Problem, near: Optimum, weights: Array | None = None) -> Optimum:
    """The corners nearest to smoothed optima; `gradients` is by how much the balance fails, 0 at an optimum."""
    points = near.points.copy()
    size, count = points.shape[1], len(points)
    all_weights = _weights(problem, weights, count)
    residuals, slopes = problem.linearised(points)
    # a run that is in no resample is no corner's
    order = np.where(all_weights > 0, np.abs(residuals), np.inf)
    zero = np.argsort(order, axis=1)[:, :size]
    for _ in range(MOST_STEPS):
        r, j = np.take_along_axis(residuals, zero, 1), np.take_along_axis(slopes, zero[:, :, None], 1)
        move = _solved(j, -r)
        points = points + move
        residuals, slopes = problem.linearised(points)
        if np.abs(move).max(initial=0.0) < 1e-15 * max(1.0, float(np.abs(points).max(initial=0.0))):
            break
    others = np.sign(residuals) * all_weights
    np.put_along_axis(others, zero, 0.0, 1)
    pull = np.einsum("sn,snp->sp", others, slopes)
    j = np.take_along_axis(slopes, zero[:, :, None], 1)
    balance = _solved(j.transpose(0, 2, 1), -pull)
    excess = np.abs(balance) - np.take_along_axis(all_weights, zero, 1)
    failing = np.maximum(excess.max(axis=1), 0.0)
    values = np.einsum("sn,sn->s", np.abs(residuals), all_weights)
    sure = np.isfinite(values) & np.isfinite(failing) & (np.abs(points - near.points).max(axis=1) < 0.1)
    return Optimum(
        np.where(sure[:, None], points, near.points), np.where(sure, values, near.values),
        np.where(sure, failing, np.inf), near.hessians, near.steps,
    )  # fmt: skip


def _weights(problem: Problem, weights: Array | None, count: int) -> Array:
    own = np.ones(len(problem.observed)) if problem.weights is None else problem.weights
    return np.broadcast_to(own if weights is None else own * weights, (count, len(own)))


def _solved(matrices: Array, right: Array) -> Array:
    """Solutions of small systems; 0 where a matrix has no inverse."""
    regular = np.asarray(np.isfinite(matrices).all(axis=(1, 2)) & np.isfinite(right).all(axis=1))
    determinants = np.asarray(np.linalg.det(np.where(regular[:, None, None], matrices, 0.0)))
    regular = regular & (np.abs(determinants) > 0)
    found = np.zeros_like(right)
    if regular.any():
        found[regular] = np.linalg.solve(matrices[regular], right[regular][:, :, None])[:, :, 0]
    return found
