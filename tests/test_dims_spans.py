"""Slices and windows against Python's own answers and counting."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scalecalc.dims import (
    FAMILY,
    System,
    evaluate,
    hint_of,
    span,
    windows,
)
from scalecalc.errors import ShapeError

END = 2**63 - 1


def positions(size: int, kernel: int, stride: int, start: int, end: int, dilation: int, ceil_mode: int) -> int:
    """Windows counted one by one: where they begin, and whether they fit."""
    reach = dilation * (kernel - 1) + 1
    begins = [first for first in range(-start, size + end, stride) if first + reach <= size + end]
    covered = begins and begins[-1] + reach == size + end
    sticks_out = begins and not covered and begins[-1] + stride < size  # it may not begin in the padding behind
    return len(begins) + bool(ceil_mode and sticks_out)


WINDOW = st.tuples(
    st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(0, 3), st.integers(1, 3), st.integers(0, 1)
)


@given(st.integers(1, 40), WINDOW)
def test_windows_are_counted(size: int, window: tuple[int, ...]) -> None:
    kernel, stride, start, end, dilation, ceil_mode = window
    assume(max(start, end) < dilation * (kernel - 1) + 1)  # no window in the padding alone
    expected = positions(size, *window)
    arguments: Any = ((kernel,), (stride,), (start, end), (dilation,))
    dim = System().symbol("h")
    if not expected:
        assume(not ceil_mode)
        with pytest.raises(ShapeError, match="does not fit"):
            windows((size,), *arguments, ceil_mode=ceil_mode)
        return
    assert windows((size,), *arguments, ceil_mode=ceil_mode) == (expected,)
    (formula,) = windows((dim,), *arguments, ceil_mode=ceil_mode)
    assert evaluate(formula, {"h": size}) == expected


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
@given(size=st.integers(1, 40), kernel=st.integers(1, 5), stride=st.integers(1, 4))
def test_same_padding_gives_a_window_per_stride(auto_pad: str, size: int, kernel: int, stride: int) -> None:
    starts = len(range(0, size, stride))
    assert windows((size,), (kernel,), (stride,), auto_pad=auto_pad) == (starts,)
    (formula,) = windows((System().symbol("h"),), (kernel,), (stride,), auto_pad=auto_pad)
    assert evaluate(formula, {"h": size}) == starts


def test_windows_that_may_not_fit_are_a_condition() -> None:
    system = System()
    h = system.symbol("h")
    assert str(windows((h,), (3,))[0]) == "h - 2"
    assert list(map(str, system.conditions)) == ["h - 2 >= 1"]
    assert windows((h,), (3,), None, (1, 1)) == (h,)
    assert len(system.conditions) == 1


def test_windows_need_a_size_for_each_axis() -> None:
    with pytest.raises(ShapeError, match="2 axes on 1"):
        windows((5,), (3, 3))


BOUNDS = st.one_of(st.integers(-12, 12), st.sampled_from((END, -END - 1, 2**31 - 1, -(2**31))))


@given(st.integers(0, 10), BOUNDS, BOUNDS, st.sampled_from((-3, -2, -1, 1, 2, 3)))
def test_span_of_numbers_is_pythons(n: int, start: int, stop: int, step: int) -> None:
    assert span(n, start, stop, step) == len(range(n)[start:stop:step])


@given(st.integers(1, 30), BOUNDS, BOUNDS, st.integers(1, 3))
def test_span_of_a_symbol_is_pythons_where_its_conditions_hold(n: int, start: int, stop: int, step: int) -> None:
    system = System()
    try:
        size = span(system.symbol("n"), start, stop, step)
    except ShapeError:
        return
    if holds(system, {"n": n}):
        assert evaluate(size, {"n": n}) == len(range(n)[start:stop:step])
    else:
        assert system.conditions


def holds(system: System, sizes: dict[str, int]) -> bool:
    tests = {"<=": lambda a, b: a <= b, "==": lambda a, b: a == b, "%": lambda a, b: a % b == 0}
    return all(tests[c.op](evaluate(c.left, sizes), evaluate(c.right, sizes)) for c in system.conditions)


@pytest.mark.parametrize(
    ("start", "stop", "step", "text", "conditions"),
    [
        (0, END, 1, "n", []),
        (0, "n", 1, "n", []),
        (1, END, 1, "n - 1", []),  # n >= 1: at worst nothing is left
        (0, -1, 1, "n - 1", []),
        (-1, END, 1, "1", []),
        (3, END, 1, "n - 3", ["n >= 3"]),
        (0, 3, 1, "3", ["n >= 3"]),
        (-3, END, 1, "3", ["n - 3 >= 0"]),
        (0, END, 2, "((n + 1)//2)", []),
        (-1, -END - 1, -1, "n", []),
        (END, -END - 1, -2, "((n + 1)//2)", []),
        ("m", END, 1, "n - m", ["m <= n"]),
    ],
)
def test_span_of_a_symbol(start: Any, stop: Any, step: int, text: str, conditions: list[str]) -> None:
    system = System()
    names = {name: system.symbol(name) for name in "nm"}
    size = span(names["n"], names.get(start, start), names.get(stop, stop), step)
    assert (str(size), list(map(str, system.conditions))) == (text, conditions)


def test_slices_of_several_axes_of_one_node_are_told_apart() -> None:
    system = System()
    a, b = (system.symbol(name, kind=FAMILY, hint=8) for name in "ab")
    assert span(a, 0, 4, key=0) != span(b, 0, 4, key=1)
    assert hint_of(span(a, 0, 4, key=0)) == 4
