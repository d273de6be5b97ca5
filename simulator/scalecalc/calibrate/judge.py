"""Which law to believe: the one whose fits to the smaller runs foretold the larger ones best.

A criterion of the fit itself (AICc) stands beside it; it cannot see what lies beyond the runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scalecalc.calibrate.fit import Fit
from scalecalc.calibrate.lawfit import LawFit, fit_law, problem_of, ranges_of
from scalecalc.calibrate.losses import Loss, huber
from scalecalc.calibrate.origins import COUNT, fit_parts, origins, predictions
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError
from scalecalc.laws import Law

SURVIVES = 2.0
"""A law survives if it missed the larger runs by no more than so many times what the best one did."""


@dataclass(frozen=True)
class Judged:
    """One law's record.

    Attributes:
        name: of the law.
        fitted: to all runs; None where it could not be, then `why` says so.
        extrapolation: root mean square of log predicted - log observed beyond the origins, their mean; inf unknown.
        by_origin: the same for each origin, NaN where too few runs were left.
        bias: mean of log predicted - log observed beyond the origins: above 0, predictions are too high.
        drift: what the origins missed beyond the fit's own noise, a standard deviation of logarithms.
        misses: log predicted - log observed beyond the origins, one after the other, for `intervals.conformal`.
        aicc: 2k - 2 log L, corrected for few runs; comparable between laws fitted with one loss to the same runs.
        why: what kept it from being fitted.
    """

    name: str
    fitted: LawFit | None
    extrapolation: float
    by_origin: tuple[float, ...]
    bias: float
    drift: float
    aicc: float
    misses: Array
    why: str = ""


@dataclass(frozen=True)
class Ranking:
    """Laws, best first.

    Attributes:
        judged: by extrapolation; those that could not be fitted last.
        along: the column the origins cut.
        origins: up to where the fits saw, farthest first.
        beyond: observations predicted from each.
    """

    judged: tuple[Judged, ...]
    along: str
    origins: tuple[float, ...]
    beyond: tuple[int, ...]

    @property
    def best(self) -> Judged:
        """The law to use.

        Raises:
            FitError: none could be judged.
        """
        first = self.judged[0]
        if first.fitted is None or not math.isfinite(first.extrapolation):
            raise FitError("no law could be judged", todo=first.why or "give more runs")
        return first

    def survivors(self, times: float = SURVIVES) -> tuple[Judged, ...]:
        """Laws that cannot be told from the best one: their spread is what the choice of a form leaves open."""
        limit = times * self.best.extrapolation
        return tuple(law for law in self.judged if law.fitted is not None and law.extrapolation <= limit)


def rank(
    forms: Sequence[Law], runs: Runs, *, along: str | None = None, horizon: float | None = None, count: int = COUNT,
    loss: Loss | None = None, residual: str = "log", held: Mapping[str, Mapping[str, float]] | None = None,
    ranges: Mapping[str, Mapping[str, tuple[float, float]]] | None = None,
) -> Ranking:  # fmt: skip
    """Fit each form to the smaller runs, predict the larger ones, and order them by what they missed.

    Args:
        forms: laws over columns of the runs.
        runs: observations.
        along: the column that grows; compute (`C`, else N times D) unless given.
        horizon, count: how far the origins go back and how many there are (`origins.origins`).
        loss, residual: what is minimised; Huber of logarithms unless given.
        held, ranges: by the form's name, as in `fit_law`.

    Raises:
        FitError: nothing grows along the runs.
    """
    loss = loss or huber()
    name, x = growing(runs, along)
    limits = origins(x, horizon, count)
    seen = (x <= limits[:, None] * (1 + 1e-9)).astype(float)
    judged = []
    for form in forms:
        kept, places = (held or {}).get(form.name, {}), (ranges or {}).get(form.name, {})
        judged.append(_judge(form, runs, seen, loss, residual, held=kept, ranges=places))
    judged.sort(key=lambda law: (law.fitted is None, law.extrapolation, law.aicc))
    return Ranking(tuple(judged), name, tuple(map(float, limits)), tuple(int(n) for n in (seen == 0).sum(axis=1)))


def growing(runs: Runs, along: str | None = None) -> tuple[str, Array]:
    """The column runs are ordered by: the one asked for, compute, N times D, or the only one there is."""
    if along is not None:
        return along, runs.needed((along,))[along]
    for name in ("C", "N*D", "D", "N"):
        factors = name.split("*")
        if all(factor in runs.columns for factor in factors):
            return name, np.asarray(np.prod([runs.columns[factor] for factor in factors], axis=0))
    name = next(iter(runs.columns))
    return name, runs.columns[name]


def _judge(
    form: Law, runs: Runs, seen: Array, loss: Loss, residual: str, *, held: Mapping[str, float],
    ranges: Mapping[str, tuple[float, float]],
) -> Judged:  # fmt: skip
    try:
        fitted = fit_law(form, runs, loss=loss, residual=residual, held=held, ranges=ranges)
    except FitError as error:
        return Judged(form.name, None, math.inf, (), math.nan, math.nan, math.inf, np.empty(0), str(error))
    problem = problem_of(form, runs, loss=loss, residual=residual, held=held)
    points = fit_parts(problem, seen, {**ranges_of(form, problem), **ranges})
    said = predictions(problem, points, problem.data)
    with np.errstate(all="ignore"):
        errors = np.where(seen > 0, np.nan, np.log(said) - np.log(runs.observed))
    known = [row[np.isfinite(row)] if np.isfinite(row).sum() == (s == 0).sum() else row[:0]
             for row, s in zip(errors, seen, strict=True)]  # fmt: skip
    by_origin = tuple(math.sqrt(float(np.mean(row**2))) if len(row) else math.nan for row in known)
    scores = [score for score in by_origin if math.isfinite(score)]
    # a law that fails where others do not is worse than they are, not better for the easy origins left
    extrapolation = float(np.mean(scores)) if len(scores) == len([s for s in seen if (s == 0).any()]) else math.inf
    every = np.concatenate(known)
    scale = float(np.mean(fitted.fit.residuals**2)) if residual == "log" else 0.0
    drift = math.sqrt(max(float(np.mean(np.square(scores))) - scale, 0.0)) if scores else math.nan
    bias = float(every.mean()) if len(every) else math.nan
    why = "" if math.isfinite(extrapolation) else "no optimum, or too few runs, below one of the origins"
    return Judged(form.name, fitted, extrapolation, by_origin, bias, drift, aicc(fitted.fit), every, why)


def aicc(fit: Fit) -> float:
    """Akaike's criterion with the correction for few runs (Hurvich and Tsai 1989); inf with too few of them.

    The likelihood is the loss's own: normal residuals for least squares, double exponential for absolute deviations
    and for Huber's loss, which bends long before the residuals do; the scale is one coefficient more.
    """
    residuals, count = fit.residuals, len(fit.residuals)
    weights = np.ones(count) if fit.problem.weights is None else fit.problem.weights / fit.problem.weights.mean()
    if fit.problem.loss.name in ("lad", "huber"):
        deviance = 2 * count * math.log(2 * max(float(np.mean(weights * np.abs(residuals))), 1e-300)) + 2 * count
    elif fit.problem.loss.name == "student-t":
        width = fit.problem.loss.scale
        deviance = 2 * fit.objective + 2 * count * math.log(width)
    else:
        deviance = count * (math.log(2 * math.pi * max(float(np.mean(weights * residuals**2)), 1e-300)) + 1)
    size = len(fit.point) + 1
    left = count - size - 1
    return deviance + 2 * size + 2 * size * (size + 1) / left if left > 0 else math.inf
