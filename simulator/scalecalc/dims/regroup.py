"""Reshape in a family: the numbers a file writes are matched with the symbols they stand for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations
from math import prod as number_product

from scalecalc.dims.poly import Dim, Poly, divide, prod
from scalecalc.dims.system import System
from scalecalc.dims.values import hint_of, is_family, lone


def align(system: System, dims: Sequence[Dim], target: Sequence[Dim], key: Hashable) -> tuple[Dim, ...] | None:
    """The target with every number replaced by what it stands for; None where the hints do not line up.

    Consecutive dimensions and targets whose hints have equal products form a group, from the left; each
    group is merged, kept or split by itself.
    """
    left = [hint_of(dim) for dim in dims]
    right = [hint_of(dim) for dim in target]
    if -1 in right:
        rest = number_product(h for h in right if h != -1)
        if not rest or number_product(left) % rest:
            return None
        right[right.index(-1)] = number_product(left) // rest
    result: list[Dim] = []
    i = j = 0
    while i < len(left) or j < len(right):
        i_end, j_end = min(i + 1, len(left)), min(j + 1, len(right))
        while (a := number_product(left[i:i_end])) != (b := number_product(right[j:j_end])):
            if a < b and i_end < len(left):
                i_end += 1
            elif b < a and j_end < len(right):
                j_end += 1
            else:
                return None
        group = _group(system, dims[i:i_end], target[j:j_end], right[j:j_end], (key, j))
        if group is None:
            return None
        result += group
        i, j = i_end, j_end
    return tuple(result)


def _group(
    system: System, dims: Sequence[Dim], target: Sequence[Dim], hints: Sequence[int], key: Hashable
) -> list[Dim] | None:
    whole = prod(dims)
    stated: dict[int, Dim] = {}  # a dimension stays; so does 1, and any number of a group without symbols
    for axis, dim in enumerate(target):
        if isinstance(dim, Poly) or hints[axis] == 1 or (isinstance(whole, int) and dim != -1):
            stated[axis] = dim if isinstance(dim, Poly) else hints[axis]
    open_axes = [axis for axis in range(len(target)) if axis not in stated]
    if not open_axes:
        system.equate(whole, prod(stated.values()))
    else:
        known = prod(stated.values())
        rest = divide(whole, known)
        if rest is None and _breakable(system, whole) and hint_of(whole) % hint_of(known) == 0:
            rest = system.fresh("factor", hint=hint_of(whole) // hint_of(known), key=(key, "quotient"))
            system.equate(whole, known * rest)
        if rest is None:
            return None
        open_axes.sort(key=lambda axis: target[axis] == -1)  # what a number says comes before "the rest"
        parts = _split(system, rest, [hints[axis] for axis in open_axes], key)
        if parts is None:
            return None
        stated.update(zip(open_axes, parts, strict=True))
    return [stated[axis] for axis in range(len(target))]


def _split(system: System, whole: Dim, hints: Sequence[int], key: Hashable) -> list[Dim] | None:
    """Factors of `whole` with those hints: its own where they fit, else a symbol of it is broken in two."""
    if isinstance(whole, int):
        return list(hints)
    if len(hints) > 1 and len(whole.terms) != 1:
        return None
    ((term, c),) = list(whole.terms.items())[:1]
    factors: list[Dim] = [Poly(system, {(atom,): 1}) for atom in term]
    if c != 1:
        factors.append(c)
    result: list[Dim] = []
    for place, hint in enumerate(hints[:-1]):
        fit = _fit(system, factors, hint)
        if fit is None:
            broken = next((f for f in reversed(factors) if _breakable(system, f) and hint_of(f) % hint == 0), None)
            if broken is None:
                return None
            part = system.fresh("factor", hint=hint, key=(key, place))
            other = system.fresh("factor", hint=hint_of(broken) // hint, key=(key, place, "rest"))
            system.equate(broken, part * other)
            factors[factors.index(broken)] = other
            result.append(part)
        else:
            result.append(prod(fit))
            for factor in fit:
                factors.remove(factor)
    return [*result, whole if len(hints) == 1 else prod(factors)]


def _fit(system: System, factors: Sequence[Dim], hint: int) -> tuple[Dim, ...] | None:
    for size in range(1, len(factors) + 1):
        for some in combinations(factors, size):
            if hint_of(prod(some)) == hint:
                return some
    return None


def _breakable(system: System, factor: Dim) -> bool:
    return isinstance(factor, Poly) and lone(factor) is not None and is_family(factor)
