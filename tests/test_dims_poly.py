"""Polynomials of dimensions against plain Python integers and sympy."""

from __future__ import annotations

import operator
from itertools import permutations
from typing import Any

import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from scalecalc import expressions
from scalecalc.dims import Dim, Poly, System, divide, evaluate, prod, total
from scalecalc.dims.bounds import least
from scalecalc.dims.values import substitute
from scalecalc.errors import ShapeError

NAMES = ("a", "b", "c")
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod}
SIZES = st.fixed_dictionaries({name: st.integers(1, 40) for name in NAMES})

leaves = st.one_of(st.sampled_from(NAMES), st.integers(-9, 9))
divisors = st.integers(1, 12)


def _ring(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.sampled_from("+-*"), inner, inner)


def _floors(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(_ring(inner), st.tuples(st.sampled_from(("//", "%")), inner, divisors))


RINGS = st.recursive(leaves, _ring, max_leaves=8)
FLOORS = st.recursive(leaves, _floors, max_leaves=8)


def value(tree: Any, names: Any) -> Any:
    """A tree (operator, left, right) worked out with Python's operators on whatever `names` holds."""
    if isinstance(tree, tuple):
        return OPERATORS[tree[0]](value(tree[1], names), value(tree[2], names))
    return names[tree] if isinstance(tree, str) else tree


def symbols(system: System | None = None) -> dict[str, Dim]:
    system = system or System()
    return {name: system.symbol(name) for name in NAMES}


@given(FLOORS, SIZES)
def test_arithmetic_is_that_of_the_integers(tree: Any, sizes: dict[str, int]) -> None:
    assert evaluate(value(tree, symbols()), sizes) == value(tree, sizes)


@given(RINGS)
def test_sums_and_products_are_sympys(tree: Any) -> None:
    reference = {name: sympy.Symbol(name) for name in NAMES}
    ours = sympy.sympify(str(value(tree, symbols())), locals=reference)
    assert sympy.expand(ours - value(tree, reference)) == 0


@given(RINGS, RINGS)
def test_equal_polynomials_are_equal_objects(left: Any, right: Any) -> None:
    names, reference = symbols(), {name: sympy.Symbol(name) for name in NAMES}
    a, b = value(left, names), value(right, names)
    assert (a == b) == (sympy.expand(value(left, reference) - value(right, reference)) == 0)
    assert a != b or hash(a) == hash(b)
    assert (a + b, a * b) == (b + a, b * a)
    assert a - a == 0
    assert {a: 1} == {value(left, names): 1}


@given(FLOORS, SIZES)
def test_text_is_python_the_parser_reads_back(tree: Any, sizes: dict[str, int]) -> None:
    text = str(value(tree, symbols()))
    assert expressions.parse(text).evaluate(sizes) == value(tree, sizes)
    assert value(tree, sizes) == eval(text, {"__builtins__": {}}, sizes)


@given(FLOORS, FLOORS, SIZES)
def test_substitution_is_composition(outer: Any, inner: Any, sizes: dict[str, int]) -> None:
    names = symbols()
    (number,) = names["a"].atoms  # type: ignore[union-attr]
    composed = substitute(value(outer, names), {number: value(inner, names)})
    assert evaluate(composed, sizes) == value(outer, sizes | {"a": value(inner, sizes)})


SMALL = st.integers(-20, 20)


@given(SMALL, divisors, SMALL, divisors, st.sampled_from((1, -1)))
def test_nested_floors_fold(p: int, m: int, q: int, k: int, sign: int) -> None:
    a = symbols()["a"]
    nested = (sign * ((a + p) // m) + q) // k
    folded = (a + p + q * m) // (m * k) if sign == 1 else (m - 1 - a - p + q * m) // (m * k)
    assert nested == folded
    assert "//" not in str(nested).replace("//", "", 1)  # a single floor


@given(SMALL, divisors, st.integers(1, 6), st.integers(1, 6), SIZES)
def test_floors_of_equal_value_have_one_form(p: int, k: int, g: int, h: int, sizes: dict[str, int]) -> None:
    a, b, _ = symbols().values()
    assert (g * a + g * p) // (g * k) == (a + p) // k
    assert (g * a + g * p + g - 1) // (g * k) == (a + p) // k  # g - 1 more never reaches the next multiple of g
    assert (k * b + a + p) // k == b + (a + p) // k
    assert (a // k + b // (k * g)) // h == (b // (k * g) + a // k) // h
    assert ((2 * h) * (a // k) + h) // (2 * h * g) == a // (k * g)  # (2 h q + h) // (2 h g) = q // g
    assert evaluate(-(-a // k), sizes) == -(-sizes["a"] // k)


def test_a_convolution_and_pooling_chain_is_one_floor() -> None:
    h = System().symbol("h")
    for _ in range(5):  # ResNet: halves, rounding up
        h = (h + 2 - 3) // 2 + 1
    assert str(h) == "((h + 31)//32)"
    assert [evaluate(h, {"h": n}) for n in (224, 256, 320, 333)] == [7, 8, 10, 11]


@pytest.mark.parametrize("den", [0, -1])
def test_no_floor_by_less_than_one(den: int) -> None:
    with pytest.raises(ShapeError, match="division of a"):
        symbols()["a"] // den


@given(RINGS, RINGS)
def test_exact_division_undoes_multiplication(left: Any, right: Any) -> None:
    names = symbols()
    a, b = value(left, names), value(right, names)
    assume(b != 0)
    assert divide(a * b, b) == a
    quotient = divide(a, b)
    assert quotient is None or quotient * b == a
    x, y = (sympy.Poly(value(tree, {n: sympy.Symbol(n) for n in NAMES}), *map(sympy.Symbol, NAMES), domain="ZZ")
            for tree in (left, right))  # fmt: skip
    whole, rest = sympy.div(x, y)
    assert (quotient is not None) == (rest == 0 and whole * y == x)


@pytest.mark.parametrize(
    ("a", "b", "quotient"), [(12, 4, 3), (12, 5, None), (12, 0, None), (0, 5, 0), (-12, 4, -3), (0, 0, None)]
)
def test_division_of_numbers(a: int, b: int, quotient: int | None) -> None:
    assert divide(a, b) == quotient


def test_division_with_floors_as_atoms() -> None:
    a, b, _ = symbols().values()
    half = (a + 1) // 2
    assert divide(half * b * 6, b * 2) == 3 * half
    assert divide(half * b, a) is None
    assert (half * b) // half == b
    assert str((half * b) // a) == "((b*((a + 1)//2))//a)"


@given(FLOORS, SIZES)
def test_least_is_never_above(tree: Any, sizes: dict[str, int]) -> None:
    bottom = least(value(tree, symbols()))
    assert bottom is None or bottom <= value(tree, sizes)


def test_least_looks_into_divisors() -> None:
    names = symbols()
    a, b = names["a"], names["b"]
    assert least((a + 4) // b) == 0
    assert least((a - 5) // b) is None  # (1 - 5) // 1 = -4
    assert least(((a - 5) // b + 1) // 2) is None
    assert least(a * b - a) == 0
    assert least(a - 1) == 0


@given(st.lists(st.tuples(st.integers(-3, 3), RINGS), max_size=5))
def test_totals_are_sums(parts: list[tuple[int, Any]]) -> None:
    names = symbols()
    dims = [(count, value(tree, names)) for count, tree in parts]
    assert total(dims) == sum(count * dim for count, dim in dims)


@given(st.lists(leaves, max_size=5))
def test_products(factors: list[Any]) -> None:
    names = symbols()
    expected: Any = 1
    for factor in factors:
        expected = expected * value(factor, names)
    assert prod(value(factor, names) for factor in factors) == expected


def test_atoms_keep_their_order_in_any_product() -> None:
    names = symbols()
    assert len({prod(names[n] for n in order) for order in permutations(NAMES)}) == 1


def test_constants_are_plain_integers() -> None:
    a = symbols()["a"]
    for constant in (a - a, a + 3 - a, 0 * a, a // a, (2 * a) % 2, (4 * a + 6) % 2):
        assert type(constant) is int


def test_an_unset_symbol_leaves_the_value_open() -> None:
    names = symbols()
    assert evaluate(names["a"] + names["b"] // 2, {"a": 3}) is None


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul])
def test_no_float_enters(operation: Any) -> None:
    a = symbols()["a"]
    for arguments in ((a, 0.5), (0.5, a)):
        with pytest.raises(TypeError):
            operation(*arguments)


def test_systems_do_not_mix() -> None:
    a, other = System().symbol("a"), System().symbol("a")
    assert a != other
    assert isinstance(a, Poly)
