"""Which law to believe: the one whose fits to the smaller runs foretold the larger ones best.

A criterion of the fit itself (AICc) stands beside it; it cannot see what lies beyond the runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from scalecalc.calibrate.fit import Fit
from scalecalc.calibrate.lawfit import LawFit, ranges_of
from scalecalc.calibrate.origins import COUNT, fit_parts, origins, predictions
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.tape import Array
from scalecalc.laws import Law

SURVIVES = 2.0
"""A law survives if it missed the larger runs by no more than so many times what the best one did."""
OUTCLASSED = 10.0
"""A form whose AICc is so much worse than another's describes the runs with essentially no support beside it (Burnham
and Anderson 2002): that it could be judged, and the other could not, is no reason to prefer it."""
Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Judged:
    """A form, what became of it, and its record beyond the origins.

    Attributes:
        form: what was tried.
        fitted: to all runs; None where it could not be, then `why` says so.
        aicc: 2k - 2 log L, corrected for few runs; comparable between laws fitted with one loss to the same runs; lower
            is better, inf unknown.
        why: what kept it from being fitted, or judged.
        extrapolation: root mean square of log predicted - log observed beyond the origins, their mean; inf unknown.
        by_origin: the same for each origin, NaN where too few runs were left.
        bias: mean of log predicted - log observed beyond the origins: above 0, predictions are too high.
        drift: what the origins missed beyond the fit's own noise, a standard deviation of logarithms; NaN unknown.
        misses: log predicted - log observed beyond the origins, one after the other.
    """

    form: Law
    fitted: LawFit | None
    aicc: float = math.inf
    why: str = ""
    extrapolation: float = math.inf
    by_origin: tuple[float, ...] = ()
    bias: float = math.nan
    drift: float = math.nan
    misses: Array = field(default_factory=lambda: np.empty(0))

    @property
    def name(self) -> str:
        """Of the form."""
        return self.form.name


@dataclass(frozen=True)
class Cuts:
    """Where runs are parted into those a fit sees and those it is to foretell.

    Attributes:
        along: the column that grows.
        limits: up to where the fits see, farthest first, (m).
        seen: 1 where an observation lies below a limit, (m, n).
    """

    along: str
    limits: Array
    seen: Array

    @classmethod
    def of(cls, runs: Runs, along: str | None = None, horizon: float | None = None, count: int = COUNT) -> Cuts:
        """Evenly by factors (`origins.origins`) along compute (`C`, else N times D) unless another column is asked for.

        Raises:
            FitError: nothing grows along the runs.
        """
        name, x = growing(runs, along)
        limits = origins(x, horizon, count)
        return cls(name, limits, (x <= limits[:, None] * (1 + 1e-9)).astype(float))

    @property
    def beyond(self) -> tuple[int, ...]:
        """Observations predicted from each."""
        return tuple(int(n) for n in (self.seen == 0).sum(axis=1))


def rank(candidates: Sequence[Judged], cuts: Cuts | None = None, ranges: Mapping[str, Ranges] | None = None
         ) -> list[Judged]:  # fmt: skip
    """Fitted forms by what fits to the smaller runs missed of the larger ones, the best first; those that could not be
    fitted last; where there are too few runs for a score, by AICc. Forms without a score come first if they outclass
    the best one that has one.

    Args:
        candidates: fitted to all runs, or not.
        cuts: of these runs; nothing is foretold without.
        ranges: by the form's name, where nonlinear coefficients are looked for.
    """
    if cuts is not None:
        candidates = [_judge(one, cuts, (ranges or {}).get(one.name, {})) for one in candidates]
    found = sorted(candidates, key=lambda one: (one.fitted is None, one.extrapolation, one.aicc, _objective(one)))
    if not found or not math.isfinite(found[0].extrapolation):
        return found
    limit = found[0].aicc - OUTCLASSED
    return sorted(found, key=lambda one: math.isfinite(one.extrapolation) or not one.aicc < limit)


def survivors(ranked: Sequence[Judged], times: float = SURVIVES) -> list[Judged]:
    """Laws that cannot be told from the best one: their spread is what the choice of a form leaves open."""
    limit = times * min((one.extrapolation for one in ranked), default=math.inf)
    if promoted(ranked):
        return [one for one in ranked if one.fitted is not None and one.aicc <= ranked[0].aicc + OUTCLASSED]
    return [one for one in ranked if one.fitted is not None and one.extrapolation <= limit < math.inf]


def promoted(ranked: Sequence[Judged]) -> bool:
    """Whether the best form could not be judged, while others could."""
    scores = [math.isfinite(one.extrapolation) for one in ranked]
    return any(scores) and not scores[0]


def with_record(ranked: Sequence[Judged]) -> list[Judged]:
    """Forms that could be judged before all others: averages weight them by what they foretold."""
    return sorted(ranked, key=lambda one: not math.isfinite(one.extrapolation))


def _objective(one: Judged) -> float:
    return one.fitted.fit.objective if one.fitted else math.inf


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


def candidate(form: Law, fitted: LawFit) -> Judged:
    """A form that was fitted, before it is judged."""
    return Judged(form, fitted, aicc(fitted.fit))


def _judge(one: Judged, cuts: Cuts, ranges: Ranges) -> Judged:
    """The same with its record."""
    if one.fitted is None:
        return one
    fit, form, seen = one.fitted.fit, one.fitted.form, cuts.seen
    problem = fit.problem
    points = fit_parts(problem, seen, {**ranges_of(form, problem), **ranges})
    said = predictions(problem, points, problem.data)
    with np.errstate(all="ignore"):
        errors = np.where(seen > 0, np.nan, np.log(said) - np.log(problem.observed))
    known = [row[np.isfinite(row)] if np.isfinite(row).sum() == (s == 0).sum() else row[:0]
             for row, s in zip(errors, seen, strict=True)]  # fmt: skip
    by_origin = tuple(math.sqrt(float(np.mean(row**2))) if len(row) else math.nan for row in known)
    scores = [score for score in by_origin if math.isfinite(score)]
    # a law that fails where others do not is worse than they are, not better for the easy origins left
    extrapolation = float(np.mean(scores)) if len(scores) == len([s for s in seen if (s == 0).any()]) else math.inf
    every = np.concatenate(known)
    scale = float(np.mean(fit.relative**2))
    drift = math.sqrt(max(float(np.mean(np.square(scores))) - scale, 0.0)) if scores else math.nan
    bias = float(every.mean()) if len(every) else math.nan
    why = "" if math.isfinite(extrapolation) else "no optimum, or too few runs, below one of the origins"
    return replace(one, why=why, extrapolation=extrapolation, by_origin=by_origin, bias=bias, drift=drift, misses=every)


def aicc(fit: Fit) -> float:
    """Akaike's criterion with the correction for few runs (Hurvich and Tsai 1989); inf with too few of them.

    The likelihood is the loss's own: normal residuals for least squares, double exponential for absolute deviations
    and for Huber's loss, which bends long before the residuals do; the scale is one coefficient more. Checkpoints of a
    run count as one observation.
    """
    residuals, count = fit.residuals, fit.independent
    weights = (
        np.ones(len(residuals)) if fit.problem.weights is None else fit.problem.weights / fit.problem.weights.mean()
    )
    if fit.problem.loss.name in ("lad", "huber"):
        deviance = 2 * count * math.log(2 * max(float(np.mean(weights * np.abs(residuals))), 1e-300)) + 2 * count
    elif fit.problem.loss.name == "student-t":
        width = fit.problem.loss.scale
        deviance = 2 * count * (fit.objective / len(residuals) + math.log(width))
    else:
        deviance = count * (math.log(2 * math.pi * max(float(np.mean(weights * residuals**2)), 1e-300)) + 1)
    size = len(fit.point) + 1
    left = count - size - 1
    return deviance + 2 * size + 2 * size * (size + 1) / left if left > 0 else math.inf
