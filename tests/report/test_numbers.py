"""Numbers as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalecalc.report.numbers import cost, count, dims, percent, scientific, size

COSTS = [
    (0, "0 FLOP"), (1, "1 FLOP"), (999, "999 FLOP"), (1000, "1.000 kFLOP"), (9999, "9.999 kFLOP"),
    (99_995, "100.0 kFLOP"), (999_949, "999.9 kFLOP"), (999_951, "1.000 MFLOP"), (2_440_960, "2.441 MFLOP"),
    (8_178_368_512, "8.178 GFLOP"), (10**12, "1.000 TFLOP"), (10**15, "1.000 PFLOP"), (10**18, "1.000 EFLOP"),
    (10**21, "1.000e+21 FLOP"), (0.5, "0.5 FLOP"), (12.5, "12.5 FLOP"), (-4000, "-4.000 kFLOP"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "text"), COSTS)
def test_costs(number: float, text: str) -> None:
    assert cost(number, "FLOP") == text


@given(st.integers(1, 10**24))
def test_costs_are_right_to_four_digits(number: int) -> None:
    value, unit = cost(number, "B").split(" ")
    factor = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}.get(unit.removesuffix("B"), 1.0)
    assert float(value) * factor == pytest.approx(number, rel=6e-4)
    assert float(value) < 1000 or unit == "B"


TEXTS = [
    (count(34_826), "34,826"),
    (count(70_144_014.999), "70,144,014"),
    (count(0.4), "0"),
    (count(10**15), "1,000,000,000,000,000"),
    (count(1.17e12), "1.170e12"),
    (scientific(1e15), "1.00e15"),
    (scientific(1e-7), "1.00e-7"),
    (scientific(0), "0.00e0"),
    (size(408_487_552), "408.5 MB"),
    (dims(("batch", 3, 224)), "batch x 3 x 224"),
    (dims(()), "scalar"),
    (dims(None), "?"),
    (percent(0.055), "5.5 %"),
    (percent(1), "100.0 %"),
    (percent(0), "0.0 %"),
    (percent(0.000123), "0.012 %"),
]


@pytest.mark.parametrize(("found", "wanted"), TEXTS)
def test_texts(found: str, wanted: str) -> None:
    assert found == wanted
