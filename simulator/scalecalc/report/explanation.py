"""`--explain`: a figure as a sum, for people and programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import IO

from scalecalc import __version__
from scalecalc.estimate.explanation import Explanation
from scalecalc.report.blocks import LONG, Block, sizes_of_data
from scalecalc.report.contract import Json
from scalecalc.report.numbers import cost, count, percent, size
from scalecalc.report.render import grid
from scalecalc.report.terminal import show_blocks, show_table
from scalecalc.walk import Quantity


def render(result: Explanation, form: str, file: IO[str]) -> None:
    """Write an explanation in one of `render.FORMATS`."""
    if form == "table":
        _show(result, file)
    elif form == "json":
        json.dump(document(result), file, indent=1)
        file.write("\n")
    else:
        grid(("level", "name", "kind", "count", "value", "formula", "detail"), list(_rows(result)), form, file)


def document(result: Explanation) -> Json:
    """The JSON contract of `--explain`: groups sum to the figure, and so do parts with the rest."""
    return {
        "command": "explain",
        "version": __version__,
        "model": {"name": result.inspection.profile.name, "sizes": dict(result.inspection.settled.sizes)},
        "quantity": result.path,
        **_quantity(result, result.quantity),
        "lower_bound": result.quantity.lower_bound,
        "conventions": list(result.conventions),
        "terms": {path: _quantity(result, term) for path, term in result.terms.items()},
        "groups": [
            {"kind": group.kind, "count": group.count, **_quantity(result, group.quantity), "rule": group.rule}
            for group in result.groups
        ],
        "parts": [
            {"name": part.name, "kind": part.kind, "detail": part.detail, **_quantity(result, part.quantity)}
            for part in result.parts
        ],
        "rest": {"count": result.others, **_quantity(result, result.rest)},
        "assumptions": list(result.inspection.assumptions),
    }


def _quantity(result: Explanation, quantity: Quantity) -> Json:
    return {"formula": str(quantity.formula), "value": result.inspection.value(quantity)}


def _rows(result: Explanation) -> Iterator[Sequence[str]]:
    def cells(quantity: Quantity) -> tuple[str, str]:
        value = result.inspection.value(quantity)
        return "" if value is None else str(value), str(quantity.formula)

    yield "total", result.path, "", "", *cells(result.quantity), "; ".join(result.conventions)
    for group in result.groups:
        yield "group", "", group.kind, str(group.count), *cells(group.quantity), group.rule
    for part in result.parts:
        yield "part", part.name, part.kind, "1", *cells(part.quantity), part.detail
    if result.others:
        yield "rest", "", "", str(result.others), *cells(result.rest), ""


def unit_of(path: str) -> str:
    """The unit of a figure, "" for a count of elements.

    >>> unit_of("forward.macs"), unit_of("memory.weights"), unit_of("params.total")
    ('MAC', 'B', '')
    """
    group, _, name = path.partition(".")
    return "" if group == "params" else "MAC" if name == "macs" else "FLOP" if name.endswith("flops") else "B"


def _show(result: Explanation, file: IO[str]) -> None:
    unit, inspection = unit_of(result.path), result.inspection
    whole = inspection.value(result.quantity)
    formula = str(result.quantity.formula)
    at = sizes_of_data(inspection)
    bound = "at least " if result.quantity.lower_bound else ""
    if whole is None:
        lines = [f"{bound}{formula}"]
    else:
        exact = f"{whole:,} {unit or 'elements'}"
        short = f" = {_text(result, result.quantity, unit)}" if unit and whole >= 1000 else ""
        lines = [
            f"{bound}{exact}{short}" + (f" at {at}" if at and not isinstance(result.quantity.formula, int) else "")
        ]
        if formula != str(whole):
            lines.append(
                formula if len(formula) <= 4 * LONG else f"a formula of {len(formula):,} characters: --format json"
            )
    terms = [f"{path} {_text(result, term, unit)}" for path, term in result.terms.items() if term.formula != 0]
    if len(terms) > 1:
        lines.append(f"= {' + '.join(terms)}")
    show_blocks(
        [
            Block("EXPLAIN", [[f"{result.path} of {inspection.profile.name}"], *([line] for line in lines)]),
            Block("COUNTS", [[line] for line in result.conventions]),
        ],
        file,
    )

    def share(quantity: Quantity) -> str:
        value = inspection.value(quantity)
        return percent(value / whole) if value is not None and whole else ""

    what = "tensors" if not unit or result.path.startswith("memory.") else "nodes"
    if result.groups:
        file.write("\n")
        rows = [
            (group.kind, f"{group.count:,}", _text(result, group.quantity, unit), share(group.quantity), group.rule)
            for group in result.groups
        ]
        show_table(("kind", what, "sum", "share", "rule"), rows, file, right=(what, "sum", "share"))
        file.write("\n")
        parts = [
            (part.name, part.kind, part.detail, _text(result, part.quantity, unit), share(part.quantity))
            for part in result.parts
        ]
        if result.others:
            more = f"... and {result.others:,} more {what}"
            parts.append((more, "", "", _text(result, result.rest, unit), share(result.rest)))
        footer = ("total", "", "", _text(result, result.quantity, unit), "")
        show_table(("largest", "kind", "", "adds", "share"), parts, file, right=("adds", "share"), footer=footer)
    if inspection.assumptions:
        show_blocks([Block("ASSUMED", [[line] for line in inspection.assumptions])], file)


def _text(result: Explanation, quantity: Quantity, unit: str) -> str:
    value = result.inspection.value(quantity)
    if value is None:
        return str(quantity.formula)
    return count(value) if not unit else size(value) if unit == "B" else cost(value, unit)
