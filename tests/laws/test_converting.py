"""A law in another count of N or C says the same of every member of a family."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import yaml

import scalecalc
from scalecalc.errors import LawError
from scalecalc.expressions import Number
from scalecalc.laws import Law, load, optimum, shipped
from scalecalc.laws.binding import SIX_N_D
from scalecalc.laws.converting import Family, convert
from scalecalc.laws.reading import laws_of
from scalecalc.laws.standing import best_compute
from scalecalc.laws.writing import text_of
from scalecalc.walk import Profile

LADDER = {"n_layer": "d_model/64", "n_head": "d_model/64"}


@pytest.fixture(scope="module")
def gpt2() -> Profile:
    return scalecalc.profile("gpt2")


@pytest.fixture(scope="module")
def family(gpt2) -> Family:
    return Family.along(gpt2, LADDER, "gpt2")


MEMBERS = [64, 256, 768, 1600, 12_288]


@pytest.fixture(params=MEMBERS)
def counts(request) -> dict[str, float]:
    return member(request.param)


def member(d: int) -> dict[str, float]:
    """One of the ladder, counted by hand: n layers of 12 d^2 weights and 13 d biases and norms."""
    n = d // 64
    blocks, table = n * (12 * d * d + 13 * d) + 2 * d, 50_257 * d
    linear = n * 12 * d * d + table
    # 6 for each weight of a product, and two products of attention over 1024 places, d wide
    exact = 6 * (linear + n * 2 * 1024 * d)
    return {"total": blocks + table + 1024 * d, "non_embedding": blocks, "linear": linear, "exact": exact}


@pytest.mark.parametrize("name", ["hoffmann-2022", "hoffmann-2022-unrounded", "besiroglu-2024", "kaplan-2020-joint"])
@pytest.mark.parametrize("count", ["total", "non_embedding", "linear"])
def test_another_count_of_parameters_predicts_the_same(family, counts, name, count):
    law = load(name)
    own = law.variables["N"].count
    if count == own:
        with pytest.raises(LawError, match="counts so already"):
            convert(law, family, params=count)
        return
    other = convert(law, family, params=count)
    assert other.variables["N"].count == count
    expected = law.evaluate(N=counts[own], D=1e10)
    assert other.evaluate(N=counts[count], D=1e10) == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize("compute", ["exact", "6N_total*D", "6N_nonemb*D"])
def test_another_count_of_compute_predicts_the_same(family, counts, compute):
    """Of a law of N and D, which then takes C instead of D; and from there to any other count."""
    law, data = load("besiroglu-2024"), 1e10
    expected = law.evaluate(N=counts["total"], D=data)
    each = {"exact": counts["exact"], "6N_total*D": 6 * counts["total"], "6N_nonemb*D": 6 * counts["non_embedding"]}
    other = convert(law, family, params="non_embedding", compute=compute)
    assert other.inputs == ("N", "C")
    found = other.evaluate(N=counts["non_embedding"], C=each[compute] * data)
    assert found == pytest.approx(expected, rel=1e-12, abs=0)
    back = next(count for count in each if count != compute)
    again = convert(other, family, params="total", compute=back)
    assert again.evaluate(N=counts["total"], C=each[back] * data) == pytest.approx(expected, rel=1e-12, abs=0)


# but the article's, whose exponential is beyond any number at such budgets
EVERY = {name: law for name, law in shipped().items() if not law.is_form and name != "seed-exponential"}
INTO = [{"params": count} for count in ("total", "non_embedding", "linear", "flops_per_token")] + [
    {"compute": count, "ratio": 20.0} for count in ("exact", "6N_total*D", "6N_nonemb*D")]  # fmt: skip
OTHERS = {"L": 2.5, "P_w": 8.0, "P_a": 8.0, "P_kv": 8.0, "G": 4.0, "experts": 8.0, "N_v": 4e7, "D_inf": 1e12}


def attempt(law: Law, family: Family, into: dict[str, object]) -> Law | str:
    try:
        return convert(law, family, **into)
    except LawError as error:
        return str(error)


@pytest.mark.parametrize("name", EVERY)
def test_every_law_says_the_same_in_another_count_or_refuses_in_a_line(family, name):
    law = EVERY[name]
    for into in INTO:
        other = attempt(law, family, into)
        if isinstance(other, str):
            assert "\n" not in other
            assert name in other
        elif law.gives:  # the same best model
            unit = 8.64e19 if law.variables["C"].unit == "PF-day" else 1.0
            best = Number(law.evaluate(C=1e21 / unit))
            size = family.member(family.params(law.variables["N"].count), best).evaluate({})
            expected = family.params(into["params"]).evaluate({"d_model": size})
            assert other.evaluate(C=1e21 / unit) == pytest.approx(float(expected), rel=1e-12, abs=0)
            assert other.metric.unit == ("FLOP/token" if into["params"] == "flops_per_token" else "parameter")
        else:
            for d in MEMBERS:
                expected = law.evaluate(**of_member(law, member(d)))
                assert other.evaluate(**of_member(other, member(d))) == pytest.approx(expected, rel=1e-12, abs=0)


def of_member(law: Law, counts: dict[str, float]) -> dict[str, float]:
    """What the law takes, of 20 tokens per parameter."""
    data = 20 * counts["total"]
    n = {**counts, "active": counts["total"], "flops_per_token": counts["exact"]}
    c = {"exact": counts["exact"] * data} | {text: 6 * counts[count] * data for text, count in SIX_N_D.items()}
    known = {"D": data, "U": data, **OTHERS}
    if "N" in law.inputs:
        known["N"] = n[law.variables["N"].count]
    if "C" in law.inputs:
        known["C"] = c[law.variables["C"].count] / (8.64e19 if law.variables["C"].unit == "PF-day" else 1.0)
    return {symbol: known[symbol] for symbol in law.inputs}


def test_which_laws_convert(family):
    """Those that say what they count: their N by another count, C by another where it tells the model."""

    def converts(law: Law, **into: object) -> bool:
        return isinstance(attempt(law, family, into), Law)

    by_n = {name for name, law in EVERY.items() if converts(law, params="flops_per_token")}
    assert by_n >= {
        "besiroglu-2024", "hoffmann-2022", "hoffmann-2022-unrounded", "kaplan-2020-joint", "kaplan-2020-n",
        "kumar-2024", "li-2025-learning-rate", "hoffmann-2022-approach-1", "kaplan-2020-best-n", "porian-2024",
    }  # fmt: skip
    assert not by_n & {"muennighoff-2023", "kaplan-2020-d", "zhai-2022-10shot", "sardana-2024"}
    alone = {name: law for name, law in EVERY.items() if law.inputs == ("C",)}
    by_c = {name for name, law in alone.items() if converts(law, compute="exact", ratio=20.0)}
    henighan = {name for name in alone if name.startswith("henighan-2020") and alone[name].kind == "frontier"}
    assert by_c - henighan == {
        "kaplan-2020-compute", "kaplan-2020-compute-plain", "kaplan-2020-critical-batch", "tao-2024-vocabulary",
    }  # fmt: skip
    assert henighan - by_c == {"henighan-2020-language"}  # of GPT-3's runs, whose C it does not say


def test_compute_in_place_of_data_is_in_flop(family, counts):
    """Whatever unit a law declares for a C that it does not take."""
    law = load("hoffmann-2022")
    law = replace(law, variables={**law.variables, "C": replace(law.variables["C"], unit="PF-day")})
    other = convert(law, family, compute="exact")
    assert other.variables["C"].unit == "FLOP"
    said = other.evaluate(N=counts["total"], C=counts["exact"] * 1e9)
    assert said == pytest.approx(law.evaluate(N=counts["total"], D=1e9), rel=1e-12)


def test_a_law_of_compute_alone(family, counts):
    """Cerebras-GPT's, found at 20 tokens per parameter: C then tells the model."""
    law, data = load("cerebras-gpt-2023"), 20 * counts["total"]
    other = convert(law, family, compute="6N_nonemb*D", ratio=20)
    expected = law.evaluate(C=counts["exact"] * data)
    assert other.evaluate(C=6 * counts["non_embedding"] * data) == pytest.approx(expected, rel=1e-12, abs=0)
    kaplan = load("kaplan-2020-compute")  # in PF-days
    exact = convert(kaplan, family, compute="exact", ratio=20)
    expected = kaplan.evaluate(C=6 * counts["non_embedding"] * data / 8.64e19)
    assert exact.evaluate(C=counts["exact"] * data / 8.64e19) == pytest.approx(expected, rel=1e-12, abs=0)


