"""What one law of N and D answers: the best model for a budget, the cheapest for a loss, and where a model stands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from scalecalc.errors import LawError
from scalecalc.estimate.asking import Question
from scalecalc.estimate.sense import MOST_NATS, MOST_PASSES
from scalecalc.estimate.words import short
from scalecalc.laws import Bound, Law, Optimum
from scalecalc.laws.conventions import UNKNOWN, Interval
from scalecalc.laws.optimum import Least, least_compute, optimum
from scalecalc.laws.prediction import decades
from scalecalc.laws.standing import (
    best_compute,
    best_interval,
    crossover,
    data_for,
    floor_of,
    frontier_stop,
    gain_per_doubling,
    reaching,
    stop_compute,
    value_at,
)

OCTAVES = range(-4, 5)
"""Powers of 2 of N* an isoFLOP table shows."""
PER_SERVED = 2.0
"""FLOPs of inference per parameter and sample: a forward pass, as Sardana et al. 2024 count it."""


@dataclass(frozen=True, slots=True)
class IsoPoint:
    """One N at a budget: what it reaches, and by how much that is worse than the best."""

    params: float
    data: float
    value: float
    worse: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One model by a law.

    Attributes:
        params: its N, in the law's count; `status`, `how`: how that was come by.
        best_at, best_interval: the budget it is the best model for.
        crossover: the budget beyond which a model of twice its N is better.
        data, value, worse: what the budget buys, what that reaches, and how much worse than the best that is.
        gain: what twice the budget would gain with this model.
        stop: the budget beyond which a doubling gains less than was asked for.
        target: the budget with which it reaches the value asked for; inf if none does.
        why: the reason why the law gives no value for it.
    """

    params: float
    status: str
    how: str
    best_at: float | None
    best_interval: Interval | None
    crossover: float | None
    data: float | None = None
    value: float | None = None
    worse: float | None = None
    gain: float | None = None
    stop: float | None = None
    target: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """The answers of one law under one cost.

    Attributes:
        cost: `6ND`, or `own`: the model's own FLOPs per sample and parameter.
        count: how the law counts N; `sample`: what a sample is to it.
        best: for the budget; `doubling`: what twice the budget gains.
        target: the cheapest model for the value asked for.
        reaching: least and largest N that reach that value within the budget.
        serving: the cheapest model in training and use together; `trained`: the one cheapest to train, at the same
            value and use.
        stop: the best for the budget beyond which doubling it gains less than was asked for.
        standing: the model or N asked about.
        isoflop: the loss over N.
        notes: what is to be known of this row.
    """

    law: Law
    cost: str
    per_nd: float
    count: str
    sample: str
    best: Optimum | None = None
    doubling: float | None = None
    target: Least | None = None
    reaching: Interval | None = None
    serving: Least | None = None
    trained: Least | None = None
    stop: Optimum | None = None
    standing: Standing | None = None
    isoflop: tuple[IsoPoint, ...] = ()
    notes: tuple[str, ...] = ()


def place(
    law: Law, question: Question, *, cost: str, per_nd: float, per_served: float = PER_SERVED, model: Bound | None
) -> Place:
    """A law's answers.

    Args:
        law: of N and D, or of N, D and U.
        question: what is asked.
        cost: `6ND` or `own`; `per_nd`: the FLOPs per parameter and sample that is; `per_served`: those of inference.
        model: N of the one asked about, if any.

    Raises:
        LawError: it has none.
    """
    best = _best(law, question, question.budget.flops, per_nd) if question.budget is not None else None
    found = Place(law, cost, per_nd, law.variables["N"].count, law.variables["D"].sample.replace(UNKNOWN, "sample"))
    if best is not None:
        more = optimum(law, 2 * best.compute, per_nd=per_nd, unique=question.unique)
        iso = _isoflop(law, best) if question.isoflop else ()
        found = replace(found, best=best, doubling=(best.value - more.value) * law.sign, isoflop=iso)
    if question.target is not None:
        found = replace(found, target=_least(law, question, question.target, per_nd))
        if best is not None:
            within = reaching(law, best.compute, question.target, per_nd=per_nd, unique=question.unique)
            found = replace(found, reaching=within)
    if question.served is not None:
        goal = question.target if best is None or question.target is not None else best.value
        assert goal is not None  # as the question was checked
        plain = _least(law, question, goal, per_nd)
        used = replace(plain, served=question.served, inference=per_served * question.served * plain.params)
        serving = _least(law, question, goal, per_nd, question.served, per_served)
        found = replace(found, serving=serving, trained=used)
    if question.stop is not None:
        gain, share = question.stop.gain, question.stop.relative
        end = frontier_stop(law, gain, relative=share, per_nd=per_nd, unique=question.unique)
        stop = None if end is None else optimum(law, end, per_nd=per_nd, unique=question.unique)
        found = replace(found, stop=stop)
    runs = [run.data for run in (best, found.target, found.serving) if run is not None]
    notes = _passes(law, question.unique, max(runs, default=0.0))
    standing = None if model is None else _standing(law, question, per_nd, model, best)
    return replace(found, standing=standing, notes=notes)


