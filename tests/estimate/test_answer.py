"""An estimate as an object: what the library gives without the command line."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import log
from typing import Any

import pytest
import yaml

from scalecalc import profile
from scalecalc.errors import UsageError
from scalecalc.estimate import estimate, inspect
from scalecalc.estimate.words import short
from scalecalc.laws import Law, catalogue, optimum
from scalecalc.laws.reading import laws_of
from scalecalc.report.advice import settings
from scalecalc.walk import Profile, walk
from tests.walk.graphs import graph

IMAGE = """(float[n,1,28,28] x) => (float[n,10] y) <float[8,1,3,3] w, float[8,10] v> {
    a = Conv(x, w)  b = Relu(a)  c = GlobalAveragePool(b)  d = Flatten(c)  e = MatMul(d, v)  y = Softmax(e)
}"""
MACS = 26 * 26 * 8 * 9 + 80
TRAINING = 2 * (2 * 26 * 26 * 8 * 9 + 3 * 80)  # the stem's input needs no gradient


@pytest.fixture(scope="module")
def image() -> Profile:
    return walk(graph(IMAGE))


def language(tokens: int, width: int) -> Profile:
    """Embedding, one layer, tied head."""
    return walk(graph(f"""(int64[n,64] ids) => (float[n,64,{tokens}] y)
        <float[{tokens},{width}] table, float[{width},{width}] w> {{
        e = Gather(table, ids)  h = MatMul(e, w)  t = Transpose<perm=[1,0]>(table)  y = MatMul(h, t)
    }}"""))  # fmt: skip


@pytest.mark.parametrize("budget", [1, 1e9, Fraction(10**14), 123456789, 1e60])
def test_a_budget_buys_samples(image: Profile, budget: Any) -> None:
    answer = estimate(image, budget, sizes={"n": 32})
    assert type(answer.plan.compute) is float
    assert answer.inspection.flops_per_sample == TRAINING
    assert answer.plan.seen == float(Fraction(budget) / TRAINING)
    assert answer.steps == answer.plan.seen / 32


@pytest.mark.parametrize("budget", [0.0, -1.0, 0.99, 1.1e60, 10**400, float("inf"), float("nan"), "1e21", None, 1j])
def test_budgets_must_be_sensible(image: Profile, budget: Any) -> None:
    with pytest.raises(UsageError, match="is no budget"):
        estimate(image, budget)


def test_samples(image: Profile) -> None:
    inspection = inspect(image, sizes={"n": 4})
    assert (inspection.task.name, inspection.task.sample) == ("image-classification", "example")
    assert inspection.samples_per_run == 4
    assert inspection.each(image.forward["macs"]) == MACS
    assert str(inspection.per_sample.formula) == str(TRAINING)
    tokens = inspect(language(50, 8))
    assert (tokens.task.sample, tokens.samples_per_run) == ("token", 64)
    assert tokens.each(tokens.profile.forward["macs"]) == 8 * 8 + 8 * 50


def test_tasks(image: Profile) -> None:
    assert inspect(image, task="image-to-image").task.guessed is False
    for wrong in ("image", "language", ""):
        with pytest.raises(UsageError, match=f"no task '{wrong}'"):
            inspect(image, task=wrong)
    with pytest.raises(UsageError, match="no sample 'image'"):
        inspect(image, sample="image")


def test_laws_may_be_given(image: Profile) -> None:
    seed = {"seed-exponential": catalogue()["seed-exponential"]}
    answer = estimate(image, 1e15, laws=seed)
    assert [prediction.law for prediction in answer.predictions] == ["seed-exponential"]
    assert answer.refused == ()
    assert estimate(image, 1e15, laws={}).predictions == ()


@pytest.fixture(scope="module")
def decoder() -> Profile:
    return language(50_000, 64)


VERDICTS = [
    # budget over the one this model is the best for, words
    (1e3, "Too small for this budget"),
    (0.2, "Too large for this budget"),
    (1, "Well sized for this budget"),
]


@pytest.mark.parametrize(("times", "words"), VERDICTS)
def test_verdicts_compare_with_the_optimum(decoder: Profile, times: float, words: str) -> None:
    right = estimate(decoder, 1e15, task="language-modeling").best[0].at
    answer = estimate(decoder, right * times, task="language-modeling")
    best = answer.best[0]
    assert best.at == pytest.approx(right, rel=1e-6)
    low, high = best.optimum.near
    params = answer.inspection.value(answer.inspection.profile.params["trainable"])
    assert answer.verdict.startswith(words)
    assert best.ratio == pytest.approx(best.optimum.params / params, rel=1e-12)
    assert (params < low, params > high) == ("small" in words, "large" in words)
    assert answer.efficiency.compute <= 1 + 1e-9


def test_efficiency_at_this_models_own_cost(decoder: Profile) -> None:
    """The same ratio with k of C = k*N*D this model's: its least compute over the whole budget."""
    answer = estimate(decoder, 1e16, task="language-modeling")
    own = answer.best[1].optimum.per_nd
    params = answer.inspection.value(decoder.params["trainable"])
    assert own == pytest.approx(answer.inspection.flops_per_sample / params, rel=1e-12)
    value, law = answer.predictions[0].value, answer.predictions[0].binding.law
    spent = answer.efficiency_own * 1e16
    assert optimum(law, spent, per_nd=own).value == pytest.approx(value, rel=1e-6)
    assert optimum(law, answer.efficiency.compute * 1e16).value == pytest.approx(value, rel=1e-6)


