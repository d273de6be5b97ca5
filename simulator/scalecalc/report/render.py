"""One entry for every result and format."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

from scalecalc.errors import one_line
from scalecalc.estimate import Estimate, Inspection
from scalecalc.walk.profile import FIGURES

if TYPE_CHECKING:
    from scalecalc.report.views import View

FORMATS = ("table", "json", "csv", "markdown")
VIEWS = {
    # view: entry of the document, and what stands left and right of the figures
    "node": ("nodes", ("node", "op_type", "outputs"), ("status", "module")),
    "block": ("blocks", ("path", "kind", "level", "count", "nodes", "output"), ()),
    "op": ("operators", ("op_type", "count"), ()),
}


def render(result: Estimate | Inspection, form: str, file: IO[str], view: View | None = None) -> None:
    """Write a result to a stream in one of FORMATS; an inspection in a view."""
    if isinstance(result, Inspection):
        _inspection(result, form, file, view)
    elif form == "table":
        from scalecalc.report.answer import estimate_blocks
        from scalecalc.report.terminal import show_blocks

        show_blocks(estimate_blocks(result), file)
    else:
        from scalecalc.report import contract

        document = contract.estimate(result)
        if form == "json":
            _json(document, file)
        else:
            grid(("quantity", "value", "formula"), list(_flat("", document)), form, file)


def _inspection(result: Inspection, form: str, file: IO[str], view: View | None) -> None:
    from scalecalc.report.views import View

    view = view or View()
    if form == "table":
        from scalecalc.report.inspection import show

        show(result, file, view)
        return
    from scalecalc.report import contract

    document = contract.inspection(result, view)
    if form == "json":
        _json(document, file)
        return
    entry, left, right = VIEWS[view.by or "node"]
    rows = [_row(line, left, right) for line in document[entry]]
    grid((*left, *FIGURES, *right), rows, form, file)


def _json(document: dict[str, Any], file: IO[str]) -> None:
    json.dump(document, file, indent=1)
    file.write("\n")


def _row(line: dict[str, Any], left: Sequence[str], right: Sequence[str]) -> list[str]:
    """One node, block or operator: figures as numbers, as formulas where a size is missing."""
    shapes = line.get("outputs", [line["output"]] if line.get("output") is not None else [])
    texts = {
        **{name: _cell(value) for name, value in line.items() if name not in FIGURES},
        "node": line.get("name", ""),
        "outputs": "; ".join("?" if dims is None else " x ".join(map(str, dims)) for dims in shapes),
    }
    texts["output"] = texts["outputs"]
    figures = [line[name]["formula"] if line[name]["value"] is None else line[name]["value"] for name in FIGURES]
    return [*(texts[name] for name in left), *map(_cell, figures), *(texts[name] for name in right)]


def _flat(path: str, value: Any) -> Iterator[list[str]]:
    """(path, value, formula) of every leaf of a document."""
    if isinstance(value, dict) and {"formula", "value"} <= value.keys():
        yield [path, _cell(value["value"]), _cell(value["formula"])]
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for i, inner in enumerate(value):
            yield from _flat(f"{path}.{i}", inner)
    else:
        yield [path, _cell(value), ""]


def _cell(value: Any) -> str:
    return "" if value is None else "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def grid(columns: Sequence[str], rows: Sequence[Sequence[str]], form: str, file: IO[str]) -> None:
    """Rows as CSV or as a Markdown table."""
    if form == "csv":
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
        return
    for row in (columns, ["---"] * len(columns), *rows):
        file.write("| " + " | ".join(one_line(cell).replace("|", "\\|") for cell in row) + " |\n")
