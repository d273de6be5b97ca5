"""Factored formulas are worth what the polynomials are, and read as people would write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalecalc.dims import Dim, Poly, System, evaluate, total
from scalecalc.dims.atoms import Floor
from scalecalc.expressions import parse
from scalecalc.expressions.factoring import floor_names, quotient, tree
from tests.test_dims_poly import FLOORS, NAMES, RINGS, SIZES, symbols, value

Formula = Callable[[Dim, Dim, Dim], Dim]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (lambda b, s, w: 18432 * b * s * s + 123532032 * b * s, "b*s*(18432*s + 123532032)"),
        (lambda b, s, w: 576 * b * s * s + 596176 * b * s + 8 * s, "s*(b*(576*s + 596176) + 8)"),
        (lambda b, s, w: 3 * b * s * s + 5 * b * s + 7 * b + 2 * s + 9, "b*(3*s**2 + 5*s + 7) + 2*s + 9"),
        (lambda b, s, w: 3 * s * s + 5 * s + w, "3*s**2 + 5*s + w"),  # no Horner scheme
        (lambda b, s, w: 64 * (s - 2) * (w - 3) + s * b, "s*(b + 64*w - 192) - 128*w + 384"),
        (lambda b, s, w: b * (64 * (s - 2) * (w - 3) + 7), "b*(64*(s - 2)*(w - 3) + 7)"),
        (lambda b, s, w: b * (3 * s + 5) + 6 * s + 1, "b*(3*s + 5) + 6*s + 1"),
        (lambda b, s, w: b * (3 * s + 5) + 6 * s, "b*(3*s + 5) + 6*s"),
        (lambda b, s, w: b * (3 * s + 5) - 6 * s - 10, "(b - 2)*(3*s + 5)"),
        (lambda b, s, w: 2 * b + 2 * s, "2*(b + s)"),
        (lambda b, s, w: -4 * b - 4 * b * s, "-4*b*(s + 1)"),
        (lambda b, s, w: -b - s, "-b - s"),
        (lambda b, s, w: -3 * b, "-3*b"),
        (lambda b, s, w: 7 - b, "-b + 7"),
        (lambda b, s, w: b * b * s + b * b, "b**2*(s + 1)"),
        (lambda b, s, w: 9 * b * ((s + 1) // 2) * ((w + 1) // 2) + b, "b*(9*((s + 1)//2)*((w + 1)//2) + 1)"),
        (lambda b, s, w: (b + 1) // s, "(b + 1)//s"),
        (lambda b, s, w: 5, "5"),
        (lambda b, s, w: -5, "-5"),
        (lambda b, s, w: 0, "0"),
    ],
)
def test_forms(formula: Formula, expected: str) -> None:
    system = System()
    assert str(tree(formula(*(system.symbol(name) for name in "bsw")))) == expected


@given(st.one_of(RINGS, FLOORS), SIZES, st.booleans())
def test_the_value_stays(drawn: Any, sizes: dict[str, int], nested: bool) -> None:
    dim = value(drawn, symbols())
    expression = tree(dim, nested=nested)
    assert expression.evaluate(sizes) == evaluate(dim, sizes)
    assert parse(str(expression)).evaluate(sizes) == evaluate(dim, sizes)


TERMS = st.lists(st.tuples(st.integers(-9, 9), *[st.integers(0, 3)] * 4), min_size=1, max_size=12)


@given(TERMS, SIZES)
def test_the_value_of_dense_polynomials_stays(drawn: list[tuple[int, ...]], sizes: dict[str, int]) -> None:
    """Four atoms, one a floor, in up to twelve terms: enough for groups in groups and products of sums."""
    atoms = [*symbols().values()]
    first = atoms[0]
    assert isinstance(first, Poly)
    atoms = [Poly(first.system, {(n,): 1}) for n in range(3)]
    atoms.append((atoms[0] + atoms[1] + 1) // 3)  # type: ignore[arg-type]
    dim: Dim = 0
    for c, *powers in drawn:
        product: Dim = c
        for atom, power in zip(atoms, powers, strict=True):
            for _ in range(power):
                product = product * atom
        dim = dim + product
    assert tree(dim).evaluate(sizes) == evaluate(dim, sizes)


@given(st.lists(FLOORS, min_size=2, max_size=4), SIZES, st.booleans())
def test_named_floors_mean_the_same(drawn: list[Any], sizes: dict[str, int], nested: bool) -> None:
    named = symbols()
    dims = [value(one, named) for one in drawn]
    dims += dims  # everything is there twice
    names = floor_names(dims, NAMES, nested=nested)
    values = dict(sizes)
    for atom, name in names.items():
        system = next(dim.system for dim in dims if isinstance(dim, Poly))
        floor = system.atoms[atom]
        assert isinstance(floor, Floor)
        values[name] = quotient(floor, names, nested=nested).evaluate(values)  # only of earlier names
    for dim in dims:
        assert tree(dim, names, nested=nested).evaluate(values) == evaluate(dim, sizes)


def test_floors_are_named_where_that_shortens() -> None:
    system = System()
    h, w, h1 = (system.symbol(name) for name in ("h", "w", "h1"))
    small, large = (h + 1) // 2, ((h + 1) // 2 * w + 1) // 4
    names = floor_names([large * w + h1, large * h, small * w, small, w // 2], ["h", "w", "h1"])
    texts = [str(tree(dim, names)) for dim in (large, small, w // 2)]
    assert list(names.values()) == ["h2", "h3"]  # h1 is taken; w//2 is there once
    assert texts == ["h3", "h2", "w//2"]


def test_long_sums_are_written_in_reasonable_time() -> None:
    """Sums of 5,000 terms are as deep as long; they are neither searched nor recursed into."""
    system = System()
    dims = [system.symbol(f"s{n}") * system.symbol(f"t{n % 7}") for n in range(5_000)]
    text = str(tree(total((1, dim) for dim in dims)))
    assert text.count("+") == 4_999
