"""A law's form fitted to runs: which coefficients are free, held or tied, and what comes out as a law again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scalecalc.calibrate.fit import Fit, fit
from scalecalc.calibrate.losses import Loss, huber
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.starts import COUNT, EXPONENTS
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError, nearest
from scalecalc.expressions import Expr, Name, Number
from scalecalc.laws import Law

SCALES, APART = 100.0, 2.0
"""How many times larger or smaller than published, or than what it is near to, a coefficient may begin."""


@dataclass(frozen=True)
class LawFit:
    """A law whose coefficients come from runs.

    Attributes:
        law: with the fitted coefficients.
        form: the law that was fitted.
        runs: what it was fitted to.
        fit: how.
        held: coefficients that were not free, by name.
        tied: coefficients that were one.
    """

    law: Law
    form: Law
    runs: Runs
    fit: Fit
    held: Mapping[str, float]
    tied: Sequence[Sequence[str]]

    def predict(self, values: Mapping[str, Array], coefficients: Mapping[str, Array] | None = None) -> Array:
        """The law at values of its variables (n), for one set of coefficients or several (s, 1) at once."""
        found: Array = self.law.evaluate(**values, **(coefficients or {}))
        return found


def fit_law(
    form: Law, runs: Runs, *, loss: Loss | None = None, residual: str = "log", weights: Array | None = None,
    held: Mapping[str, float] | None = None, tied: Sequence[Sequence[str]] = (),
    ranges: Mapping[str, tuple[float, float]] | None = None, starts: int = COUNT,
) -> LawFit:  # fmt: skip
    """Fit a law's form to runs; a coefficient that would leave its bounds is held at the one it meets.

    Args:
        form: its expression and bounds; its own coefficients do not matter.
        runs: in the law's counts.
        loss, residual, weights: what is minimised; Huber of logarithms unless given.
        held: coefficients that keep a value.
        tied: groups of coefficients that are equal.
        ranges: where nonlinear coefficients are looked for.
        starts: how many seeded starts.

    Raises:
        FitError: there is nothing to fit, too little data, or no optimum.
    """
    given, held, tied = tied, held_of(form, held), (*form.ties, *tied)
    problem = problem_of(form, runs, loss=loss, residual=residual, weights=weights, held=held, tied=tied)
    found = fit(problem, {**ranges_of(form, problem), **(ranges or {})}, starts)
    values = dict(found.coefficients)
    for first, *others in tied:
        values.update(dict.fromkeys(others, values.get(first, held.get(first, 0.0))))
    values.update(held)
    if beyond := _beyond(form, found.coefficients):
        return fit_law(
            form, runs, loss=loss, residual=residual, weights=weights, held={**held, **beyond}, tied=given,
            ranges=ranges, starts=starts,
        )  # fmt: skip
    return LawFit(form.with_coefficients(**values), form, runs, replace(found, groups=runs.groups), held, tied)


def _beyond(form: Law, values: Mapping[str, float]) -> dict[str, float]:
    """The bounds that coefficients have left."""
    found = {}
    for name, value in values.items():
        low, high = form.coefficients[name].bounds
        if low is not None and value < low:
            found[name] = low
        elif high is not None and value > high:
            found[name] = high
    return found


def held_of(form: Law, held: Mapping[str, float] | None) -> dict[str, float]:
    """What keeps a value: the coefficients the law fixes, and those of the caller."""
    own = {name: c.value for name, c in form.coefficients.items() if c.fixed and c.value is not None}
    return {**own, **(held or {})}


def problem_of(
    form: Law, runs: Runs, *, loss: Loss | None = None, residual: str = "log", weights: Array | None = None,
    held: Mapping[str, float] | None = None, tied: Sequence[Sequence[str]] = (),
) -> Problem:  # fmt: skip
    """What is minimised: the law's form over its free coefficients."""
    for name in (*(held or {}), *(name for group in tied for name in group)):
        if name not in form.coefficients:
            raise FitError(f"{form.name} has no coefficient '{name}'", todo=nearest(name, form.coefficients))
    replaced: dict[str, Expr] = {name: Number(value) for name, value in (held or {}).items()}
    replaced.update((other, replaced.get(first, Name(first))) for first, *others in tied for other in others)
    free = [name for name in form.coefficients if name not in replaced]
    if not free:
        raise FitError(f"every coefficient of {form.name} is held", todo="leave at least one free")
    formula = form.expanded.substitute(replaced)
    positive = [name for name in free if is_positive(form, name)]
    return Problem(
        formula, tuple(positive), tuple(name for name in free if name not in positive),
        runs.needed(form.inputs), runs.observed, loss or huber(), residual, weights,
    )  # fmt: skip


def ranges_of(form: Law, problem: Problem) -> dict[str, tuple[float, float]]:
    """Where to look for coefficients that are no usual exponents: near what the law says of them, else scales, two
    decades around the published ones.
    """
    low, high = EXPONENTS
    found = {}
    for name in problem.positive:
        value, near = form.coefficients[name].value, form.coefficients[name].near
        if near is not None:
            places = np.asarray(near.evaluate({**problem.data, "y": problem.observed}), float)
            found[name] = (float(places.min()) / APART, float(places.max()) * APART)
        elif value is not None and value > 0 and not low <= value <= high:
            found[name] = (value / SCALES, value * SCALES)
    return found


def is_positive(form: Law, name: str) -> bool:
    """Whether a coefficient is fitted as its logarithm: its bounds say so, or without any its published value."""
    coefficient = form.coefficients[name]
    low, high = coefficient.bounds
    if low is None and high is None:
        return coefficient.value is not None and coefficient.value > 0
    return low is not None and low >= 0
