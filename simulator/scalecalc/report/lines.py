"""The lines of an inspection's table: blocks as a tree, nodes, operators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO, NamedTuple

from scalecalc.dims import Dim
from scalecalc.estimate import Inspection
from scalecalc.estimate.block import OWN, Block, joined
from scalecalc.report.numbers import cost, count, dims, percent, size
from scalecalc.report.views import Order, View, amount, by_operator, nodes, order
from scalecalc.walk import Quantity

SCREEN, SIBLINGS = 40, 30
"""Lines a tree has at most, and lines of one block's children, where nobody says how deep it should go."""
FEW = 5
"""Where there are fewer, one more level is shown even if it does not fit a screen."""
MOST_LINES = 200
"""Lines at most, whatever was asked for."""
HOT = 40
"""Beyond MOST_LINES nodes so many are shown, those with the most MACs."""
BAR = 8
"""Characters of a full share."""
UNKNOWN = "?"
"""A figure nobody knows."""
LONGEST = 40
"""Characters of a formula in a cell; a longer one ends in dots."""
SHOWN = (("params", "params", ""), ("MACs", "macs", "MAC"), ("kept", "kept_bytes", "B"),
         ("backward MACs", "backward_macs", "MAC"), ("forward vector", "vector_flops", "FLOP"))  # fmt: skip
"""Columns of figures: title, figure, unit."""


class Drawing(NamedTuple):
    """Characters a tree and bars are drawn with."""

    fork: str
    last: str
    through: str
    bar: str
    dots: str

    @classmethod
    def of(cls, file: IO[str]) -> Drawing:
        """Lines and blocks where the stream's encoding has them, else ASCII."""
        try:
            "".join(UNICODE).encode(getattr(file, "encoding", None) or "utf-8")
        except (UnicodeEncodeError, LookupError):
            return ASCII
        return UNICODE

    def share(self, part: float) -> str:
        """A bar and a percentage: `███▌      44.1 %`; whatever is not nothing shows."""
        steps = len(self.bar)
        filled = max(1, round(part * BAR * steps)) if part else 0
        full, rest = divmod(filled, steps)
        bar = self.bar[-1] * full + (self.bar[rest - 1] if rest else "")
        return f"{bar:<{BAR}} {percent(part):>8}"

    def cut(self, text: str, longest: int) -> str:
        """A name that fits, its middle left out if it must be."""
        kept = max(longest - len(self.dots), 2)
        left = kept // 2
        return text if len(text) <= longest else text[:left] + self.dots + text[left - kept :]


