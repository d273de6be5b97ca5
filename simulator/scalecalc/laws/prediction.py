"""A law's value for one model and run, with what is known of its error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scalecalc.errors import ExpressionError
from scalecalc.expressions import parse
from scalecalc.laws.binding import Binding
from scalecalc.laws.conventions import Interval
from scalecalc.laws.law import Law

LEVEL = 0.9
Z = 1.6448536269514722  # of a normal distribution's central 90 %


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a law says.

    Attributes:
        law, metric, unit, better: of the value.
        interval, level: None where nothing is published to derive one from.
        basis: what the interval covers.
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


def predict(binding: Binding) -> Prediction:
    """The value of a usable binding."""
    law = binding.law
    if not binding.usable:
        raise law.error(binding.why, "calibrate on runs of yours, or choose another law")
    value = float(law.evaluate(**binding.values))
    interval = _interval(law, binding.values, value)
    outside = decades_outside(law, binding)
    return Prediction(
        law=law.name,
        metric=law.metric.name,
        unit=law.metric.unit,
        better=law.metric.better,
        value=value,
        interval=interval,
        level=LEVEL if interval else None,
        basis=_basis(law),
        inside_range=all(distance == 0 for distance in outside.values()) if outside else None,
        decades_outside=outside,
        binding=binding,
        comparable=binding.comparable,
    )


def decades_outside(law: Law, binding: Binding) -> dict[str, float]:
    """log10 of how far each quantity of `law.range` lies outside; quantities without a value are left out."""
    values = dict(binding.values)
    if binding.cost is not None and binding.cost.value is not None:
        values["C"] = binding.cost.value
    return decades(law, values)


def decades(law: Law, values: Mapping[str, float]) -> dict[str, float]:
    """The same for values in the law's own counts."""
    distances = {}
    for text, (low, high) in law.range.items():
        try:
            place = float(parse(text).evaluate(values))
        except ExpressionError:
            continue
        distances[text] = max(0.0, math.log10(place / high), math.log10(low / place))
    return distances


def _interval(law: Law, values: Mapping[str, float], value: float) -> Interval | None:
    """Quantiles over draws of the coefficients, else first-order propagation of their covariance; cut at the metric's
    bounds.
    """
    if law.draws:
        return _quantiles(law, values)
    if law.covariance is None:
        return None
    slopes = law.gradient([name for name, _ in law.covariance.coordinates()], **values)
    reach = Z * spread(law, slopes)
    low, high = law.metric.bounds
    return max(value - reach, -math.inf if low is None else low), min(value + reach, math.inf if high is None else high)


def _basis(law: Law) -> str:
    if law.draws:
        return (
            f"coefficients only: {len(next(iter(law.draws.values()))):,} draws; neither noise nor the choice of formula"
        )
    return law.covariance.basis if law.covariance else "none published"


def _quantiles(law: Law, values: Mapping[str, float]) -> Interval | None:
    """None where more than 1 in 20 draws give no value."""
    import numpy as np

    drawn = {name: np.array(column) for name, column in law.draws.items()}
    with np.errstate(all="ignore"):
        found = np.broadcast_to(law.evaluate(**values, **drawn), (len(next(iter(drawn.values()))),))
    good = found[np.isfinite(found)]
    if len(good) * 20 < len(found) * 19:
        return None
    low, high = law.metric.bounds
    ends = np.clip(np.quantile(good, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]), low, high)
    return float(ends[0]), float(ends[1])


def spread(law: Law, slopes: Mapping[str, float]) -> float:
    """Standard deviation of a quantity whose derivatives by the coefficients are `slopes`."""
    if law.covariance is None:
        raise law.error("has no covariance", "none is published")
    names = list(law.covariance.coordinates())
    steps = [slopes[name] * (law.constants[name] if log else 1.0) for name, log in names]
    rows = zip(steps, law.covariance.matrix, strict=True)
    variance = sum(a * sum(c * b for c, b in zip(row, steps, strict=True)) for a, row in rows)
    return math.sqrt(max(variance, 0.0))
