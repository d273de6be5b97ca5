"""One entry for every result and format."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from typing import IO, Any

from scalecalc.errors import one_line
from scalecalc.estimate import Estimate, Inspection

FORMATS = ("table", "json", "csv", "markdown")
NODE_COLUMNS = ("params", "macs", "backward_macs", "vector_flops", "backward_vector_flops", "bytes", "kept_bytes")


def render(result: Estimate | Inspection, form: str, file: IO[str]) -> None:
    """Write a result to a stream in one of FORMATS."""
    if form == "table":
        _table(result, file)
        return
    from scalecalc.report import contract

    document = contract.estimate(result) if isinstance(result, Estimate) else contract.inspection(result)
    if form == "json":
        json.dump(document, file, indent=1)
        file.write("\n")
    elif "nodes" in document:
        grid(("node", "op_type", "outputs", *NODE_COLUMNS, "status"), list(_node_rows(document)), form, file)
    else:
        grid(("quantity", "value", "formula"), list(_flat("", document)), form, file)


def _table(result: Estimate | Inspection, file: IO[str]) -> None:
    if isinstance(result, Estimate):
        from scalecalc.report.answer import estimate_blocks
        from scalecalc.report.terminal import show_blocks

        show_blocks(estimate_blocks(result), file)
    else:
        from scalecalc.report.inspection import show

        show(result, file)


def _node_rows(document: dict[str, Any]) -> Iterator[list[str]]:
    for node in document["nodes"]:
        shapes = "; ".join("?" if dims is None else " x ".join(map(str, dims)) for dims in node["outputs"])
        cells = [node[name] for name in NODE_COLUMNS]
        yield [
            node["name"],
            node["op_type"],
            shapes,
            *(_cell(c["formula"] if c["value"] is None else c["value"]) for c in cells),
            node["status"],
        ]


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