UNICODE = Drawing("├ ", "└ ", "│ ", "▏▎▍▌▋▊▉█", "…")
ASCII = Drawing("|-", "`-", "| ", "#", "..")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table.

    Attributes:
        label, kind, output: its first cells.
        figures: of what it stands for, by name.
        known: whether every node of it has a rule.
        average: its kept bytes are an average of blocks that differ in them.
    """

    label: str
    kind: str
    output: str
    figures: Mapping[str, Dim]
    known: bool = True
    average: bool = False

    def cells(self, result: Inspection, whole: int | None, drawing: Drawing) -> dict[str, str]:
        """Its figures by column; nothing for a zero."""
        macs = result.value(Quantity(self.figures["macs"]))
        found = {title: text_of(result, Quantity(self.figures[name], not self.known and name != "params"), unit)
                 for title, name, unit in SHOWN}  # fmt: skip
        if self.average and found["kept"]:
            found["kept"] = f"~ {found['kept']}"
        return {**found, "share": drawing.share(macs / whole) if macs and whole else "" if self.known else UNKNOWN}


def text_of(result: Inspection, quantity: Quantity, unit: str) -> str:
    """A figure with its unit (a count without one), its formula while a size is missing; no zeros."""
    value = result.value(quantity)
    if value is None:
        text = str(quantity.formula)
        text = text if len(text) <= LONGEST else "a formula"
    elif not value:
        return UNKNOWN if quantity.lower_bound else ""
    else:
        text = count(value) if not unit else size(value) if unit == "B" else cost(value, unit)
    return f">= {text}" if quantity.lower_bound else text


def times_text(result: Inspection, repeats: Dim) -> str:
    """How many there are of something: `  x12`, of a symbol `  x12 (n_layer)`; nothing for one."""
    if isinstance(repeats, int):
        return f"  x{repeats}" if repeats > 1 else ""
    number = result.value(Quantity(repeats))
    return f"  x{repeats}" if number is None else f"  x{number} ({repeats})"


def by_op(result: Inspection, view: View) -> tuple[list[Line], str]:
    """A line per operator, with how many nodes there are of it."""
    found = by_operator(result, view)
    return [_line(block.name, block, 1, f"{block.nodes:,}") for block in found], ""


def by_node(result: Inspection, view: View) -> tuple[list[Line], str]:
    """A line per node; where there are too many, those with the most MACs, and a remark."""
    shown, rest = nodes(result, view), ""
    if len(shown) > MOST_LINES:
        hot = shown if view.sort else sorted(shown, key=lambda node: -amount(result, node.macs))
        first = f"first {HOT}" if view.sort else f"{HOT}"
        rest = f"the {first} of {len(shown):,} nodes" + ("" if view.sort else " with the most MACs")
        rest += "; --format csv or json has all"
        shown = hot[:HOT]
    lines = []
    for node in shown:
        op = f"{node.op_type} ({node.layer})" if node.layer and node.layer != node.op_type else node.op_type
        known = node.status == "known"
        output = "; ".join(map(dims, node.outputs[:1] if known else node.outputs))
        lines.append(Line(node.name, op if known else f"{op}: {node.status}", output, node.named, known))
    return lines, rest


def by_block(result: Inspection, root: Block, view: View, drawing: Drawing) -> tuple[list[Line], str]:
    """The tree, as deep as fits, and a remark where that is not what was asked for."""
    pen = _Pen(result, drawing, order(result, view.sort), SIBLINGS if view.depth is None else MOST_LINES // 2)
    levels = Counter(pen.levels(root, 1))
    deepest, depth, lines = max(levels, default=0), 1, levels[1]
    limit = SCREEN if view.depth is None else MOST_LINES
    while depth < min(deepest, view.depth or deepest):
        if lines + levels[depth + 1] > (limit if lines >= FEW else MOST_LINES):
            break
        depth += 1
        lines += levels[depth]
    cut = view.depth is not None and depth < min(deepest, view.depth)
    rest = f"{depth} levels of {deepest}: more would be over {MOST_LINES} lines; --by block --format csv has all"
    return list(pen.lines(root, depth)), rest if cut else ""


class _Pen(NamedTuple):
    """Draws a tree.

    Attributes:
        result: whose tree it is.
        drawing: the characters.
        key: to sort siblings by.
        siblings: how many a block shows.
    """

    result: Inspection
    drawing: Drawing
    key: Order | None
    siblings: int

    def children(self, block: Block) -> list[Block]:
        """Those worth a line: not shape arithmetic, nothing inside of what costs nothing; the smallest as one."""
        if block.free:
            return []
        found = [child for child in block.children if child.name != OWN or not child.free]
        rest: list[Block] = []
        if len(found) > self.siblings:
            costs = {id(child): amount(self.result, child.named["macs"]) for child in found}
            most = {id(child) for child in sorted(found, key=lambda child: -costs[id(child)])[: self.siblings - 1]}
            small = [child for child in found if id(child) not in most]
            found = [child for child in found if id(child) in most]
            rest = [joined(f"({len(small):,} more)", small)]
        return (sorted(found, key=self.key) if self.key else found) + rest

    def levels(self, block: Block, level: int) -> Iterator[int]:
        """The level of every line."""
        for child in self.children(block):
            yield from [level] * (1 + (child.repeats != 1))
            yield from self.levels(child, level + 1)

    def lines(self, block: Block, depth: int, level: int = 1, times: Dim = 1, prefix: str = "") -> Iterator[Line]:
        """The lines below a block, which stands `times` times in the model; figures are those of one of them."""
        children = self.children(block)
        for child in children:
            mark, inner = "", ""
            if level > 1:
                mark = prefix + (self.drawing.last if child is children[-1] else self.drawing.fork)
                inner = prefix + ("  " if child is children[-1] else self.drawing.through)
            several = child.repeats != 1
            yield _line(mark + child.name + times_text(self.result, child.repeats), child, times)
            if several:
                one = replace(child, siblings=1)
                yield _line(f"{inner}{self.drawing.last}each", one, times * child.repeats)
                inner += "  "
            if level < depth:
                yield from self.lines(child, depth, level + 1, times * child.repeats, inner)


def _line(label: str, block: Block, times: Dim, kind: str = "") -> Line:
    kind = kind or block.kind or f"{block.each_nodes * block.siblings} nodes"
    output = "" if block.name.startswith("(") else dims(block.output)  # OWN, and the rest of many
    return Line(label, kind, output, block.each(times), block.known, block.uneven and times != 1)
