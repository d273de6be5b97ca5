"""Floors of quotients, in the one form that makes equal floors equal."""

from __future__ import annotations

from math import gcd

from scalecalc.dims.atoms import Floor
from scalecalc.dims.poly import Dim, Poly, divide
from scalecalc.errors import ShapeError


def floor(num: Dim, den: Dim) -> Dim:
    """floor(num / den): nested floors folded, whole parts taken out, common divisors cancelled.

    Raises:
        ShapeError: the divisor is a number below 1.
    """
    if isinstance(den, Poly):
        exact = divide(num, den)
        if exact is not None:
            return exact
        if isinstance(num, int) and (bottom := den.system.least(den)) is not None and -bottom <= num < bottom:
            return 0 if num >= 0 else -1
        return den.system.floor_atom(num, den)
    if den <= 0:
        raise ShapeError(f"division of {num} by {den}")
    if isinstance(num, int):
        return num // den
    folded = _folded(num, den)
    if folded is not None:
        return folded
    system = num.system
    rest = system.poly({term: _residue(c, den) if term else c % den for term, c in num.terms.items()})
    whole = num - rest
    whole = (
        system.poly({term: c // den for term, c in whole.terms.items()}) if isinstance(whole, Poly) else whole // den
    )
    if isinstance(rest, int):
        return whole
    # floor((g q + r) / (g n)) = floor((q + floor(r / g)) / n) for the terms' common divisor g
    shared = gcd(den, *(c for term, c in rest.terms.items() if term))
    if den == shared:
        return whole + system.poly({term: c // shared for term, c in rest.terms.items()})
    rest = Poly(system, {term: c // shared for term, c in rest.terms.items() if c // shared})
    if rest.terms[min(term for term in rest.terms if term)] < 0:  # floor(-n/d) = -floor((n + d - 1)/d)
        return -floor(den - 1 - num, den)
    return whole + (system.floor_atom(rest, den) if rest == num else floor(rest, den // shared))


def _residue(c: int, den: int) -> int:
    """The remainder nearest to 0."""
    rest = c % den
    return rest - den if 2 * rest > den else rest


def _folded(num: Poly, den: int) -> Dim | None:
    """floor((floor(A/m) + b) / k) = floor((A + b m) / (m k)), and with -floor(A/m) = floor((m - 1 - A) / m)."""
    for term, c in sorted(num.terms.items()):
        if len(term) == 1 and c in (1, -1):
            inner = num.system.atoms[term[0]]
            if isinstance(inner, Floor) and isinstance(inner.den, int):
                rest = num.system.poly({other: k for other, k in num.terms.items() if other != term})
                top = inner.num if c == 1 else inner.den - 1 - inner.num
                return floor(top + rest * inner.den, inner.den * den)
    return None
