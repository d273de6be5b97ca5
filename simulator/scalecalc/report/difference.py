"""`diff`: totals before and after, and the nodes that account for the change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from scalecalc import __version__
from scalecalc.estimate.changes import Change, Delta, added
from scalecalc.estimate.difference import LISTED, Difference
from scalecalc.report.blocks import Block
from scalecalc.report.contract import Json, totals
from scalecalc.report.numbers import cost, percent, size
from scalecalc.report.render import grid
from scalecalc.report.terminal import show_blocks, show_table

SHOWN = (
    # path, words, unit: "" for an exact count
    ("params.trainable", "trainable parameters", ""),
    ("params.buffers", "buffers", ""),
    ("params.constants", "constants", ""),
    ("params.quantized", "quantized", ""),
    ("forward.macs", "forward", "MAC"),
    ("forward.vector_flops", "forward vector", "FLOP"),
    ("training.matrix_flops", "training matrix", "FLOP"),
    ("training.vector_flops", "training vector", "FLOP"),
    ("memory.weights", "weights", "B"),
    ("memory.activations", "activations", "B"),
)
"""Totals on a terminal; those that are 0 in both are left out."""

COLUMNS = (
    ("params.trainable", "params", ""),
    ("forward.macs", "MACs", "MAC"),
    ("training.backward_matrix_flops", "backward matrix", "FLOP"),
    ("forward.vector_flops", "forward vector", "FLOP"),
    ("memory.activations", "kept", "B"),
)
"""Changes by node on a terminal."""

ORDER = ("forward.macs", "params.trainable", "memory.activations", "forward.vector_flops")
"""What the largest changes are, the first of these first."""

MARKS = {"added": "+", "removed": "-", "changed": "~", "same": "="}
BY = ("node", "op")
MOST_ROWS = 40
REST = "what no node does"


def render(result: Difference, form: str, file: IO[str], *, by: str = "node") -> None:
    """Write a difference in one of `render.FORMATS`.

    Args:
        result: from `difference`.
        form: `table`, `json`, `csv` or `markdown`.
        file: where to.
        by: a row for every `node` that changed, or for every `op`.
    """
    if form == "table":
        _show(result, file, by)
    elif form == "json":
        json.dump(document(result), file, indent=1)
        file.write("\n")
    else:
        columns = ("change", "name", "op_type", *LISTED)
        grid(columns, [*_rows(result, by), ("total", "", "", *_cells(result.totals))], form, file)


def document(result: Difference) -> Json:
    """The JSON contract of `diff`."""
    listed = {kind: [_node(change) for change in result.changes if change.kind == kind] for kind in MARKS}
    return {
        "command": "diff",
        "version": __version__,
        "before": totals(result.before),
        "after": totals(result.after),
        "change": _nested(result.totals),
        "nodes": {kind: listed[kind] for kind in ("added", "removed", "changed")},
        "same": len(listed["same"]),
        "by_op": [
            {"op_type": group.op_type, "before": group.before, "after": group.after, "change": _nested(group.deltas)}
            for group in result.by_op
        ],
        "assumptions": list(result.assumptions),
    }


def _node(change: Change) -> Json:
    before, after = change.before, change.after
    return {
        "name": change.node.name if change.node else None,
        "op_type": change.node.op_type if change.node else None,
        "before": before and {"name": before.name, "op_type": before.op_type},
        "after": after and {"name": after.name, "op_type": after.op_type},
        "change": _nested(change.deltas),
    }


def _nested(deltas: Mapping[str, Delta]) -> Json:
    """Deltas by group and name, as the figures themselves are."""
    found: dict[str, Any] = {}
    for path, delta in deltas.items():
        group, _, name = path.partition(".")
        found.setdefault(group, {})[name] = {
            "formula": str(delta.formula),
            "value": delta.value,
            "ratio": delta.ratio,
            "exact": delta.exact,
        }
    return found


def _rows(result: Difference, by: str) -> Iterator[Sequence[str]]:
    """Nodes that changed, or operators, and what no node does where that changed."""
    if by == "op":
        for group in result.by_op:
            if any(map(result.counts, group.deltas.values())) or group.before != group.after:
                yield f"{group.before} -> {group.after}", "", group.op_type or REST, *_cells(group.deltas)
        return
    for change in result.changes:
        if change.kind != "same":
            yield change.kind, change.node.name if change.node else "", _op(change), *_cells(change.deltas)


def _cells(deltas: Mapping[str, Delta]) -> list[str]:
    found = [deltas[path] for path in LISTED]
    return [str(delta.formula if delta.value is None else delta.value) for delta in found]


def _op(change: Change) -> str:
    if change.node is None:
        return REST
    before = change.before.op_type if change.before else change.node.op_type
    return change.node.op_type if before == change.node.op_type else f"{before} -> {change.node.op_type}"


def _show(result: Difference, file: IO[str], by: str) -> None:
    old, new = result.before.profile, result.after.profile
    counts = {kind: sum(change.kind == kind for change in result.changes if change.node) for kind in MARKS}
    nodes = (
        f"{old.node_count:,} and {new.node_count:,} nodes: {counts['added']:,} added, {counts['removed']:,} removed, "
    )
    nodes += f"{counts['changed']:,} changed, {counts['same']:,} as they were"
    sides = (result.before.settled, result.after.settled)
    sizes = {name: size for side in sides for name, size in side.sizes.items() if name not in side.own}
    at = "one run at " + ", ".join(f"{name} {number:,}" for name, number in sizes.items()) if sizes else "one run"
    show_blocks([Block("DIFFERENCE", [[f"{old.name} -> {new.name}"], [nodes], [at]])], file)
    file.write("\n")
    rows = [
        (words, _figure(delta.before, unit), _figure(delta.after, unit), _signed(delta, unit), _percent(delta))
        for path, words, unit in SHOWN
        if (delta := result.totals[path]).formula != 0 or delta.before or delta.after
    ]
    show_table(("", "before", "after", "change", ""), rows, file, right=("before", "after", "change"))
    changed = _shown(result, by)
    if changed:
        file.write("\n")
        columns = ("", "node" if by == "node" else "nodes", "op", *(words for _, words, _ in COLUMNS))
        show_table(columns, changed, file, right=columns[3:], footer=_footer(result))
    lines = []
    if not (old.complete and new.complete):
        lines.append("operators without a rule cost nothing here: differences of costs miss theirs")
    blocks = [Block("", [[line] for line in lines]), Block("ASSUMED", [[line] for line in result.assumptions])]
    show_blocks([block for block in blocks if block.rows], file)


def _shown(result: Difference, by: str) -> list[Sequence[str]]:
    """Rows of what changed, those first that change most; beyond MOST_ROWS the rest as one."""
    if by == "op":
        entries = [
            ("", f"{group.before:,} -> {group.after:,}", group.op_type or REST, group.deltas) for group in result.by_op
        ]
        entries = [entry for entry in entries if any(map(result.counts, entry[3].values()))]
    else:
        entries = [
            (MARKS[change.kind], change.node.name if change.node else "", _op(change), change.deltas)
            for change in result.changes
            if change.kind != "same"
        ]
    if len(entries) > MOST_ROWS:
        entries.sort(key=lambda entry: [-abs(entry[3][path].value or 0) for path in ORDER])
    rest = entries[MOST_ROWS:]
    rows = [_row(*entry) for entry in entries[:MOST_ROWS]]
    if rest:
        total = {path: added([entry[3][path] for entry in rest]) for path, _, _ in COLUMNS}
        rows.append(_row("", f"... and {len(rest):,} more", "", total))
    return rows


def _row(mark: str, name: str, op: str, deltas: Mapping[str, Delta]) -> Sequence[str]:
    return (mark, name, op, *(_signed(deltas[path], unit, blank=True) for path, _, unit in COLUMNS))


def _footer(result: Difference) -> Sequence[str]:
    return ("", "total", "", *(_signed(result.totals[path], unit) for path, _, unit in COLUMNS))


def _figure(value: int | None, unit: str) -> str:
    return "-" if value is None else f"{value:,}" if not unit else size(value) if unit == "B" else cost(value, unit)


def _signed(delta: Delta, unit: str, *, blank: bool = False) -> str:
    """`+1.2 GMAC`; the formula while a size is missing."""
    value = delta.value
    if value is None:
        return str(delta.formula)
    if not value:
        return "" if blank else "0"
    return f"{'+' if value > 0 else '-'}{_figure(abs(value), unit)}"


def _percent(delta: Delta) -> str:
    ratio = delta.ratio
    if ratio is None or not delta.value:
        return "new" if delta.value and not delta.before else ""
    return f"{'+' if ratio > 0 else '-'}{percent(abs(ratio))}"
