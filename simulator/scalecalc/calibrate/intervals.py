"""Prediction intervals by their parts: coefficients, noise, the form of the law, and what extrapolation cost before.

The parts are standard deviations, added in quadrature; on the scale residuals have (of logarithms, if these are
fitted). A bootstrap alone holds only the first of them, and far too few of the larger runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scalecalc.calibrate.lawfit import LawFit
from scalecalc.calibrate.origins import COUNT, predictions
from scalecalc.calibrate.resample import bootstrap, bootstrap_residuals
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError

LEVEL = 0.9
PARTS = ("coefficients", "noise", "form", "drift")


@dataclass(frozen=True)
class Prediction:
    """Predicted values with their intervals, each (n).

    Attributes:
        value, low, high: in the law's unit.
        level: what part of new runs should lie inside.
        coefficients: what other runs of the same kind would have moved the fit by.
        noise: of one run about the law.
        form: the spread over laws that fit as well.
        drift: what rolling origins missed beyond their noise.
        freedom: degrees of freedom of Student's t, by which the parts become an interval.
        logs: whether the parts are of logarithms.
    """

    value: Array
    low: Array
    high: Array
    level: float
    coefficients: Array
    noise: Array
    form: Array
    drift: Array
    freedom: float
    logs: bool

    @property
    def parts(self) -> dict[str, Array]:
        """Standard deviations by what causes them."""
        return {name: getattr(self, name) for name in PARTS}


def combine(
    value: Array, parts: Mapping[str, Array | float], freedom: float, level: float = LEVEL, logs: bool = True
) -> Prediction:
    """An interval from its parts.

    Args:
        value: predicted, (n), in the law's unit.
        parts: standard deviations of some of `PARTS`; the others are 0.
        freedom: degrees of freedom of the least certain of them.
        level: of the interval.
        logs: whether the parts are of logarithms.
    """
    from scipy.stats import t

    given = {name: np.broadcast_to(np.asarray(parts.get(name, 0.0), float), value.shape) for name in PARTS}
    total = np.sqrt(sum(part**2 for part in given.values()))
    reach = float(t.ppf(0.5 + 0.5 * level, freedom)) * total
    low, high = (value * np.exp(-reach), value * np.exp(reach)) if logs else (value - reach, value + reach)
    return Prediction(value, low, high, level, **given, freedom=freedom, logs=logs)


def interval(
    fitted: LawFit, values: Mapping[str, Array], *, rivals: Sequence[LawFit] = (), drift: float = 0.0,
    freedom: float | None = None, level: float = LEVEL, resample: str = "runs", count: int = 400, seed: int = 0,
) -> Prediction:  # fmt: skip
    """The interval of a fitted law's predictions.

    Args:
        fitted: the law.
        values: of its variables, (n).
        rivals: other laws that survive the judgement; one of a variable that has no value here says nothing.
        drift: what rolling origins missed beyond noise (`Judged.drift`), a standard deviation of logarithms.
        freedom: degrees of freedom; runs less coefficients, or with a drift the origins' number less one.
        level: of the interval.
        resample: `runs` with all their checkpoints, or `residuals`.
        count, seed: of the resamples.

    Raises:
        FitError: a variable has no value, or the resamples have no optimum.
    """
    fit, problem = fitted.fit, fitted.fit.problem
    if missing := [name for name in fitted.law.inputs if name not in values]:
        raise FitError(f"no {', '.join(missing)} to predict at", todo=f"give {', '.join(fitted.law.inputs)}")
    inputs = {name: np.asarray(values[name], float) for name in fitted.law.inputs}
    drawn = (
        bootstrap(fit, list(fitted.runs.groups), count, seed)
        if resample == "runs"
        else bootstrap_residuals(fit, count, seed)
    )
    value = predictions(problem, fit.point[None], inputs)[0]
    logs = problem.residual == "log"
    scaled = np.log if logs else np.asarray
    spread = np.nanstd(scaled(predictions(problem, drawn.points, inputs)), axis=0)
    own = np.asarray(scaled(value))
    others = [
        scaled(rival.predict({n: np.asarray(values[n], float) for n in rival.law.inputs}))
        for rival in rivals if set(rival.law.inputs) <= set(values)
    ]  # fmt: skip
    form = np.sqrt(np.mean([np.zeros_like(own), *((other - own) ** 2 for other in others)], axis=0))
    left = len(problem.observed) - len(fit.point)
    if freedom is None:
        freedom = max(min(left, COUNT - 1) if drift > 0 else left, 1)
    missed = drift if logs else drift * np.abs(value)
    return combine(
        value, {"coefficients": spread, "noise": noise(fitted), "form": form, "drift": missed}, freedom, level, logs
    )


def noise(fitted: LawFit) -> float:
    """The standard deviation of one run about the law, on the scale of residuals, weights counted."""
    fit = fitted.fit
    weights = np.ones(len(fit.residuals)) if fit.problem.weights is None else fit.problem.weights
    weights = weights / weights.mean()
    left = max(len(weights) - len(fit.point), 1)
    return math.sqrt(float((weights * fit.residuals**2).sum()) / left)


def conformal(value: Array, misses: Array, level: float = LEVEL, logs: bool = True) -> tuple[Array, Array]:
    """The interval that would have held `level` of what rolling origins predicted; without any part or law of errors.

    Vovk, Gammerman and Shafer 2005: the ceil((m + 1) level)-th smallest of m misses. Honest where runs beyond the
    origins are as far from them as the new ones are from all runs.

    Args:
        value: predicted, (n).
        misses: predicted less observed beyond the origins (`Judged.misses`), of logarithms if `logs`.
        level: of the interval.
        logs: the scale of `misses`.

    Raises:
        FitError: too few misses for the level.
    """
    sizes = np.sort(np.abs(misses))
    place = math.ceil((len(sizes) + 1) * level)
    if place > len(sizes):
        least = math.ceil(level / (1 - level) - 1e-9)
        raise FitError(f"{len(sizes)} runs beyond the origins", todo=f"a level of {level:g} needs at least {least}")
    reach = sizes[place - 1]
    return (value * np.exp(-reach), value * np.exp(reach)) if logs else (value - reach, value + reach)


def score(low: Array, high: Array, observed: Array, level: float = LEVEL) -> Array:
    """The interval score: width, and 2/(1 - level) times what an observation lies outside by; lower is better.

    Gneiting and Raftery 2007, equation 43.

    >>> score(np.array([0.0]), np.array([1.0]), np.array([1.5]), 0.9)
    array([11.])
    """
    price = 2.0 / (1.0 - level)
    found: Array = (high - low) + price * np.maximum(low - observed, 0) + price * np.maximum(observed - high, 0)
    return found.round(12)
