"""Mappings (of YAML) to laws: every field checked, every error naming its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from scalecalc.errors import LawError
from scalecalc.expressions import parse
from scalecalc.laws.conventions import (
    SCALES,
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
from scalecalc.laws.fields import Fields
from scalecalc.laws.law import Law

SYMBOLS = ("N", "D", "U", "C")
POSITIVE = "positive"
POSITIVE_NEAR = "positive, near "
"""Written for a coefficient of a form: any positive value, until runs give it one (`positive, near 1/D` if that is of
the size of 1/D); `null` for any value at all."""
MOST_RIVALS = 16
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


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
