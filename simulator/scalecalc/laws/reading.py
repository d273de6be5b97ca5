"""Mappings (of YAML) to laws: every field checked, every error naming its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from scalecalc.errors import ExpressionError, LawError
from scalecalc.expressions import Expr, parse
from scalecalc.laws.conventions import (
    SCALES,
    UNKNOWN,
    Coefficient,
    Covariance,
    Evidence,
    Interval,
    Limits,
    Metric,
    Scope,
    Source,
    Uncertainty,
    Variable,
)
from scalecalc.laws.law import Law

SYMBOLS = ("N", "D", "U", "C")
POSITIVE = "positive"
POSITIVE_NEAR = "positive, near "
"""Written for a coefficient of a form: any positive value, until runs give it one (`positive, near 1/D` if that is of
the size of 1/D); `null` for any value at all."""
MOST_RIVALS = 16
T = TypeVar("T")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Fields:
    """A mapping read field by field; what nobody asked for is an error, so a typo is not silently ignored."""

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, dict) or not set(map(type, data)) <= {str}:
            raise LawError("expected `key: value` lines", where=where, todo="see docs/extending.md")
        self.data, self.where = data, where
        self.asked: set[str] = set()

    def fail(self, key: str, what: str, found: Any) -> LawError:
        return LawError(f"{key} must be {what}, found {str(found)[:40]!r}", where=self.where, todo="correct the law")

    def get(self, key: str) -> Any:
        self.asked.add(key)
        return self.data.get(key)

    def done(self) -> None:
        """Raises if a key was not asked for."""
        if extra := self.data.keys() - self.asked:
            known = ", ".join(sorted(self.asked))
            raise LawError(f"unknown field {', '.join(sorted(extra))}", where=self.where, todo=f"known are {known}")

    def text(self, key: str, default: str | None = UNKNOWN) -> str:
        value = self.get(key)
        if type(value) is str:
            return value
        if value is None:
            if default is None:
                raise LawError(f"{key} is missing", where=self.where, todo="add it")
            return default
        if isinstance(value, dict | list | tuple):
            raise self.fail(key, "a text", value)
        return str(value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.get(key)
        items = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in items):
            raise self.fail(key, "a text or a list of texts", value)
        return tuple(items)

    def number(self, key: str) -> float | None:
        return self._number(key, self.get(key))

    def least(self, key: str, least: float) -> float:
        value = self.number(key)
        if value is None or value < least:
            raise self.fail(key, f"a number from {least:g} on", value)
        return value

    def whole(self, key: str) -> int | None:
        value = self.number(key)
        if value is not None and value != int(value):
            raise self.fail(key, "a whole number", value)
        return None if value is None else int(value)

    def _number(self, key: str, value: Any) -> float | None:
        # YAML 1.1 reads 1e14 as a text
        if value is None:
            return None
        try:
            number = float("x" if isinstance(value, bool) else value)
        except (TypeError, ValueError, OverflowError):
            raise self.fail(key, "a number", value) from None
        if number - number != 0:
            raise self.fail(key, "a finite number", value)
        return number

    def numbers(self, key: str) -> tuple[float, ...]:
        value = self.get(key)
        row = [self._number(key, item) for item in value] if isinstance(value, list) else []
        if not row or None in row:
            raise self.fail(key, "a list of numbers", value)
        return tuple(number for number in row if number is not None)

    def limits(self, key: str) -> Limits:
        value = self.get(key)
        if value is None:
            return None, None
        if not isinstance(value, list) or len(value) != 2:
            raise self.fail(key, "[least, largest]", value)
        low, high = self._number(key, value[0]), self._number(key, value[1])
        if low is not None and high is not None and low > high:
            raise self.fail(key, "[least, largest]", value)
        return low, high

    def truth(self, key: str) -> bool:
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.fail(key, "true or false", value)
        return bool(value)

    def groups(self, key: str) -> tuple[tuple[str, ...], ...]:
        value = self.get(key)
        rows = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(row, list) and len(row) > 1 and all(isinstance(n, str) for n in row) for row in rows):
            raise self.fail(key, "a list of lists of names", value)
        return tuple(tuple(row) for row in rows)

    def interval(self, key: str) -> Interval | None:
        low, high = self.limits(key)
        if (low is None) != (high is None):
            raise self.fail(key, "two numbers", self.data[key])
        return None if low is None or high is None else (low, high)

    def expression(self, key: str) -> Expr:
        try:
            return parse(self.text(key, None), roots=True)
        except ExpressionError as error:
            raise LawError(f"{key} {error.where}: {error.what}", where=self.where, todo=error.todo) from None

    def under(self, key: str) -> Fields:
        return Fields(self.get(key) or {}, f"{self.where}: {key}")

    def each(self, key: str, read: Callable[[Fields, str], T]) -> dict[str, T]:
        """Every field of a mapping below, all read alike."""
        fields = self.under(key)
        return {name: read(fields, name) for name in fields.data}


def laws_of(data: Any, where: str) -> tuple[Law, ...]:
    """The laws of one file: one law, or `laws:` by name over fields they share."""
    top = Fields(data, where).data
    if "laws" not in top:
        return (_law(top, where),)
    shared = {key: value for key, value in top.items() if key != "laws"}
    found = []
    for name, own in Fields(top["laws"], f"{where}: laws").data.items():
        fields = dict(shared)
        for key, value in Fields(own, f"{where}: {name}").data.items():
            both = isinstance(value, dict) and isinstance(fields.get(key), dict)
            fields[key] = {**fields[key], **value} if both else value
        found.append(_law({"name": name, **fields}, where))
    return tuple(found)


def _law(data: Mapping[str, Any], where: str) -> Law:
    name = str(data.get("name", ""))
    if not _NAME.fullmatch(name):
        raise LawError(f"name {name[:40]!r} is not author-year or author-year-variant", where=where, todo="rename it")
    fields = Fields(data, f"{where}: {name}")
    law = Law(
        name=fields.text("name"),
        title=fields.text("title", ""),
        kind=fields.text("kind", None),
        formula=fields.expression("formula"),
        coefficients={
            key: _coefficient(key, value, fields) for key, value in fields.under("coefficients").data.items()
        },
        derived=fields.each("derived", Fields.expression),
        variables=_variables(fields),
        metric=_metric(fields.under("metric")),
        applies_to=_scope(fields.under("applies_to")),
        regime=fields.each("regime", Fields.text),
        range=_range(fields.under("range")),
        evidence=_evidence(fields.under("evidence")),
        source=_source(fields.under("source")),
        notes=fields.texts("notes"),
        superseded_by=fields.text("superseded_by", ""),
        ties=fields.groups("ties"),
        covariance=_covariance(fields.under("covariance")) if fields.get("covariance") else None,
        uncertainty=_uncertainty(fields.under("uncertainty")) if fields.get("uncertainty") else None,
        draws=fields.each("draws", Fields.numbers),
        method=fields.each("method", Fields.text),
    )
    fields.done()
    return law


def _coefficient(name: str, value: Any, parent: Fields) -> Coefficient:
    where = f"{parent.where}: {name}"
    if value == POSITIVE:
        return Coefficient(name, None, bounds=(0.0, None))
    if isinstance(value, str) and value.startswith(POSITIVE_NEAR):
        value = {"value": None, "bounds": [0, None], "near": value.removeprefix(POSITIVE_NEAR)}
    if not isinstance(value, dict):
        return Coefficient(name, Fields({"value": value}, where).number("value"))
    fields = Fields(value, where)
    number = fields.number("value")
    if number is None and "value" not in fields.data:
        raise LawError("value is missing", where=where, todo="add it; null where it is to be fitted")
    coefficient = Coefficient(
        name, number, se=fields.number("se"), ci=fields.interval("ci"), level=fields.number("level"),
        bounds=fields.limits("bounds"), unit=fields.text("unit", ""), fixed=fields.truth("fixed"),
        near=fields.expression("near") if fields.get("near") else None,
    )  # fmt: skip
    fields.done()
    return coefficient


def _variables(parent: Fields) -> dict[str, Variable]:
    found, others = {}, parent.under("variables")
    own = [(key, parent.under(key)) for key in SYMBOLS if parent.get(key) is not None]
    for symbol, fields in own + [(key, others.under(key)) for key in others.data]:
        found[symbol] = Variable(
            symbol, count=fields.text("count"), sample=fields.text("sample"), meaning=fields.text("meaning"),
            tokenizer=fields.text("tokenizer"), attention=fields.text("attention"),
            unit=fields.text("unit", "FLOP" if symbol == "C" else ""),
        )  # fmt: skip
        fields.done()
    return found


def _metric(fields: Fields) -> Metric:
    metric = Metric(
        name=fields.text("name", None),
        unit=fields.text("unit", None),
        better=fields.text("better", None),
        bounds=fields.limits("bounds"),
        chance=fields.number("chance"),
        eval_set=fields.text("eval_set"),
        tokenizer=fields.text("tokenizer"),
    )
    if metric.better not in ("lower", "higher"):
        raise fields.fail("better", "lower or higher", metric.better)
    fields.done()
    return metric


def _scope(fields: Fields) -> Scope:
    scope = Scope(
        fields.text("modality", None), fields.text("task", None), family=fields.texts("family"),
        corpus=fields.texts("corpus"), classes=fields.whole("classes"), input_elements=fields.whole("input_elements"),
    )  # fmt: skip
    fields.done()
    return scope


def _range(fields: Fields) -> dict[str, Interval]:
    found = {}
    for key in fields.data:
        interval = fields.interval(key)
        if interval is None or interval[0] <= 0 or not parse(key).names <= set(SYMBOLS):
            raise fields.fail(key, "[least, largest] of N, D, U, C or a ratio of them", fields.data[key])
        found[key] = interval
    return found


def _evidence(fields: Fields) -> Evidence:
    evidence = Evidence(
        fields.whole("runs"),
        fields.number("extrapolation_error"),
        fields.number("coverage"),
        fields.text("text", ""),
        fields.text("data", ""),
    )
    fields.done()
    return evidence


def _source(fields: Fields) -> Source:
    source = Source(
        fields.text("citation", None), fields.text("url", ""), fields.whole("year"), fields.text("note", "")
    )
    fields.done()
    return source


def _covariance(fields: Fields) -> Covariance:
    of = fields.texts("of")
    matrix = tuple(fields.under("matrix").numbers(name) for name in of)
    if any(len(row) != len(of) for row in matrix):
        raise fields.fail("matrix", f"{len(of)} rows of {len(of)} numbers", fields.data["matrix"])
    if any(row[place] < 0 for place, row in enumerate(matrix)):
        raise fields.fail("matrix", "of variances from 0 on, from corner to corner", fields.data["matrix"])
    covariance = Covariance(of, matrix, fields.text("basis", None))
    fields.done()
    return covariance


def _uncertainty(fields: Fields) -> Uncertainty:
    rivals = fields.each("rivals", Fields.expression)
    if len(rivals) > MOST_RIVALS:
        raise fields.fail("rivals", f"at most {MOST_RIVALS} formulas", len(rivals))
    found = Uncertainty(
        fields.text("scale", None), fields.least("noise", 0.0), fields.least("freedom", 1.0),
        fields.least("drift", 0.0) if fields.get("drift") is not None else None, rivals,
        fields.least("missed", 0.0) if fields.get("missed") is not None else None, fields.whole("misses"),
    )  # fmt: skip
    if found.scale not in SCALES:
        raise fields.fail("scale", " or ".join(SCALES), found.scale)
    fields.done()
    return found
