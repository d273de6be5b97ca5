"""Integer polynomials over symbols and floors: the dimensions of the walk.

A term is a sorted tuple of atom numbers (`(0, 0, 3)` is x*x*z) with an integer coefficient. Atoms are
symbols and floors, numbered by the `System` that owns them, so that equal polynomials are equal dictionaries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from scalecalc.errors import ShapeError

if TYPE_CHECKING:
    from scalecalc.dims.system import System

Term: TypeAlias = tuple[int, ...]
MOST_TERMS, MOST_FACTORS, MOST_BITS = 20_000, 128, 512
"""No architecture needs a product of so many terms, sizes or bits; a file made to harm may ask for it."""


class Poly:
    """An immutable, non-constant integer polynomial. Constants are plain ints: use `System.poly` to build.

    Supports `+ - *` with ints and polynomials, `//` and `%` (floors), unary minus; equality is structural.
    """

    __slots__ = ("_hash", "system", "terms")

    def __init__(self, system: System, terms: dict[Term, int]) -> None:
        self.system = system
        self.terms = terms
        self._hash = 0

    def __hash__(self) -> int:
        if not self._hash:
            self._hash = hash(frozenset(self.terms.items())) or 1
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Poly) and self.system is other.system and self.terms == other.terms)

    def __add__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return self._moved(other)
        if not isinstance(other, Poly):
            return NotImplemented
        return total(((1, self), (1, other)))

    def _moved(self, by: int) -> Poly:
        """With a number added: never a constant."""
        terms = {**self.terms, (): self.terms.get((), 0) + by}
        if not terms[()]:
            del terms[()]
        return Poly(self.system, terms)

    def __sub__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return self._moved(-other)
        if not isinstance(other, Poly):
            return NotImplemented
        return total(((1, self), (-1, other)))

    def __rsub__(self, other: Dim) -> Dim:
        return (-self)._moved(other) if isinstance(other, int) else NotImplemented

    def __neg__(self) -> Poly:
        return Poly(self.system, {term: -c for term, c in self.terms.items()})

    def __mul__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            if other == 1:
                return self
            return Poly(self.system, {term: c * other for term, c in self.terms.items()}) if other else 0
        if not isinstance(other, Poly):
            return NotImplemented
        if len(self.terms) * len(other.terms) > MOST_TERMS:
            raise ShapeError(f"a formula of more than {MOST_TERMS:,} terms")
        if max(map(len, self.terms)) + max(map(len, other.terms)) > MOST_FACTORS:
            raise ShapeError(f"a product of more than {MOST_FACTORS} sizes")
        terms: dict[Term, int] = {}
        for left, a in self.terms.items():
            for right, b in other.terms.items():
                term = merge(left, right)
                terms[term] = terms.get(term, 0) + a * b
        return self.system.poly(terms)

    def __floordiv__(self, other: Dim) -> Dim:
        return self.system.floor(self, other)

    def __rfloordiv__(self, other: int) -> Dim:
        return self.system.floor(other, self)

    def __mod__(self, other: Dim) -> Dim:
        return self - other * (self // other)

    def __rmod__(self, other: int) -> Dim:
        return other - self * (other // self)

    __radd__ = __add__
    __rmul__ = __mul__

    @property
    def constant(self) -> int:
        """The constant term."""
        return self.terms.get((), 0)

    @property
    def atoms(self) -> set[int]:
        """Numbers of the atoms that occur, without those inside floors."""
        return {atom for term in self.terms for atom in term}

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        parts = []
        for term, c in sorted(self.terms.items(), key=lambda item: (-len(item[0]), item[0])):
            factors = self.system.factors_text(term)
            size = abs(c)
            text = "*".join(([str(size)] if size != 1 or not factors else []) + factors)
            parts.append((" - " if c < 0 else " + ") + text)
        text = "".join(parts)
        return text[3:] if text.startswith(" + ") else "-" + text[3:]


Dim: TypeAlias = int | Poly
"""A dimension, or any count made of dimensions."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A division without a whole result, on its way into floor or ceil."""

    num: Dim
    den: Dim

    def __str__(self) -> str:
        parts = (self.num, self.den)
        return "/".join(f"({part})" if isinstance(part, Poly) and len(part.terms) > 1 else str(part) for part in parts)


def ratio(a: Dim, b: Dim) -> Dim | Ratio:
    """a / b, as a count where it is one."""
    if isinstance(b, int) and b == 0:
        raise ShapeError(f"division of {a} by 0")
    exact = divide(a, b)
    return exact if exact is not None else Ratio(a, b)


def merge(left: Term, right: Term) -> Term:
    """The product of two terms."""
    return tuple(sorted(left + right)) if left and right else left or right


def _grade(term: Term) -> tuple[int, Term]:
    return len(term), term


def divide_term(term: Term, by: Term) -> Term | None:
    """`term / by`, None where `by` does not divide it."""
    rest = list(term)
    for atom in by:
        if atom not in rest:
            return None
        rest.remove(atom)
    return tuple(rest)


def divide(a: Dim, b: Dim) -> Dim | None:
    """The exact quotient of two counts, None where the division leaves a rest.

    Multivariate long division in the graded lexicographic order of terms, without fractions.
    """
    if isinstance(b, int):
        if isinstance(a, int):
            return a // b if b and a % b == 0 else None
        if not b or any(c % b for c in a.terms.values()):
            return None
        return Poly(a.system, {term: c // b for term, c in a.terms.items()}) if b != 1 else a
    if isinstance(a, int):
        return 0 if a == 0 else None
    lead = max(b.terms, key=_grade)
    rest: dict[Term, int] = dict(a.terms)
    quotient: dict[Term, int] = {}
    while rest:
        head = max(rest, key=_grade)
        term = divide_term(head, lead)
        if term is None or rest[head] % b.terms[lead]:
            return None
        factor = quotient[term] = rest[head] // b.terms[lead]
        for other, c in b.terms.items():
            product = merge(other, term)
            left = rest.get(product, 0) - factor * c
            if left:
                rest[product] = left
            else:
                rest.pop(product, None)
    return a.system.poly(quotient)


def prod(dims: Iterable[Dim]) -> Dim:
    """The product of dimensions; 1 for none."""
    number = 1
    symbolic: Dim | None = None
    for dim in dims:
        if isinstance(dim, int):
            number *= dim
            if number.bit_length() > MOST_BITS:
                raise ShapeError(f"a number of more than {MOST_BITS} bits")
        else:
            symbolic = dim if symbolic is None else dim * symbolic
    return number if symbolic is None else symbolic * number


def total(weighted: Iterable[tuple[int, Dim]]) -> Dim:
    """The sum of count times formula, linear in the number of terms."""
    if isinstance(weighted, list) and len(weighted) < 2:  # most sums over one node
        return weighted[0][0] * weighted[0][1] if weighted else 0
    constant, system = 0, None
    terms: dict[Term, int] = {}
    for count, dim in weighted:
        if isinstance(dim, int):
            constant += count * dim
        elif system is None:
            system = dim.system
            terms = {term: count * c for term, c in dim.terms.items()}
        else:
            for term, c in dim.terms.items():
                terms[term] = terms.get(term, 0) + count * c
    if system is None:
        return constant
    if constant:
        terms[()] = terms.get((), 0) + constant
    return system.poly(terms)
