"""Several forms, each fitted with several recency weights, averaged by how well they foretold the end of the curve.

Weights (x/xmax)^k let a form be wrong where nobody asks; which k and which form are right shows on the last part of the
runs, predicted from what comes before. The average of logarithms is a law as any other (`Ensemble.law`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scalecalc.calibrate.intervals import LEVEL, Prediction, combine
from scalecalc.calibrate.lawfit import problem_of, ranges_of
from scalecalc.calibrate.losses import Loss, least_squares
from scalecalc.calibrate.newton import minimise
from scalecalc.calibrate.origins import fit_parts, origins, predictions
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.resample import weights_of
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError
from scalecalc.expressions import Binary, Call, Expr, Name, Number
from scalecalc.laws import Coefficient, Law, Source

RECENCIES = (1.0, 2.0, 3.0)
"""Published: 2. One less and one more are averaged with it, so that no single choice decides."""
HORIZON = 2.0
DRAWS, STEPS = 200, 30
"""Resamples, and Newton steps of each: one without an end by then creeps along a valley where predictions stay."""


@dataclass(frozen=True)
class Member:
    """A form with its recency.

    Attributes:
        form, problem: what was fitted.
        recency: k of the weights (x/xmax)^k.
        point: its coordinates at the optimum, (p).
        error: root mean square of what it missed on the tails, on the scale of logarithms.
        weight: in the average; all sum to 1.
    """

    form: Law
    problem: Problem
    recency: float
    point: Array
    error: float
    weight: float

    @property
    def law(self) -> Law:
        """The form with its coefficients."""
        return self.form.with_coefficients(**{n: float(v) for n, v in self.problem.coefficients(self.point).items()})


@dataclass(frozen=True)
class Ensemble:
    """Members with what their average is known to miss.

    Attributes:
        members: those that have an optimum.
        runs, along: what they were fitted to, and along which column.
        noise: of one observation near the end of the runs.
        misses: what an even average of the members missed after each origin, root mean squares.
    """

    members: Sequence[Member]
    runs: Runs
    along: str
    noise: float
    misses: Sequence[float]

    @property
    def weights(self) -> Array:
        """Of the members."""
        return np.array([member.weight for member in self.members])

    @property
    def drift(self) -> float:
        """What the origins missed beyond noise, a standard deviation."""
        return math.sqrt(max(float(np.mean(np.square(self.misses))) - self.noise**2, 0.0))

    def _each(self, values: Mapping[str, Array]) -> Array:
        said = [predictions(m.problem, m.point[None], _inputs(m, values)) for m in self.members]
        return np.asarray(np.log(np.concatenate(said)))

    def predict(self, values: Mapping[str, Array]) -> Array:
        """The average at values of the variables, (n)."""
        return np.asarray(np.exp(self.weights @ self._each(values)))

    def draws(self, values: Mapping[str, Array], count: int = DRAWS, seed: int = 0) -> Array:
        """The average as fitted to resampled runs, (count, n): what a bootstrap alone knows."""
        resampled = weights_of(list(self.runs.groups), count, seed)
        total = np.zeros((count, len(next(iter(values.values())))))
        for m in self.members:
            found = minimise(m.problem.evaluate, np.repeat(m.point[None], count, axis=0), resampled, 1e-9, most=STEPS)
            drawn = np.log(predictions(m.problem, found.points, _inputs(m, values)))
            middle = np.log(predictions(m.problem, m.point[None], _inputs(m, values)))
            total += m.weight * np.where(np.isfinite(drawn), drawn, middle)
        return np.asarray(np.exp(total))

    def interval(
        self, values: Mapping[str, Array], level: float = LEVEL, count: int = DRAWS, seed: int = 0
    ) -> Prediction:
        """The average with the interval of a new observation."""
        each = self._each(values)
        center = self.weights @ each
        return combine(
            np.exp(center),
            {
                "coefficients": np.log(self.draws(values, count, seed)).std(axis=0),
                "noise": self.noise,
                "form": np.sqrt(((each - center) ** 2).mean(axis=0)),
                "drift": self.drift,
            },
            max(len(self.misses) - 1, 1), level,
        )  # fmt: skip

    @property
    def law(self) -> Law:
        """The average as one law: exp(w1 log f1 + w2 log f2 + ...), its coefficients numbered by member."""
        total: Expr = Number(0.0)
        coefficients: dict[str, Coefficient] = {}
        for place, member in enumerate(self.members, 1):
            law = member.law
            renamed = {name: Name(f"{name}_{place}") for name in law.coefficients}
            coefficients.update(
                (f"{name}_{place}", replace(constant, name=f"{name}_{place}"))
                for name, constant in law.coefficients.items()
            )
            coefficients[f"w_{place}"] = Coefficient(f"w_{place}", member.weight)
            term = Binary("*", Name(f"w_{place}"), Call("log", (law.expanded.substitute(renamed),)))
            total = term if place == 1 else Binary("+", total, term)
        first = self.members[0].form
        return replace(
            first, name="ensemble", title="average of forms, weighted by what they foretold",
            formula=Call("exp", (total,)), derived={}, coefficients=coefficients,
            variables={n: v for m in self.members for n, v in m.form.variables.items()},
            source=Source("fitted", note=f"{len(self.runs)} observations; {self.runs.source}"),
        )  # fmt: skip


def fit_ensemble(
    forms: Sequence[Law], runs: Runs, along: str, *, horizon: float = HORIZON,
    recencies: Sequence[float] = RECENCIES, loss: Loss | None = None,
) -> Ensemble:  # fmt: skip
    """Fit every form with every recency, and weight them by the inverse of their squared tail errors.

    Args:
        forms: laws over columns of the runs.
        runs: observations, logarithms of which are fitted.
        along: the column that grows.
        horizon: the factor beyond the largest run that predictions are wanted for.
        recencies: k of the weights (x/xmax)^k.
        loss: of a residual; least squares unless given.

    Raises:
        FitError: no form has an optimum.
    """
    x = runs.needed((along,))[along]
    limits = np.array([float(x.max()), *origins(x, horizon)]) * (1 + 1e-9)
    powers = np.array(recencies)[None, :, None]
    weights = np.where(x <= limits[:, None, None], (x / limits[:, None, None]) ** powers, 0.0)
    target = np.log(runs.observed)
    members, foretold = [], []
    for form in forms:
        problem = problem_of(form, runs, loss=loss or least_squares())
        points = fit_parts(problem, weights.reshape(-1, len(x)), ranges_of(form, problem))
        said = np.log(predictions(problem, points, problem.data)).reshape(len(limits), len(recencies), len(x))
        for place, recency in enumerate(recencies):
            if np.isfinite(points[place]).all():
                own = replace(problem, weights=weights[0, place])
                members.append(Member(form, own, recency, points[place], 0.0, 0.0))
                foretold.append(said[:, place])
    if not members:
        raise FitError("no form has an optimum", todo="give more runs or other forms")
    missed = [[_rms(said[i] - target, x > limit) for i, limit in enumerate(limits) if i] for said in foretold]
    errors = np.sqrt(_mean(np.square(missed), axis=1))
    errors = np.where(np.isfinite(errors), errors, np.nanmax(errors, initial=1.0))
    scores = 1.0 / np.maximum(errors, 1e-12) ** 2
    chosen = [
        replace(member, error=float(error), weight=float(score / scores.sum()))
        for member, error, score in zip(members, errors, scores, strict=True)
    ]
    even = _mean(np.array(foretold), axis=0)
    misses = [_rms(even[i] - target, x > limit) for i, limit in enumerate(limits) if i]
    fitted = np.array([m.weight for m in chosen]) @ np.array(foretold)[:, 0]
    recent = (x / x.max()) ** float(np.median(recencies))
    noise = math.sqrt(float((recent * (fitted - target) ** 2).sum() / recent.sum()))
    return Ensemble(chosen, runs, along, noise, [miss for miss in misses if math.isfinite(miss)])


def _rms(errors: Array, where: Array) -> float:
    return math.sqrt(float(np.mean(errors[where] ** 2))) if where.any() else math.nan


def _mean(values: Array, axis: int) -> Array:
    """The mean of what is finite; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=axis) / np.where(count, count, np.nan))


def _inputs(member: Member, values: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.asarray(values[name], float) for name in member.form.inputs}
