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
    "besiroglu-2024", "cerebras-gpt-2023", "deepseek-2024-batch", "deepseek-2024-learning-rate", "hoffmann-2022",
    "hoffmann-2022-unrounded", "kaplan-2020-compute", "kaplan-2020-compute-plain", "kaplan-2020-d",
    "kaplan-2020-joint", "kaplan-2020-n", "kumar-2024", "li-2025-batch", "li-2025-learning-rate",
    "mccandlish-2018-critical-batch", "muennighoff-2023", "sardana-2024", "seed-exponential", "zhai-2022-10shot",
    "zhai-2022-finetune",
}  # fmt: skip

FORMS = {
    # what is fitted, with values to try it at; their publications print none, or none that is certain
    "alabdulmohsin-2022-m1": {"b": 30.0, "c": 0.3},
    "alabdulmohsin-2022-m2": {"e": 0.1, "b": 30.0, "c": 0.3},
    "alabdulmohsin-2022-m3": {"b": 2e2, "g": 1e-9, "c": 0.4},
    "alabdulmohsin-2022-m4": {"e": 0.1, "e0": 2.0, "a": 0.7, "D_0": 5e10, "c": 0.4},
    "bhagia-2024-accuracy": {"a": -0.7, "k": 3.0, "L0": 1.2, "b": 0.95},
    "bhagia-2024-loss": {"A": 400.0, "B": 500.0, "alpha": 0.3, "beta": 0.3, "E": 0.5},
    "caballero-2023-one-break": {"a": 0.1, "b": 3.0, "c0": 0.1, "c1": 0.4, "d1": 1e9, "f1": 0.3},
    "caballero-2023-two-breaks": {
        "a": 0.1, "b": 3.0, "c0": 0.1, "c1": 0.4, "d1": 1e8, "f1": 0.3, "c2": -0.2, "d2": 1e11, "f2": 0.5},
    "clark-2022": {"a": -0.08, "b": -0.1, "c": 0.004, "d": 2.2, "S_min": 1.8, "S_max": 300.0},
    "droppo-2021": {"L_inf": 1.2, "N_c": 1e13, "alpha_N": 0.07, "D_c": 1e13, "alpha_D": 0.1, "a": 0.4},
    "exponential": {"a": 0.9, "b": 6e-17},
    "gadre-2024-error": {"eps": 0.9, "k": 2.0, "gamma": 0.5},
    "gadre-2024-loss": {"E": 1.5, "a": 100.0, "b": 200.0, "eta": 0.14},
    "ghorbani-2021": {"a": 2.0, "p_e": 0.2, "p_d": 0.25, "L_inf": 1.4},
    "joint": {"A": 20.0, "a": 0.3, "R": 2.0, "b": 0.25, "k": 0.5, "E": 1.0},
    "krajewski-2024": {"c": 0.5, "a": 18.0, "g": 2.0, "gamma": 0.6, "alpha": 0.1, "b": 30.0, "beta": 0.15},
    "kumar-2024-post": {"C_T": 0.05, "gamma_D": 0.5, "gamma_N": 0.5, "gamma_post": 0.6},
    "mccandlish-2018-steps": {"S_min": 1e4, "D_min": 4e9},
    "porian-2024": {"N_0": 0.5}, "porian-2024-decay": {"N_0": 0.5}, "porian-2024-head": {"N_0": 0.5},
    "porian-2024-kaplan": {"N_0": 0.5}, "porian-2024-warmup": {"N_0": 0.5},
    "rosenfeld-2020": {"eps0": 0.9, "a": 50.0, "alpha": 0.4, "b": 60.0, "beta": 0.3, "c": 0.1, "eta": 2.0},
    "saturating-exponential": {"P_inf": 0.95, "P_0": 0.1, "b": 1e-5, "c": 0.4},
    "shifted-separable": {
        "E": 1.7, "A": 400.0, "s_N": 1e6, "alpha": 0.34, "B": 400.0, "s_D": 1e8, "beta": 0.28},
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
    # what the authors' own code prints for the two allocations of 9.2e21 FLOP on 25e9 distinct tokens
    ("muennighoff-2023", {"N": 6.34e9, "D": 242e9, "U": 25e9}, 2.2256440889984477, "huggingface/datablations"),
    ("muennighoff-2023", {"N": 8.67e9, "D": 178e9, "U": 25e9}, 2.2269634075087867, "huggingface/datablations"),
    ("zhai-2022-finetune", {"C": 0.99}, 0.35, ".09 + .26 where C + .01 is one"),
    ("zhai-2022-10shot", {"C": 0.48}, 0.75, ".12 + .63 where C + .52 is one"),
    ("zhai-2022-finetune", {"C": 1e-9}, 1.393, ".09 + .26*10^.7, 10^.7 = 5.0119"),
    # in endless precision N_eff = N: 2.7648 + 4299*10^-3.972 + 18060*10^-5 = 2.7648 + .4585 + .1806
    ("kumar-2024", {"N": 1e8, "D": 1e10, "P_w": 1e3, "P_a": 1e3, "P_kv": 1e3}, 3.404, "by hand"),
    # four bits for the weights: 1 - exp(-4/2.6745) = .7759 of N, .4585*.7759^-.4965 = .5201
    ("kumar-2024", {"N": 1e8, "D": 1e10, "P_w": 4, "P_a": 1e3, "P_kv": 1e3}, 3.4655, "by hand"),
    # 1.79*10^(-.713*9 + .307*11) = 1.79*10^-3.04; .58*10^(.571*11) = .58*10^6.281
    ("li-2025-learning-rate", {"N": 1e9, "D": 1e11}, 0.0016325, "by hand"),
    ("li-2025-batch", {"D": 1e11}, 1107715, "by hand"),
    ("mccandlish-2018-critical-batch", {"L": 1.0}, 2e8, "B_star"),
    ("mccandlish-2018-critical-batch", {"L": 2**0.21}, 1e8, "half of it, where L^(1/.21) is 2"),
    # 6*7e10*1.4e12 = 5.88e23 (Chinchilla's training), and 2*7e10*1e12 = 1.4e23 for 1e12 tokens answered
    ("sardana-2024", {"N": 7e10, "D": 1.4e12, "D_inf": 1e12}, 7.28e23, "by hand"),
]


