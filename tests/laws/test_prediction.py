"""Intervals of laws that say how uncertain they are: against the textbook, read strictly, kept by conversion."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
import yaml
from scipy.stats import t

import scalecalc
from scalecalc.errors import LawError
from scalecalc.laws import Law, optimum
from scalecalc.laws.converting import Family, convert
from scalecalc.laws.point import at_point
from scalecalc.laws.reading import laws_of
from scalecalc.laws.writing import text_of

X = np.arange(1.0, 31.0)
Y = 50.0 - 0.8 * X + np.random.default_rng(4).standard_normal(30)


def written(**fields: Any) -> dict[str, Any]:
    """A law as a file has it."""
    return {
        "name": "line", "kind": "conditional", "formula": "a + b*D", "coefficients": {"a": 1, "b": 1},
        "D": {"sample": "token", "meaning": "seen"}, "metric": {"name": "loss", "unit": "nat", "better": "lower"},
        "applies_to": {"modality": "text", "task": "x"}, "source": {"citation": "x"}, **fields,
    }  # fmt: skip


def line() -> tuple[Law, float, np.ndarray]:
    """A straight line fitted by numpy, with its residual deviation and the inverse of X'X."""
    design = np.stack([np.ones_like(X), X], axis=1)
    best, squares = np.linalg.lstsq(design, Y, rcond=None)[:2]
    deviation, inverse = math.sqrt(squares[0] / 28), np.linalg.inv(design.T @ design)
    matrix = (deviation**2 * inverse).tolist()
    (law,) = laws_of(
        written(
            coefficients={"a": float(best[0]), "b": float(best[1])},
            covariance={"of": ["a", "b"], "matrix": {"a": matrix[0], "b": matrix[1]}, "basis": "least squares"},
            uncertainty={"scale": "raw", "noise": deviation, "freedom": 28},
        ),
        "line.yaml",
    )
    return law, deviation, inverse


@pytest.mark.parametrize("place", [15.5, 60.0])
def test_a_straight_line_has_the_textbook_interval(place):
    """y +- t(.95, n - 2) s sqrt(1 + (1, x) (X'X)^-1 (1, x)')."""
    law, deviation, inverse = line()
    there = np.array([1.0, place])
    reach = t.ppf(0.95, 28) * deviation * math.sqrt(1 + there @ inverse @ there)
    found = at_point(law, {"D": place}).predict()
    assert found.interval == pytest.approx((found.value - reach, found.value + reach), rel=1e-7)
    assert found.basis == "coefficients + noise: not form and drift"
    assert (found.freedom, found.logs, found.conformal) == (28, False, None)
    assert found.parts["noise"] == deviation


def test_an_interval_stays_within_the_metric_s_bounds():
    law = laws_of(
        written(
            formula="a*D**-b", coefficients={"a": 1, "b": 0.1},
            metric={"name": "error", "unit": "fraction", "better": "lower", "bounds": [0, 1]},
            uncertainty={"scale": "log", "noise": 3.0, "freedom": 5},
        ),
        "x.yaml",
    )[0]  # fmt: skip
    low, high = at_point(law, {"D": 2.0}).predict().interval
    assert high == 1.0
    assert low == pytest.approx(2**-0.1 * math.exp(-3 * 2.0150484), rel=1e-6)  # t of 5 degrees, tables