def test_a_loss_above_that_of_guessing_is_refused(decoder: Profile) -> None:
    for budget in (1e13, 1e14, 1e15, 1e16):
        answer = estimate(decoder, budget, task="language-modeling")
        why = {law.name: why for law, why in answer.refused if "guessing" in why}
        assert all(prediction.value <= log(50_000) for prediction in answer.predictions)
        assert set(why.values()) <= {"loss would exceed ln(vocabulary) = 10.82, that of guessing"}
        guessing = "besiroglu-2024" in why  # the default law
        assert guessing == (budget < 1e15)
        assert (answer.best == (), answer.efficiency is None, answer.efficiency_own is None) == (guessing,) * 3
        assert answer.verdict.startswith(("Too small", "Too large", "Well sized")) != guessing
        asks = "that of guessing); ask for more" in answer.verdict
        assert asks == (not answer.predictions and not answer.best)  # else a law that is left speaks


@pytest.mark.parametrize("size", [1, 8])
def test_a_budget_below_one_step_predicts_nothing(image: Profile, size: int) -> None:
    for laws in (None, {"seed-exponential": catalogue()["seed-exponential"]}):
        enough = estimate(image, float(TRAINING * size), sizes={"n": size}, laws=laws)
        assert "seed-exponential" in [prediction.law for prediction in enough.predictions]
        short_of_it = estimate(image, TRAINING * size - 1.0, sizes={"n": size}, laws=laws)
        assert (short_of_it.predictions, short_of_it.best) == ((), ())
        why = {law.name: why for law, why in short_of_it.refused}
        assert why["seed-exponential"] == "the budget does not pay for one step"
        assert short_of_it.verdict.startswith("The budget does not pay for one step, which takes")


def frontier(**changes: Any) -> Law:
    """A law of the best image classifier for C."""
    fields = {
        "name": "best-2022", "kind": "frontier", "source": {"citation": "none"}, "formula": "0.1 + C**-0.1",
        "C": {"count": "exact", "unit": "FLOP"}, "metric": {"name": "error", "unit": "fraction", "better": "lower"},
        "applies_to": {"modality": "image", "task": "image-classification"}, **changes,
    }  # fmt: skip
    (law,) = laws_of(fields, "test")
    return law


FRONTIERS = [
    # changes, C in the law's unit, status, part of how
    ({}, 1e15, "exact", "1e+15 training matrix FLOPs"),
    ({"C": {"count": "exact", "unit": "PF-day"}}, 1e15 / 8.64e19, "converted", "/8.64e19 PF-days"),
    ({"C": {"count": "6N_nonemb*D", "unit": "FLOP"}}, 1e15, "assumed", "; the law counts 6N_nonemb*D"),
    ({"C": {"count": "6N_total*D", "unit": "PF-day"}}, 1e15 / 8.64e19, "assumed", "/8.64e19 PF-days; the law counts"),
    ({"C": {"unit": "PF-day"}}, 1e15 / 8.64e19, "assumed", "does not say how it counts"),
    ({"C": {"count": "exact", "attention": "causal"}}, 1e15, "assumed", "full attention; the law's: causal"),
]


@pytest.mark.parametrize(("changes", "compute", "status", "how"), FRONTIERS)
def test_frontier_laws_take_the_budget(image: Profile, changes: Any, compute: float, status: str, how: str) -> None:
    law = frontier(**changes)
    answer = estimate(image, 1e15, laws={law.name: law})
    (point,) = answer.frontiers
    assert (point.bound.status, how in point.bound.how) == (status, True), point.bound
    assert point.bound.value == pytest.approx(compute, rel=1e-12)
    assert point.value == pytest.approx(0.1 + compute**-0.1, rel=1e-12)
    assert "see OPTIMUM" in answer.refused[0][1]


REFUSED = [
    ({"C": {"unit": "core-day"}}, "the law counts in core-days, which FLOPs do not tell"),
    ({"C": {"count": "cores"}}, "the law counts C as 'cores'"),
    ({"metric": {"name": "error", "unit": "fraction", "better": "lower", "bounds": [0.5, 1]}}, "would fall below 0.5"),
    ({"formula": "exp(C)"}, "no value at these inputs"),
    ({"formula": "C**-0.1 + U**-0.1", "U": {"sample": "example"}}, "of the best model only C is known"),
    ({"applies_to": {"modality": "text", "task": "image-classification"}}, "another modality"),
    ({"applies_to": {"modality": "image", "task": "image-classification", "classes": 5}}, "5 classes"),
]


