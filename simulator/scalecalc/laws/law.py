"""A law is data: one expression, its coefficients, and every convention that decides where it may be applied."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from scalecalc.errors import ExpressionError, LawError
from scalecalc.expressions import Expr, Name
from scalecalc.expressions.roots import nesting
from scalecalc.laws.conventions import (
    Coefficient,
    Covariance,
    Evidence,
    Interval,
    Metric,
    Scope,
    Source,
    Uncertainty,
    Variable,
)
from scalecalc.laws.numerics import first_crossing

if TYPE_CHECKING:
    from scalecalc.laws.binding import Binding
    from scalecalc.laws.plan import Plan
    from scalecalc.walk.profile import Profile

MOST_WRITTEN = 10_000
"""Parts of the formula with its derived constants written out: each may hold the ones before it several times."""
MOST_NESTED = 3
"""Roots inside each other: each is solved anew at every trial of the one around it."""
KINDS = ("conditional", "frontier", "curve", "allocation", "hyperparameter", "link")


@dataclass(frozen=True, slots=True)
class Law:
    """A formula for performance with all its conventions.

    Construction fails when the formula's symbols and the declared ones differ.

    Attributes:
        kind: conditional (P of this N, D), frontier (P of the best N at C), curve, allocation, hyperparameter, link.
        formula: over `variables`, `coefficients` and `derived`.
        derived: constants computed from coefficients, in order.
        regime: how the runs behind it were trained (epochs, schedule, batch); `limit`: a resource taken as unlimited.
        range: expression (`N`, `D/N`) to the least and largest value it was calibrated on, in the law's own counts; of
            variables the formula does not hold, too, where the runs were alike in them.
        superseded_by: a law that uses the same runs better.
        draws: coefficients of resampled runs, each as long as the others.
        uncertainty: what a prediction may miss besides the coefficients' errors.
        method: how the coefficients were fitted.
        ties: groups of coefficients that are equal, whatever a fit finds.
    """

    name: str
    kind: str
    formula: Expr
    metric: Metric
    applies_to: Scope
    source: Source
    coefficients: Mapping[str, Coefficient] = field(default_factory=dict)
    derived: Mapping[str, Expr] = field(default_factory=dict)
    variables: Mapping[str, Variable] = field(default_factory=dict)
    title: str = ""
    regime: Mapping[str, str] = field(default_factory=dict)
    range: Mapping[str, Interval] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    notes: tuple[str, ...] = ()
    superseded_by: str = ""
    ties: tuple[tuple[str, ...], ...] = ()
    covariance: Covariance | None = None
    draws: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    uncertainty: Uncertainty | None = None
    method: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, float] = field(init=False, repr=False)
    inputs: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise self.error(f"unknown kind {self.kind!r}", f"use one of {', '.join(KINDS)}")
        declared = [*self.coefficients, *self.derived, *self.variables]
        used = self.formula.names.union(*(expression.names for expression in self.derived.values()))
        if missing := sorted(used - set(declared)):
            todo = "declare N, D, U, C by name (N: {count: total}), other inputs under variables, or as coefficients"
            raise self.error(f"{', '.join(missing)} used but not declared", todo)
        # C may be declared without being used: it is the cost the law's optimum is found under; so may what the law
        # gives, and what its runs had in common, as its range says
        spare = {"C", *(("N", "D") if self.kind == "allocation" else ()), *(self.range.keys() & self.variables.keys())}
        if unused := sorted(set(declared) - used - spare):
            raise self.error(f"{', '.join(unused)} declared but not used", "remove it or correct the formula")
        if self.derived and self._written() > MOST_WRITTEN:
            raise self.error(f"its derived constants written out have more than {MOST_WRITTEN:,} parts", "write fewer")
        if self._nested() > MOST_NESTED:
            raise self.error(f"more than {MOST_NESTED} roots inside each other", "write fewer")
        if len(set(declared)) < len(declared):
            raise self.error("a symbol is declared twice", "give each one meaning")
        of = [name for name, _ in self.covariance.coordinates()] if self.covariance else []
        if strange := [name for name in of if name not in self.coefficients]:
            raise self.error(f"covariance of {', '.join(strange)}, no coefficients", "correct the covariance")
        if strange := sorted(set(self.draws) - set(self.coefficients)):
            raise self.error(f"draws of {', '.join(strange)}, no coefficients", "correct the draws")
        if len({len(values) for values in self.draws.values()}) > 1:
            raise self.error("draws of different lengths", "give every coefficient as many")
        for name, rival in (self.uncertainty.rivals if self.uncertainty else {}).items():
            if strange := sorted(rival.names - set(self.variables)):
                raise self.error(f"its rival {name} takes {', '.join(strange)}", "write it over the law's variables")
            if nesting(rival, {}) > MOST_NESTED:
                raise self.error(f"more than {MOST_NESTED} roots inside each other in {name}", "write fewer")
        for constant in self.coefficients.values():
            if constant.near is not None and (others := constant.near.names - {*self.variables, "y"}):
                raise self.error(f"{constant.name} is near {', '.join(sorted(others))}", "name variables, or y")
        for group in self.ties:
            if strange := sorted(set(group) - set(self.coefficients)):
                raise self.error(f"ties {', '.join(strange)}, no coefficient", "name coefficients")
            if len({self.coefficients[name].value for name in group}) > 1:
                raise self.error(f"{', '.join(group)} are tied but differ", "give them one value")
        try:
            constants = {} if self.is_form else self._constants({})
        except ExpressionError as error:
            raise self.error(f"derived constant {error.where}: {error.what}", "correct it") from None
        except OverflowError:
            raise self.error("a derived constant is too large for a number", "correct it") from None
        if endless := [name for name in self.derived if constants and not math.isfinite(constants[name])]:
            raise self.error(f"derived constant {endless[0]} has no finite value", "correct it")
        object.__setattr__(self, "constants", constants)
        object.__setattr__(self, "inputs", self._inputs())

    def error(self, what: str, todo: str) -> LawError:
        """A LawError that names this law."""
        return LawError(what, where=f"law {self.name}", todo=todo)

    def _written(self) -> int:
        """How many parts `expanded` has, known before it is made."""
        sizes: dict[str, int] = {}
        for name, expression in (*self.derived.items(), ("", self.formula)):
            sizes[name] = sum(sizes.get(node.name, 1) if isinstance(node, Name) else 1 for node in expression.walk())
        return sizes[""]

    def constants_with(self, changed: Mapping[str, Any]) -> Mapping[str, Any]:
        """Coefficients and derived constants, some coefficients replaced: by numbers, or by arrays of many."""
        return self._constants(changed) if changed else self.constants

    def _nested(self) -> int:
        """How many roots are inside each other at most, derived constants written out."""
        depths: dict[str, int] = {}
        for name, expression in (*self.derived.items(), ("", self.formula)):
            depths[name] = nesting(expression, depths)
        return depths[""]

    def _constants(self, changed: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {name: c.value for name, c in self.coefficients.items() if c.value is not None}
        values.update(changed)
        for name, expression in self.derived.items():
            value = expression.evaluate(values)
            values[name] = float(value) if isinstance(value, int) else value
        return values

    def _inputs(self) -> tuple[str, ...]:
        order, used = {"N": 0, "D": 1, "U": 2, "C": 3}, self.formula.names
        names = [name for name in self.variables if name in used]
        return tuple(sorted(names, key=lambda name: (order.get(name, 9), name)))

    @property
    def unset(self) -> tuple[str, ...]:
        """Coefficients without a value."""
        return tuple(name for name, coefficient in self.coefficients.items() if coefficient.value is None)

    @property
    def is_form(self) -> bool:
        """Whether coefficients have no value yet: it can be fitted to runs, and says nothing before."""
        return bool(self.unset)

    @property
    def gives(self) -> str:
        """N or D, where that is what an allocation law gives: declared for its count, and not used; else nothing."""
        spare = [symbol for symbol in ("N", "D") if symbol in self.variables and symbol not in self.inputs]
        return spare[0] if self.kind == "allocation" and len(spare) == 1 else ""

    @property
    def predicts(self) -> bool:
        """Whether it tells a performance, of a given model or of the best one, as it is."""
        return self.kind in ("conditional", "frontier") and not self.is_form

    @property
    def divides(self) -> bool:
        """Whether it tells how a budget is best divided into N and D: conditional on both, C a multiple of N times D.

        Runs with exact C that saw D distinct samples, who knows how often, do not.
        """
        joint = self.kind == "conditional" and self.inputs in (("N", "D"), ("N", "D", "U"))
        exact = "C" in self.variables and self.variables["C"].count == "exact"
        return joint and not (exact and self.variables["D"].meaning == "unique")

    @property
    def sign(self) -> int:
        """1 where lower is better, -1 where higher is: what a minimiser multiplies by."""
        return 1 if self.metric.better == "lower" else -1

    @property
    def expanded(self) -> Expr:
        """The formula over variables and coefficients only, derived constants written out."""
        known: dict[str, Expr] = {}
        for name, expression in self.derived.items():
            known[name] = expression.substitute(known)
        return self.formula.substitute(known)

    def _namespace(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if missing := [name for name in self.inputs if name not in values]:
            raise self.error(f"{', '.join(missing)} missing", f"it takes {', '.join(self.inputs)}")
        known = {*self.inputs, *self.coefficients}
        if unknown := sorted(set(values) - known):
            raise self.error(f"takes no {', '.join(unknown)}", f"it takes {', '.join(self.inputs)}")
        changed = {name: value for name, value in values.items() if name in self.coefficients}
        if unset := [name for name in self.unset if name not in changed]:
            raise self.error(f"is a form: {', '.join(unset)} without a value", "fit it to runs of yours")
        return {**self.constants_with(changed), **values}

    def evaluate(self, **values: Any) -> Any:
        """The value at the variables, numbers or arrays in the law's own counts; coefficients may be replaced."""
        return self.formula.evaluate(self._namespace(values))

    def gradient(self, by: Iterable[str] | None = None, **values: Any) -> dict[str, Any]:
        """First derivatives by variables or coefficients (default: the variables), at the given values."""
        namespace, expression = self._namespace(values), self.expanded
        return {name: expression.diff(name).evaluate(namespace) for name in by or self.inputs}

    def hessian(self, by: Iterable[str] | None = None, **values: Any) -> dict[tuple[str, str], Any]:
        """Second derivatives, as `gradient`."""
        namespace, expression, names = self._namespace(values), self.expanded, tuple(by or self.inputs)
        slopes = {name: expression.diff(name) for name in names}
        return {(a, b): slopes[a].diff(b).evaluate(namespace) for a in names for b in names}

    def inverse(self, symbol: str, target: float, **others: float) -> float:
        """The smallest positive value of one variable at which the law gives `target`.

        Raises:
            LawError: no value from 1e-12 to 1e60 does.
        """

        def gap(exponent: float) -> float:
            try:
                return float(self.evaluate(**others, **{symbol: math.exp(exponent)})) - target
            except ExpressionError:  # overflow: beyond any target
                return math.inf

        end = math.log(1e60)
        place = first_crossing(gap, math.log(1e-12), end, 0.5)
        while place is not None and abs(gap(place)) > 1e-6 * (1 + abs(target)):  # a pole changes the sign, too
            place = first_crossing(gap, place + 1e-9, end, 0.5)
        if place is None:
            raise self.error(f"never reaches {self.metric.name} {target:g}", "ask for a value it can reach")
        return math.exp(place)

    def with_coefficients(self, **values: float) -> Law:
        """The same law with other constants, their published errors dropped."""
        changed = {
            name: replace(constant, value=float(values[name]), se=None, ci=None, level=None)
            if name in values
            else constant
            for name, constant in self.coefficients.items()
        }
        if unknown := sorted(set(values) - set(changed)):
            raise self.error(f"has no coefficient {', '.join(unknown)}", f"it has {', '.join(changed)}")
        return replace(self, coefficients=changed, covariance=None, draws={}, uncertainty=None, method={})

    def latex(self) -> str:
        """The formula for LaTeX, without its left-hand side."""
        return self.formula.latex()

    def bind(self, profile: Profile, plan: Plan, *, force: bool = False) -> Binding:
        """How this law's variables are met by a model and a run; see `scalecalc.laws.binding.bind`."""
        from scalecalc.laws.binding import bind

        return bind(self, profile, plan, force=force)
