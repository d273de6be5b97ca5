"""Expressions against Python and sympy: values, names, derivatives, LaTeX."""

from __future__ import annotations

import ast
import math

import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scalecalc.errors import ExpressionError
from scalecalc.expressions import Expr, Number, parse

# --- against Python and sympy, on random expressions ---------------------------------------------------------------

LEAVES = st.one_of(
    st.integers(0, 9).map(str), st.sampled_from(["0.5", "1.25", "3e0"]), st.sampled_from(["x", "y", "n_1"])
)


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", " + "]), inner).map("".join),
        st.tuples(inner, st.sampled_from(["**2", "**3", "**-1"])).map(lambda pair: f"({pair[0]}){pair[1]}"),
        inner.map("-{}".format),
        inner.map("({})".format),
        st.tuples(st.sampled_from(["abs", "floor", "ceil", "sqrt", "exp", "log", "sin", "cos", "atan"]), inner).map(
            lambda pair: f"{pair[0]}({pair[1]})"
        ),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
    )


TEXTS = st.recursive(LEAVES, _grow, max_leaves=8)
SMOOTH = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]}){t[1]}({t[2]})"),
        st.tuples(inner, inner).map(lambda pair: f"(1 + ({pair[0]})**2)**({pair[1]})"),
        st.tuples(
            st.sampled_from(["exp(-{}**2)", "log(1 + ({})**2)", "sqrt(1 + ({})**2)", "sin({})", "cos({})", "atan({})"]),
            inner.map("({})".format),
        ).map(lambda pair: pair[0].format(pair[1])),
    ),
    max_leaves=5,
)
POINTS = st.fixed_dictionaries({name: st.floats(0.5, 3.0) for name in ("x", "y", "n_1")})
PYTHON = {name: getattr(math, name) for name in ("floor", "ceil", "sqrt", "exp", "log", "sin", "cos", "atan")} | {
    "abs": abs, "min": min, "max": max, "__builtins__": {},
}  # fmt: skip


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)


@settings(max_examples=300, deadline=None)
@given(TEXTS, POINTS)
def test_value_is_pythons(text, point):
    try:
        parse(text).evaluate(point)
    except ExpressionError as error:
        assume("bits" not in str(error))  # a tower of powers, for which Python would take hours
    try:
        expected = eval(text, PYTHON, dict(point))
    except (ArithmeticError, ValueError):
        with pytest.raises(ExpressionError):
            parse(text).evaluate(point)
        return
    assume(not isinstance(expected, complex))
    result = parse(text).evaluate(point)
    assert result == expected or (math.isnan(result) and math.isnan(expected))


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_names_are_pythons_and_printing_round_trips(text):
    tree = parse(text)
    python = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    assert tree.names == python - PYTHON.keys()
    assert parse(str(tree)) == tree
    assert tree.latex().count("{") == tree.latex().count("}")


def _at(expression: Expr, point: dict[str, float]) -> float | None:
    try:
        return float(expression.evaluate(point))
    except (ExpressionError, OverflowError):  # an exact integer may be larger than any float
        return None


@settings(max_examples=100, deadline=None)
@given(SMOOTH, POINTS)
def test_derivatives_are_sympys(text, point):
    tree = parse(text)
    assume(_at(tree, point) is not None)  # a tower of powers, for which sympy would take hours
    reference = tree.sympy(positive=True)
    symbols = {symbol: point[str(symbol)] for symbol in reference.free_symbols}
    for first, second in (("x", "x"), ("x", "y")):
        theirs = reference.diff(sympy.Symbol(first, positive=True))
        for ours, expected in (
            (tree.diff(first), theirs),
            (tree.diff(first).diff(second), theirs.diff(sympy.Symbol(second, positive=True))),
        ):
            value = _at(ours, point)
            exact = complex(expected.evalf(30, subs=symbols)) if value is not None else 0j
            if value is None or not (1e-6 < abs(exact) < 1e6) or exact.imag:
                continue
            assert math.isclose(value, exact.real, rel_tol=1e-5, abs_tol=1e-5), (text, str(ours))


DERIVATIVES = {
    # text           by x
    "7": "0",
    "y": "0",
    "x": "1",
    "-x": "-1",
    "x**2": "2*x",
    "3*x + y": "3",
    "y - x": "-1",
    "exp(2*x)": "exp(2*x)*2",
    "log(x)": "1/x",
    "sqrt(x)": "1/(2*sqrt(x))",
    "2**x": "2**x*log(2)",
    "sin(2*x)": "cos(2*x)*2",
    "cos(x)": "-sin(x)",
    "atan(x)": "1/(1 + x**2)",
    "floor(x)": "0",
    "x//2": "0",
    "x % 3": "1",
    "abs(x)": "x/abs(x)",
    "A/x**a": "-(A*a*x**(-a - 1))",
    "y/(1 + x)": "-(y/(1 + x)/(1 + x))",
}


@pytest.mark.parametrize(("text", "derivative"), DERIVATIVES.items())
def test_derivatives_stay_readable(text, derivative):
    assert str(parse(text).diff("x")) == derivative


@pytest.mark.parametrize(("x", "slope"), [(2.0, 0.0), (5.0, 1.0)])
def test_derivative_of_a_maximum_is_that_of_its_larger_side(x, slope):
    assert parse("max(x, 3)").diff("x").evaluate({"x": x}) == slope
    assert parse("min(x, 3)").diff("x").evaluate({"x": x}) == 1 - slope
    assert parse("max(1, x, 3)").diff("x").evaluate({"x": x}) == slope


LATEX = {
    "E + A/N**alpha": r"E + \frac{A}{N^{\alpha}}",
    "a*exp(b*C)": r"a \, \exp\left(b \, C\right)",
    "(N_c/N)**alpha_N": r"\left(\frac{N_{c}}{N}\right)^{\alpha_{N}}",
    "5.984e22*(x + 1)*2": r"5.984 \cdot 10^{22} \, \left(x + 1\right) \cdot 2",
    "floor(h/2)": r"\lfloor \frac{h}{2} \rfloor",
    "d_model*seq": r"d_{model} \, \mathrm{seq}",
}


@pytest.mark.parametrize(("text", "latex"), LATEX.items())
def test_latex(text, latex):
    assert parse(text).latex() == latex


def test_sympy_keeps_integers_exact():
    assert parse("n/3").sympy(integer=True, positive=True) == sympy.Symbol("n", integer=True, positive=True) / 3
    assert parse("1/2").sympy() == sympy.Rational(1, 2)
    assert parse("h//2 + h % 2").sympy() == sympy.floor(sympy.Symbol("h") / 2) + sympy.Mod(sympy.Symbol("h"), 2)


def test_substitution_and_equality():
    assert parse("exp(a)/N").substitute({"a": parse("log(b)")}) == parse("exp(log(b))/N")
    assert parse("(a + b)*c") != parse("a + b*c")
    assert parse("3") == Number(3)
    assert len({parse("a + b"), parse("a+b")}) == 1
