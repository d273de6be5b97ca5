"""Every shipped law keeps its conventions; published figures come out at their printed digits."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from scalecalc.errors import LawError
from scalecalc.expressions import parse
from scalecalc.laws import Law, load, shipped
from scalecalc.laws.binding import PF_DAY

LAWS = shipped()

CATALOGUE = {
    "besiroglu-2024", "cerebras-gpt-2023", "hoffmann-2022", "hoffmann-2022-unrounded", "kaplan-2020-compute",
    "kaplan-2020-compute-plain", "kaplan-2020-d", "kaplan-2020-joint", "kaplan-2020-n", "seed-exponential",
}  # fmt: skip

GPT2_D = 1e21 / 854.4e6  # tokens 1e21 FLOP buy at 6*(123,532,032 + 18,432*1024) per token

PUBLISHED = [
    # law, inputs, value to the digits printed, where
    ("seed-exponential", {"C": 1e14}, 0.9, "the article, 4.3"),
    ("seed-exponential", {"C": 1e15}, 0.95, "the article, 4.3"),
    ("hoffmann-2022", {"N": 70e9, "D": 1.4e12}, 1.937, "1.69 + 406.4/70e9^.34 + 410.7/1.4e12^.28 by hand"),
    ("hoffmann-2022", {"N": 124_439_808, "D": GPT2_D}, 2.58, "1.69 + .719 + .172 by hand"),
    ("hoffmann-2022-unrounded", {"N": 124_439_808, "D": GPT2_D}, 2.57, "1.693 + .730 + .150 by hand"),
    ("besiroglu-2024", {"N": 124_439_808, "D": GPT2_D}, 2.63, "1.817 + .737 + .080 by hand"),
    ("kaplan-2020-joint", {"N": 85_056_000, "D": GPT2_D}, 2.797, "Kaplan et al. 2020, eq. 1.5 with Table 2"),
    ("kaplan-2020-n", {"N": 8.8e13}, 1.0, "N = Nc"),
    ("kaplan-2020-d", {"D": 5.4e13}, 1.0, "D = Dc"),
    ("kaplan-2020-compute", {"C": 3.1e8}, 1.0, "C = Cc, PF-days"),
    ("kaplan-2020-compute-plain", {"C": 1.6e7}, 1.0, "C = Cc, PF-days"),
]


def test_what_is_shipped():
    assert set(LAWS) == CATALOGUE


@pytest.mark.parametrize(("name", "inputs", "value", "where"), PUBLISHED)
def test_published_values(name, inputs, value, where):
    digits = len(str(value).partition(".")[2])
    assert round(float(LAWS[name].evaluate(**inputs)), digits) == value, where


def test_kaplans_joint_law_has_constants_of_its_own():
    """With those of the one-variable laws it would give another loss."""
    one_variable = {"alpha_N": 0.076, "N_c": 8.8e13, "alpha_D": 0.095, "D_c": 5.4e13}
    wrong = LAWS["kaplan-2020-joint"].evaluate(N=85_056_000, D=GPT2_D, **one_variable)
    assert round(wrong, 3) == 2.865


# Table of the seven models: training FLOPs and Pile test loss (Dey et al. 2023)
CEREBRAS = [
    (2.6e18, 2.566),
    (1.3e19, 2.299),
    (6.1e19, 2.184),
    (2.8e20, 1.996),
    (1.1e21, 1.834),
    (6.3e21, 1.704),
    (2.3e22, 1.575),
]


@pytest.mark.parametrize(("compute", "loss"), CEREBRAS)
def test_cerebras_frontier_passes_its_own_models(compute, loss):
    assert LAWS["cerebras-gpt-2023"].evaluate(C=compute) == pytest.approx(loss, rel=0.035)


def test_pf_days():
    """1 PF-day = 1e15 FLOP/s * 86,400 s (Kaplan et al. 2020, footnote to the abstract's units)."""
    assert PF_DAY == 1e15 * 86_400
    assert LAWS["kaplan-2020-compute"].evaluate(C=3.1e8) == pytest.approx(1)


def test_besiroglus_errors():
    constants = LAWS["besiroglu-2024"].coefficients
    assert [constants[name].se for name in ("A", "B", "E", "alpha", "beta")] == [
        124.52,
        1293.28,
        0.02566,
        0.0154,
        0.0206,
    ]
    assert constants["A"].ci == (285.2, 743.6)
    assert {constant.level for constant in constants.values()} == {0.95}


def test_besiroglus_covariance_gives_the_published_errors():
    """The diagonal holds the publication's errors: .0154, .0206, .02566 directly, A's and B's by their 95 %."""
    covariance = LAWS["besiroglu-2024"].covariance
    assert covariance is not None
    matrix = np.array(covariance.matrix)
    np.testing.assert_allclose(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > 0
    error = dict(zip(covariance.of, np.sqrt(np.diag(matrix)), strict=True))
    for name, published in (("E", 0.02566), ("alpha", 0.0154), ("beta", 0.0206)):
        assert error[name] == pytest.approx(published, rel=0.03)
    for name, low, high in (("log(A)", 285.2, 743.6), ("log(B)", 1042.4, 5810.3)):
        assert error[name] == pytest.approx(np.log(high / low) / (2 * 1.96), rel=0.05)


# --- conformance: every law, whatever it says ----------------------------------------------------------------------


@pytest.fixture(params=sorted(LAWS))
def law(request) -> Law:
    return LAWS[request.param]


def _inputs(law: Law) -> dict[str, float]:
    return {name: {"N": 1e8, "D": 1e10, "C": 2e14}[name] for name in law.inputs}


def test_a_law_says_where_it_comes_from(law):
    assert law.source.citation
    assert law.source.url.startswith("https://") or law.name == "seed-exponential"
    assert law.title
    assert law.metric.unit
    for text, (low, high) in law.range.items():
        assert parse(text).names <= {"N", "D", "C"}
        assert 0 < low < high


def test_a_law_is_found_by_its_name(law):
    assert load(law.name) == law


def test_derivatives_agree_with_differences(law):
    values = _inputs(law)
    slopes, bends = law.gradient(**values), law.hessian(**values)
    for name, value in values.items():
        step = 1e-5 * value
        up, down = {**values, name: value + step}, {**values, name: value - step}
        assert slopes[name] == pytest.approx((law.evaluate(**up) - law.evaluate(**down)) / (2 * step), rel=1e-5)
        for other in values:
            bend = (law.gradient(**up)[other] - law.gradient(**down)[other]) / (2 * step)
            assert bends[other, name] == pytest.approx(bend, rel=1e-4)


def test_inverse_inverts(law):
    values = _inputs(law)
    target = law.evaluate(**values)
    for name in values:
        others = {key: value for key, value in values.items() if key != name}
        assert law.inverse(name, target, **others) == pytest.approx(values[name], rel=1e-9)


def test_arrays_are_evaluated_at_once(law):
    values = {name: np.array([value, 2 * value]) for name, value in _inputs(law).items()}
    result = law.evaluate(**values)
    assert result[1] == pytest.approx(law.evaluate(**{name: value[1] for name, value in values.items()}))


def test_latex_is_balanced(law):
    assert law.latex().count("{") == law.latex().count("}")


# --- finding -------------------------------------------------------------------------------------------------------


def test_an_unknown_name_is_told_its_neighbours():
    with pytest.raises(LawError, match=r"no law 'hofmann-2022'.*hoffmann-2022"):
        load("hofmann-2022")


def test_loading_is_cheap():
    start = time.process_time()
    for _ in range(10):
        shipped()
    assert (time.process_time() - start) / 10 < 0.015


def test_nothing_heavy_is_imported():
    script = """
        import sys
        from scalecalc.laws import catalogue, optimum
        optimum(catalogue()["kaplan-2020-joint"], 1e21)
        heavy = {"scipy", "sympy", "pydantic", "msgspec", "onnx", "typer", "rich"} & set(sys.modules)
        assert not heavy, heavy
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