def exponent(law: Law) -> float:
    """a of N* = C^a over the models of Kaplan et al., 768 to 1.5e9 non-embedding parameters."""
    sizes = np.logspace(math.log10(768), math.log10(1.5e9), 12)
    budgets = [best_compute(law, size) for size in sizes]
    return float(np.polyfit(np.log(budgets), np.log(sizes), 1)[0])


@pytest.mark.parametrize(
    ("name", "by_total", "by_others"), [("hoffmann-2022-unrounded", 0.4565, 0.74), ("besiroglu-2024", 0.5126, 0.78)]
)
def test_counting_turns_hoffmanns_exponent_to_kaplans(gpt2, name, by_total, by_others):
    """Pearce and Song 2024: by total parameters beta/(alpha + beta), by the others .74 and .78 at Kaplan's scale.

    Their family has N_total = N + 47491 N^(1/3): 32,000 tokens and places, layers 39.2 times as wide as many. Kaplan
    et al. found .73.
    """
    sizes = {"n_layer": "d_model*5/196", "n_head": "d_model/64", "vocab": "30976"}
    family = Family.along(gpt2, sizes, "Pearce and Song's")
    law = load(name)
    total = family.params("total").evaluate({"d_model": 39.2 * 20})
    blocks = family.params("non_embedding").evaluate({"d_model": 39.2 * 20})
    assert total == pytest.approx(blocks + 47_491 * blocks ** (1 / 3), rel=1e-3)
    assert exponent(law) == pytest.approx(by_total, abs=1e-4)
    assert round(exponent(convert(law, family, params="non_embedding")), 2) == by_others


