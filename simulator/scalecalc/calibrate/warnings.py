"""What about runs or a fit should make one doubt the law: each doubt as one line with its figure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from scalecalc.calibrate.columns import plain
from scalecalc.calibrate.judge import growing
from scalecalc.calibrate.lawfit import LawFit
from scalecalc.calibrate.profiling import scatter
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.starts import linear
from scalecalc.calibrate.tape import Array
from scalecalc.expressions import Number

CONFOUNDED = 0.95
"""Correlation of log N with log D above which a law of both cannot tell them apart."""
DECADES = 1.5
STEPS = 1_000
"""Fewer optimiser steps than that are mostly warm-up (Porian et al. 2024: it bent Kaplan's exponent)."""
EPOCHS = 4.0
"""Repeated data are as good as new up to here (Muennighoff et al. 2023)."""
GAP = 0.1
LEAST = {"N": 1e3, "D": 1.0, "U": 1.0, "C": 1e6}
"""Fewer parameters, samples or FLOP than those are most likely counted in millions, hours or the like."""
LEAST_TOKENS = 1e3
UNITS = {"N": "parameters; millions", "D": "samples; billions", "U": "samples; billions", "C": "FLOP; hours or EFLOP"}
SAME_COMPUTE = 0.1
"""Runs whose compute differs by no more, relatively, are one isoFLOP group."""


@dataclass(frozen=True)
class Doubt:
    """A doubt.

    Attributes:
        kind: `units`, `perplexity`, `confounded`, `alone`, `floor`, `decades`, `steps`, `isoflop`, `repeated` or
            `overfitting`.
        text: one line, with the figure and what to do.
    """

    kind: str
    text: str


def warnings(fitted: LawFit) -> list[Doubt]:
    """Every doubt about a fit and its runs.

    Looked at besides the law's own variables: `U` (distinct samples) and what the runs have `beside`.
    """
    return [Doubt(kind, text) for kind, check in CHECKS.items() for text in check(fitted)]


def _units(fitted: LawFit) -> Iterator[str]:
    """Variables too small to be counted in ones."""
    runs = fitted.runs
    for symbol, column in runs.columns.items():
        tokens = runs.conventions.get(symbol, {}).get("sample") == "token"
        if (least := float(column.min())) < (LEAST_TOKENS if tokens else LEAST.get(symbol, 0.0)):
            one, other = UNITS[symbol].split("; ")
            yield f"{symbol} as low as {least:.3g} is read as {one}: if the column holds {other}, multiply them out"


def _perplexity(fitted: LawFit) -> Iterator[str]:
    metric = plain(fitted.runs.metric)
    if "perplexity" in metric or metric.endswith("ppl"):
        yield "perplexity is fitted as it stands; laws are of its logarithm, the loss: give a column of that"


def _alone(fitted: LawFit) -> Iterator[str]:
    """A law of less than the N and D that vary in the runs."""
    columns, inputs = fitted.runs.columns, fitted.law.inputs
    if not {"N", "D"} <= columns.keys() or len(inputs) != 1 or inputs[0] not in ("C", "N", "D"):
        return
    n, d = np.log(columns["N"]), np.log(columns["D"])
    ratio = columns["D"] / columns["N"]
    if n.std() < 1e-9 or d.std() < 1e-9:
        return
    if float(ratio.max() / ratio.min()) < 1 + SAME_COMPUTE:
        yield f"{inputs[0]} alone: D/N is {ratio.mean():.3g} in all runs, so it holds there only; vary N at equal D"
    else:
        yield (
            f"{inputs[0]} alone: D/N varies from {ratio.min():.3g} to {ratio.max():.3g} in the runs, which the law "
            "cannot tell apart; give more runs, or name a law of both (--law separable)"
        )


def _confounded(fitted: LawFit) -> Iterator[str]:
    runs = fitted.runs
    if not {"N", "D"} <= set(fitted.law.inputs):
        return
    n, d = np.log(runs.columns["N"]), np.log(runs.columns["D"])
    if n.std() < 1e-9 or d.std() < 1e-9:
        same = "N" if n.std() < 1e-9 else "D"
        yield f"{same} is the same in all runs: its part of the law is not determined; vary it"
        return
    correlation = float(np.corrcoef(n, d)[0, 1])
    if abs(correlation) > CONFOUNDED:
        yield f"N and D confounded: their logarithms correlate by {correlation:.3f}; vary N at equal D"


def _floor(fitted: LawFit) -> Iterator[str]:
    """A constant term whose own error is as large as it is."""
    fit = fitted.fit
    formula, names = fit.problem.formula, fit.problem.names
    covariance = scatter(fit) * np.linalg.pinv(fit.hessian)
    for name in linear(formula, names):
        if formula.diff(name) != Number(1):
            continue
        place = names.index(name)
        value = fit.coefficients[name]
        error = math.sqrt(max(float(covariance[place, place]), 0.0)) * (value if name in fit.problem.positive else 1)
        least = float(np.abs(fit.problem.observed).min())
        if abs(value) < 1e-3 * least:
            yield f"floor unidentified: {name} went to 0 ({value:.1e}); larger runs are needed to see one"
        elif 2 * error > abs(value):
            yield f"floor unidentified: {name} = {value:.3g} with a standard error of {error:.2g}; give larger runs"


def _decades(fitted: LawFit) -> Iterator[str]:
    name, x = growing(fitted.runs)
    span = math.log10(float(x.max() / x.min()))
    if span < DECADES:
        yield f"too few decades: {name} spans {span:.1f}, below {DECADES:g} a power law and others look alike"


def _steps(fitted: LawFit) -> Iterator[str]:
    steps = fitted.runs.beside.get("steps")
    if steps is not None and (few := int((steps < STEPS).sum())):
        yield f"{few} of {len(steps)} runs of fewer than {STEPS:,} steps (least {steps.min():,.0f}): mostly warm-up"


def _isoflop(fitted: LawFit) -> Iterator[str]:
    """A valley over N at equal C that is no deeper than noise, or whose best point is at an end."""
    runs = fitted.runs
    if not {"N", "D"} <= set(runs.columns):
        return
    residual = float(np.std(fitted.fit.relative))
    flat = edge = groups = 0
    for members in isoflops(runs):
        n, y = np.log(runs.columns["N"][members]), fitted.law.sign * np.log(runs.observed[members])
        bend, slope, _ = np.polyfit(n - n.mean(), y, 2)
        bottom = -slope / (2 * bend) + n.mean() if bend > 0 else math.inf
        groups += 1
        if not n.min() < bottom < n.max():
            edge += 1
        elif bend * max(bottom - n.min(), n.max() - bottom) ** 2 < 2 * residual:
            flat += 1
    if flat:
        yield f"flat isoFLOP: {flat} of {groups} groups are no deeper than their noise; spread N wider at equal C"
    if edge:
        yield f"open isoFLOP: {edge} of {groups} groups have their best N at an end; add N beyond it"


def isoflops(runs: Runs) -> list[Array]:
    """Observations of equal compute, groups of at least 4 different N, as index arrays."""
    _, compute = growing(runs)
    order = np.argsort(compute)
    groups: list[list[int]] = []
    for place in map(int, order):
        if groups and compute[place] <= compute[groups[-1][0]] * (1 + SAME_COMPUTE):
            groups[-1].append(place)
        else:
            groups.append([place])
    return [np.array(group) for group in groups if len(set(runs.columns["N"][group].tolist())) >= 4]


def _repeated(fitted: LawFit) -> Iterator[str]:
    columns = fitted.runs.columns
    if "U" not in columns or "D" not in columns or "U" in fitted.law.inputs:
        return
    epochs = columns["D"] / columns["U"]
    if many := int((epochs > EPOCHS).sum()):
        yield (
            f"{many} of {len(epochs)} runs repeat their data more than {EPOCHS:g} times (most {epochs.max():.0f}): "
            "D counts for less there; fit a law of U, or leave them out"
        )


def _overfitting(fitted: LawFit) -> Iterator[str]:
    train = fitted.runs.beside.get("train")
    if train is None:
        return
    gap = (fitted.runs.observed - train) * fitted.law.sign / np.abs(fitted.runs.observed)
    if many := int((gap > GAP).sum()):
        yield f"overfitting gap: {many} of {len(gap)} runs are over {GAP:.0%} worse on new data (most {gap.max():.0%})"


CHECKS: dict[str, Callable[[LawFit], Iterator[str]]] = {
    "units": _units, "perplexity": _perplexity, "confounded": _confounded, "alone": _alone, "floor": _floor,
    "decades": _decades, "steps": _steps, "isoflop": _isoflop, "repeated": _repeated, "overfitting": _overfitting,
}  # fmt: skip
