"""The symbols of one walk, what has been found equal, and what had to be assumed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import count
from math import gcd

from scalecalc.dims.atoms import DECLARED, FAMILY, FRESH, Condition, Floor, Symbol, factors_text
from scalecalc.dims.bounds import is_nonnegative, is_positive, least
from scalecalc.dims.conditions import gathered
from scalecalc.dims.floors import floor
from scalecalc.dims.poly import Dim, Poly, Term, divide, divide_term
from scalecalc.dims.values import hint_of, is_family, lone, substitute, symbols_of
from scalecalc.errors import ShapeError

MOST_FLOORS = 100
"""Floors inside a floor, written out: chains of them double with every step, and each step is a call in another."""


def _primes(start: int) -> Iterator[int]:
    for n in count(start):
        if all(n % d for d in range(2, int(n**0.5) + 1)):
            yield n


class System:
    """Symbols, floors and equalities of one walk.

    `where` is the node being walked; everything recorded remembers it. Equalities found late take
    effect in the next pass, so the walk repeats while `found` grows.
    """

    def __init__(self) -> None:
        self.atoms: list[Symbol | Floor] = []
        self.where: Hashable = ""
        self.found = 0
        self.settled = False
        self.conditions: dict[Condition, Hashable] = {}
        self.assumptions: dict[tuple[Dim, Dim], Hashable] = {}
        self.pinned: dict[int, tuple[int, Hashable]] = {}
        self.pending: dict[tuple[Dim, Dim], Hashable] = {}
        self.created = 0
        self.least_values: dict[Poly, int | None] = {}
        self.tried = 0  # sizes, for least values
        self._bindings: dict[int, Dim] = {}
        self._names: dict[str, int] = {}
        self._floors: dict[tuple[Dim, Dim], int] = {}
        self._nested: dict[int, int] = {}
        self._fresh: dict[Hashable, int] = {}
        self._primes = _primes(10007)

    # -- building ---------------------------------------------------------------------------------------------------

    def symbol(self, name: str, *, kind: str = "free", rank: int = FRESH, hint: int | None = None) -> Dim:
        """The symbol of that name, made on first use; what it is bound to, once it is bound."""
        atom = self._names.get(name)
        if atom is None:
            atom = self._names[name] = len(self.atoms)
            self.atoms.append(Symbol(name, kind, rank, hint if hint is not None else next(self._primes)))
        return self.resolve(Poly(self, {(atom,): 1}))

    def fresh(self, stem: str, *, kind: str = FAMILY, hint: int | None = None, key: Hashable = 0) -> Dim:
        """A symbol of its own for the node being walked: the same one in every pass."""
        self.created += 1
        place = (self.where, stem, key)
        if place not in self._fresh:
            name = next(n for i in count(len(self._fresh)) if (n := f"{stem}_{i}") not in self._names)
            self._fresh[place] = len(self.atoms)
            self.symbol(name, kind=kind, hint=hint)
        return self.resolve(Poly(self, {(self._fresh[place],): 1}))

    def poly(self, terms: dict[Term, int]) -> Dim:
        """The dimension with those terms: zero coefficients dropped, a constant as an int."""
        if 0 in terms.values():
            terms = {term: c for term, c in terms.items() if c}
        if not terms:
            return 0
        if len(terms) == 1 and () in terms:
            return terms[()]
        return Poly(self, terms)

    def floor(self, num: Dim, den: Dim) -> Dim:
        """floor(num / den), simplified."""
        return floor(num, den)

    def least(self, dim: Dim) -> int | None:
        """A number the dimension is never below, None where none is sure."""
        return least(dim)

    def factors_text(self, term: Term) -> list[str]:
        """The factors of a term as text, powers gathered."""
        return factors_text(self.atoms, term)

    def floor_atom(self, num: Dim, den: Dim) -> Poly:
        """The atom of a floor that cannot be simplified.

        Raises:
            ShapeError: too many floors in it.
        """
        atom = self._floors.get((num, den))
        if atom is None:
            terms = (term for dim in (num, den) if isinstance(dim, Poly) for term in dim.terms)
            nested = 1 + sum(self._nested.get(inner, 0) for term in terms for inner in term)
            if nested > MOST_FLOORS:
                raise ShapeError(f"a formula of more than {MOST_FLOORS} floors in each other")
            atom = self._floors[num, den] = len(self.atoms)
            self._nested[atom] = nested
            self.atoms.append(Floor(num, den, frozenset(symbols_of(num) | symbols_of(den))))
        return Poly(self, {(atom,): 1})

    def known(self, name: str) -> tuple[int, ...]:
        """The number of the symbol of that name, if there is one."""
        return (self._names[name],) if name in self._names else ()

    def info(self, atom: int) -> Symbol:
        """The symbol with that number."""
        symbol = self.atoms[atom]
        assert isinstance(symbol, Symbol)
        return symbol

    # -- equalities -------------------------------------------------------------------------------------------------

    def resolve(self, dim: Dim) -> Dim:
        """The dimension with everything found so far put in."""
        while self._bindings and isinstance(dim, Poly):
            bound = {atom for atom in symbols_of(dim) if atom in self._bindings}
            if not bound:
                break
            dim = substitute(dim, {atom: self._meaning(atom) for atom in bound})
        return dim

    def _meaning(self, atom: int) -> Dim:
        """What a bound symbol stands for; chains of symbols are followed, and shortened for the next time."""
        path = [atom]
        while isinstance(dim := self._bindings[path[-1]], Poly) and lone(dim) is not None:
            (following,) = dim.atoms
            if following not in self._bindings:
                break
            path.append(following)
        self._bindings.update(dict.fromkeys(path, dim))
        return dim

    def bind(self, atom: int, dim: Dim) -> None:
        """Replace a symbol from now on."""
        symbol = self.info(atom)
        self._bindings[atom] = dim
        self.found += 1
        if isinstance(dim, int):
            self.pinned[atom] = dim, self.where
        elif (other := lone(dim)) is not None:
            if len(other.aliases) < len(symbol.aliases):  # the shorter list moves: chains stay linear
                other.aliases, symbol.aliases = symbol.aliases, other.aliases
            other.aliases += [symbol.name, *symbol.aliases]
            other.least = max(other.least, symbol.least)
            self.least_values.clear()
            symbol.aliases = []
        if symbol.bound is not None:
            self.limit(dim, symbol.bound)

    def limit(self, dim: Dim, most: Dim) -> None:
        """State that a dimension is at most `most`.

        Raises:
            ShapeError: it certainly is larger.
        """
        dim, most = self.resolve(dim), self.resolve(most)
        if is_nonnegative(most - dim) or dim == most:
            return
        if is_positive(dim - most):
            raise ShapeError(f"{dim} is more than {most}")
        offset = dim.terms.get((), 0) if isinstance(dim, Poly) else 0
        symbol, limit = lone(dim - offset), most - offset
        if symbol is not None and (
            symbol.bound is None or (isinstance(limit, int) and isinstance(symbol.bound, int) and limit < symbol.bound)
        ):
            symbol.bound = limit
        self.require(dim, "<=", most)

    def equate(self, a: Dim, b: Dim) -> Dim:
        """Make two dimensions equal, or say that they cannot be.

        Raises:
            ShapeError: their difference can never be 0.
        """
        a, b = self.resolve(a), self.resolve(b)
        rest = a - b
        if isinstance(rest, int):
            if rest:
                raise ShapeError(f"{a} must equal {b}")
            return a
        rest = self._primitive(rest)
        kinds = {self.info(atom).kind for atom in symbols_of(rest)}
        if kinds == {FAMILY} and hint_of(rest):
            raise ShapeError(f"{_with_number(a)} must equal {_with_number(b)}")
        whole = gcd(*(c for term, c in rest.terms.items() if term))
        if is_positive(rest) or is_positive(-rest) or rest.constant % whole:
            raise ShapeError(f"{a} must equal {b}")
        if self.settled:
            raise ShapeError(f"{a} must equal {b}")
        if not self._solve(rest):
            self._postpone(a, b)
        return self.resolve(a)

    def _primitive(self, rest: Poly) -> Poly:
        """`rest` without the factors that cannot be 0: numbers and symbols common to all its terms."""
        terms = list(rest.terms)
        for atom in terms[0]:
            if all(atom in term for term in terms):
                terms = [divide_term(term, (atom,)) or () for term in terms]
        shared = gcd(*rest.terms.values())
        return Poly(self, {t: c // shared for t, c in zip(terms, rest.terms.values(), strict=True)})

    def _solve(self, rest: Poly) -> bool:
        """Solve `rest = 0` for the symbol whose name matters least."""
        candidates = []
        for term, c in rest.terms.items():
            if len(term) != 1 or not isinstance(symbol := self.atoms[term[0]], Symbol) or symbol.rank == DECLARED:
                continue
            others = self.poly({t: k for t, k in rest.terms.items() if t != term})
            whole = divide(others, -c)
            if term[0] in symbols_of(others) or whole is None or (isinstance(whole, int) and whole < 1):
                continue
            candidates.append((symbol.rank, -term[0], whole))
        if not candidates:
            return False
        _, number, dim = min(candidates, key=lambda item: item[:2])
        self.bind(-number, dim)
        return True

    def _postpone(self, a: Dim, b: Dim) -> None:
        if is_family(a) and isinstance(b, int):  # a product met by the file's number: all its factors stay
            for atom in sorted(symbols_of(a)):
                if self.info(atom).kind == FAMILY:
                    self.bind(atom, self.info(atom).hint)
        elif isinstance(a, int) and is_family(b):
            self._postpone(b, a)
        elif is_family(a) or is_family(b):
            self.pending.setdefault((a, b), self.where)
        else:
            rest = a - b
            assert isinstance(rest, Poly)  # a number would have been decided
            rest = self._primitive(rest)
            left = self.poly({term: c for term, c in rest.terms.items() if c > 0})
            self.require(left, "==", left - rest)

    def retry(self) -> None:
        """Try the postponed equalities again with what has been found since."""
        waiting, self.pending = self.pending, {}
        for (a, b), where in waiting.items():
            self.where = where
            self.equate(a, b)

    def require(self, left: Dim, op: str, right: Dim) -> None:
        """Record a condition; a symbol that must be some size is that from now on."""
        condition = Condition(left, op, right)
        self.conditions.setdefault(condition, self.where)
        size = gathered(condition)
        symbol = lone(size.right) if size.op == "<=" else None
        if symbol is not None and isinstance(size.left, int) and size.left > symbol.least:
            symbol.least = size.left
            self.least_values.clear()

    def assume(self, a: Dim, b: Dim) -> None:
        """Record that two unknowns are taken for equal."""
        self.assumptions.setdefault((a, b), self.where)


def _with_number(dim: Dim) -> str:
    """A dimension of the file's numbers as one: with the names the file has for them, if it has."""
    if isinstance(dim, Poly) and all(dim.system.info(atom).rank == DECLARED for atom in symbols_of(dim)):
        return f"{dim} ({hint_of(dim)})"
    return str(hint_of(dim))