def test_what_is_shipped():
    assert {name for name, law in LAWS.items() if not law.is_form} == CATALOGUE
    assert {name for name, law in LAWS.items() if law.is_form} == set(FORMS)
    assert {row[0] for row in PUBLISHED} | {"cerebras-gpt-2023"} | {row[0] for row in DEEPSEEK} == CATALOGUE


@pytest.mark.parametrize(("name", "inputs", "value", "where"), PUBLISHED)
def test_published_values(name, inputs, value, where):
    digits = 12 if len(str(value)) > 15 else len(str(value).partition("e")[0].partition(".")[2])
    result = float(LAWS[name].evaluate(**inputs))
    assert round(result, digits) == round(value, digits) or result == pytest.approx(value, rel=1e-12), where


# What DeepSeek LLM's two models were trained with (Table 2: 2e12 tokens, batches of 4,096 tokens each), at 6 N D
DEEPSEEK = [
    ("deepseek-2024-learning-rate", 7e9, 4.2e-4),
    ("deepseek-2024-learning-rate", 67e9, 3.2e-4),
    ("deepseek-2024-batch", 7e9, 2304 * 4096),
    ("deepseek-2024-batch", 67e9, 4608 * 4096),
]


@pytest.mark.parametrize(("name", "params", "value"), DEEPSEEK)
def test_deepseek_trained_its_models_by_its_law(name, params, value):
    assert LAWS[name].evaluate(C=6 * params * 2e12) == pytest.approx(value, rel=0.05)


def test_porians_corrections_turn_kaplans_exponent_into_hoffmanns():
    steps = ["porian-2024-kaplan", "porian-2024-head", "porian-2024-warmup", "porian-2024-decay", "porian-2024"]
    assert [LAWS[name].coefficients["a"].value for name in steps] == [0.835, 0.707, 0.602, 0.572, 0.497]
    assert LAWS[steps[0]].coefficients["a"].ci == (0.824, 0.846)
    # ten thousand times the compute takes 10^(4*.497) = 97 times the parameters
    known = LAWS["porian-2024"].with_coefficients(N_0=1.0)
    assert known.evaluate(C=1e22) / known.evaluate(C=1e18) == pytest.approx(97.275, rel=1e-4)


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
def shipped_law(request) -> Law:
    return LAWS[request.param]


@pytest.fixture
def law(shipped_law) -> Law:
    """With constants, if it is a form."""
    return shipped_law.with_coefficients(**FORMS.get(shipped_law.name, {}))


PLACES = {
    "N": 1e8, "D": 1e10, "U": 4e9, "C": 2e14, "L": 2.5, "D_inf": 1e11, "P": 4.0, "P_w": 5.0, "P_a": 6.0, "P_kv": 3.0,
    "experts": 16.0, "G": 4.0, "N_enc": 3e7, "N_dec": 5e7,
}  # fmt: skip


def _inputs(law: Law) -> dict[str, float]:
    return {name: PLACES[name] for name in law.inputs}


def test_a_law_says_where_it_comes_from(law):
    assert law.source.citation
    own = {"seed-exponential", "exponential", "saturating-exponential", "shifted-separable", "joint"}
    assert law.source.url.startswith("https://") or law.name in own
    assert law.title
    assert law.metric.unit
    for text, (low, high) in law.range.items():
        assert parse(text).names <= {"N", "D", "U", "C"}
        assert 0 < low < high


def test_a_law_is_found_by_its_name(shipped_law):
    assert load(shipped_law.name) == shipped_law


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
        place = law.inverse(name, target, **others)
        assert law.evaluate(**others, **{name: place}) == pytest.approx(target, rel=1e-9)
        if law.name != "gadre-2024-loss":  # which has a best D/N, and so two places
            assert place == pytest.approx(values[name], rel=1e-9)


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
