"""Simplified conditions say the same, shorter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalecalc.dims import Condition, Dim, System, evaluate, is_positive, prod, simplified
from scalecalc.dims.bounds import least


def system() -> tuple[System, Dim, Dim]:
    made = System()
    return made, made.symbol("h"), made.symbol("w")


@pytest.mark.parametrize(
    ("conditions", "texts"),
    [
        (lambda h, w: [(1, h - 2)], ["h >= 3"]),
        (lambda h, w: [(1, (h - 2) // 2)], ["h >= 4"]),
        (lambda h, w: [(1, (h - 1) // 2 // 3), (1, h - 1)], ["h >= 7"]),
        (lambda h, w: [(h, 1024), (h + 1, 513)], ["h <= 512"]),
        (lambda h, w: [(h // 4, 7)], ["h <= 31"]),
        (lambda h, w: [(2 * h, 9), (3, 2 * w)], ["h <= 4", "w >= 2"]),
        (lambda h, w: [(h, w + 3)], ["h <= w + 3"]),
        (lambda h, w: [(1, ((h + 30) // 32) * ((w + 14) // 16) * ((w + 14) // 16))], ["h >= 2", "w >= 2"]),
    ],
)
def test_forms(conditions, texts: list[str]) -> None:
    _, h, w = system()
    assert [str(c) for c in simplified(Condition(a, "<=", b) for a, b in conditions(h, w))] == texts


@given(
    a=st.integers(-4, 4), b=st.integers(-20, 20), d=st.integers(1, 5), k=st.integers(-6, 40), up=st.booleans(),
    x=st.integers(1, 40), y=st.integers(1, 40),
)  # fmt: skip
def test_they_hold_where_the_originals_do(a: int, b: int, d: int, k: int, up: bool, x: int, y: int) -> None:
    _, h, w = system()
    dim = (a * h + w + b) // d
    found = simplified([Condition(k, "<=", dim) if up else Condition(dim, "<=", k)])
    sizes = {"h": x, "w": y}
    value = (a * x + y + b) // d
    held = [(evaluate(c.left, sizes) or 0) <= (evaluate(c.right, sizes) or 0) for c in found]
    assert all(held) == (k <= value if up else value <= k)


@pytest.mark.parametrize(
    ("conditions", "texts"),
    [
        (lambda h: [(h, 2 * (h // 2))], ["h % 2 == 0"]),
        (lambda h: [(2 * (h // 4), h // 2), (4 * (h // 8), h // 2), (h, 2 * (h // 2))], ["h % 8 == 0"]),
        (lambda h: [(h // 2, 2 * (h // 4))], ["(h//2) % 2 == 0"]),
        (lambda h: [((h + 511) // 512, 1)], ["h <= 512"]),
        (lambda h: [(1, (h + 3) // 4 * ((h + 5) // 6))], ["h <= 4"]),
        (lambda h: [(h // 2, 3 * (h // 4))], ["(h//2) == 3*(h//4)"]),
        (lambda h: [(2 * ((h + 30) // 32), (h + 14) // 16)], ["((h + 14)//16) % 2 == 0"]),
        (lambda h: [(2 * ((h + 46) // 32), (h + 14) // 16)], ["2*((h + 14)//32) + 2 == ((h + 14)//16)"]),
    ],
)
def test_divisions(conditions, texts: list[str]) -> None:
    _, h, _ = system()
    given = [Condition(a, "==", b) for a, b in conditions(h)]
    found = simplified(given)
    assert [str(c) for c in found] == texts
    for size in range(1, 200):
        sizes = {"h": size}
        numbers = [(c.op, evaluate(c.left, sizes), evaluate(c.right, sizes)) for c in found]
        held = all({"%": b and a % b == 0, "==": a == b, "<=": a <= b}[op] for op, a, b in numbers)
        assert held == all(evaluate(c.left, sizes) == evaluate(c.right, sizes) for c in given)


def test_a_divisor_of_several_factors_is_in_brackets() -> None:
    _, h, w = system()
    assert str(Condition(12 * h, "%", 3 * w)) == "12*h % (3*w) == 0"
    assert str(Condition(h + 1, "%", 32)) == "(h + 1) % 32 == 0"


@pytest.mark.parametrize(
    ("dim", "least_size", "bottom"),
    [
        (lambda h: h // 4 - h // 8, 1, 0),
        (lambda h: 7 * ((h + 24) // 28) - h // 4, 1, 0),  # padded to windows of 7
        (lambda h: 7 * ((h + 24) // 28), 4, 7),
        (lambda h: h // 2 - (h + 4 * (h // 8)) // 8 - 3, 1, -3),
        (lambda h: h // 3 - h // 2, 1, None),  # falls without end
    ],
)
def test_least_values_of_what_repeats(dim, least_size: int, bottom: int | None) -> None:
    made, h, _ = system()
    if least_size > 1:
        made.require(least_size, "<=", h)
    assert least(dim(h)) == bottom
    if bottom is not None:
        assert bottom == min(evaluate(dim(h), {"h": size}) or 0 for size in range(least_size, 3000))


@given(a=st.integers(-9, 9), b=st.integers(-30, 30), c=st.integers(-9, 9), d=st.integers(1, 9), e=st.integers(1, 9))
def test_floors_are_their_numbers(a: int, b: int, c: int, d: int, e: int) -> None:
    _, h, w = system()
    dim = (a * h + c * (h // e) + w + b) // d
    for x, y in ((1, 1), (5, 3), (17, 40), (100, 7)):
        assert evaluate(dim, {"h": x, "w": y}) == (a * x + c * (x // e) + y + b) // d


def test_no_least_value_is_looked_for_in_a_product_too_long_to_write_out() -> None:
    made = System()
    product = prod(made.symbol(f"a{i}") for i in range(20))
    assert not is_positive((product + 1) // 7 - 1)
