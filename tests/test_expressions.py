"""The whitelist parser: Python and sympy decide what is right; hostile texts end quickly in one line."""

from __future__ import annotations

import math
import time
from fractions import Fraction

import numpy as np
import pytest

from scalecalc.errors import ExpressionError
from scalecalc.expressions import parse

VALUES = {
    # text                    namespace               value
    "1 + 2*3": ({}, 7),
    "2**3**2": ({}, 512),
    "-2**2": ({}, -4),
    "2**-1": ({}, 0.5),
    "-7//2": ({}, -4),
    "-7 % 3": ({}, 2),
    "7/2": ({}, 3.5),
    "10 - 4 - 3": ({}, 3),
    "64/4/2": ({}, 8.0),
    "1e3 + .5": ({}, 1000.5),
    "10**30 + 1": ({}, 10**30 + 1),
    "seq*batch": ({"seq": 1024, "batch": 8}, 8192),
    "seq + 1": ({"seq": 7}, 8),
    "floor(h/2)": ({"h": 7}, 3),
    "Max(1, s0)": ({"s0": 0}, 1),
    "FloorDiv(h - 1, 2) + 1": ({"h": 8}, 4),
    "Mod(unk__45, 4)": ({"unk__45": 7}, 3),
    "ceiling(h/2)": ({"h": 7}, 4),
    "min(3, 1, 2) + abs(-4)": ({}, 5),
    "log(exp(2)) + sqrt(9)": ({}, 5.0),
}


@pytest.mark.parametrize(("text", "case"), VALUES.items(), ids=VALUES)
def test_values(text, case):
    namespace, value = case
    result = parse(text).evaluate(namespace)
    assert result == pytest.approx(value)
    assert type(result) is type(value)


HOSTILE = {
    # text                                        what the message must say
    "__import__('os')": "__import__",
    "__import__(os)": "unknown function '__import__'",
    "eval(1)": "unknown function 'eval'",
    "a.__class__": "'.' is not allowed",
    "(1).real": "'.' is not allowed",
    "lambda: 1": "':' is not allowed",
    "lambda x: x": "unexpected 'x'",
    "[1, 2]": "use parentheses",
    "{1}": "not allowed",
    "a[0]": "use parentheses",
    "'text'": "not allowed",
    '"text"': "not allowed",
    "f'{1}'": "not allowed",
    "a < b": "not allowed",
    "a == b": "not allowed",
    "a if b else c": "unexpected 'if'",
    "a and b": "unexpected 'and'",
    "a := 1": "not allowed",
    "a = 1": "not allowed",
    "a; b": "not allowed",
    "a\0b": "not allowed",
    "\0": "not allowed",
    "a # b": "not allowed",
    "a ^ 2": "write ** for powers",
    "~a": "not allowed",
    "1 2": "unexpected '2'",
    "2x": "unexpected 'x'",
    "0x10": "unexpected 'x10'",
    "1_000": "unexpected '_000'",
    "1e999": "too large",
    "": "complete the expression",
    "   ": "complete the expression",
    "1 +": "complete the expression",
    "* 2": "found '*'",
    "(1": "expected ')'",
    "1)": "unexpected ')'",
    "()": "found ')'",
    "exp()": "found ')'",
    "exp(1, 2)": "takes 1 arguments, not 2",
    "max(*a)": "found '*'",
    "exp(x=1)": "not allowed",
    "Pow(2)": "takes 2",
    "1" * 401: "too many digits",
    "(" * 100_000 + ")" * 100_000: "too many",
    "(" * 1_900 + "1" + ")" * 1_900: "nested too deeply",
    "-" * 3_900 + "1": "nested too deeply",
    "2**" * 1_300 + "1": "nested too deeply",
    "a+" * 1_900 + "a": "nested too deeply",
    "max(" * 700 + "1" + ")" * 700: "nested too deeply",
    "a" * 4_001: "4001 characters are too many",
    "\u202e1": "not allowed",
}


@pytest.mark.parametrize(("text", "message"), HOSTILE.items(), ids=[text[:20] for text in HOSTILE])
def test_hostile_texts_end_in_one_short_line(text, message):
    start = time.process_time()
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert time.process_time() - start < 0.5
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_only_texts_are_parsed():
    with pytest.raises(ExpressionError, match="expected a text, found int"):
        parse(3)  # type: ignore[arg-type]


def test_an_error_names_the_column():
    with pytest.raises(ExpressionError, match=r"'seq \+ a\.b', column 8: '\.' is not allowed"):
        parse("seq + a.b")


NO_VALUE = {
    "9**9**9**9": "bits",
    "(2**4000)**4000": "bits",
    "2**-999999999": "bits",
    "9.0**9.0**9.0": "has no value here",
    "1/0": "has no value here",
    "1//0": "has no value here",
    "1 % 0": "has no value here",
    "log(0)": "has no value here",
    "log(-1)": "has no value here",
    "sqrt(-1)": "has no value here",
    "exp(1000)": "has no value here",
    "(-8)**0.5": "no real value",
    "missing + 1": "'missing' has no value",
}


@pytest.mark.parametrize(("text", "message"), NO_VALUE.items(), ids=NO_VALUE)
def test_what_has_no_value_says_so_at_once(text, message):
    start = time.process_time()
    with pytest.raises(ExpressionError, match=message):
        parse(text).evaluate({})
    assert time.process_time() - start < 0.5


def test_arithmetic_is_that_of_the_values():
    expression = parse("exp(x) + max(x, 1)*floor(x)")
    x = np.array([0.5, 2.0])
    np.testing.assert_allclose(expression.evaluate({"x": x}), np.exp(x) + np.maximum(x, 1) * np.floor(x))


def test_values_without_an_operation_are_an_error():
    for text in ("sqrt(x)", "x**2", "x + 1"):
        with pytest.raises(ExpressionError, match="has no value here"):
            parse(text).evaluate({"x": object()})


def test_a_caller_brings_its_own_division():
    exact = {"/": Fraction, "number": Fraction, "floor": math.floor}
    assert parse("h/3 + 1/3").evaluate({"h": 2}, exact) == 1
    assert parse("floor(h/3*3)").evaluate({"h": 2}, exact) == 2
