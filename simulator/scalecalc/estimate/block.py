"""A part of a model with what it costs: a module, several equal ones, or an operator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from scalecalc.dims import Dim, divide, total
from scalecalc.walk.profile import FIGURES

Shape = tuple[Dim, ...] | None
Figures = tuple[Dim, ...]
"""One of each FIGURES."""

OWN = "(own)"
"""Name of what a module with modules in it computes itself."""


@dataclass(slots=True, eq=False)
class Block:
    """A module, or the like: an operator, what a module computes itself, several equal modules.

    Attributes:
        name: below its parent, such as `conv1`, `h.0-11` or OWN.
        kind: its class, else its operators; "" for a module of modules whose class the file does not tell.
        output: the shape of what it hands on, None where nobody knows and for OWN.
        nodes: how many it holds.
        figures: its FIGURES, over all its repeats and those of the blocks around it.
        known: whether all its nodes have a rule.
        repeats: how many equal siblings it stands for, or how often the file says it is repeated.
        each_nodes: how many nodes one of the siblings holds.
        siblings: how many of them the file writes out.
        children: the modules in it in the graph's order, then what it computes itself.
        signature: a number that equal blocks share, whatever they are called.
        uneven: its repeats keep different tensors: one they share is kept once, by the first.
    """

    name: str
    kind: str
    output: Shape
    nodes: int
    figures: Figures
    known: bool
    repeats: Dim = 1
    children: list[Block] = field(default_factory=list)
    signature: int = 0
    uneven: bool = False
    each_nodes: int = 0
    siblings: int = 1

    @property
    def free(self) -> bool:
        """Whether it costs nothing but bytes moved, as shape arithmetic does."""
        return self.known and not any(figure for name, figure in self.named.items() if name != "bytes")

    def each(self, times: Dim) -> dict[str, Dim]:
        """Figures of one of `times` equal ones by name, without bytes; kept bytes, if they differ, on average."""
        figures = {name: figure for name, figure in self.named.items() if name != "bytes"}
        shares = {name: (figure, divide(figure, times)) for name, figure in figures.items()}
        return {name: figure // times if share is None else share for name, (figure, share) in shares.items()}

    @property
    def named(self) -> dict[str, Dim]:
        """Its figures by name."""
        return dict(zip(FIGURES, self.figures, strict=True))

    def walk(
        self, key: Callable[[Block], Any] | None = None, level: int = 1, times: Dim = 1, path: str = ""
    ) -> Iterator[Place]:
        """The blocks inside, each before its own; siblings sorted by a key, if one is given."""
        for child in sorted(self.children, key=key) if key else self.children:
            place = Place(child, level, times * child.repeats, f"{path}.{child.name}" if path else child.name)
            yield place
            yield from child.walk(key, level + 1, place.times, place.path)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands.

    Attributes:
        block: the block.
        level: 1 below the model.
        times: how often the model holds it.
        path: names from the model down, joined by dots.
    """

    block: Block
    level: int
    times: Dim
    path: str


def summed(rows: Sequence[Figures]) -> Figures:
    """The sum of each figure."""
    if len(rows) < 2:
        return rows[0] if rows else (0,) * len(FIGURES)
    return tuple([total(zip(repeat(1), column, strict=False)) for column in zip(*rows, strict=True)])


def joined(name: str, blocks: Sequence[Block]) -> Block:
    """Blocks as one without children."""
    nodes, known = sum(block.nodes for block in blocks), all(block.known for block in blocks)
    return Block(name, "", None, nodes, summed([block.figures for block in blocks]), known, each_nodes=nodes)