def _best(law: Law, question: Question, flops: float, per_nd: float) -> Optimum:
    found = optimum(law, flops, per_nd=per_nd, unique=question.unique)
    _sensible(law, found)
    return found


def _sensible(law: Law, best: Optimum) -> None:
    """Refuses a best model that is none."""
    low, high = law.metric.bounds
    if best.params < 1 or best.data < 1:
        what = "parameters" if best.params < 1 else "samples"
        raise LawError(f"{best.compute:.3g} FLOP are too little: the best model would have "
                           f"{min(best.params, best.data):.2g} {what}")  # fmt: skip
    if law.metric.unit == "nat/token" and best.value > MOST_NATS:
        said = f"{law.metric.name} would be {best.value:.3g}, above that of guessing"
        raise LawError(f"{best.compute:.3g} FLOP are too little: {said}")
    if (low is not None and best.value < low) or (high is not None and best.value > high):
        raise LawError(f"{law.metric.name} would be {best.value:.3g}, beyond its bounds")


def _least(
    law: Law, question: Question, value: float, per_nd: float, served: float = 0.0, per_served: float = PER_SERVED
) -> Least:
    found = least_compute(law, value, per_nd=per_nd, served=served, per_served=per_served, unique=question.unique)
    if found is None or not math.isfinite(found.compute) or found.compute > 1e60:
        floor = floor_of(law, unique=question.unique)
        held = f" with {short(question.unique)} distinct {law.variables['D'].sample}s" if question.unique else ""
        raise LawError(f"it never reaches {law.metric.name} {value:g}{held}: it comes to {floor:.4g} at best")
    return found


def outside(law: Law, run: Optimum | Least) -> Mapping[str, float]:
    """Decades by which a run lies outside of what the law was calibrated on; empty if that is unknown."""
    values = {"N": run.params, "D": run.data}
    if "C" in law.variables and law.variables["C"].unit == "FLOP":
        values["C"] = run.compute
    return decades(law, values)


def _passes(law: Law, unique: float | None, data: float) -> tuple[str, ...]:
    """What repeated samples mean to a law whose runs saw theirs once.

    Raises:
        LawError: they are repeated too often.
    """
    passes = data / unique if unique else 0.0
    if passes <= 1 or "U" in law.inputs or law.variables["D"].meaning == "unique":
        return ()
    count = f"{passes:,.0f}" if passes >= 100 else f"{passes:.3g}"
    said = f"{count} passes over {short(unique or 0)} distinct {law.variables['D'].sample}s"
    if passes > MOST_PASSES:
        raise LawError(f"it would take {said}; passes in the law's runs: {law.regime.get('epochs', UNKNOWN)}")
    return (f"{said}: up to {MOST_PASSES} are nearly as good as new data (Muennighoff et al. 2023)",)


def _standing(law: Law, question: Question, per_nd: float, model: Bound, best: Optimum | None) -> Standing:
    unique, stop, params = question.unique, question.stop, model.value
    assert params is not None
    found = Standing(
        params, model.status, model.how, best_compute(law, params, per_nd=per_nd, unique=unique),
        best_interval(law, params, per_nd=per_nd, unique=unique), crossover(law, params, per_nd=per_nd, unique=unique),
    )  # fmt: skip
    if best is not None:
        found = replace(found, data=best.compute / per_nd / params)
        try:
            _passes(law, unique, best.compute / per_nd / params)
        except LawError as error:
            found = replace(found, why=error.what)
        else:
            iso = _point(law, best, params)
            gain = gain_per_doubling(law, params, iso.data, unique=unique)
            found = replace(found, value=iso.value, worse=iso.worse, gain=gain)
    if question.target is not None:
        needed = data_for(law, params, question.target, unique=unique)
        found = replace(found, target=math.inf if needed is None else per_nd * params * needed)
    if stop is not None:
        end = stop_compute(law, params, stop.gain, relative=stop.relative, per_nd=per_nd, unique=unique)
        found = replace(found, stop=end)
    return found


def _isoflop(law: Law, best: Optimum) -> tuple[IsoPoint, ...]:
    """The points the law speaks of: a parameter and a sample at least, no more passes than it knows."""
    points = [_point(law, best, best.params * 2.0**octave) for octave in OCTAVES]
    return tuple(point for point in points if min(point.params, point.data) >= 1 and _knows(law, best, point))


def _knows(law: Law, best: Optimum, point: IsoPoint) -> bool:
    try:
        _passes(law, best.unique, point.data)
    except LawError:
        return False
    return True


def _point(law: Law, best: Optimum, params: float) -> IsoPoint:
    data = best.compute / best.per_nd / params
    value = value_at(law, params, data, unique=best.unique)
    return IsoPoint(params, data, value, max((value - best.value) * law.sign, 0.0))
