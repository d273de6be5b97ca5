"""Several forms, each fitted with several recency weights, averaged by how well they foretold the end of the curve.

Weights (x/xmax)^k let a form be wrong where nobody asks; which k and which form are right shows on the last part of the
runs, predicted from what comes before. The average of logarithms is a law as any other (`Ensemble.law`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from scalecalc.calibrate.forms import dressed
from scalecalc.calibrate.forms import ranges_of as forms_ranges
from scalecalc.calibrate.intervals import coefficients, conformal, short, written
from scalecalc.calibrate.judge import Judged, Ranges, growing
from scalecalc.calibrate.lawfit import held_of, problem_of, ranges_of
from scalecalc.calibrate.losses import Loss, least_squares
from scalecalc.calibrate.method import Method
from scalecalc.calibrate.newton import minimise
from scalecalc.calibrate.origins import fit_parts, origins, predictions
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.reading import Reading
from scalecalc.calibrate.resample import weights_of
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError, UsageError
from scalecalc.expressions import Binary, Call, Expr, Name, Number
from scalecalc.laws import Coefficient, Law, Source
from scalecalc.laws.conventions import LEVEL, Uncertainty
from scalecalc.laws.intervals import Band, band
from scalecalc.laws.sets import sets_of

NAME = "ensemble"
RECENCIES = (1.0, 2.0, 3.0)
"""Published: 2. One less and one more are averaged with it, so that no single choice decides."""
HORIZON = 2.0
MOST_FORMS = 4
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
        held: coefficients that were not free, by name.
    """

    form: Law
    problem: Problem
    recency: float
    point: Array
    error: float
    weight: float
    held: Mapping[str, float]

    @property
    def name(self) -> str:
        """Form and recency."""
        return f"{self.form.name}^{self.recency:g}"

    @property
    def law(self) -> Law:
        """The form with its coefficients."""
        found = coefficients(self.problem, self.form.ties, self.point)
        return self.form.with_coefficients(**self.held, **{name: float(value) for name, value in found.items()})


@dataclass(frozen=True)
class Ensemble:
    """Members with what their average is known to miss.

    Attributes:
        members: those that have an optimum.
        runs, along: what they were fitted to, and along what.
        noise: of one observation near the end of the runs.
        by_origin: what an even average of the members missed after each origin, root mean squares.
        misses: log predicted - log observed of that average beyond the origins, one after the other.
    """

    members: Sequence[Member]
    runs: Runs
    along: str
    noise: float
    by_origin: Sequence[float]
    misses: Array

    @property
    def weights(self) -> Array:
        """Of the members."""
        return np.array([member.weight for member in self.members])

    @property
    def drift(self) -> float:
        """What the origins missed beyond noise, a standard deviation."""
        return math.sqrt(max(float(np.mean(np.square(self.by_origin))) - self.noise**2, 0.0)) if self.by_origin else 0.0

    def predict(self, values: Mapping[str, Array]) -> Array:
        """The average at values of the variables, (n)."""
        law = self.law
        return np.asarray(law.evaluate(**{name: np.asarray(values[name], float) for name in law.inputs}))

    def draws(self, count: int = DRAWS, seed: int = 0) -> dict[str, Array]:
        """Coefficients of the average as fitted to resampled runs, each (count)."""
        resampled = weights_of(list(self.runs.groups), count, seed)
        drawn: dict[str, Array] = {}
        for place, m in enumerate(self.members, 1):
            starts = np.repeat(m.point[None], count, axis=0)
            points = minimise(m.problem.evaluate, starts, resampled, 1e-9, most=STEPS).points
            there = np.isfinite(predictions(m.problem, points, m.problem.data)).all(axis=1, keepdims=True)
            found = coefficients(m.problem, m.form.ties, np.where(there, points, m.point))
            drawn.update({f"{name}_{place}": column for name, column in found.items()})
        return drawn

    @cached_property
    def uncertainty(self) -> Uncertainty:
        """Of the average: its members are each other's rivals."""
        missed = conformal(self.misses)
        return Uncertainty(
            "log", short(self.noise), float(max(len(self.by_origin) - 1, 1)),
            short(self.drift) if self.by_origin else None, {m.name: written(m.law) for m in self.members},
            missed, len(self.misses) if missed is not None else None,
        )  # fmt: skip

    def interval(self, values: Mapping[str, Array], level: float = LEVEL, count: int = DRAWS, seed: int = 0) -> Band:
        """The average with the interval of a new observation."""
        law = replace(self.law, uncertainty=self.uncertainty)
        return band(law, values, level=level, sets=sets_of(law, self.draws(count, seed)))

    @cached_property
    def law(self) -> Law:
        """The average as one law: exp(w1 log f1 + w2 log f2 + ...), its coefficients numbered by member."""
        total: Expr = Number(0.0)
        constants: dict[str, Coefficient] = {}
        for place, member in enumerate(self.members, 1):
            law = member.law
            renamed = {name: Name(f"{name}_{place}") for name in law.coefficients}
            constants.update(
                (f"{name}_{place}", replace(constant, name=f"{name}_{place}", near=None))
                for name, constant in law.coefficients.items()
            )
            constants[f"w_{place}"] = Coefficient(f"w_{place}", member.weight, fixed=True)
            term = Binary("*", Name(f"w_{place}"), Call("log", (law.expanded.substitute(renamed),)))
            total = term if place == 1 else Binary("+", total, term)
        first = self.members[0].form
        return replace(
            first, name=NAME, title="average of forms, weighted by what they foretold", ties=(), kind="conditional",
            formula=Call("exp", (total,)), derived={}, coefficients=constants,
            variables={n: v for m in self.members for n, v in m.form.variables.items()},
            source=Source("fitted", note=f"{len(self.runs)} observations; {self.runs.source}"),
        )  # fmt: skip


