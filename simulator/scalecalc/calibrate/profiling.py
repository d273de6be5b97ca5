"""Profile likelihood: how far a coefficient, or N*, can be moved before the runs object, all others at their best.

Unlike a standard error it needs no symmetry. A quantity is held by one more observation with a great weight, a row in
which the formula is what the quantity is over what it is to be: so coefficients, predictions and N* are one case.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from scalecalc.calibrate.fit import Fit, visible
from scalecalc.calibrate.lawfit import LawFit
from scalecalc.calibrate.losses import huber
from scalecalc.calibrate.newton import Evaluate, minimise
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError
from scalecalc.expressions import Binary, Call, Expr, Name, Number
from scalecalc.laws import optimum
from scalecalc.laws.optimum import SIX

HELD, REAL = "held_", "real_"
FIRMNESS = 1e4
"""How much more the held value weighs than all runs: it gives way by that part of what they would move it."""
EXACT = 1e-13
"""Residuals of formulas that meet all runs are no larger: there is nothing to move by."""
ROUNDED = 0.02
"""Of the mean absolute residual: where absolute deviations are rounded off to be profiled."""
FAR, CLOSE, MOST_SECANTS = 40.0, 1e-6, 40
"""First-order half-widths beyond which an end is called open; how nearly an end is met; when to give up."""


@dataclass(frozen=True)
class Profile:
    """An interval; an end the runs do not decide is infinite, or 0 where the quantity is positive."""

    name: str
    value: float
    low: float
    high: float
    level: float


def profile(fitted: LawFit, name: str, level: float = 0.9) -> Profile:
    """The interval of one coefficient.

    Raises:
        FitError: it was not free.
    """
    fit = fitted.fit
    if name not in fit.coefficients:
        raise FitError(f"{name} was not fitted", todo=f"profile one of {', '.join(fit.coefficients)}")
    value = fit.coefficients[name]
    if name in fit.problem.positive:
        fit = _visible(fit, name)
        return replace(_interval(fit, name, Name(name), fit.coefficients[name], level), value=value)
    unit = abs(value) or 1.0
    found = _interval(fit, name, Call("exp", (Binary("/", Name(name), Number(unit)),)), math.exp(value / unit), level)
    with np.errstate(divide="ignore"):
        low, high = unit * np.log([found.low, found.high])
    return Profile(name, value, float(low), float(high), level)


def profiles(fitted: LawFit, level: float = 0.9) -> dict[str, Profile]:
    """The interval of every fitted coefficient."""
    return {name: profile(fitted, name, level) for name in fitted.fit.coefficients}


def profile_best_params(fitted: LawFit, compute: float, *, per_nd: float = SIX, level: float = 0.9) -> Profile:
    """The interval of N* under compute = per_nd N D: where N dL/dN = D dL/dD."""
    best = optimum(fitted.law, compute, per_nd=per_nd).params
    return _interval(fitted.fit, "N*", best_params(fitted, compute, per_nd), best, level)


def best_params(fitted: LawFit, compute: float, per_nd: float = SIX) -> Expr:
    """What is 1 where the held value is N*: the ratio of what N and D gain, times that value."""
    formula = fitted.fit.problem.formula
    n, d = Name(HELD), Binary("/", Number(compute / per_nd), Name(HELD))
    gain_n = Binary("*", Name("N"), formula.diff("N"))
    gain_d = Binary("*", Name("D"), formula.diff("D"))
    ratio = Binary("/", gain_n, gain_d).substitute({"N": n, "D": d})
    return Binary("*", Name(HELD), ratio)


def profile_value(fitted: LawFit, values: Mapping[str, float], level: float = 0.9) -> Profile:
    """The interval of what the law says at a point, without noise."""
    point: dict[str, Expr] = {name: Number(value) for name, value in values.items()}
    value = float(fitted.law.evaluate(**values))
    return _interval(fitted.fit, fitted.law.metric.name, fitted.fit.problem.formula.substitute(point), value, level)


def held(problem: Problem, quantity: Expr, firmness: float) -> Problem:
    """The problem with one more observation, by which `quantity` is the coordinate `held_`, a logarithm."""
    real = Name(REAL)
    row = Binary("/", quantity, Name(HELD))
    formula = Binary("+", Binary("*", real, problem.formula), Binary("*", Binary("-", Number(1.0), real), row))
    data = {name: np.append(column, np.median(column)) for name, column in problem.data.items()}
    own = np.ones(len(problem.observed)) if problem.weights is None else problem.weights
    return replace(
        problem, formula=formula, positive=(HELD, *problem.positive),
        data={**data, REAL: np.append(np.ones(len(own)), 0.0)}, observed=np.append(problem.observed, 1.0),
        weights=np.append(own, firmness),
    )  # fmt: skip


def frozen(evaluate: Evaluate) -> Evaluate:
    """The same problems, their first coordinate kept."""

    def inner(points: Array, weights: Array | None) -> tuple[Array, Array, Array]:
        values, gradients, hessians = evaluate(points, weights)
        gradients[:, 0] = 0.0
        hessians[:, 0, :] = hessians[:, :, 0] = 0.0
        hessians[:, 0, 0] = 1.0
        return values, gradients, hessians

    return inner


def allowance(fit: Fit, level: float) -> float:
    """How much the objective may grow within an interval: t^2/2 times E psi^2/E psi'.

    The ratio of likelihoods of M-estimators (Schrader and Hettmansperger 1980), for least squares the usual
    s^2 t^2/2; psi' is a slope over the residuals' own spread, as a loss that bends early has it nearly nowhere.
    """
    from scipy.stats import t

    return 0.5 * float(t.ppf(0.5 + 0.5 * level, freedom(fit))) ** 2 * scatter(fit)


def _visible(fit: Fit, name: str) -> Fit:
    """A fit whose coefficient went to 0, with it where it begins to matter: there its logarithm has a slope."""
    point = visible(fit.problem, fit.point[None], [name])[0]
    if (point == fit.point).all():
        return fit
    hessian = fit.problem.evaluate(point[None], None)[2][0]
    moved = {**fit.coefficients, name: math.exp(point[fit.problem.names.index(name)])}
    return replace(fit, point=point, coefficients=moved, hessian=hessian)


def freedom(fit: Fit) -> int:
    """Runs beyond the coefficients; checkpoints of a run add none.

    Raises:
        FitError: there are none, so nothing says how far the law is from its runs.
    """
    count, size = fit.independent, len(fit.point)
    if count <= size:
        what = f"{count} runs for {size} coefficients leave no interval"
        raise FitError(what, todo="give more runs, or hold coefficients")
    return count - size


def widening(fit: Fit) -> float:
    """By how much a mean square of residuals is to be multiplied, as coefficients took their part of it."""
    return fit.independent / max(fit.independent - len(fit.point), 1)


def scatter(fit: Fit) -> float:
    """E psi^2/E psi': times the inverse Hessian it is the coefficients' covariance; s^2 of least squares.

    Checkpoints of a run that are off by the same pull together: psi is summed by run, where that is more (the design
    effect of clusters, Kish 1965).
    """
    residuals, loss = fit.residuals, fit.problem.loss
    weights = np.ones(len(residuals)) if fit.problem.weights is None else fit.problem.weights
    pulls = weights * loss.terms(residuals)[1]
    by_run = pulls if fit.groups is None or fit.independent == len(pulls) else np.bincount(fit.groups, pulls)
    pull = max(float((pulls**2).sum()), float((by_run**2).sum())) / len(residuals) * widening(fit)
    step = 0.5 * max(float(np.std(residuals)), 1e-300) * len(residuals) ** -0.2
    bend = (loss.terms(residuals + step)[1] - loss.terms(residuals - step)[1]) / (2 * step)
    return pull / max(float((weights * bend).mean()), 1e-300)


def _interval(fit: Fit, name: str, quantity: Expr, value: float, level: float) -> Profile:
    if not value > 0:
        raise FitError(f"{name} is {value:g}, the profile of which needs a positive one", todo="use the bootstrap")
    freedom(fit)
    if float(np.abs(fit.residuals).max()) < EXACT:
        return Profile(name, value, value, value, level)
    fit = _rounded(fit)
    center, limit = math.log(value), allowance(fit, level)
    slopes = _first_order(fit, quantity, center)
    firmness = FIRMNESS / (slopes.variance * slopes.row**2)
    low, high = np.exp(center + _ends(held(fit.problem, quantity, firmness), fit, center, slopes, limit))
    return Profile(name, value, float(low), float(high), level)


def _rounded(fit: Fit) -> Fit:
    """Absolute deviations with their corners rounded off well inside the residuals; any other fit as it is."""
    if fit.problem.loss.name != "lad":
        return fit
    problem = replace(fit.problem, loss=huber(ROUNDED * float(np.abs(fit.residuals).mean())))
    found = minimise(problem.evaluate, fit.point[None])
    return replace(
        fit, problem=problem, point=found.points[0], objective=float(found.values[0]), hessian=found.hessians[0]
    )


class _Slopes(NamedTuple):
    """At the optimum: of coordinates by the quantity's logarithm, of its row by the same, and its variance for a
    covariance of the inverse Hessian."""

    way: Array
    row: float
    variance: float


def _first_order(fit: Fit, quantity: Expr, center: float) -> _Slopes:
    problem = fit.problem
    names = problem.names
    row = Binary("/", quantity, Name(HELD)).substitute({n: Call("exp", (Name(n),)) for n in problem.positive})
    at: dict[str, Any] = {**dict(zip(names, map(float, fit.point), strict=True)), HELD: math.exp(center)}
    slope = np.array([float(row.diff(n).evaluate(at)) for n in names])
    by_value = float(row.diff(HELD).evaluate(at)) * math.exp(center)
    along = np.linalg.pinv(fit.hessian) @ slope
    reach = float(slope @ along)
    if not (reach > 0 and math.isfinite(reach)):
        raise FitError("the quantity does not depend on what was fitted", todo="choose another")
    return _Slopes(-by_value / reach * along, by_value, reach / by_value**2)


def _ends(problem: Problem, fit: Fit, center: float, slopes: _Slopes, limit: float) -> Array:
    """Where the objective has grown by `limit` on both sides, from the center: secants on its root, nearly straight."""
    side, target = np.array([-1.0, 1.0]), math.sqrt(limit)
    first = math.sqrt(2 * limit * slopes.variance)
    before, root_before = np.zeros(2), np.zeros(2)
    place, points = np.full(2, first), fit.point + np.outer(side * first, slopes.way)
    done, found = np.zeros(2, bool), np.full(2, math.inf)
    weights = np.ones(len(fit.problem.observed)) if fit.problem.weights is None else fit.problem.weights
    for _ in range(MOST_SECANTS):
        whole = np.concatenate([(center + side * place)[:, None], points], axis=1)
        whole = minimise(frozen(problem.evaluate), whole, enough=1e-5 * limit).points
        residuals = problem.residuals(whole)
        grown = problem.loss.terms(residuals[:, :-1])[0] @ weights - fit.objective
        root = np.sqrt(np.maximum(grown, 0.0))
        met = ~done & (np.abs(root - target) < CLOSE * target)
        # what is held gives way a little: the ends are where it then is
        found[met], done = (place - side * residuals[:, -1] / slopes.row)[met], done | met
        if (done | (place > FAR * first)).all():
            break
        slope = (root - root_before) / np.where(place == before, math.inf, place - before)
        # beyond a plain, or where rounding hides the slope, go on by doubling
        step = np.where(slope > 0.05 * target / first, (target - root) / np.maximum(slope, 1e-300), place)
        following = np.clip(place + step, place / 4, 3 * place)
        points = fit.point + (whole[:, 1:] - fit.point) * (following / place)[:, None]
        before, root_before, place = place, root, following
    return np.asarray(side * found)
