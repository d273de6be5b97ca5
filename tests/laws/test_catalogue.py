"""What is shipped, and that every law of it keeps the conventions and agrees with itself, whatever it says."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from scalecalc.errors import LawError
from scalecalc.expressions import parse
from scalecalc.laws import Law, load, shipped

LAWS = shipped()

CATALOGUE = {
    "besiroglu-2024", "cerebras-gpt-2023", "clark-2022-hash", "clark-2022-rl-r", "clark-2022-s-base",
    "deepseek-2024-batch", "deepseek-2024-best-d", "deepseek-2024-best-n", "deepseek-2024-learning-rate",
    "henighan-2020-best-n-image-16", "henighan-2020-best-n-image-32", "henighan-2020-best-n-image-8",
    "henighan-2020-best-n-image-vq-16", "henighan-2020-best-n-image-vq-32", "henighan-2020-best-n-math",
    "henighan-2020-best-n-video", "henighan-2020-image-16", "henighan-2020-image-32", "henighan-2020-image-8",
    "henighan-2020-image-to-text", "henighan-2020-image-vq-16", "henighan-2020-image-vq-32", "henighan-2020-language",
    "henighan-2020-math", "henighan-2020-text-to-image", "henighan-2020-video", "hestness-2017-speech",
    "hestness-2017-speech-attention", "hestness-2017-translation", "hestness-2017-translation-208",
    "hestness-2017-translation-512", "hestness-2017-words", "hoffmann-2022", "hoffmann-2022-approach-1",
    "hoffmann-2022-approach-2", "hoffmann-2022-unrounded", "kaplan-2020-best-d", "kaplan-2020-best-n",
    "kaplan-2020-compute", "kaplan-2020-compute-plain", "kaplan-2020-critical-batch", "kaplan-2020-d",
    "kaplan-2020-joint", "kaplan-2020-learning-rate", "kaplan-2020-n", "krajewski-2024", "kumar-2024", "li-2025-batch",
    "li-2025-learning-rate", "mccandlish-2018-critical-batch", "muennighoff-2023", "porian-2024",
    "porian-2024-batch", "porian-2024-decay", "porian-2024-head", "porian-2024-kaplan", "porian-2024-learning-rate",
    "porian-2024-warmup", "sardana-2024", "seed-exponential", "tao-2024-loss", "tao-2024-vocabulary",
    "zhai-2022-10shot", "zhai-2022-finetune",
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
    "clark-2022": {"a": -0.08, "b": -0.1, "c": 0.009, "d": 1.1, "S_min": 1.8, "S_max": 300.0},
    "droppo-2021": {"L_inf": 1.2, "N_c": 1e13, "alpha_N": 0.07, "D_c": 1e13, "alpha_D": 0.1, "a": 0.4},
    "exponential": {"a": 0.9, "b": 6e-17},
    "gadre-2024-error": {"eps": 0.9, "k": 2.0, "gamma": 0.5},
    "gadre-2024-loss": {"E": 1.5, "a": 100.0, "b": 200.0, "eta": 0.14},
    "ghorbani-2021": {"a": 2.0, "p_e": 0.2, "p_d": 0.25, "L_inf": 1.4},
    "joint": {"A": 20.0, "a": 0.3, "R": 2.0, "b": 0.25, "k": 0.5, "E": 1.0},
    "hestness-2017-characters": {"a": 5.0}, "hestness-2017-images": {"a": 20.0},
    "kumar-2024-post": {"C_T": 0.05, "gamma_D": 0.5, "gamma_N": 0.5, "gamma_post": 0.6},
    "mcleish-2025": {
        "E": 1.5, "A": 5.0, "alpha": 0.5, "B": 1.0, "beta": 0.7, "P": 50.0, "gamma": 0.25, "T": 300.0, "zeta": 0.3},
    "mccandlish-2018-steps": {"S_min": 1e4, "D_min": 4e9},
    "rosenfeld-2020": {"eps0": 0.9, "a": 50.0, "alpha": 0.4, "b": 60.0, "beta": 0.3, "c": 0.1, "eta": 2.0},
    "saturating-exponential": {"P_inf": 0.95, "P_0": 0.1, "b": 1e-5, "c": 0.4},
    "shifted-separable": {
        "E": 1.7, "A": 400.0, "s_N": 1e6, "alpha": 0.34, "B": 400.0, "s_D": 1e8, "beta": 0.28},
}  # fmt: skip


OWN = "keras-"
"""Laws of trainings of this project's own; tests/benchmarks compares them with the rows."""


def test_what_is_shipped():
    assert {name for name, law in LAWS.items() if not law.is_form and not name.startswith(OWN)} == CATALOGUE
    assert {name for name, law in LAWS.items() if law.is_form} == set(FORMS)


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
    "N_v": 4e7, "width": 1024.0, "depth": 24.0,
}  # fmt: skip


def _inputs(law: Law) -> dict[str, float]:
    return {name: PLACES[name] for name in law.inputs}


def test_a_law_says_where_it_comes_from(law):
    assert law.source.citation
    own = {"seed-exponential", "exponential", "saturating-exponential", "shifted-separable", "joint"}
    assert law.source.url.startswith("https://") or law.name in own or law.name.startswith(OWN)
    assert law.title
    assert law.metric.unit
    for text, (low, high) in law.range.items():
        assert parse(text).names <= {"N", "D", "U", "C"}
        assert 0 < low < high or (0 < low == high and text not in law.inputs)


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


def test_nothing_heavy_is_imported():
    script = """
        import sys
        from scalecalc.laws import catalogue, optimum
        optimum(catalogue()["kaplan-2020-joint"], 1e21)
        heavy = {"scipy", "sympy", "pydantic", "msgspec", "onnx", "typer", "rich"} & set(sys.modules)
        assert not heavy, heavy
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