@pytest.mark.parametrize(("changes", "why"), REFUSED)
def test_frontier_laws_that_do_not_fit_are_refused(image: Profile, changes: Any, why: str) -> None:
    law = frontier(**changes)
    seed = catalogue()["seed-exponential"]
    answer = estimate(image, 1e15, laws={law.name: law, seed.name: seed})
    assert answer.frontiers == ()
    ((refused, reason),) = answer.refused
    assert (refused, why in reason) == (law, True), reason
    assert [prediction.law for prediction in answer.predictions] == [seed.name]


def test_frontier_laws_do_not_guess_either(decoder: Profile) -> None:
    law = catalogue()["cerebras-gpt-2023"]
    worse = replace(law, name="worse", coefficients=law.with_coefficients(E=11.0).coefficients)
    answer = estimate(decoder, 1e16, task="language-modeling", laws={law.name: law, worse.name: worse})
    assert [point.law.name for point in answer.frontiers] == [law.name]
    why = {law.name: why for law, why in answer.refused}
    assert why["worse"].endswith("that of guessing")


def test_a_graph_without_weights_costs_no_training() -> None:
    answer = estimate(walk(graph("(float[n,4] x) => (float[n,4] y) { y = Relu(x) }")), 1e9)
    assert answer.verdict == "Nothing in this graph is trained: no training cost."
    assert answer.plan.seen is answer.steps is None


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (0.000123, "0.000123"), (999, "999"), (999.6, "1k"), (1000, "1k"), (12345, "12.3k"), (999_950, "1M"),
     (1.5e9, "1.5B"), (1e12, "1T"), (9.999e14, "1.00e15"), (1e15, "1.00e15"), (1e100, "1.00e100"), (-2500, "-2.5k")],
)  # fmt: skip
def test_short_numbers(number: float, text: str) -> None:
    assert short(number) == text


def test_settings_of_a_run() -> None:
    """GPT-2 on 1e10 tokens: .00037 N^.703 sequences, N linear; 1.79 N^-.713 D^.307, N without embeddings."""
    answer = estimate(profile("gpt2"), 854_438_400 * 1e10)
    found = {setting.law.name: setting for setting in answer.settings}
    batch, rate = found["porian-2024-batch"], found["li-2025-learning-rate"]
    assert batch.value == pytest.approx(0.00037 * 123_532_032**0.703)
    assert (batch.bound.status, batch.bound.how) == ("exact", "linear parameters")
    assert rate.value == pytest.approx(1.79 * 85_056_000**-0.713 * 1e10**0.307)
    assert rate.bound.status == "converted"
    critical = found["mccandlish-2018-critical-batch"]
    assert critical.value == pytest.approx(2e8 / answer.predictions[0].value ** (1 / 0.21))
    assert critical.bound.how == f"loss {answer.predictions[0].value:.2f} by besiroglu-2024"
    assert found["deepseek-2024-batch"].bound.how.endswith("; as for the best model for C")
    assert {size.law.name for size in answer.sizes} >= {"kaplan-2020-best-n", "hoffmann-2022-approach-1"}


def test_a_law_of_settings_of_ones_own() -> None:
    """It predicts no performance, and is among the settings that its refusal points at."""
    fields = """
        name: decay
        kind: hyperparameter
        formula: k*C**a
        coefficients: {k: 2.0, a: -0.1}
        C: {count: exact, attention: full, unit: FLOP}
        metric: {name: weight decay, unit: "1", better: higher, bounds: [0, null]}
        applies_to: {modality: text, task: language-modeling}
        source: {citation: runs of our own}
    """
    (decay,) = laws_of(yaml.safe_load(fields), "decay.yaml")
    answer = estimate(profile("gpt2"), 1e20, law=decay)
    assert answer.refused[0] == (decay, "it gives training settings, not a performance: see SETTINGS")
    assert {setting.law.name: setting.value for setting in answer.settings}["decay"] == pytest.approx(0.02)
    last = settings(answer.settings)[-1]
    assert last == ["weight decay", "0.02", "decay", "assumed"]


@pytest.mark.parametrize("model", ["bert", "mixtral", "resnet", "whisper"])
def test_models_no_such_law_speaks_of(model: str) -> None:
    answer = estimate(profile(model), 1e21)
    assert (answer.sizes, answer.settings) == ((), ())


def test_no_settings_for_no_step() -> None:
    answer = estimate(profile("gpt2"), 1e6)
    assert (answer.sizes, answer.settings) == ((), ())


def test_a_small_vocabulary_is_one_of_characters() -> None:
    """65 characters of a text: no law of pieces of words speaks of their loss, until somebody says what tokens are."""
    answer = estimate(language(65, 128), 1e15, sizes={"n": 1}, task="language-modeling")
    assert {prediction.binding.law.metric.tokenizer for prediction in answer.predictions} <= {"char"}
    why = {law.name: why for law, why in answer.refused}
    assert why["hoffmann-2022"] == "other tokens: the law's are pieces of words, the model's of char"
    assert "a vocabulary of 65: tokens are characters or bytes (--tokenizer)" in answer.assumptions
    said = estimate(language(65, 128), 1e15, sizes={"n": 1}, task="language-modeling", tokenizer="mine")
    assert "other tokens" not in {law.name: why for law, why in said.refused}.get("hoffmann-2022", "")
