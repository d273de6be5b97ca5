"""Forms to fit: plain ones over the columns there are, and those of every law that takes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from scalecalc.calibrate.reading import SIX, Reading
from scalecalc.errors import FitError, UsageError, nearest
from scalecalc.expressions import Expr, Name, parse
from scalecalc.laws import UNKNOWN, Coefficient, Law, Metric, Scope, Source, Variable, catalogue, load

FITTED = ("conditional", "frontier", "curve")
"""Kinds of laws whose value a run shows."""


@dataclass(frozen=True)
class Form:
    """A formula of x, or of N and D, with coefficients that are all positive.

    Attributes:
        formula: as text; x is the variable with most values among D, C and N.
        better: what performances it describes: lower, higher or both.
        per_x: coefficients that are one over a typical x.
        of_x: coefficients that are a typical x.
        title: in words.
    """

    formula: str
    title: str
    better: str = "lower"
    per_x: tuple[str, ...] = ()
    of_x: tuple[str, ...] = ()


PLAIN = {
    "power": Form("A*x**-a", "a power law"),
    "power-floor": Form("E + A*x**-a", "a power law above a floor"),
    "power-shifted": Form("E + A*(x + s)**-a", "a power law above a floor, begun late", of_x=("s",)),
    "power-ceiling": Form("E - A*x**-a", "a power law below a ceiling", "higher"),
    "exponential": Form("a*exp(-b*x)", "an exponential", per_x=("b",)),
    "exponential-growth": Form("a*exp(b*x)", "an exponential", "higher", per_x=("b",)),
    "exponential-floor": Form("E + a*exp(-b*x)", "an exponential above a floor", per_x=("b",)),
    "exponential-ceiling": Form("E - a*exp(-b*x)", "an exponential below a ceiling", "higher", per_x=("b",)),
    "separable": Form("E + A/N**alpha + B/D**beta", "a floor and a power law each of N and D"),
}
SAME_NAME = {"exponential-growth": "exponential", "exponential-floor": "exponential-floor"}
"""The rising forms of a falling one are called alike."""


def forms_for(reading: Reading) -> list[Law]:
    """Every form the runs have the columns for, plain ones first; of several with one formula the first."""
    found = [*plain_forms(reading).values(), *(law for law in catalogue().values() if _fits(law, reading))]
    seen: dict[str, Law] = {}
    for law in found:
        seen.setdefault(shape(law), law)
    return list(seen.values())


def form_of(name: str, reading: Reading) -> Law:
    """A form by its name, or that of a law by its name or file.

    Raises:
        LawError: there is none.
        UsageError: it describes something else, or takes columns the runs do not have.
    """
    plain = plain_forms(reading)
    if name in plain:
        return plain[name]
    if name in PLAIN:
        takes = "N and D" if "x" not in parse(PLAIN[name].formula).names else "one of D, C and N"
        what = f"'{name}' says {PLAIN[name].better} is better and takes {takes}"
        raise UsageError(what, where="--law", todo=f"use {', '.join(plain)}, or a law's name")
    if not name.endswith((".yaml", ".yml")) and name not in catalogue():
        names = [*plain, *catalogue()]
        todo = nearest(name, names, "see scalecalc laws")
        raise UsageError(f"no form or law '{name:.60}'", where="--law", todo=todo)
    law = load(name)
    if law.kind not in FITTED:
        raise UsageError(f"{law.name} is of the kind {law.kind}, which runs do not show", where="--law")
    if law.metric.better != reading.better:
        what = f"in {law.name} {law.metric.better} is better, in the runs {reading.better} {reading.runs.metric}"
        raise UsageError(what, where="--law", todo="choose another form")
    reading.runs.needed(law.inputs)
    return law


def _fits(law: Law, reading: Reading) -> bool:
    return (
        law.kind in FITTED
        and law.metric.better == reading.better
        and bool(law.inputs)
        and set(law.inputs) <= reading.runs.columns.keys()
    )


def plain_forms(reading: Reading) -> dict[str, Law]:
    """The plain forms the runs have columns for, by name."""
    found = {}
    for name, form in PLAIN.items():
        if form.better != reading.better:
            continue
        formula = parse(form.formula)
        if "x" in formula.names:
            formula = formula.substitute({"x": Name(variable_of(reading))})
        law = _law(SAME_NAME.get(name, name), form, formula, reading)
        if set(law.inputs) <= reading.runs.columns.keys():
            found[law.name] = law
    return found


def variable_of(reading: Reading) -> str:
    """What a form of one variable is over: C where N varies too, else the variable with most values."""
    columns = reading.runs.columns
    various = {symbol: len(np.unique(column)) for symbol, column in columns.items() if symbol != "U"}
    if "C" in various and various.get("N", 0) != 1:
        return "C"
    return max(various, key=lambda symbol: various[symbol])


def _law(name: str, form: Form, formula: Expr, reading: Reading) -> Law:
    variables: dict[str, Variable] = {s: Variable(s) for s in ("N", "D", "U", "C") if s in formula.names}
    names = sorted(formula.names - variables.keys())
    metric = Metric(reading.runs.metric, reading.unit, reading.better)
    return Law(
        name, "conditional", formula, metric, Scope(UNKNOWN, UNKNOWN), Source(form.title), title=form.title,
        coefficients={name: Coefficient(name, None, bounds=(0.0, None)) for name in names}, variables=variables,
    )  # fmt: skip


def ranges_of(law: Law, reading: Reading) -> dict[str, tuple[float, float]]:
    """Where to look for coefficients that are as large as a variable, or as small as one over it."""
    form = next((f for n, f in PLAIN.items() if SAME_NAME.get(n, n) == law.name and f.title == law.title), None)
    if form is None:
        return {}
    x = reading.runs.columns[law.inputs[0]]
    low, high = float(x.min()), float(x.max())
    found = dict.fromkeys(form.per_x, (1e-3 / high, 10.0 / high))
    found.update(dict.fromkeys(form.of_x, (low / 100, high)))
    return found


def shape(law: Law) -> str:
    """A law's formula with its coefficients numbered: alike for laws that differ in names only."""
    formula = law.expanded
    order = [node.name for node in formula.walk() if isinstance(node, Name) and node.name in law.coefficients]
    numbers = {name: Name(f"c{place}") for place, name in enumerate(dict.fromkeys(order))}
    return str(formula.substitute(dict(numbers)))


