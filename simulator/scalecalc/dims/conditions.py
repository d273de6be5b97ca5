"""Conditions in the form people would write: symbols on one side, the strongest of a kind alone."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from math import gcd, lcm

from scalecalc.dims.atoms import Condition, Floor
from scalecalc.dims.poly import Dim, Poly


def simplified(conditions: Iterable[Condition]) -> list[Condition]:
    """The same conditions: terms gathered, floors undone, and of several bounds of one dimension the tightest.

    `1 <= (h - 2)//2` becomes `h >= 4`; `h == 2*(h//2)` and `h//2 == 2*(h//4)` become `h % 4 == 0`.
    """
    least: dict[Poly, int] = {}
    most: dict[Poly, int] = {}
    others: list[Condition] = []
    multiples: dict[Poly, list[tuple[int, int]]] = {}
    for condition in chain.from_iterable(map(_factors, map(_gathered, conditions))):
        left, right = condition.left, condition.right
        if condition.op == "==" and (multiple := _multiple(left, right) or _multiple(right, left)) is not None:
            multiples.setdefault(multiple[0], []).append(multiple[1:])
            continue
        if condition.op == "<=" and isinstance(left, int) and isinstance(right, Poly):
            least[right] = max(left, least.get(right, left))
        elif condition.op == "<=" and isinstance(right, int) and isinstance(left, Poly):
            most[left] = min(right, most.get(left, right))
        else:
            others.append(condition)
    bounds = [Condition(dim, "<=", number) for dim, number in most.items()]
    bounds += [Condition(number, "<=", dim) for dim, number in least.items()]
    divisions = [c for dim, parts in multiples.items() for c in _divisions(dim, parts)]
    return list(dict.fromkeys((*bounds, *divisions, *others)))


def _factors(condition: Condition) -> list[Condition]:
    """A product that must be at least 1, of sizes none of which is below 0: each must be."""
    right = condition.right
    if condition.op == "<=" and condition.left == 1 and isinstance(right, Poly) and len(right.terms) == 1:
        ((term, c),) = right.terms.items()
        if len(term) > 1 and c == 1:
            return [_gathered(Condition(1, "<=", Poly(right.system, {(atom,): 1}))) for atom in dict.fromkeys(term)]
    return [condition]


def _multiple(whole: Dim, part: Dim) -> tuple[Poly, int, int] | None:
    """(A, m, k) where floor(A/m) == k floor((floor(A/m) + j) / k) says that k divides floor(A/m), 0 <= j < k."""
    if not isinstance(whole, Poly) or not isinstance(part, Poly) or len(part.terms) != 1:
        return None
    ((term, k),) = part.terms.items()
    inner = _floor(Poly(part.system, {term: 1}))
    outer = _floor(whole)
    a, m = outer if outer is not None else (whole, 1)
    if inner is None or k < 2 or inner[1] != m * k or not isinstance(a, Poly):
        return None
    shift = inner[0] - a
    return (a, m, k) if isinstance(shift, int) and shift % m == 0 and 0 <= shift // m < k else None


def _divisions(dim: Poly, parts: list[tuple[int, int]]) -> list[Condition]:
    """k divides floor(dim/m) for every (m, k): a chain of them, each on top of the one before, is one division."""
    whole, rest = 1, []
    for m, k in sorted(parts):
        if whole % m == 0:
            whole = lcm(whole, m * k)
        else:
            rest.append(Condition(dim // m, "%", k))
    return ([Condition(dim, "%", whole)] if whole > 1 else []) + rest


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
