"""How what laws answer for a budget is written: counts, costs, intervals."""

from __future__ import annotations

from collections.abc import Callable

from scalecalc.estimate.places import Place
from scalecalc.estimate.words import short
from scalecalc.laws.conventions import UNKNOWN, Interval
from scalecalc.report.numbers import unit


def cost_of(place: Place) -> str:
    """C by N and D, in the words of a table."""
    return "6ND" if place.cost == "6ND" else f"own {place.per_nd:.2f}ND"


def value_of(place: Place, value: float) -> str:
    """A performance with its name and unit."""
    metric = place.law.metric
    return f"{metric.name} {value:.2f}{unit(metric.unit)}"


def within(text: str, interval: Interval | None, words: Callable[[float], str] = short) -> str:
    """A figure with its interval behind it, if it has one."""
    return text if interval is None else f"{text} [{words(interval[0])}, {words(interval[1])}]"


def ratio_of(ratio: float) -> str:
    """D/N to three digits, and whole from a hundred on."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def count_of(place: Place) -> str:
    """What the law counts as N."""
    return "(count unknown)" if place.count == UNKNOWN else place.count.replace("_", "-")
