"""Polynomials as expressions for readers: common factors in front, sums grouped by what their terms share.

The numbers stay those of the terms, `batch*seq*(18432*seq + 123532032)`: they are counts people know, such as the
weights of all matrices; only a number all terms have is taken out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from math import gcd

from scalecalc.dims import Dim, Poly
from scalecalc.dims.atoms import Floor
from scalecalc.dims.poly import Term, divide_term
from scalecalc.expressions.tree import Binary, Expr, Name, Negate, Number

MOST_GROUPED = 500
"""Terms of a sum that is searched for groups: nobody reads longer ones, and the search is quadratic."""

Terms = dict[Term, int]
Part = tuple[bool, Expr]  # a summand without its sign, and whether it is taken away


def tree(dim: Dim, names: Mapping[int, str] | None = None, *, nested: bool = True) -> Expr:
    """A dimension or count as an expression of the same value at all sizes.

    Args:
        dim: an int or a polynomial.
        names: what stands for a floor instead of its quotient, by the floor's number in the polynomial's system.
        nested: take out common factors and group; else the plain sum of the terms.
    """
    if isinstance(dim, int):
        return Number(dim) if dim >= 0 else Negate(Number(-dim))
    return _Writer(dim, names or {}, nested).sum(dim.terms)


class _Writer:
    """The parts of one polynomial as expressions."""

    def __init__(self, dim: Poly, names: Mapping[int, str], nested: bool) -> None:
        self.atoms, self.names = dim.system.atoms, names
        self.inside = nested
        self.nested = nested and len(dim.terms) <= MOST_GROUPED

    def sum(self, terms: Terms) -> Expr:
        (negative, result), *others = self.parts(terms)
        result = _negated(result) if negative else result
        for negative, part in others:
            result = Binary("-" if negative else "+", result, part)
        return result

    def parts(self, terms: Terms) -> list[Part]:
        """The summands: a product for every term, or for every group of terms that share a factor."""
        parts: list[Part] = []
        while self.nested and len(terms) > 1:
            common, number = _shared(terms)
            if common or abs(number) > 1:
                inner = {divide_term(term, common) or (): c // number for term, c in terms.items()}
                return [*parts, self.product(common, number, self.sum(inner))]
            atom, group = _group(terms)
            if not group:
                break
            terms = {term: c for term, c in terms.items() if term not in group}
            inner = {divide_term(term, (atom,)) or (): c for term, c in group.items()}
            if times := _times(inner, terms):  # atom*inner + times*inner
                rest = terms.get((), 0) - times * inner.get((), 0)
                terms = {term: c for term, c in terms.items() if term not in inner} | ({(): rest} if rest else {})
                parts.append(self.sum_times_sum({(atom,): 1, (): times}, inner))
            else:
                parts += self.parts(group)
        return parts + [self.product(term, c) for term, c in _ordered(terms)]

    def sum_times_sum(self, left: Terms, right: Terms) -> Part:
        """A product of two sums."""
        common, _ = _shared(right)
        number = gcd(*right.values())
        if right[max(right)] < 0:
            number = -number
        right = {divide_term(term, common) or (): c // number for term, c in right.items()}
        return self.product(common, number, self.sum(left), self.sum(right))

    def product(self, term: Term, number: int, *inner: Expr) -> Part:
        """number * term * all inner."""
        factors: list[Expr] = [*(self.power(atom, term.count(atom)) for atom in dict.fromkeys(term)), *inner]
        if abs(number) != 1 or not factors:
            factors.insert(0, Number(abs(number)))
        result = factors[0]
        for factor in factors[1:]:
            result = Binary("*", result, factor)
        return number < 0, result

    def power(self, atom: int, exponent: int) -> Expr:
        item = self.atoms[atom]
        base: Expr
        if not isinstance(item, Floor):
            base = Name(item.name)
        elif atom in self.names:
            base = Name(self.names[atom])
        else:
            base = quotient(item, self.names, nested=self.inside)
        return base if exponent == 1 else Binary("**", base, Number(exponent))


def quotient(floor: Floor, names: Mapping[int, str] | None = None, *, nested: bool = True) -> Expr:
    """A floor as `num//den`."""
    return Binary("//", tree(floor.num, names, nested=nested), tree(floor.den, names, nested=nested))


def _negated(product: Expr) -> Expr:
    """The sign on the first factor, where it needs no brackets."""
    if isinstance(product, Binary) and product.operator == "*":
        return Binary("*", _negated(product.left), product.right)
    return Negate(product)


def _shared(terms: Terms) -> tuple[Term, int]:
    """The atoms all terms have, and the number all terms have (1 where they differ), negative if all are."""
    first, *others = terms
    common = Counter(first)
    for term in others:
        common &= Counter(term)
    sizes = {abs(c) for c in terms.values()}
    number = sizes.pop() if len(sizes) == 1 else 1
    return tuple(sorted(common.elements())), -number if all(c < 0 for c in terms.values()) else number


def _group(terms: Terms) -> tuple[int, Terms]:
    """The atom most terms share, and these terms; a polynomial of one atom alone is not taken apart."""
    best: tuple[int, Terms] = (0, {})
    for atom in sorted({atom for term in terms for atom in term}):
        group = {term: c for term, c in terms.items() if atom in term}
        if len(group) > max(len(best[1]), 1) and any(set(term) - {atom} for term in group):
            best = atom, group
    return best


def _times(part: Terms, terms: Terms) -> int:
    """How often `part` is in `terms`: 0 where it is not as a whole, but for a number that may be left over."""
    if max(part) not in terms:
        return 0
    times, rest = divmod(terms[max(part)], part[max(part)])
    if rest or any(terms.get(term) != times * c for term, c in part.items() if term):
        return 0
    taken, there = times * part.get((), 0), terms.get((), 0)
    return times if min(0, there) <= taken <= max(0, there) else 0


def _ordered(terms: Terms) -> list[tuple[Term, int]]:
    """High powers first, as polynomials write themselves."""
    return sorted(terms.items(), key=lambda item: (-len(item[0]), item[0]))


def floor_names(dims: Sequence[Dim], taken: Collection[str], *, nested: bool = True) -> dict[int, str]:
    """Names for the floors that shorten the formulas of one walk when they have one, inner floors first.

    Args:
        dims: all formulas that are written together.
        taken: names that mean something else.
        nested: how they are written (see `tree`).

    Returns:
        names by the floor's number: the first letter of its first symbol, and a count (`h1`, `h2`, `w1`).
    """
    polys = [dim for dim in dims if isinstance(dim, Poly)]
    if not polys:
        return {}
    system = polys[0].system
    used, names = set(taken), dict[int, str]()
    for atom, uses in sorted(_uses(polys, nested).items()):
        floor = system.atoms[atom]
        assert isinstance(floor, Floor)
        length = len(str(quotient(floor, names, nested=nested))) + 2
        name = _free(system.info(min(floor.symbols)).name, used)
        if uses * length > length + (uses + 1) * len(name):
            names[atom] = name
            used.add(name)
    return names


def _uses(polys: Sequence[Poly], nested: bool) -> Counter[int]:
    """How often each floor would be written, were all floors named."""
    marks = {atom: f"#{atom}" for atom, item in enumerate(polys[0].system.atoms) if isinstance(item, Floor)}
    uses: Counter[int] = Counter()
    waiting: list[Dim] = list(polys)
    while waiting:
        for node in tree(waiting.pop(), marks, nested=nested).walk():
            if isinstance(node, Name) and node.name.startswith("#"):
                atom = int(node.name[1:])
                uses[atom] += 1
                item = polys[0].system.atoms[atom]
                if uses[atom] == 1 and isinstance(item, Floor):
                    waiting += [item.num, item.den]
    return uses


def _free(symbol: str, used: Collection[str]) -> str:
    letter = next((c for c in symbol.lower() if c.isascii() and c.isalpha()), "x")
    return next(name for i in count(1) if (name := f"{letter}{i}") not in used)
