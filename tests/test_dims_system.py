"""What a system of equalities finds, records and refuses."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalecalc.dims import (
    FAMILY,
    FILE,
    FRESH,
    ROLE,
    System,
    bound,
    broadcast,
    evaluate,
    fixed,
    hint_of,
    larger,
    lone,
    same,
    smaller,
    symbols_of,
)
from scalecalc.errors import ShapeError

RANKS = {"file": FILE, "role": ROLE, "fresh": FRESH}


@pytest.mark.parametrize(
    ("first", "second", "survivor"),
    [
        ("file", "role", "file"), ("role", "file", "file"), ("file", "fresh", "file"), ("fresh", "file", "file"),
        ("role", "fresh", "role"), ("fresh", "role", "role"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("flip", [False, True])
def test_the_name_that_means_most_survives(first: str, second: str, survivor: str, flip: bool) -> None:
    system = System()
    a, b = (system.symbol(name, rank=RANKS[name]) for name in (first, second))
    result = same(b, a) if flip else same(a, b)
    assert str(result) == survivor == str(system.resolve(a)) == str(system.resolve(b))
    other = {first, second} - {survivor}
    assert set(lone(result).aliases) == other  # type: ignore[union-attr]


def test_of_equal_ranks_the_older_survives() -> None:
    system = System()
    a, b = system.symbol("a", rank=FILE), system.symbol("b", rank=FILE)
    assert same(b, a) == a


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_equalities_make_the_classes_a_graph_has(edges: list[tuple[int, int]]) -> None:
    system = System()
    symbols = [system.symbol(f"s{i}", rank=1 + i % 3) for i in range(10)]
    groups = [{i} for i in range(10)]
    for i, j in edges:
        same(symbols[i], symbols[j])
        merged = groups[i] | groups[j]
        for k in merged:
            groups[k] = merged
    for i in range(10):
        root = lone(system.resolve(symbols[i]))
        assert root is not None
        assert {root.name, *root.aliases} == {f"s{k}" for k in groups[i]}
        assert all((system.resolve(symbols[i]) == system.resolve(symbols[k])) == (k in groups[i]) for k in range(10))


@pytest.mark.parametrize("backwards", [False, True])
def test_a_hundred_thousand_equalities_in_a_chain(backwards: bool) -> None:
    n, system = 100_000, System()
    system._primes = iter(range(1, n + 1))  # hints play no part here
    symbols = [system.symbol(f"s{i}") for i in range(n)]
    started = process_time()
    for i in range(n - 1, 0, -1) if backwards else range(1, n):
        same(symbols[i - 1], symbols[i])
    assert {str(system.resolve(symbol)) for symbol in symbols} == {"s0"}
    assert len(lone(system.resolve(symbols[-1])).aliases) == n - 1  # type: ignore[union-attr]
    assert process_time() - started < 20  # a few seconds; quadratic would be hours


def test_numbers_are_bound_and_remembered() -> None:
    system = System()
    system.where = "node"
    h = system.symbol("h", rank=FILE)
    assert same(h, 224) == 224
    assert (system.resolve(3 * h // 2), system.found) == (336, 1)
    assert list(system.pinned.values()) == [(224, "node")]


@pytest.mark.parametrize(
    ("left", "right", "name", "value"),
    [
        ("2*a", "6", "a", "3"),
        ("a + 3", "b", "b", "a + 3"),
        ("a*b", "6*b", "a", "6"),  # b is no 0
        ("a", "b*c", "a", "b*c"),  # a product met by a single symbol
        ("b*c", "a", "a", "b*c"),
        ("6*a", "4*b", "a", "a"),  # 3 a = 2 b: neither is a whole multiple of the other
        ("4*a", "8*b*c", "a", "2*b*c"),
        ("a + b", "b + 5", "a", "5"),
        ("a*b + a*c", "4*a", "c", "-b + 4"),
    ],
)
def test_equalities_are_solved_for_one_symbol(left: str, right: str, name: str, value: str) -> None:
    system = System()
    names: dict[str, Any] = {n: system.symbol(n) for n in "abc"}
    same(eval(left, names), eval(right, names))
    assert str(system.resolve(names[name])) == value
    assert bool(system.conditions) == (left == "6*a")


@pytest.mark.parametrize(
    ("left", "right", "what"),
    [
        ("3", "4", "3 must equal 4"),
        ("a", "a + 1", "a must equal a"),
        ("a", "0", "a must equal 0"),
        ("a + b", "1", "must equal 1"),  # each at least 1
        ("2*a", "2*b + 1", "must equal"),  # odd and even
        ("4*a", "6", "4.a must equal 6"),
        ("6*a*b", "9*a*c + 2*a", "must equal"),
        ("3*(a//2)", "7", "must equal 7"),
    ],
)
def test_contradictions_are_refused(left: str, right: str, what: str) -> None:
    system = System()
    names: dict[str, Any] = {n: system.symbol(n) for n in "abc"}
    with pytest.raises(ShapeError, match=what):
        same(eval(left, names), eval(right, names))


def test_a_contradiction_across_equalities() -> None:
    system = System()
    a, b = system.symbol("a"), system.symbol("b")
    same(a, 3)
    same(b, 4)
    with pytest.raises(ShapeError, match="3 must equal 4"):
        same(a, b)


@pytest.mark.parametrize(("left", "right"), [("a", "a*b"), ("a", "a*b - 1"), ("a", "b//a"), ("a//2", "(a + 1)//2")])
def test_symbols_inside_themselves_end_as_conditions(left: str, right: str) -> None:
    system = System()
    names: dict[str, Any] = {n: system.symbol(n) for n in "ab"}
    same(eval(left, names), eval(right, names))
    for dim in (eval(left, names), eval(right, names)):
        system.resolve(dim)  # terminates
    for _ in range(5):
        system.retry()
    assert system.found <= 1


def test_a_circle_of_products_terminates() -> None:
    system = System()
    a, b, c, d = (system.fresh("n", hint=hint, key=hint) for hint in (2, 4, 8, 16))
    same(b, a * a)
    same(c, a * b)
    same(d, b * b)
    same(d, a * c)  # a^4 = a * a^3
    assert system.resolve(d) == a * a * a * a
    assert not system.pending


def test_a_family_keeps_to_the_numbers_of_its_file() -> None:
    system = System()
    n, m = system.fresh("n", hint=12, key="n"), system.fresh("n", hint=64, key="m")
    with pytest.raises(ShapeError, match="12 must equal 64"):
        same(n, m)
    with pytest.raises(ShapeError, match="12 must equal 13"):
        same(n, 13)
    assert same(n * m, 768) == 768  # the file fixes the product: both stay what they are
    assert (system.resolve(n), system.resolve(m)) == (12, 64)


def test_equalities_wait_until_something_helps() -> None:
    system = System()
    a, b, c, d = (system.fresh("n", hint=hint, key=i) for i, hint in enumerate((2, 6, 3, 4)))
    system.where = "first"
    same(a * b, c * d)
    assert [system.where for system.where in system.pending.values()] == ["first"]
    same(b, 2 * c)  # now 2 a c = c d
    system.retry()
    assert not system.pending
    assert system.resolve(d) == system.resolve(2 * a)


def test_fresh_symbols_are_the_same_in_every_pass() -> None:
    system = System()
    for _ in range(2):
        system.where = 5
        assert system.fresh("part", hint=4) == system.fresh("part", hint=4)
        assert system.fresh("part", hint=4, key=1) != system.fresh("part", hint=4)
    system.where = 6
    assert len({str(system.fresh("part", hint=4)), *(s.name for s in system.atoms)}) == 3  # type: ignore[union-attr]


def test_fresh_names_avoid_the_files() -> None:
    system = System()
    system.symbol("n_0", rank=FILE)
    assert str(system.fresh("n", hint=3)) != "n_0"


def test_hints_of_free_dimensions_are_distinct_primes() -> None:
    system = System()
    hints = [hint_of(system.symbol(f"s{i}")) for i in range(50)]
    assert len(set(hints)) == 50
    assert all(n % d for n in hints for d in range(2, int(n**0.5) + 1))


def test_broadcast_assumes_and_says_so() -> None:
    system = System()
    system.where = "add"
    a, b = system.symbol("a", rank=FILE), system.symbol("b", rank=ROLE)
    assert (broadcast(a, 1), broadcast(1, a), broadcast(a, a)) == (a, a, a)
    assert not system.assumptions
    assert broadcast(a, b) == a
    assert list(system.assumptions.items()) == [((a, b), "add")]
    assert broadcast(a, 7) == 7
    assert ((a, 7), "add") in system.assumptions.items()


def test_broadcast_in_a_family_assumes_nothing() -> None:
    system = System()
    n, m = system.fresh("n", hint=768, key=0), system.fresh("n", hint=768, key=1)
    assert broadcast(n, m) == n
    assert not system.assumptions


def test_fixed_pins_what_a_family_left_open() -> None:
    system = System()
    system.where = "conv"
    kernel = system.fresh("n", hint=3)
    assert (fixed(kernel), system.resolve(kernel)) == (3, 3)
    assert list(system.pinned.values()) == [(3, "conv")]
    assert fixed(kernel) == 3  # bound by now
    with pytest.raises(ShapeError, match="batch must be a number"):
        fixed(system.symbol("batch"))


def test_bounds() -> None:
    system = System()
    seq = system.symbol("seq")
    bound(seq, 1024)
    bound(seq, 512)
    bound(seq, 2048)  # no news
    bound(seq - 5, seq)  # certain
    assert lone(seq).bound == 512  # type: ignore[union-attr]
    assert list(map(str, system.conditions)) == ["seq <= 1024", "seq <= 512", "seq <= 2048"]
    with pytest.raises(ShapeError, match="more than 2"):
        bound(seq + 2, 2)
    with pytest.raises(ShapeError, match="5 is more than 4"):
        bound(5, 4)


def test_a_bound_follows_its_symbol() -> None:
    system = System()
    seq, length = system.symbol("seq", rank=FRESH), system.symbol("length", rank=FILE)
    bound(seq, 77)
    same(seq, length)
    assert lone(length).bound == 77  # type: ignore[union-attr]
    with pytest.raises(ShapeError, match="more than 77"):
        same(length, 80)


def test_min_and_max_collapse_where_the_sign_is_certain() -> None:
    system = System()
    a, b = system.symbol("a"), system.symbol("b")
    assert (smaller(a, a + b), smaller(a + b, a), larger(a, 1), larger(1, a), larger(a, a + b)) == (a, a, a, a, a + b)
    assert not system.conditions
    assert (smaller(a, 8), larger(a, 8)) == (a, a)  # the regular branch
    assert list(map(str, system.conditions)) == ["a <= 8", "a >= 8"]


@given(st.integers(1, 50), st.integers(1, 50), st.integers(-5, 5), st.integers(1, 5))
def test_min_and_max_are_right_where_their_conditions_hold(x: int, y: int, shift: int, k: int) -> None:
    system, sizes = System(), {"a": x, "b": y}
    a, b = system.symbol("a"), system.symbol("b")
    cases = [(a + shift, b), (k * a, a + b), ((a + k) // k, a), (a * b, a), (a + shift, k)]
    for function, reference in ((smaller, min), (larger, max)):
        for left, right in cases:
            system.conditions.clear()
            result = evaluate(function(left, right), sizes)
            held = all(evaluate(c.left, sizes) <= evaluate(c.right, sizes) for c in system.conditions)  # type: ignore
            if held:
                assert result == reference(evaluate(left, sizes), evaluate(right, sizes))


def test_symbols_are_found_inside_floors() -> None:
    system = System()
    a, b = system.symbol("a"), system.symbol("b")
    dim = (a * ((b + 1) // 2)) // 3
    assert {system.info(atom).name for atom in symbols_of(dim)} == {"a", "b"}
    same(b, 5)
    assert system.resolve(dim) == a
    assert system.info(0).kind != FAMILY
