"""An estimate as an object: what the library gives without the command line."""

from __future__ import annotations

from fractions import Fraction

import pytest

from scalecalc.errors import UsageError
from scalecalc.estimate import estimate, inspect
from scalecalc.estimate.words import short
from scalecalc.laws import catalogue
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


@pytest.mark.parametrize("budget", [1.0, 1e9, 1e14, 123456789.0, 1e60])
def test_a_budget_buys_samples(image: Profile, budget: float) -> None:
    answer = estimate(image, budget, sizes={"n": 32})
    assert answer.inspection.flops_per_sample == TRAINING
    assert answer.plan.seen == float(Fraction(budget) / TRAINING)
    assert answer.steps == answer.plan.seen / 32


@pytest.mark.parametrize("budget", [0.0, -1.0, 0.99, 1.1e60, float("inf"), float("nan")])
def test_budgets_must_be_sensible(image: Profile, budget: float) -> None:
    with pytest.raises(UsageError, match="is no budget"):
        estimate(image, budget)


def test_samples(image: Profile) -> None:
    inspection = inspect(image, sizes={"n": 4})
    assert (inspection.task.name, inspection.task.sample) == ("image-classification", "example")
    assert inspection.value(inspection.samples_per_step) == 4
    assert inspection.each(image.forward["macs"]) == MACS
    assert str(inspection.per_sample.formula) == str(TRAINING)
    tokens = inspect(language(50, 8))
    assert (tokens.task.sample, tokens.value(tokens.samples_per_step)) == ("token", 64)
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
    return language(5_000, 64)


VERDICTS = [
    # budget over the one this model is the best for, words
    (1e3, "Too small for this budget"),
    (1e-3, "Too large for this budget"),
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
