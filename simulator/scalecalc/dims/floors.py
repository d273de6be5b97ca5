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
        return exact if exact is not None else den.system.floor_atom(num, den)
    if den <= 0:
        raise ShapeError(f"division of {num} by {den}")
    if isinstance(num, int):
        return num // den
    folded = _folded(num, den)
    if folded is not None:
        return folded
    system = num.system
    whole = system.poly({term: c // den for term, c in num.terms.items()})
    rest = system.poly({term: c % den for term, c in num.terms.items()})
    if isinstance(rest, int):
        return whole
    # floor((g q + r) / (g n)) = floor((q + floor(r / g)) / n) for the terms' common divisor g
    shared = gcd(den, *(c for term, c in rest.terms.items() if term))
    rest = system.poly({term: c // shared for term, c in rest.terms.items()})
    if den == shared:
        return whole + rest
    first = min(term for term in num.terms if term and num.terms[term] % den)
    if 2 * (num.terms[first] % den) > den:  # floor(-n/d) = -floor((n + d - 1)/d): the one with the smaller numbers
        return -floor(den - 1 - num, den)
    return whole + (system.floor_atom(rest, den) if rest == num else floor(rest, den // shared))


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
