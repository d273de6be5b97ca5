"""Counts of different walks in one system of symbols, so that they can be added: a symbol is known by its name."""

from __future__ import annotations

from scalecalc.dims.atoms import Symbol
from scalecalc.dims.floors import floor
from scalecalc.dims.poly import Dim, prod, total
from scalecalc.dims.system import System


class Transfer:
    """Turns dimensions of any system into those of its own.

    >>> a, b, into = System(), System(), Transfer()
    >>> into(2 * a.symbol("n")) - into(b.symbol("n") + 1)
    n - 1
    """

    def __init__(self) -> None:
        self.system = System()
        self._atoms: dict[tuple[int, int], Dim] = {}
        self._dims: dict[Dim, Dim] = {}

    def __call__(self, dim: Dim) -> Dim:
        """The dimension with the symbols of this system for those of its own."""
        if isinstance(dim, int):
            return dim
        found = self._dims.get(dim)
        if found is None:
            terms = ((c, prod(self._atom(dim.system, atom) for atom in term)) for term, c in dim.terms.items())
            found = self._dims[dim] = total(terms)
        return found

    def _atom(self, system: System, number: int) -> Dim:
        key = id(system), number
        if key not in self._atoms:
            item = system.atoms[number]
            if isinstance(item, Symbol):
                self._atoms[key] = self.system.symbol(item.name, kind=item.kind, rank=item.rank)
            else:
                self._atoms[key] = floor(self(item.num), self(item.den))
        return self._atoms[key]