def checked(law: Law, reading: Reading, free: Iterable[str] = ()) -> None:
    """Whether runs can determine a form at all.

    Raises:
        FitError: a variable has one value only, or there are fewer runs than free coefficients.
    """
    runs = reading.runs
    count, names = len(runs), list(free or law.coefficients)
    if count < len(names):
        what = f"{count} run{'s' * (count != 1)} for the {len(names)} coefficients of {law.name} ({', '.join(names)})"
        raise FitError(what, where=runs.source, todo="give more runs, choose a shorter form, or --hold some")
    for symbol in law.inputs:
        values = runs.columns[symbol]
        if values.min() == values.max():
            alone = f"every run has {symbol} = {values[0]:.4g}"
            todo = f"give runs of other {symbol}, or choose a form without it (--law)"
            raise FitError(f"{alone}: {law.name} needs several", where=runs.source, todo=todo)


def _without_compute(law: Law, reading: Reading) -> Law:
    """A form of N, D and C with 6*N*D for C, where the runs' C is that: then it has an optimum."""
    conventions = reading.runs.conventions
    count = conventions.get("N", {}).get("count", UNKNOWN)
    if not {"N", "D", "C"} <= set(law.inputs) or conventions.get("C", {}).get("count") != SIX.get(count):
        return law
    six = {"C": parse("6*N*D")}
    derived = {name: formula.substitute(six) for name, formula in law.derived.items()}
    return replace(law, formula=law.formula.substitute(six), derived=derived)


def dressed(law: Law, reading: Reading) -> Law:
    """A form in the runs' own counts, scope and metric: what is fitted says nothing about others."""
    from scalecalc.walk.task import TASKS

    runs = reading.runs
    law = _without_compute(law, reading)
    used = {*law.inputs} | ({"C"} & runs.columns.keys())
    variables = {
        symbol: Variable(symbol, **{"unit": "", **dict(runs.conventions.get(symbol, {}))}) for symbol in sorted(used)
    }
    task = reading.task or law.applies_to.task
    modality = TASKS[task][0] if task in TASKS else law.applies_to.modality
    bounds = (0.0, {"fraction": 1.0, "percent": 100.0}.get(reading.unit))
    return replace(
        law, variables=variables, metric=Metric(runs.metric, reading.unit, reading.better, bounds),
        applies_to=Scope(modality, task, corpus=reading.corpus), covariance=None, superseded_by="", notes=(), regime={},
    )  # fmt: skip
