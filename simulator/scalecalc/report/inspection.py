"""`inspect` for people: a line per node, hot spots marked, totals below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from scalecalc.estimate import Inspection
from scalecalc.report.blocks import Block, amount, compute_block, header, size_block
from scalecalc.report.numbers import cost, count, dims, percent, size
from scalecalc.report.terminal import show_blocks, show_table
from scalecalc.walk import NodeProfile, Quantity

COLUMNS = ("node", "op", "output", "params", "MACs", "share", "backward MACs", "forward vector FLOPs", "kept")
RIGHT = COLUMNS[3:]
MOST_ROWS = 200
"""Beyond this many nodes a terminal shows the hot spots only."""
HOT = 40


def show(result: Inspection, file: IO[str]) -> None:
    """Header, totals, then nodes; where there are too many, those with the most MACs."""
    profile = result.profile
    show_blocks([header(result), size_block(result), compute_block(result)], file)
    nodes: Sequence[NodeProfile] = profile.nodes
    rest = ""
    if len(nodes) > MOST_ROWS:
        nodes = sorted(nodes, key=lambda node: -(result.value(Quantity(node.macs)) or 0))[:HOT]
        rest = f"the {HOT} of {len(profile.nodes):,} nodes with the most MACs; --format csv or json has all"
    file.write("\n")
    whole = result.value(profile.forward["macs"])
    memory = profile.memory["activations"]
    backward = profile.training["backward_matrix_flops"]
    footer = (
        "total", "", "",
        amount(result, profile.params["trainable"]), _number(result, profile.forward["macs"], "MAC"), "",
        _number(result, Quantity(backward.formula // 2, backward.lower_bound), "MAC"),
        _number(result, profile.forward["vector_flops"], "FLOP"), _number(result, memory, "B"),
    )  # fmt: skip
    show_table(COLUMNS, [_row(result, node, whole) for node in nodes], file, right=RIGHT, footer=footer)
    where = ", ".join(f"{name} {size_:,}" for name, size_ in result.settled.sizes.items())
    lines = [line for line in (f"values of one run at {where}" if where else "", rest) if line]
    lines += (
        [f"shapes unknown behind an unknown operator: {', '.join(profile.unreached[:5])}"] if profile.unreached else []
    )
    blocks = [Block("", [[line] for line in lines]), Block("ASSUMED", [[line] for line in result.assumptions])]
    show_blocks([block for block in blocks if block.rows], file)


def _row(result: Inspection, node: NodeProfile, whole: int | None) -> tuple[str, ...]:
    macs = result.value(Quantity(node.macs))
    op = f"{node.op_type} ({node.layer})" if node.layer and node.layer != node.op_type else node.op_type
    if node.status != "known":
        return (node.name, f"{op}: {node.status}", "; ".join(map(dims, node.outputs)), *["?"] * 6)
    return (
        node.name,
        op,
        "; ".join(map(dims, node.outputs[:1])),
        _count(result, Quantity(node.params)),
        _number(result, Quantity(node.macs), "MAC"),
        percent(macs / whole) if macs and whole else "",
        _number(result, Quantity(node.backward_macs), "MAC"),
        _number(result, Quantity(node.vector_flops), "FLOP"),
        _number(result, Quantity(node.kept_bytes), "B"),
    )


def _count(result: Inspection, quantity: Quantity) -> str:
    value = result.value(quantity)
    return str(quantity.formula) if value is None else count(value) if value else ""


def _number(result: Inspection, quantity: Quantity, unit: str) -> str:
    value = result.value(quantity)
    if value is None:
        return str(quantity.formula)
    text = size(value) if unit == "B" else cost(value, unit)
    return f">= {text}" if quantity.lower_bound else text if value else ""
