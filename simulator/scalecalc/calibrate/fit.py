"""The best coefficients of a formula, from many starts at once, and how sure it is that they are the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from scalecalc.calibrate.corners import corners
from scalecalc.calibrate.losses import Loss, huber, least_squares
from scalecalc.calibrate.newton import Optimum, minimise
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.starts import COUNT, starts
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError

STAGES = (100.0, 10.0)
"""A loss that bends is approached by ones that bend so many times later: each valley lies in the one before."""
ROUGH, FINE = 1e-7, 1e-8
"""Largest gradient entry, relative to the objective's scale, at which a stage and a fit are done."""
FAR = 1_000
"""Steps of the way from a start: valleys that bend take many."""
SAME = 1e-9
"""Starts whose objectives differ by no more, relatively, are at one optimum."""


@dataclass(frozen=True)
class Fit:
    """A solved problem.

    Attributes:
        problem: what was minimised.
        point: in the problem's coordinates, (p).
        coefficients: by name.
        objective: the weighted sum of the loss.
        gradient: its largest entry there.
        condition: of the Hessian, scaled to a unit diagonal; large where coefficients can stand in for each other.
        starts, agreed: how many there were, and how many ended at this optimum.
        hessian: (p, p), in coordinates.
    """

    problem: Problem
    point: Array
    coefficients: Mapping[str, float]
    objective: float
    gradient: float
    condition: float
    starts: int
    agreed: int
    hessian: Array

    @property
    def residuals(self) -> Array:
        """Of the formula at the optimum, (n)."""
        found: Array = self.problem.residuals(self.point[None])[0]
        return found


def fit(problem: Problem, ranges: Mapping[str, tuple[float, float]] | None = None, count: int = COUNT) -> Fit:
    """Minimise from `count` seeded starts.

    Args:
        problem: to be solved.
        ranges: where nonlinear coefficients are looked for.
        count: of starts.

    Raises:
        FitError: fewer runs than coefficients, or no start came to an optimum.
    """
    if len(problem.observed) < len(problem.names):
        what = f"{len(problem.observed)} runs for {len(problem.names)} coefficients"
        raise FitError(what, todo="give more runs, or fix coefficients")
    points = starts(problem, ranges, count)
    found = descend(problem, points)
    good = np.isfinite(found.values) & (found.gradients <= FINE * scale_of(problem.loss))
    if not good.any():
        least = np.nanmin(np.where(np.isfinite(found.values), found.gradients, np.inf))
        raise FitError(
            f"no optimum from any of {len(points)} starts (smallest gradient {least:.1e})",
            todo="check the formula's form, or give ranges for its coefficients",
        )
    best = int(np.argmin(np.where(good, found.values, np.inf)))
    low = found.values[best]
    agreed = int((good & (found.values - low <= SAME * abs(low) + rounding_of(problem))).sum())
    hessian = found.hessians[best]
    return Fit(
        problem, found.points[best],
        {name: float(value) for name, value in problem.coefficients(found.points[best]).items()},
        float(low), float(found.gradients[best]), condition(hessian), len(points), agreed, hessian,
    )  # fmt: skip


def rounding_of(problem: Problem) -> float:
    """What rounding makes of an objective that is 0: that of formulas that meet all runs."""
    size = 1.0 if problem.residual == "log" else float(np.abs(problem.observed).max())
    return float(problem.loss.terms(np.array([1e-13 * size]))[0][0]) * len(problem.observed)


def descend(problem: Problem, points: Array, weights: Array | None = None) -> Optimum:
    """From starts anywhere to the optimum: by least squares first, then by losses that bend ever earlier."""
    points = _approach(replace(problem, loss=least_squares()), points, weights)
    for loss in stages(problem.loss):
        before = replace(problem, loss=loss)
        points = minimise(before.evaluate, points, weights, ROUGH * scale_of(loss)).points
    return finish(problem, points, weights)


def _approach(squares: Problem, points: Array, weights: Array | None) -> Array:
    """Least squares from afar, with exact Hessians and without their bends: each finds valleys the other misses."""
    exact = minimise(squares.evaluate, points, weights, ROUGH, squares.rounding)
    rough = minimise(squares.evaluate_roughly, points, weights, ROUGH, squares.rounding, FAR)
    arrived, instead = exact.gradients <= ROUGH, rough.gradients <= ROUGH
    lower = rough.values < exact.values * (1.0 - SAME)
    better = np.where(arrived == instead, lower, instead)
    return np.where(better[:, None], rough.points, exact.points)


def finish(problem: Problem, points: Array, weights: Array | None = None) -> Optimum:
    """From near an optimum to it; resamples by two digits less, beyond which rounding takes most of the steps."""
    if problem.loss.name == "lad":
        # from corner to corner there is no slope to follow: over rounded ones
        for loss in stages(problem.loss):
            smooth = replace(problem, loss=loss)
            points = minimise(smooth.evaluate, points, weights, ROUGH * scale_of(loss)).points
    enough = FINE * (1e-3 if weights is None else 1e-1) * scale_of(problem.loss)
    found = minimise(problem.evaluate, points, weights, enough, problem.rounding)
    return corners(problem, found, weights) if problem.loss.name == "lad" else found


def stages(loss: Loss) -> list[Loss]:
    """What is minimised between least squares and a loss."""
    if loss.name == "least-squares":
        return []
    if loss.name == "lad":
        steps = np.arange(2, np.ceil(-np.log10(loss.scale)))
        return [huber(float(10.0**-step)) for step in steps]
    return [huber(loss.scale * times) for times in STAGES]


def scale_of(loss: Loss) -> float:
    """What an entry of a gradient is compared with: the slope a residual has where its loss bends."""
    return 1.0 if loss.name in ("least-squares", "lad") else max(loss.scale, 1e-3) if loss.name == "huber" else 1.0


def condition(hessian: Array) -> float:
    """How much steeper than its flattest direction an optimum's steepest one is, coordinates scaled alike."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-300))
    curvatures = np.linalg.eigvalsh(hessian / np.outer(scale, scale))
    return float(curvatures[-1] / curvatures[0]) if curvatures[0] > 0 else float("inf")
