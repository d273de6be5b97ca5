"""Prediction intervals by their parts: coefficients, noise, the form of the law, and what extrapolation cost before.

The parts are standard deviations, added in quadrature, of logarithms or in the law's unit. Coefficients alone hold far
too few of the larger runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scalecalc.laws.conventions import LEVEL, Interval
from scalecalc.laws.law import Law
from scalecalc.laws.numerics import student
from scalecalc.laws.searches import Array
from scalecalc.laws.sets import Sets, sets_of

PARTS = ("coefficients", "noise", "form", "drift")


@dataclass(frozen=True)
class Band:
    """Predicted values with their intervals, each (n).

    Attributes:
        value, low, high: in the law's unit.
        level: what part of new runs should lie inside.
        parts: standard deviations by what causes them, one entry for each of `PARTS`.
        freedom: degrees of freedom of Student's t, by which the parts become an interval.
        logs: whether the parts are of logarithms.
    """

    value: Array
    low: Array
    high: Array
    level: float
    parts: Mapping[str, Array]
    freedom: float
    logs: bool


def combine(
    value: Array, parts: Mapping[str, Array | float], freedom: float, level: float = LEVEL, logs: bool = True
) -> Band:
    """An interval from its parts.

    Args:
        value: predicted, (n), in the law's unit.
        parts: standard deviations of some of `PARTS`; the others are 0.
        freedom: degrees of freedom of the least certain of them.
        level: of the interval.
        logs: whether the parts are of logarithms.
    """
    given = {name: np.broadcast_to(np.asarray(parts.get(name, 0.0), float), value.shape) for name in PARTS}
    with np.errstate(over="ignore"):  # then there is no interval
        total = np.sqrt(sum(part**2 for part in given.values()))
        low, high = around(value, student(level, freedom) * total, logs)
    return Band(value, low, high, level, given, freedom, logs)


def around(value: Array, reach: Array | float, logs: bool) -> tuple[Array, Array]:
    """The ends of an interval that reaches so far to both sides."""
    return (value * np.exp(-reach), value * np.exp(reach)) if logs else (value - reach, value + reach)


def band(
    law: Law, values: Mapping[str, Array], *, level: float = LEVEL, sets: Sets | None = None,
    found: Array | None = None,
) -> Band:  # fmt: skip
    """The interval of a new run, of a law that says how uncertain it is (`Law.uncertainty`).

    Args:
        law: with its uncertainty, and draws or a covariance.
        values: of its variables, each (n); rivals that take others (C beside N and D) say nothing without them.
        level: of the interval.
        sets: of coefficients; the law's own unless given.
        found: the law there for every set, (s, n), where it is known already.

    Raises:
        LawError: the law does not say.
    """
    doubt = law.uncertainty
    if doubt is None:
        raise law.error("does not say how uncertain it is", "calibrate one on runs of yours")
    sets = sets or sets_of(law)
    if found is None:
        found = said(law, {name: values[name] for name in law.inputs}, sets)
    own, logs = found[0], doubt.scale == "log"
    scaled = np.log if logs else np.asarray
    with np.errstate(all="ignore"):
        apart = [
            np.asarray(scaled(np.asarray(rival.evaluate(values), float)) - scaled(own))
            for rival in doubt.rivals.values() if rival.names <= values.keys()
        ]  # fmt: skip
    # the law itself is one of those that may be true
    squares = [np.zeros_like(own), *(np.where(np.isfinite(one), one, 0.0) ** 2 for one in apart)]
    form = np.sqrt(np.mean(squares, axis=0))
    missed = (doubt.drift or 0.0) * (1.0 if logs else np.abs(own))
    parts = {"coefficients": sets.spread(found, logarithmic=logs), "noise": doubt.noise, "form": form, "drift": missed}
    return combine(own, parts, doubt.freedom, level, logs)


def said(law: Law, values: Mapping[str, Array], sets: Sets) -> Array:
    """The law at values of its variables (n) for every set of coefficients, (s, n)."""
    size = np.broadcast_shapes(*(np.shape(value) for value in values.values()))
    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(law.evaluate(**values, **sets.values), float), (sets.count, *size))


def told(law: Law, values: Mapping[str, float], sets: Sets, found: Array) -> tuple[Interval | None, Band | None]:
    """What a law's value may be, and by which parts: of a new run where it says how uncertain it is, else as its
    coefficients' errors let it vary; None where it has neither. Cut at the metric's bounds.

    Args:
        law: any.
        values: where it was asked.
        sets: of its coefficients.
        found: its value for every set, (s).
    """
    own = None
    if law.uncertainty is None:
        ends = sets.interval(found, logarithmic=False)
    else:
        own = band(law, {name: np.array([v]) for name, v in values.items()}, sets=sets, found=found[:, None])
        ends = float(own.low[0]), float(own.high[0])
    if ends is None or not all(map(math.isfinite, ends)):
        return None, own
    return within(law, ends), own


def within(law: Law, ends: Interval) -> Interval:
    """An interval cut at the metric's bounds."""
    low, high = law.metric.bounds
    return max(ends[0], -math.inf if low is None else low), min(ends[1], math.inf if high is None else high)