def fit_ensemble(
    forms: Sequence[Law], runs: Runs, along: str | None = None, *, horizon: float | None = HORIZON,
    recencies: Sequence[float] = RECENCIES, loss: Loss | None = None, held: Mapping[str, float] | None = None,
    ranges: Mapping[str, Ranges] | None = None,
) -> Ensemble:  # fmt: skip
    """Fit every form with every recency, and weight them by the inverse of their squared tail errors.

    Args:
        forms: laws over columns of the runs.
        runs: observations, logarithms of which are fitted.
        along: the column that grows; compute unless given (`judge.growing`).
        horizon: the factor beyond the largest run that predictions are wanted for; None for the root of their range.
        recencies: k of the weights (x/xmax)^k.
        loss: of a residual; least squares unless given.
        held: coefficients with a value.
        ranges: by the form's name, where nonlinear coefficients are looked for.

    Raises:
        FitError: no form has an optimum.
    """
    along, x = growing(runs, along)
    limits = np.array([float(x.max()), *origins(x, horizon)]) * (1 + 1e-9)
    powers = np.array(recencies)[None, :, None]
    weights = np.where(x <= limits[:, None, None], (x / limits[:, None, None]) ** powers, 0.0)
    target = np.log(runs.observed)
    members, foretold = [], []
    for form in forms:
        kept = held_of(form, {name: value for name, value in (held or {}).items() if name in form.coefficients})
        problem = problem_of(form, runs, loss=loss or least_squares(), held=kept, tied=form.ties)
        places = {**ranges_of(form, problem), **(ranges or {}).get(form.name, {})}
        points = fit_parts(problem, weights.reshape(-1, len(x)), places)
        said = np.log(predictions(problem, points, problem.data)).reshape(len(limits), len(recencies), len(x))
        for place, recency in enumerate(recencies):
            if np.isfinite(points[place]).all():
                own = replace(problem, weights=weights[0, place])
                members.append(Member(form, own, recency, points[place], 0.0, 0.0, kept))
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
    beyond = [(even[i] - target)[x > limit] for i, limit in enumerate(limits) if i]
    by_origin = [_rms(missed, np.isfinite(missed)) for missed in beyond]
    fitted = np.array([m.weight for m in chosen]) @ np.array(foretold)[:, 0]
    recent = (x / x.max()) ** float(np.median(recencies))
    noise = math.sqrt(float((recent * (fitted - target) ** 2).sum() / recent.sum()))
    every = np.concatenate(beyond)
    return Ensemble(
        chosen, runs, along, noise, [miss for miss in by_origin if math.isfinite(miss)], every[np.isfinite(every)]
    )


def ensemble_of(chosen: Sequence[Judged], kept: Reading, method: Method) -> Ensemble:
    """The average of forms that were tried, the first MOST_FORMS of them.

    Args:
        chosen: the best first.
        kept: the runs.
        method: what is held, and how far predictions are wanted.

    Raises:
        UsageError: the method asks for what an average has of its own.
        FitError: no form is left, or none has an optimum.
    """
    for option, other in (
        ("--residual", method.residual != "log"), ("--weights", bool(method.weights)), ("--tie", bool(method.tied)),
        ("--loss", method.loss not in ("huber", "least-squares")),
    ):  # fmt: skip
        if other:
            what = "the ensemble fits logarithms by least squares with recency weights of its own"
            raise UsageError(what, where=option, todo=f"leave out {option}")
    if not chosen:
        raise FitError("no form could be judged", where=kept.runs.source, todo="give more runs, or name forms: --law")
    forms = [replace(dressed(one.form, kept), name=one.name) for one in chosen[:MOST_FORMS]]
    ranges = {one.name: forms_ranges(one.form, kept) for one in chosen[:MOST_FORMS]}
    return fit_ensemble(forms, kept.runs, horizon=method.horizon, held=method.held, ranges=ranges)


def _rms(errors: Array, where: Array) -> float:
    return math.sqrt(float(np.mean(errors[where] ** 2))) if where.any() else math.nan


def _mean(values: Array, axis: int) -> Array:
    """The mean of what is finite; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=axis) / np.where(count, count, np.nan))
