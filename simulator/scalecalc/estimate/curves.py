"""What laws of compute alone say of a budget: frontiers (of the best model for C) and laws like the article's."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scalecalc.errors import LawError
from scalecalc.estimate.asking import Question
from scalecalc.estimate.sense import GUESSING, MOST_NATS
from scalecalc.laws import Bound, Law, Plan
from scalecalc.laws.binding import bind_frontier, flops_per_unit
from scalecalc.laws.searches import Array, cross_all

LOG_FLOPS = (math.log(1.0), math.log(1e60))


@dataclass(frozen=True, slots=True)
class Curve:
    """A law of C at a budget; figures in FLOP whatever unit the law counts in.

    Attributes:
        bound: C in the law's own count; None without a budget.
        value: at the budget.
        doubling: what twice the budget would gain; None if the law does not reach so far.
        rising: the law gains ever more with compute, so nothing in it says when to stop.
        ends: C at which the value leaves the metric's bounds.
        target: C that reaches the value asked for.
        stop: C beyond which a doubling gains less than was asked for.
    """

    law: Law
    bound: Bound | None
    value: float | None
    doubling: float | None
    rising: bool
    ends: float | None
    target: float | None
    stop: float | None


def curve(law: Law, plan: Plan, question: Question) -> Curve | str:
    """The law at the question's budget; or why it says nothing."""
    unit = flops_per_unit(law)
    if unit is None:
        return f"the law counts in {law.variables['C'].unit}s, which FLOPs do not tell"
    bound = value = None
    if question.budget is not None:
        bound = bind_frontier(law, plan)
        if bound.value is None:
            return bound.how
        value = float(law.evaluate(C=bound.value))
        if law.metric.unit == "nat/token" and value > MOST_NATS:
            flops = f"{question.budget.flops:.3g} FLOP are too little"
            return f"{flops}: {law.metric.name} would be {value:.3g}, above {GUESSING}"
    ends = _ends(law, unit)
    scale = question.budget.flops if question.budget is not None else 1e20
    low, gain = min(scale, ends / 4 if ends else scale), None
    if value is not None and (ends is None or 2 * scale <= ends):
        gain = _gain(law, unit, scale)
    target = None
    if question.target is not None:
        try:
            target = law.inverse("C", question.target) * unit
        except LawError as error:
            return f"{error.what}{'' if ends is None else f': it ends at {ends:.4g} FLOP'}"
    rising = _gain(law, unit, low) > _gain(law, unit, low / 2)
    stop = None if question.stop is None or rising else _stop(law, unit, question)
    return Curve(law, bound, value, gain, rising, ends, target, stop)


def _gain(law: Law, unit: float, flops: float) -> float:
    return float(law.evaluate(C=flops / unit) - law.evaluate(C=2 * flops / unit)) * law.sign


def _ends(law: Law, unit: float) -> float | None:
    """C at which the value passes the best there is; None if it never does."""
    low, high = law.metric.bounds
    best = low if law.sign > 0 else high
    if best is None:
        return None
    try:
        return law.inverse("C", best) * unit
    except LawError:
        return None


def _stop(law: Law, unit: float, question: Question) -> float | None:
    assert question.stop is not None
    stop = question.stop

    def missing(log_c: Array) -> Array:
        with np.errstate(all="ignore"):
            flops = np.exp(log_c)
            now = law.evaluate(C=flops / unit)
            found: Array = stop.of(now) - (now - law.evaluate(C=2 * flops / unit)) * law.sign
        return found

    found = float(cross_all(missing, np.array([LOG_FLOPS[0]]), np.array([LOG_FLOPS[1]]))[0])
    return math.exp(found) if math.isfinite(found) else None
