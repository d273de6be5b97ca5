"""What a polynomial is worth: its symbols, and its number at given sizes."""

from __future__ import annotations

from collections.abc import Mapping

from scalecalc.dims.atoms import DECLARED, FAMILY, Condition, Floor, Symbol
from scalecalc.dims.floors import floor
from scalecalc.dims.poly import Dim, Poly, total
from scalecalc.errors import ShapeError


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
    """Whether a number of the file is hidden in it (reading 3): none is in the symbols a file declares itself."""
    infos = (dim.system.info(atom) for atom in symbols_of(dim)) if isinstance(dim, Poly) else ()
    return any(symbol.kind == FAMILY and symbol.rank < DECLARED for symbol in infos)


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
    return value_at(dim, values)


def put_in(dim: Dim, sizes: Mapping[str, int]) -> Dim:
    """The dimension with numbers for some of its symbols, by name."""
    if isinstance(dim, int):
        return dim
    named = {atom: dim.system.info(atom).name for atom in symbols_of(dim)}
    return substitute(dim, {atom: sizes[name] for atom, name in named.items() if name in sizes})


def fulfilled(condition: Condition, sizes: Mapping[str, int]) -> bool:
    """Whether a condition holds at sizes, or needs one that is missing."""
    left, right = evaluate(condition.left, sizes), evaluate(condition.right, sizes)
    if left is None or right is None:
        return True
    return {"<=": left <= right, "==": left == right, "%": right > 0 and left % right == 0}[condition.op]


def hint_of(dim: Dim) -> int:
    """The number at the hints of all symbols."""
    return (
        value_at(dim, {atom: dim.system.info(atom).hint for atom in symbols_of(dim)}) if isinstance(dim, Poly) else dim
    )


def value_at(dim: Dim, values: dict[int, int]) -> int:
    """The number where every symbol has a size, by their numbers; those of floors are added on the way."""
    if isinstance(dim, int):
        return dim
    result = 0
    for term, c in dim.terms.items():
        for atom in term:
            if atom not in values:
                item = dim.system.atoms[atom]
                assert isinstance(item, Floor)
                den = value_at(item.den, values)
                if den <= 0:
                    raise ShapeError(f"division by {den} in {dim}")
                values[atom] = value_at(item.num, values) // den
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