def test_rivals_spread_and_drift():
    """Three rivals a factor e^.1 apart, and drift .2: form sqrt((0 + .01 + .01 + .01)/4), by hand; C needs C."""
    up = math.exp(0.1)
    doubt = {
        "scale": "log", "noise": 0.0, "freedom": 3, "drift": 0.2, "missed": 0.05, "misses": 30,
        "rivals": {"a": f"{up!r}*2*D**-0.1", "b": f"2*D**-0.1/{up!r}", "c": f"{up!r}*2*D**-0.1 + 0*D"},
    }  # fmt: skip
    (law,) = laws_of(written(formula="a*D**-b", coefficients={"a": 2, "b": 0.1}, uncertainty=doubt), "x.yaml")
    found = at_point(law, {"D": 100.0}).predict()
    assert found.parts == pytest.approx({"noise": 0.0, "form": math.sqrt(0.03 / 4), "drift": 0.2})
    reach = 2.3533634 * math.sqrt(0.03 / 4 + 0.04)
    assert found.interval == pytest.approx((found.value * math.exp(-reach), found.value * math.exp(reach)), rel=1e-7)
    assert found.conformal == pytest.approx((found.value * math.exp(-0.05), found.value * math.exp(0.05)))
    assert found.basis == "noise + form + drift: not coefficients"
    (again,) = laws_of(yaml.safe_load(text_of(law)), "again.yaml")
    assert again.uncertainty == law.uncertainty


def test_no_interval_where_draws_have_no_value():
    """Below 0 there is no logarithm; nothing is invented, and nobody is warned of NaN."""
    (law,) = laws_of(
        written(
            formula="a - b*D", coefficients={"a": 1.0, "b": 0.1},
            draws={"a": [1.0] * 10, "b": [0.1, 0.2, 0.3, 0.05, 0.1, 0.1, 0.2, 0.3, 0.05, 0.1]},
            uncertainty={"scale": "log", "noise": 0.01, "freedom": 3},
        ),
        "x.yaml",
    )  # fmt: skip
    found = at_point(law, {"D": 9.0}).predict()
    assert found.value == pytest.approx(0.1)
    assert found.interval is None
    assert found.parts == {}
    assert at_point(law, {"D": 1.0}).predict().interval is not None


@pytest.mark.parametrize(
    ("covariance", "said"),
    [
        ({"of": ["D"], "matrix": {"D": [1.0]}}, "covariance of D, no coefficients"),
        ({"of": ["a"], "matrix": {"a": [-1.0]}}, "matrix must be of variances from 0 on, from corner to corner"),
        ({"of": ["a", "b"], "matrix": {"a": [1.0], "b": [1.0]}}, "matrix must be 2 rows of 2 numbers"),
    ],
)
def test_covariance_that_is_none(covariance, said):
    with pytest.raises(LawError, match=re.escape(said)):
        laws_of(written(covariance={**covariance, "basis": "x"}), "x.yaml")


def test_a_coefficient_without_variance_adds_nothing():
    """y = a + 9 b, a's deviation 0.2 and b fixed: 1.645*0.2 = 0.329 to both sides."""
    covariance = {"of": ["a", "b"], "matrix": {"a": [0.04, 0.0], "b": [0.0, 0.0]}, "basis": "x"}
    (law,) = laws_of(written(covariance=covariance), "x.yaml")
    assert at_point(law, {"D": 9.0}).predict().interval == pytest.approx((9.671, 10.329), abs=1e-3)


@pytest.mark.parametrize(("name", "size"), [("drift", 1e200), ("noise", 800.0), ("missed", 800.0)])
def test_uncertainty_beyond_numbers_gives_no_interval(name, size):
    doubt = {"scale": "log", "noise": 0.1, "freedom": 3, name: size}
    (law,) = laws_of(written(uncertainty=doubt), "x.yaml")
    found = at_point(law, {"D": 9.0}).predict()
    assert found.conformal is None
    assert (found.interval is None) == (name != "missed")


def test_a_covariance_beyond_numbers_gives_no_interval():
    covariance = {"of": ["log(a)"], "matrix": {"log(a)": [1e12]}, "basis": "x"}
    (law,) = laws_of(written(covariance=covariance), "x.yaml")
    found = at_point(law, {"D": 9.0}).predict()
    assert (found.value, found.interval) == (10.0, None)


@pytest.mark.parametrize("quantity", ["D - 100", "0*D", "1/(D - 9)"])
def test_a_range_of_what_is_no_positive_number_tells_nothing(quantity):
    (law,) = laws_of(written(range={quantity: [1, 2], "D": [90, 900]}), "x.yaml")
    found = at_point(law, {"D": 9.0}).predict()
    assert found.decades_outside == {"D": pytest.approx(1.0)}
    assert not found.inside_range


