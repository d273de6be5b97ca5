"""`inspect` for people: totals, a tree of modules (or nodes, or operators), and where the cost is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO

from scalecalc.estimate import Inspection
from scalecalc.estimate.block import Block as Tree
from scalecalc.estimate.block import Place
from scalecalc.estimate.tree import tree
from scalecalc.estimate.trying import example_sizes
from scalecalc.report.blocks import Block, compute_block, header, size_block, sizes_of_data
from scalecalc.report.lines import Drawing, Line, by_block, by_node, by_op, text_of, times_text
from scalecalc.report.numbers import percent
from scalecalc.report.terminal import show_blocks, show_table, width_of
from scalecalc.report.views import View, amount
from scalecalc.walk import Quantity

LABELS = {"block": ("module", "kind"), "node": ("node", "op"), "op": ("operator", "count")}
"""What the first two columns hold in each view."""
LINES = {"node": by_node, "op": by_op}
FIRST_TO_GO = ("forward vector", "backward MACs", "output", "kind", "op", "kept", "share")
"""Columns left out one after the other where a terminal is too narrow."""
SHORTEST = 32
"""Characters of a name at least; a longer one may be cut in its middle rather than lose another column."""
LONGEST_KIND = 24
"""Characters of a class or operators on a terminal at most."""
GAP = 2
"""Blanks between columns."""
HOTTEST = (("macs", "MACs", "MAC", 5), ("kept_bytes", "kept bytes", "B", 3))
"""Figures hot spots are sought for, what they are called, their unit, and how many are shown."""


def show(result: Inspection, file: IO[str], view: View) -> None:
    """Header, totals, the view, hot spots, and what was assumed."""
    show_blocks([header(result), size_block(result), compute_block(result)], file)
    file.write("\n")
    drawing = Drawing.of(file)
    root = tree(result.profile)
    by = view.by or "block"
    found, rest = by_block(result, root, view, drawing) if by == "block" else LINES[by](result, view)
    lines = list(found)
    averaged = any(line.average for line in lines)
    hidden = _table(result, lines, by, drawing, file)
    blocks = (_where(result, rest, hidden, averaged=averaged), _hot_spots(result, root), _assumed(result))
    show_blocks([block for block in blocks if block.rows], file)


def _table(result: Inspection, lines: Iterable[Line], by: str, drawing: Drawing, file: IO[str]) -> list[str]:
    """The lines under their heads, as many columns as there is room for, over the model's totals; the others' heads."""
    profile = result.profile
    backward = profile.training["backward_matrix_flops"]
    totals = {
        "params": text_of(result, profile.params["trainable"], ""),
        "MACs": text_of(result, profile.forward["macs"], "MAC"),
        "kept": text_of(result, profile.memory["activations"], "B"),
        "backward MACs": text_of(result, Quantity(backward.formula // 2, backward.lower_bound), "MAC"),
        "forward vector": text_of(result, profile.forward["vector_flops"], "FLOP"),
    }
    name, kind = LABELS[by]
    whole = result.value(profile.forward["macs"])
    rows = [{name: line.label, kind: line.kind, "output": line.output, **line.cells(result, whole, drawing)}
            for line in lines]  # fmt: skip
    columns = [name, kind, "output", "params", "MACs", "share", "kept", "backward MACs", "forward vector"]
    if by == "op":
        columns.remove("output")
    every = list(columns)
    footer = {**dict.fromkeys(columns, ""), name: "total", **totals}
    if file.isatty():
        for row in rows:
            row[kind] = drawing.cut(row[kind], LONGEST_KIND)
        columns, longest = _fitting(columns, [*rows, footer, {column: column for column in columns}], width_of(file))
        for row in rows:
            row[name] = drawing.cut(row[name], longest)
    right = [column for column in columns if column in (*totals, "count")]
    table = [[row[column] for column in columns] for row in rows]
    show_table(columns, table, file, right=right, footer=[footer[column] for column in columns], gap=GAP)
    return [column for column in every if column not in columns]


def _fitting(columns: Sequence[str], rows: Sequence[dict[str, str]], room: int) -> tuple[list[str], int]:
    """The columns a terminal has room for, and the room of the first one."""
    widths = {column: max(len(row[column]) for row in rows) for column in columns}
    fitting = list(columns)
    longest = widths[columns[0]]
    for column in ("", *FIRST_TO_GO):
        if column in fitting:
            fitting.remove(column)
        rest = room - sum(widths[other] + GAP for other in fitting[1:])
        if rest >= (longest if "backward MACs" in fitting else min(longest, SHORTEST)):
            break
    return fitting, rest


def _hot_spots(result: Inspection, root: Tree) -> Block:
    """The innermost blocks with the most MACs, and those that keep most, if they are others."""
    innermost = [place for place in root.walk() if not place.block.children]
    rows: list[tuple[str, str]] = []
    before: set[str] = set()
    for name, words, unit, most in HOTTEST:
        total = result.profile.forward["macs"] if name == "macs" else result.profile.memory["activations"]
        costs = [(amount(result, place.block.named[name]), place) for place in innermost]
        hottest = [place for cost, place in sorted(costs, key=lambda pair: -pair[0])[:most] if cost]
        if not before.issuperset(place.path for place in hottest):
            rows += [_hot_spot(result, place, name, words, unit, result.value(total)) for place in hottest]
        before.update(place.path for place in hottest)
    widest = max((len(cost) for cost, _ in rows), default=0)
    return Block("HOT SPOTS", [[f"{cost:<{widest}}  {path}"] for cost, path in rows])


def _hot_spot(result: Inspection, place: Place, name: str, words: str, unit: str, whole: int | None) -> tuple[str, str]:
    quantity = Quantity(place.block.named[name], not place.block.known)
    value = result.value(quantity)
    share = f"{percent(value / whole):>6} of {words}, " if value and whole else ""
    return share + text_of(result, quantity, unit), place.path + times_text(result, place.times)


def _where(result: Inspection, rest: str, hidden: Sequence[str], *, averaged: bool) -> Block:
    """What the figures above are for, and what is not among them."""
    at = sizes_of_data(result)
    unreached = ", ".join(result.profile.unreached[:5])
    lines = [
        f"values of one run at {at}" if at else "",
        f"numbers need {example_sizes(result)}, formulas are in scalecalc formula" if result.settled.missing else "",
        rest,
        f"no room here for {', '.join(hidden)}: a wider terminal, or --format csv" if hidden else "",
        "~ is the average of blocks that differ in what they keep" if averaged else "",
        f"shapes unknown behind an unknown operator: {unreached}" if unreached else "",
    ]
    return Block("", [[line] for line in lines if line])


def _assumed(result: Inspection) -> Block:
    return Block("ASSUMED", [[line] for line in result.assumptions])
