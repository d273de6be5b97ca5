"""The best coefficients of a formula, from many starts at once, and how sure it is that they are the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scalecalc.calibrate.corners import corners, edges
from scalecalc.calibrate.losses import Loss, huber, least_squares
from scalecalc.calibrate.newton import Optimum, minimise
from scalecalc.calibrate.problem import EXACT, MET, Problem
from scalecalc.calibrate.runs import independent
from scalecalc.calibrate.squares import approach
from scalecalc.calibrate.starts import COUNT, starts
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError

STAGES = (100.0, 10.0)
"""A loss that bends is approached by ones that bend so many times later: each valley lies in the one before."""
ROUGH, FINE = 1e-7, 1e-8
"""Largest gradient entry, relative to the objective's scale, at which a stage and a fit are done."""
LONGER, LONGEST = 4, 400
"""So many of the lowest points without an end by then go on for so many steps: some forms' valleys are long."""
ROUNDER = [huber(10.0**-digits) for digits in (2, 3, 4, 5, 6)]
"""On the way to absolute deviations where no corner is the optimum."""
PASSING = 60
"""Steps under a loss that only leads to another."""
FEW = 1_000
"""Observations that all starts are fitted to, where there are more than twice as many."""
ROUNDS, EACH = 60, 10
"""Of least squares that touch the loss, and steps of each."""
MEET, VALLEYS = 1e-3, 16
"""Starts whose residuals differ by less than this part of their size go on as one; so many valleys are gone down."""
MOST_DECADES, SEEN = 40, 1e-2
"""How far a coefficient that vanished is brought back, and the part of a residual at which it matters."""
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
        groups: the run of each observation, (n); each is one of its own if None.
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
    groups: NDArray[np.int64] | None = None

    @property
    def residuals(self) -> Array:
        """Of the formula at the optimum, (n)."""
        found: Array = self.problem.residuals(self.point[None])[0]
        return found

    @property
    def relative(self) -> Array:
        """Residuals as parts of what was observed, (n): as they are where they are logarithms."""
        return self.residuals / self.problem.sizes

    @property
    def independent(self) -> int:
        """How many observations count: one of each run."""
        return len(self.problem.observed) if self.groups is None else independent(self.groups)


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
    squares = replace(problem, loss=least_squares())
    few = squares.chosen(_few(len(problem.observed)))
    begun = starts(few, ranges, count)
    points, values = approach(few, begun)
    points, alike = together(few, points, values, np.ones(len(begun)))
    if len(few.observed) < len(problem.observed):
        points, values = approach(squares, points)
        points, alike = together(problem, points, values, alike)
    # what vanished on the way may have a place in another loss
    back = visible(problem, points)
    moved = back[(back != points).any(axis=1)]
    points, alike = np.concatenate([points, moved]), np.append(alike, np.zeros(len(moved)))
    for loss in stages(problem.loss):
        smooth = replace(problem, loss=loss)
        rounder = minimise(smooth.evaluate, points, None, ROUGH * scale_of(loss), most=PASSING)
        points, alike = together(problem, rounder.points, rounder.values, alike)
    found = _longer(problem, finish(problem, points))
    good = ended(problem, found)
    if not good.any():
        found = rescued(problem, found, np.argsort(found.values, kind="stable")[:LONGER])
        good = ended(problem, found)
    if not good.any():
        least = np.nanmin(np.where(np.isfinite(found.values), found.gradients, np.inf), initial=np.inf)
        raise FitError(
            f"no optimum from any of {len(begun)} starts (smallest gradient {least:.1e})",
            todo="check the formula's form, or give ranges for its coefficients",
        )
    best = int(np.argmin(np.where(good, found.values, np.inf)))
    low = found.values[best]
    there = good & (found.values - low <= SAME * abs(low) + problem.off_by(EXACT))
    agreed = max(int(alike[there].sum()), 1)
    hessian = found.hessians[best]
    return Fit(
        problem, found.points[best],
        {name: float(value) for name, value in problem.coefficients(found.points[best]).items()},
        float(low), float(found.gradients[best]), condition(hessian), len(begun), agreed, hessian,
    )  # fmt: skip


def ended(problem: Problem, found: Optimum) -> NDArray[np.bool_]:
    """Which are at an optimum, (s)."""
    return np.isfinite(found.values) & (found.gradients <= FINE * scale_of(problem.loss))


def rescued(problem: Problem, found: Optimum, some: NDArray[np.int64], weights: Array | None = None) -> Optimum:
    """With some of the points brought to their optima after all, where that can be done.

    In a valley of a loss that bends far inside the residuals Newton's method sees the few observations that lie there.
    Least squares with weights by which they touch the loss see all, and go downhill (Holland and Welsch 1977).
    """
    if not len(some) or problem.loss.name == "least-squares":
        return found
    squares, points = replace(problem, loss=least_squares()), found.points[some]
    own = None if weights is None else weights[some]
    for _ in range(ROUNDS):
        residuals, before = problem.residuals(points), points
        with np.errstate(all="ignore"):
            _, pull, bend = problem.loss.terms(residuals)
            touching = np.where(residuals == 0, bend, pull / residuals)
            touching /= np.where(np.isfinite(touching), touching, 0.0).max(axis=1, keepdims=True)
        points, _ = approach(squares, points, touching if own is None else touching * own, EACH)
        if (points == before).all():
            break
    new = finish(problem, points, own)
    better = ended(problem, new)
    for column, other in zip(found, new, strict=True):
        column[some[better]] = other[better]
    return found


