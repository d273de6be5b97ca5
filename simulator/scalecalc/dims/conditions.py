"""Conditions in the form people would write: symbols on one side, the strongest of a kind alone."""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd

from scalecalc.dims.atoms import Condition, Floor
from scalecalc.dims.poly import Dim, Poly


def simplified(conditions: Iterable[Condition]) -> list[Condition]:
    """The same conditions: terms gathered, floors undone, and of several bounds of one dimension the tightest.

    `1 <= (h - 2)//2` becomes `h >= 4`.
    """
    least: dict[Poly, int] = {}
    most: dict[Poly, int] = {}
    others: list[Condition] = []
    for condition in map(_gathered, conditions):
        left, right = condition.left, condition.right
        if condition.op == "<=" and isinstance(left, int) and isinstance(right, Poly):
            least[right] = max(left, least.get(right, left))
        elif condition.op == "<=" and isinstance(right, int) and isinstance(left, Poly):
            most[left] = min(right, most.get(left, right))
        else:
            others.append(condition)
    bounds = [Condition(dim, "<=", number) for dim, number in most.items()]
    bounds += [Condition(number, "<=", dim) for dim, number in least.items()]
    return list(dict.fromkeys((*bounds, *others)))


def _gathered(condition: Condition) -> Condition:
    """A `<=` with every term on the side where it is positive."""
    gap = condition.right - condition.left
    if condition.op != "<=" or isinstance(gap, int):
        return condition
    larger = gap.system.poly({term: c for term, c in gap.terms.items() if c > 0})
    smaller = gap.system.poly({term: -c for term, c in gap.terms.items() if c < 0})
    if isinstance(smaller, int) and isinstance(larger, Poly):
        shared = gcd(*larger.terms.values())
        larger, smaller = _divided(larger, shared), -(-smaller // shared)
        if (floor := _floor(larger)) is not None:  # floor(n/d) >= k where n >= k d
            return _gathered(Condition(smaller * floor[1], "<=", floor[0]))
    elif isinstance(larger, int) and isinstance(smaller, Poly):
        shared = gcd(*smaller.terms.values())
        smaller, larger = _divided(smaller, shared), larger // shared
        if (floor := _floor(smaller)) is not None:  # floor(n/d) <= k where n <= k d + d - 1
            return _gathered(Condition(floor[0], "<=", larger * floor[1] + floor[1] - 1))
    return Condition(smaller, "<=", larger)


def _divided(dim: Poly, by: int) -> Poly:
    return Poly(dim.system, {term: c // by for term, c in dim.terms.items()})


def _floor(dim: Poly) -> tuple[Dim, int] | None:
    """(n, d) of a dimension that is floor(n/d) with a number d."""
    if len(dim.terms) == 1:
        ((term, c),) = dim.terms.items()
        atom = dim.system.atoms[term[0]]
        if len(term) == 1 and c == 1 and isinstance(atom, Floor) and isinstance(atom.den, int):
            return atom.num, atom.den
    return None
