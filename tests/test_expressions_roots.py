"""Numbers known by an equation: their values, their derivatives, and where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from scalecalc.errors import ExpressionError
from scalecalc.expressions import Root, parse

CUBE = parse("root(s, s**3 - v, 0, 1e6)", roots=True)
M4 = parse("root(y, (y - e)/(e0 - y)**a - b*x**-c, e, e0)", roots=True)
# with a = 1: (y - e) = k (e0 - y), so y = (e + k e0)/(1 + k) where k = b x^-c
VALUES = {"e": 0.1, "e0": 1.3, "a": 1.0, "b": 30.0, "c": 0.4}
X = np.logspace(0, 10, 23)


def test_a_cubes_side():
    volumes = np.logspace(-15, 15, 31)
    np.testing.assert_allclose(CUBE.evaluate({"v": volumes}), np.cbrt(volumes), rtol=4e-16)
    assert CUBE.evaluate({"v": 27}) == pytest.approx(3, rel=1e-15)


def test_derivatives_of_a_cubes_side():
    """v^(1/3): 1/(3 s^2) and -2/(9 s^5)."""
    slope = CUBE.diff("v")
    assert slope.evaluate({"v": 27.0}) == pytest.approx(1 / 27, rel=1e-14)
    assert slope.diff("v").evaluate({"v": 27.0}) == pytest.approx(-2 / (9 * 3**5), rel=1e-13)


def test_an_implicit_law_that_has_a_closed_form():
    k = 30 * X**-0.4
    np.testing.assert_allclose(M4.evaluate({**VALUES, "x": X}), (0.1 + k * 1.3) / (1 + k), rtol=1e-14)


@pytest.mark.parametrize("exponent", [0.3, 0.9, 2.5])
def test_an_implicit_law_solves_its_equation(exponent):
    y = M4.evaluate({**VALUES, "a": exponent, "x": X})
    np.testing.assert_allclose((y - 0.1) / (1.3 - y) ** exponent, 30 * X**-0.4, rtol=1e-11)


@pytest.mark.parametrize("name", ["e", "e0", "a", "b", "c", "x"])
def test_derivatives_agree_with_differences(name):
    place = {**VALUES, "a": 0.7, "x": 1e4}
    step = 1e-5 * place[name]
    slope = M4.diff(name)
    up, down = {**place, name: place[name] + step}, {**place, name: place[name] - step}
    assert slope.evaluate(place) == pytest.approx((M4.evaluate(up) - M4.evaluate(down)) / (2 * step), rel=1e-7)
    bend = slope.diff("a").evaluate(place)
    mixed = M4.diff("a")
    assert bend == pytest.approx((mixed.evaluate(up) - mixed.evaluate(down)) / (2 * step), rel=1e-6)


def test_shapes_are_those_of_the_values():
    rows = M4.evaluate({**VALUES, "x": X[None], "b": np.array([[10.0], [30.0]])})
    assert rows.shape == (2, 23)
    np.testing.assert_allclose(rows[1], M4.evaluate({**VALUES, "x": X}))


def test_no_root_is_an_error_or_nan():
    with pytest.raises(ExpressionError, match="no s between its ends"):
        CUBE.evaluate({"v": -1.0})
    assert np.isnan(CUBE.evaluate({"v": np.array([-1.0, 8.0])})).tolist() == [True, False]


def test_the_unknown_is_nobody_elses():
    assert M4.names == {"e", "e0", "a", "b", "c", "x"}
    area = parse("y*s", roots=False).substitute({"y": CUBE})
    assert area.names == {"s", "v"}
    assert area.evaluate({"s": 2.0, "v": 27.0}) == pytest.approx(6)
    # a replacement that uses the unknown's name means another thing
    inside = CUBE.substitute({"v": parse("s*4")})
    assert inside.evaluate({"s": 2.0}) == pytest.approx(2)
    assert inside.names == {"s"}


def test_text_and_latex():
    assert parse(str(M4), roots=True) == M4
    assert isinstance(M4, Root)
    assert M4.latex().count("{") == M4.latex().count("}")
    with pytest.raises(ExpressionError, match="unknown function 'root'"):
        parse("root(s, s - 1, 0, 2)")
    with pytest.raises(ExpressionError, match="root's unknown is no name"):
        parse("root(1, s - 1, 0, 2)", roots=True)
    with pytest.raises(ExpressionError, match="takes 4 arguments, not 2"):
        parse("root(s, s - 1)", roots=True)
    with pytest.raises(ExpressionError, match="has no value here"):
        CUBE.sympy()


def test_a_number_does_not_depend_on_those_solved_with_it():
    """To the last bit: blocks of resamples are the same whoever computes them, and however many together."""
    together = M4.evaluate({**VALUES, "a": 0.7, "x": X})
    assert [M4.evaluate({**VALUES, "a": 0.7, "x": X[[place]]})[0] for place in range(len(X))] == together.tolist()


def test_roots_inside_roots_are_solved_with_the_outer_unknown():
    """y (y^3)^(1/3) = y^2 is 7 where y = sqrt 7."""
    inner = CUBE.substitute({"v": parse("y**3")})
    outer = Root("y", parse("y*inner - top").substitute({"inner": inner}), parse("0.1"), parse("100"))
    assert outer.evaluate({"top": 7.0}) == pytest.approx(7**0.5, rel=1e-12)
