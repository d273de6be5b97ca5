"""A law's value for one model and run, with what is known of its error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scalecalc.errors import ExpressionError
from scalecalc.expressions import parse
from scalecalc.laws.binding import Binding
from scalecalc.laws.conventions import LEVEL, Interval
from scalecalc.laws.law import Law


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a law says.

    Attributes:
        law, metric, unit, better: of the value.
        interval, level: None where nothing is published to derive one from.
        basis: what the interval covers.
        parts: standard deviations by what causes them (`intervals.PARTS`) as far as that is known, of logarithms where
            `logs`; empty where the law does not say how uncertain it is.
        logs: the scale of the parts.
        freedom: degrees of freedom of Student's t, by which the parts became the interval.
        conformal: the interval that held `level` of what fits to smaller runs said of larger ones; None unknown.
        inside_range: whether every calibrated range holds the inputs; None if no range is known.
        decades_outside: how many powers of ten each quantity lies outside its range; 0 inside.
        comparable: False where the law was forced on another task.
    """

    law: str
    metric: str
    unit: str
    better: str
    value: float
    interval: Interval | None
    level: float | None
    basis: str
    inside_range: bool | None
    decades_outside: Mapping[str, float]
    binding: Binding
    comparable: bool = True
    parts: Mapping[str, float] = field(default_factory=dict)
    logs: bool = True
    freedom: float | None = None
    conformal: Interval | None = None


def predict(binding: Binding) -> Prediction:
    """The value of a usable binding."""
    law = binding.law
    if not binding.usable:
        raise law.error(binding.why, "calibrate on runs of yours, or choose another law")
    values = _met(binding)
    value, ends, parted = _said(law, values)
    outside = decades_outside(binding)
    return Prediction(
        law=law.name,
        metric=law.metric.name,
        unit=law.metric.unit,
        better=law.metric.better,
        value=value,
        interval=ends,
        level=LEVEL if ends else None,
        basis=basis(law),
        inside_range=all(distance == 0 for distance in outside.values()) if outside else None,
        decades_outside=outside,
        binding=binding,
        comparable=binding.comparable,
        **parted,
    )


def _said(law: Law, values: Mapping[str, float]) -> tuple[float, Interval | None, dict[str, Any]]:
    """Value, interval, and by which parts."""
    inputs = {name: values[name] for name in law.inputs}
    value = float(law.evaluate(**inputs))
    if not (law.draws or law.covariance or law.uncertainty):
        return value, None, {}
    import numpy as np

    from scalecalc.laws.intervals import around, said, told, within
    from scalecalc.laws.sets import sets_of

    sets = sets_of(law)
    found = said(law, {name: np.array([v]) for name, v in inputs.items()}, sets)[:, 0]
    ends, own = told(law, values, sets, found)
    if own is None or ends is None or law.uncertainty is None:
        return value, ends, {}
    parts = {name: float(own.parts[name][0]) for name, known in known_parts(law).items() if known}
    conformal = None
    if law.uncertainty.missed is not None:
        with np.errstate(over="ignore"):
            low, high = (float(end[0]) for end in around(own.value, law.uncertainty.missed, logs=True))
        conformal = within(law, (low, high)) if math.isfinite(high) else None
    return value, ends, {"parts": parts, "logs": own.logs, "freedom": own.freedom, "conformal": conformal}


def _met(binding: Binding) -> dict[str, float]:
    """The values of a law's variables, what the run costs, and what the law's runs had in common."""
    others = (*((binding.cost,) if binding.cost is not None else ()), *binding.beside)
    return {**binding.values, **{bound.symbol: bound.value for bound in others if bound.value is not None}}


def decades_outside(binding: Binding) -> dict[str, float]:
    """`decades` of what a binding found."""
    return decades(binding.law, _met(binding))


def decades(law: Law, values: Mapping[str, float]) -> dict[str, float]:
    """log10 of how far each quantity of `law.range` lies outside; values are in the law's own counts, quantities that
    are no positive number there are left out."""
    distances = {}
    for text, (low, high) in law.range.items():
        try:
            place = float(parse(text).evaluate(values))
        except ExpressionError:
            continue
        if 0 < place < math.inf:
            distances[text] = max(0.0, math.log10(place) - math.log10(high), math.log10(low) - math.log10(place))
    return distances


def basis(law: Law) -> str:
    """What a law's intervals cover."""
    draws, doubt = len(next(iter(law.draws.values()), ())), law.uncertainty
    if doubt is None:
        said = f"coefficients only: {draws:,} draws; neither noise nor the choice of formula"
        return said if draws else law.covariance.basis if law.covariance else "none published"
    known = known_parts(law)
    covered = " + ".join(name for name, there in known.items() if there)
    left = " and ".join(name for name, there in known.items() if not there)
    return f"{covered}: not {left}" if left else covered


def known_parts(law: Law) -> dict[str, bool]:
    """Which parts of an interval a law's file tells."""
    doubt = law.uncertainty
    return {
        "coefficients": bool(law.draws or law.covariance), "noise": doubt is not None,
        "form": doubt is not None and bool(doubt.rivals), "drift": doubt is not None and doubt.drift is not None,
    }  # fmt: skip