def _few(count: int) -> NDArray[np.int64]:
    """Which of many observations are enough to look for valleys with."""
    if count <= 2 * FEW:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, FEW, replace=False))


def _longer(problem: Problem, found: Optimum) -> Optimum:
    """With more steps for the lowest that are not at their end."""
    limit = FINE * scale_of(problem.loss)
    ended = found.gradients <= limit
    low = np.min(found.values[ended], initial=np.inf)
    some = np.flatnonzero(~ended & (found.values < low))
    some = some[np.argsort(found.values[some], kind="stable")[:LONGER]]
    if not len(some) or problem.loss.name == "lad":
        return found
    more = minimise(problem.evaluate, found.points[some], None, limit * 1e-3, problem.rounding, LONGEST)
    for column, new in zip(found, more, strict=True):
        column[some] = new
    return found


def together(problem: Problem, points: Array, values: Array, alike: Array) -> tuple[Array, Array]:
    """One point for all that say the same of every run, and how many starts those are; the lowest valleys only.

    Args:
        problem: to be solved.
        points, values: where starts have come, (s, p), and the objectives there, (s).
        alike: how many starts each stands for, (s).
    """
    residuals = problem.residuals(points)
    chosen, counts, least = list[int](), list[float](), MET * float(problem.sizes.mean())
    for place in np.argsort(values, kind="stable"):
        if not np.isfinite(values[place]):
            break
        apart = np.abs(residuals[chosen] - residuals[place]).max(axis=1, initial=0.0)
        same = np.flatnonzero(apart <= MEET * float(np.sqrt(np.mean(residuals[place] ** 2))) + least)
        if len(same):
            counts[same[0]] += alike[place]
        elif len(chosen) < VALLEYS:
            chosen.append(int(place))
            counts.append(alike[place])
    return points[chosen], np.array(counts)


def descend(problem: Problem, points: Array, weights: Array | None = None) -> Optimum:
    """From starts anywhere to the optimum: by least squares first, then by losses that bend ever earlier."""
    points, _ = approach(replace(problem, loss=least_squares()), points, weights)
    return finish(problem, _through(problem, stages(problem.loss), points, weights), weights)


def _through(problem: Problem, losses: Sequence[Loss], points: Array, weights: Array | None) -> Array:
    for loss in losses:
        points = minimise(replace(problem, loss=loss).evaluate, points, weights, ROUGH * scale_of(loss)).points
    return points


def visible(problem: Problem, points: Array, names: Sequence[str] = ()) -> Array:
    """Points whose coefficients that went to 0 are where they begin to matter: there their logarithms have slopes.

    Args:
        problem: to be solved.
        points: (s, p).
        names: which coefficients; all that are fitted as logarithms if empty.
    """
    points = points.copy()
    for place in (problem.names.index(name) for name in names or problem.positive):
        moved = points.copy()
        for _ in range(MOST_DECADES):
            residuals, slopes = problem.linearised(moved)
            faint = np.abs(slopes[:, :, place]).max(axis=1) <= SEEN * np.abs(residuals).max(axis=1)
            if not faint.any():
                break
            moved[faint, place] += np.log(10.0)
        points[~faint] = moved[~faint]
    return points


def finish(problem: Problem, points: Array, weights: Array | None = None) -> Optimum:
    """From near an optimum to it; resamples by two digits less, beyond which rounding takes most of the steps."""
    enough = FINE * (1e-3 if weights is None else 1e-1) * scale_of(problem.loss)
    if problem.loss.name != "lad":
        return minimise(problem.evaluate, points, weights, enough, problem.rounding)
    found = corners(problem, points, weights)
    rest = np.flatnonzero(found.failing > 0)
    if len(rest):
        # a valley that bends has its lowest point on an edge: there is a slope over rounded corners
        some = None if weights is None else weights[rest]
        near = minimise(problem.evaluate, _through(problem, ROUNDER, points[rest], some), some, enough)
        for at in (edges(problem, near.points, some, problem.loss.scale), corners(problem, near.points, some)):
            close = at.values <= near.values + problem.loss.scale * len(problem.observed)
            better = close & (at.failing < found.failing[rest])
            for column, new in zip(found, at, strict=True):
                column[rest[better]] = new[better]
    hessians = problem.evaluate(found.points, weights)[2]
    return Optimum(found.points, found.values, found.failing, hessians, np.zeros(len(points)))


def stages(loss: Loss) -> list[Loss]:
    """What is minimised between least squares and a loss."""
    if loss.name == "least-squares":
        return []
    return [huber(1e-1), huber(1e-2), huber(1e-3)] if loss.name == "lad" else [huber(loss.scale * n) for n in STAGES]


def scale_of(loss: Loss) -> float:
    """What an entry of a gradient is compared with: the slope a residual has where its loss bends."""
    return 1.0 if loss.name in ("least-squares", "lad") else max(loss.scale, 1e-3) if loss.name == "huber" else 1.0


def condition(hessian: Array) -> float:
    """How much steeper than its flattest direction an optimum's steepest one is, coordinates scaled alike."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-300))
    curvatures = np.linalg.eigvalsh(hessian / np.outer(scale, scale))
    return float(curvatures[-1] / curvatures[0]) if curvatures[0] > 0 else float("inf")
