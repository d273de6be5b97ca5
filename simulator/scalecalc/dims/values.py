"""What a polynomial is worth: its symbols, its number at given sizes, its least value, its text."""

from __future__ import annotations

from collections.abc import Mapping

from scalecalc.dims.atoms import FAMILY, Floor, Symbol
from scalecalc.dims.floors import floor
from scalecalc.dims.poly import Dim, Poly, total
from scalecalc.errors import ShapeError

MOST_EXPANDED = 4096
"""Terms a dimension may have when its symbols are moved to start at 0; beyond, its least value is not looked for."""


def symbols_of(dim: Dim) -> set[int]:
    """Numbers of all symbols in a dimension, inside floors too."""
    found: set[int] = set()
    if isinstance(dim, Poly):
        for atom in dim.atoms:
            item = dim.system.atoms[atom]
            found |= item.symbols if isinstance(item, Floor) else {atom}
    return found


def lone(dim: Dim) -> Symbol | None:
    """The symbol a dimension consists of, None for anything else."""
    if isinstance(dim, Poly) and len(dim.terms) == 1:
        ((term, c),) = dim.terms.items()
        if c == 1 and len(term) == 1 and isinstance(atom := dim.system.atoms[term[0]], Symbol):
            return atom
    return None


def is_family(dim: Dim) -> bool:
    """Whether a number of the file is hidden in it (reading 3)."""
    return isinstance(dim, Poly) and any(dim.system.info(atom).kind == FAMILY for atom in symbols_of(dim))


def evaluate(dim: Dim, sizes: Mapping[str, int]) -> int | None:
    """The integer at `sizes` (symbol name to size); None while a symbol it needs is unset."""
    if isinstance(dim, int):
        return dim
    values: dict[int, int] = {}
    for atom in symbols_of(dim):
        size = sizes.get(dim.system.info(atom).name)
        if size is None:
            return None
        values[atom] = size
    return _value(dim, values)


def hint_of(dim: Dim) -> int:
    """The number at the hints of all symbols."""
    return _value(dim, {atom: dim.system.info(atom).hint for atom in symbols_of(dim)}) if isinstance(dim, Poly) else dim


def _value(dim: Dim, values: dict[int, int]) -> int:
    if isinstance(dim, int):
        return dim
    result = 0
    for term, c in dim.terms.items():
        for atom in term:
            if atom not in values:
                item = dim.system.atoms[atom]
                assert isinstance(item, Floor)
                den = _value(item.den, values)
                if den <= 0:
                    raise ShapeError(f"division by {den} in {dim}")
                values[atom] = _value(item.num, values) // den
            c *= values[atom]
        result += c
    return result


def substitute(dim: Dim, values: Mapping[int, Dim]) -> Dim:
    """The dimension with symbols replaced."""
    return _substituted(dim, values, {})


def _substituted(dim: Dim, values: Mapping[int, Dim], done: dict[int, Dim]) -> Dim:
    if isinstance(dim, int) or not symbols_of(dim) & values.keys():
        return dim
    system = dim.system
    for atom in dim.atoms - done.keys():
        item = system.atoms[atom]
        if isinstance(item, Floor):
            done[atom] = floor(_substituted(item.num, values, done), _substituted(item.den, values, done))
        else:
            done[atom] = values.get(atom, Poly(system, {(atom,): 1}))
    parts: list[tuple[int, Dim]] = []
    for term, c in dim.terms.items():
        product: Dim = 1
        for atom in term:
            product = done[atom] * product
        parts.append((c, product))
    return total(parts)


def least(dim: Dim) -> int | None:
    """A number the dimension is never below (symbols are at least 1), None where none is certain."""
    if isinstance(dim, int):
        return dim
    if min(dim.terms.values()) > 0 and dim.atoms == symbols_of(dim):
        return sum(dim.terms.values())  # every symbol at 1
    if sum(2 ** min(len(term), 64) for term in dim.terms) > MOST_EXPANDED:
        return None
    moved = substitute(dim, {atom: Poly(dim.system, {(atom,): 1}) + 1 for atom in symbols_of(dim)})
    if isinstance(moved, int):
        return moved
    return _bottom(moved)


def _bottom(dim: Dim) -> int | None:
    """A number the dimension is never below where symbols start at 0."""
    if isinstance(dim, int):
        return dim
    grows = all(c > 0 or not term for term, c in dim.terms.items())
    return dim.constant if grows and all(_is_natural(dim.system.atoms[atom]) for atom in dim.atoms) else None


def _is_natural(item: Symbol | Floor) -> bool:
    if isinstance(item, Symbol):
        return True
    num, den = _bottom(item.num), _bottom(item.den)
    return num is not None and num >= 0 and den is not None and den > 0


def is_positive(dim: Dim) -> bool:
    """Whether the dimension is certainly above 0."""
    bottom = least(dim)
    return bottom is not None and bottom > 0


def is_nonnegative(dim: Dim) -> bool:
    """Whether the dimension is certainly not below 0."""
    bottom = least(dim)
    return bottom is not None and bottom >= 0
