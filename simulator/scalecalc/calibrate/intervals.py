"""How uncertain a fitted law is: noise, rivals, drift; `laws.intervals` makes intervals of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from scalecalc.calibrate.judge import Judged
from scalecalc.calibrate.lawfit import LawFit
from scalecalc.calibrate.origins import COUNT
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.profiling import freedom as runs_left
from scalecalc.calibrate.profiling import widening
from scalecalc.calibrate.resample import bootstrap, bootstrap_residuals
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError
from scalecalc.expressions import Expr, Number
from scalecalc.laws import Law
from scalecalc.laws.conventions import LEVEL, Uncertainty
from scalecalc.laws.intervals import Band, band
from scalecalc.laws.reading import MOST_RIVALS
from scalecalc.laws.sets import sets_of

DIGITS = 7
"""Of the numbers that are kept."""


def uncertainty(
    fitted: LawFit,
    rivals: Mapping[str, Law] | None = None,
    drift: float = math.nan,
    misses: Sequence[float] | Array = (),
) -> Uncertainty:
    """What a fitted law's predictions miss besides its coefficients' errors.

    Args:
        fitted: the law.
        rivals: laws with coefficients that survive the judgement, by name; those that leave out a variable of the law
            (C aside, where it takes N and D), or take one beside C that it does not, say nothing of its runs.
        drift: what rolling origins missed beyond noise (`Judged.drift`), a standard deviation of logarithms; NaN
            unknown. With one, there are no more degrees of freedom than origins less one.
        misses: log predicted - log observed beyond the origins.

    Raises:
        FitError: there are no more runs than coefficients.
    """
    left = runs_left(fitted.fit)
    needed, given = set(fitted.law.inputs), {*fitted.law.inputs, *({"C"} & fitted.law.variables.keys())}
    needed -= {"C"} if {"N", "D"} <= needed else set()
    speaking = {n: law for n, law in (rivals or {}).items() if needed <= set(law.inputs) <= given}
    missed = conformal(np.asarray(misses))
    return Uncertainty(
        fitted.fit.problem.residual, short(noise(fitted)), float(min(left, COUNT - 1) if drift > 0 else left),
        short(drift) if math.isfinite(drift) else None,
        {name: written(law) for name, law in list(speaking.items())[:MOST_RIVALS]},
        missed, len(misses) if missed is not None else None,
    )  # fmt: skip


def of_judged(best: Judged, survivors: Sequence[Judged]) -> Uncertainty | None:
    """The same from the record of a form and those that survive beside it; None with no more runs than coefficients."""
    if best.fitted is None:
        return None
    rivals = {one.name: one.fitted.law for one in survivors if one.fitted is not None and one.name != best.name}
    try:
        return uncertainty(best.fitted, rivals, best.drift, best.misses)
    except FitError:
        return None


def interval(
    fitted: LawFit, values: Mapping[str, Array], *, rivals: Mapping[str, Law] | None = None, drift: float = math.nan,
    level: float = LEVEL, resample: str = "runs", count: int = 400, seed: int = 0,
) -> Band:  # fmt: skip
    """The interval of a fitted law's predictions.

    Args:
        fitted: the law.
        values: of its variables, (n).
        rivals, drift: see `uncertainty`.
        level: of the interval.
        resample: `runs` with all their checkpoints, or `residuals`.
        count, seed: of the resamples.

    Raises:
        FitError: a variable has no value, there are no more runs than coefficients, or resamples have no optimum.
    """
    if missing := [name for name in fitted.law.inputs if name not in values]:
        raise FitError(f"no {', '.join(missing)} to predict at", todo=f"give {', '.join(fitted.law.inputs)}")
    fit = fitted.fit
    doubt = uncertainty(fitted, rivals, drift)
    found = bootstrap(fit, count, seed) if resample == "runs" else bootstrap_residuals(fit, count, seed)
    law = replace(fitted.law, uncertainty=doubt)
    return band(law, values, level=level, sets=sets_of(law, coefficients(fit.problem, fitted.tied, found.points)))


def coefficients(problem: Problem, tied: Sequence[Sequence[str]], points: Array) -> dict[str, Array]:
    """All coefficients that vary, those that are tied too, from points (..., p)."""
    found = dict(problem.coefficients(points))
    for first, *others in tied:
        found.update({other: found[first] for other in others if first in found})
    return found


def written(law: Law, digits: int = DIGITS) -> Expr:
    """A law's formula with its coefficients as numbers of so many digits."""
    values = {
        name: Number(short(float(value), digits)) for name, value in law.constants.items() if name in law.coefficients
    }
    return law.expanded.substitute(dict(values))


def short(number: float, digits: int = DIGITS) -> float:
    """As it is kept."""
    return float(f"{number:.{digits}g}")


def noise(fitted: LawFit) -> float:
    """The standard deviation of one run about the law, on the scale of residuals, weights counted.

    As if all checkpoints of a run were off alike: where they are not, a little much.
    """
    fit = fitted.fit
    weights = np.ones(len(fit.residuals)) if fit.problem.weights is None else fit.problem.weights
    return math.sqrt(float(np.average(fit.residuals**2, weights=weights)) * widening(fit))


def conformal(misses: Array, level: float = LEVEL) -> float | None:
    """What a share of predictions beyond rolling origins did not miss; None with too few of them.

    Vovk, Gammerman and Shafer 2005: the ceil((m + 1) level)-th smallest of m misses. Free of any law of errors; honest
    where runs beyond the origins are as far from them as the new ones are from all runs.

    Args:
        misses: predicted less observed (`Judged.misses`), (m).
        level: the share.
    """
    sizes = np.sort(np.abs(misses))
    place = math.ceil((len(sizes) + 1) * level)
    return short(float(sizes[place - 1])) if place <= len(sizes) else None


def score(low: Array, high: Array, observed: Array, level: float = LEVEL) -> Array:
    """The interval score: width, and 2/(1 - level) times what an observation lies outside by; lower is better.

    Gneiting and Raftery 2007, equation 43.

    >>> score(np.array([0.0]), np.array([1.0]), np.array([1.5]), 0.9)
    array([11.])
    """
    price = 2.0 / (1.0 - level)
    found: Array = (high - low) + price * np.maximum(low - observed, 0) + price * np.maximum(observed - high, 0)
    return found.round(12)
