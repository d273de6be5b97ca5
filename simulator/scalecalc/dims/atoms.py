"""What polynomials are made of, and what is recorded about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scalecalc.dims.poly import Dim, Poly, Term

FRESH, ROLE, FILE, DECLARED = 1, 2, 3, 4
"""Whose name survives when two symbols are equal: a role's (`batch`) over a made-up one, the file's over both.

A declared symbol is never replaced: an equality it would need becomes a condition.
"""

FAMILY = "weight"
"""Kind of a symbol that stands for a number of the file (reading 3)."""


@dataclass(slots=True)
class Symbol:
    """A named dimension.

    Attributes:
        name: unique in its system.
        kind: `batch`, `sequence`, `spatial`, `weight`, `data` or `free`.
        rank: FRESH, ROLE, FILE or DECLARED.
        hint: its number in the file; for a free dimension a private prime.
        bound: the largest size allowed, None for no limit.
        least: the smallest size allowed.
        aliases: the names of symbols found equal to it.
    """

    name: str
    kind: str
    rank: int
    hint: int
    bound: Dim | None = None
    least: int = 1
    aliases: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Floor:
    """The atom floor(num / den)."""

    num: Dim
    den: Dim
    symbols: frozenset[int]


@dataclass(frozen=True, slots=True)
class Condition:
    """`left <op> right` must hold for the formulas to: <op> is `<=`, `==` or `%`, a division without rest."""

    left: Dim
    op: str
    right: Dim

    def __str__(self) -> str:
        if self.op == "%":
            several = isinstance(self.left, Poly) and len(self.left.terms) > 1
            return f"{f'({self.left})' if several else self.left} % {_group(self.right)} == 0"
        if self.op == "<=" and isinstance(self.left, int):
            return f"{self.right} >= {self.left}"
        return f"{self.left} {self.op} {self.right}"


def factors_text(atoms: Sequence[Symbol | Floor], term: Term) -> list[str]:
    """The factors of a term as text, powers gathered."""
    texts = []
    for atom in dict.fromkeys(term):
        item = atoms[atom]
        text = item.name if isinstance(item, Symbol) else f"({_group(item.num)}//{_group(item.den)})"
        power = term.count(atom)
        texts.append(f"{text}**{power}" if power > 1 else text)
    return texts


def _group(dim: Dim) -> str:
    text = str(dim)
    return text if isinstance(dim, int) or text.isidentifier() else f"({text})"