def test_the_optimum_by_both_counts_is_one_loss(family):
    """At a large budget both counts are nearly the same, and so is what they find."""
    law = load("besiroglu-2024")
    one, other = optimum(law, 1e26), optimum(convert(law, family, params="non_embedding"), 1e26)
    assert other.value == pytest.approx(one.value, rel=1e-3)
    assert other.params == pytest.approx(one.params, rel=0.05)
    assert not other.closed_form


def test_a_converted_law_is_a_file(family):
    law = convert(load("besiroglu-2024"), family, params="non_embedding")
    (read,) = laws_of(yaml.safe_load(text_of(law)), "file")
    assert read == law
    assert law.name == "besiroglu-2024-non-embedding"
    low, high = law.range["N"]
    assert low < load("besiroglu-2024").range["N"][0]
    assert high < load("besiroglu-2024").range["N"][1]
    assert "C" not in law.range


def test_a_family_whose_depth_is_no_power_of_its_width(gpt2):
    """n_layer = sqrt(d_model): 16 layers at 256."""
    law = load("hoffmann-2022")
    other = convert(law, Family.along(gpt2, {"n_layer": "sqrt(d_model)"}), params="non_embedding")
    blocks = 16 * (12 * 256**2 + 13 * 256) + 2 * 256
    expected = law.evaluate(N=blocks + 51_281 * 256, D=1e10)
    assert other.evaluate(N=blocks, D=1e10) == pytest.approx(expected, rel=1e-12, abs=0)


WRONG = [
    ("hoffmann-2022", LADDER, {}, "no count to convert to"),
    ("hoffmann-2022", {}, {"params": "linear"}, "no size says how the others grow"),
    ("hoffmann-2022", {"n_layer": "d_model/vocab"}, {"params": "linear"}, "d_model, vocab left free"),
    ("hoffmann-2022", {"depth": "d_model"}, {"params": "linear"}, "no size depth"),
    ("hoffmann-2022", {"n_layer": "n_head", "n_head": "n_layer + d_model"}, {"params": "linear"}, "in a circle"),
    ("hoffmann-2022", {"n_layer": "d_model//64"}, {"params": "linear"}, "a count jumps, by floor"),
    ("hoffmann-2022", LADDER, {"params": "layers"}, "parameters counted as 'layers'"),
    ("hoffmann-2022", LADDER, {"params": "linear", "compute": "wall"}, "compute counted as 'wall'"),
    ("cerebras-gpt-2023", LADDER, {"compute": "6N_total*D"}, "does not tell the model by its C alone"),
    ("muennighoff-2023", LADDER, {"params": "linear"}, "does not say how it counts N"),
    ("zhai-2022-10shot", LADDER, {"compute": "exact", "ratio": 20.0}, "does not say how it counts C"),
    ("kaplan-2020-d", LADDER, {"params": "total"}, "takes neither N nor C"),
    ("kaplan-2020-compute", LADDER, {"params": "total"}, "takes no N; convert its C"),
    ("kaplan-2020-best-n", LADDER, {"compute": "exact", "ratio": 20.0}, "does not say which D its C is spent on"),
    ("kaplan-2020-best-d", LADDER, {"params": "total"}, "does not say which N its C is spent on"),
    ("deepseek-2024-best-n", LADDER, {"params": "total"}, "counts N as flops per token without head"),
    ("deepseek-2024-batch", LADDER, {"compute": "exact", "ratio": 20.0}, "counts C as exact without head"),
]


@pytest.mark.parametrize(("name", "sizes", "counts", "says"), WRONG)
def test_what_cannot_be_converted(gpt2, name, sizes, counts, says):
    with pytest.raises(LawError, match=says):
        convert(load(name), Family.along(gpt2, sizes, "gpt2"), **counts)