def test_a_value_that_is_no_finite_number_is_refused():
    (law,) = laws_of(written(formula="a*D**b", coefficients={"a": 1e300, "b": 1.0}), "x.yaml")
    binding = at_point(law, {"D": 1e30})
    assert "no value at these inputs" in binding.why
    with pytest.raises(LawError, match="no value at these inputs"):
        binding.predict()


@pytest.mark.parametrize(
    ("doubt", "said"),
    [
        ({"nois": 1}, "unknown field nois"),
        ({"scale": "square"}, "scale must be log or raw"),
        ({"scale": None}, "scale is missing"),
        ({"noise": -1}, "noise must be a number from 0 on"),
        ({"noise": None}, "noise must be a number from 0 on"),
        ({"freedom": 0}, "freedom must be a number from 1 on"),
        ({"freedom": math.inf}, "freedom must be a finite number"),
        ({"drift": "x"}, "drift must be a number"),
        ({"misses": 1.5}, "misses must be a whole number"),
        ({"rivals": ["D"]}, "expected `key: value` lines"),
        ({"rivals": {"r": "N**2"}}, "its rival r takes N"),
        ({"rivals": {"r": "__import__('os')"}}, "rivals: r"),
        ({"rivals": {f"r{i}": "D" for i in range(17)}}, "rivals must be at most 16 formulas"),
    ],
)
def test_uncertainty_that_is_none(doubt, said):
    fields = {"scale": "log", "noise": 0.1, "freedom": 3, **doubt}
    with pytest.raises(LawError, match=re.escape(said)):
        laws_of(written(uncertainty={k: v for k, v in fields.items() if v is not None}), "x.yaml")


def test_the_value_at_the_optimum_has_the_same_interval():
    doubt = {"scale": "log", "noise": 0.01, "freedom": 3, "drift": 0.02, "rivals": {"r": "1.8 + 400/N**.35 + 9/C**.05"}}
    (law,) = laws_of(
        written(
            formula="E + A/N**a + B/D**b", coefficients={"E": 1.8, "A": 400, "B": 2000, "a": 0.34, "b": 0.37},
            N={"count": "total"}, C={"count": "6N_total*D"}, uncertainty=doubt,
        ),
        "x.yaml",
    )  # fmt: skip
    best = optimum(law, 1e21)
    found = at_point(law, {"N": best.params, "D": best.data}).predict()
    assert best.value_interval == pytest.approx(found.interval, rel=1e-9)
    assert found.parts["form"] > 0
    assert best.level == 0.9
    assert best.params_interval is None


def test_rivals_are_converted_with_their_law():
    """Total parameters to non-embedding ones along GPT-2's ladder: the same interval of the same model."""
    family = Family.along(scalecalc.profile("gpt2"), {"n_layer": "d_model/64", "n_head": "d_model/64"}, "gpt2")
    doubt = {"scale": "log", "noise": 0.01, "freedom": 3, "rivals": {"r": "1.7 + 300/N**.33 + 5/D**.1", "c": "C**-.05"}}
    (law,) = laws_of(
        written(
            formula="E + A/N**a + B/D**b", coefficients={"E": 1.8, "A": 400, "B": 2000, "a": 0.34, "b": 0.37},
            N={"count": "total"}, C={"count": "6N_total*D"}, uncertainty=doubt,
        ),
        "x.yaml",
    )  # fmt: skip
    other = convert(law, family, params="non_embedding")
    blocks = 12 * (12 * 768**2 + 13 * 768) + 2 * 768
    total = blocks + 50_257 * 768 + 1024 * 768
    # the rival of C alone is not asked: C is counted otherwise now
    plain = laws_of(yaml.safe_load(text_of(law)), "plain.yaml")[0]
    del plain.uncertainty.rivals["c"]
    one, two = at_point(plain, {"N": total, "D": 1e10}).predict(), at_point(other, {"N": blocks, "D": 1e10}).predict()
    assert two.interval == pytest.approx(one.interval, rel=1e-9)
