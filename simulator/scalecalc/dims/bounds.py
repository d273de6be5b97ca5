"""The least value of a dimension: what is certain about it at all sizes its symbols may have."""

from __future__ import annotations

from math import gcd, lcm
from math import prod as number_product

from scalecalc.dims.atoms import Floor, Symbol
from scalecalc.dims.poly import Dim, Poly, Term
from scalecalc.dims.values import substitute, symbols_of, value_at
from scalecalc.errors import ShapeError

MOST_EXPANDED = 4096
"""Terms a dimension may have when its symbols are moved to start at 0; beyond, its least value is not looked for."""

MOST_SIZES, MOST_TRIED = 4096, 1_000_000
"""Sizes tried one by one for a part of a dimension, and in a walk: a file may have many that repeat late."""


def least(dim: Dim) -> int | None:
    """A number the dimension is never below where symbols are at least what they must be, None where none is sure."""
    if isinstance(dim, int):
        return dim
    known = dim.system.least_values
    if dim not in known:
        try:
            known[dim] = _least(dim)
        except ShapeError:  # a product inside a floor that is too long to be written out
            known[dim] = None
    return known[dim]


def _least(dim: Poly) -> int | None:
    info = dim.system.info
    if min(dim.terms.values()) > 0 and dim.atoms == symbols_of(dim):
        return sum(c * number_product(info(atom).least for atom in term) for term, c in dim.terms.items())
    if (exact := _periodic(dim)) is not None:
        return exact
    if sum(2 ** min(len(term), 64) for term in dim.terms) > MOST_EXPANDED:
        return None
    moved = substitute(dim, {atom: Poly(dim.system, {(atom,): 1}) + info(atom).least for atom in symbols_of(dim)})
    if isinstance(moved, int):
        return moved
    return _bottom(moved)


def _periodic(dim: Poly) -> int | None:
    """The exact least value of a sum of parts of one symbol each, products in none: each repeats, but for a slope."""
    parts: dict[int, dict[Term, int]] = {}
    bottom = 0
    for term, c in dim.terms.items():
        symbols = symbols_of(Poly(dim.system, {term: 1})) if term else set()
        if len(term) > 1 or len(symbols) > 1:
            return None
        if not term:
            bottom = c
        else:
            parts.setdefault(symbols.pop(), {})[term] = c
    for symbol, terms in parts.items():
        part, first = Poly(dim.system, terms), dim.system.info(symbol).least
        period, rise = _period(part)
        dim.system.tried += period
        if not period or rise < 0 or dim.system.tried > MOST_TRIED:
            return None
        bottom += min(value_at(part, {symbol: size}) for size in range(first, first + period))
    return bottom


def _period(dim: Dim) -> tuple[int, int]:
    """After how many sizes a dimension of one symbol repeats, and how much higher; (0, 0) for never, or too late."""
    if isinstance(dim, int):
        return 1, 0
    parts = []
    for term, c in dim.terms.items():
        if len(term) > 1:
            return 0, 0
        if term:
            item = dim.system.atoms[term[0]]
            period, rise = 1, 1
            if isinstance(item, Floor):
                if not isinstance(item.den, int):
                    return 0, 0
                period, rise = _period(item.num)
                often = item.den // gcd(item.den, rise)
                period, rise = period * often, rise * often // item.den
            if not 0 < period <= MOST_SIZES:
                return 0, 0
            parts.append((period, c * rise))
    whole = lcm(*(period for period, _ in parts))
    return (whole, sum(rise * (whole // period) for period, rise in parts)) if whole <= MOST_SIZES else (0, 0)


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
