"""Steps, passes and counts of a run, by hand."""

from __future__ import annotations

import pytest

from scalecalc.errors import UsageError
from scalecalc.estimate import Budget, estimate
from scalecalc.laws.reading import laws_of
from scalecalc.walk import Profile, walk
from tests.walk.graphs import graph

TEXT = """(int64[n,s] ids) => (float[n,s,500] y) <float[500,8] table, float[8,500] w> {
    e = Gather(table, ids)  y = MatMul(e, w)
}"""
IMAGE = "(float[n,1,28,28] x) => (float[n,10] y) <float[784,10] w> { a = Flatten(x)  y = MatMul(a, w) }"
TOKEN = 3 * 2 * 8 * 500  # training FLOPs


@pytest.fixture(scope="module")
def text() -> Profile:
    return walk(graph(TEXT))


@pytest.fixture(scope="module")
def image() -> Profile:
    return walk(graph(IMAGE))


STEPS = [
    # n, batch size, tokens in a step of sequences of 64
    (1, None, 64),
    (4, None, 256),
    (1, 512, 512 * 64),
    (4, 512, 512 * 64),
    (4, 1, 64),
]


@pytest.mark.parametrize(("n", "batch_size", "tokens"), STEPS)
def test_a_step_is_of_examples(text: Profile, n: int, batch_size: int | None, tokens: int) -> None:
    run = estimate(text, 1e12, sizes={"n": n, "s": 64}, batch_size=batch_size).run
    assert (run.batch_size, run.samples_per_step) == (batch_size or n, tokens)
    assert run.steps == pytest.approx(1e12 / TOKEN / tokens, rel=1e-12)
    assumed = [line for line in run.assumptions if "--batch-size" in line]
    assert assumed == ([] if batch_size else [f"steps of {n} example{'s' * (n > 1)}, as the graph runs (--batch-size)"])


def test_a_budget_below_one_step(image: Profile) -> None:
    cost = 2 * 2 * 784 * 10  # the input needs no gradient
    enough = estimate(image, cost * 256.0, batch_size=256)
    assert enough.steps == 1
    below = estimate(image, cost * 256.0 - 1, batch_size=256)
    assert below.verdict == "The budget does not pay for one step, which takes 8.03M FLOP at these sizes: ask for more."


def test_counting_everything(image: Profile) -> None:
    """A step of 32 images: their matrix and vector FLOPs, and one update of every weight."""
    matrix = 2 * 2 * 784 * 10
    vector = image.training["vector_flops"].value({"n": 1})
    update = image.training["optimizer_flops"].formula
    assert update > 0
    cost = matrix + vector + update / 32
    run = estimate(image, 1e12, batch_size=32, count="all").run
    assert (run.count, run.budget.flops) == ("all", 1e12)
    assert run.cost == pytest.approx(cost, rel=1e-12)
    assert run.plan.seen == pytest.approx(1e12 / cost, rel=1e-12)
    assert run.plan.compute == pytest.approx(1e12 * matrix / cost, rel=1e-12)  # laws count matrix FLOPs
    assert estimate(image, 1e12, batch_size=32).run.plan.compute == 1e12
    other = estimate(image, 1e12, sizes={"n": 16}, batch_size=32, count="all").run  # in two runs of the graph
    assert other.cost == pytest.approx(cost, rel=1e-12)


def test_epochs(image: Profile) -> None:
    plan = estimate(image, 1e12, unique=60_000.0).plan
    assert plan.seen / plan.unique == pytest.approx(1e12 / 31_360 / 60_000, rel=1e-12)


@pytest.mark.parametrize(("unique", "data", "status"), [(1e7, 1e7, "exact"), (1e9, 1e12 / TOKEN, "converted")])
def test_distinct_samples_are_those_seen(text: Profile, unique: float, data: float, status: str) -> None:
    """Less than one pass over a data set shows a law no more samples than were seen."""
    answer = estimate(text, 1e12, sizes={"s": 64}, unique=unique, task="language-modeling", tokenizer="gpt2")
    (law,) = [law for law, _ in answer.refused if law.name == "kaplan-2020-joint"] or [None]
    binding = (law or next(p.binding.law for p in answer.predictions if p.law == "kaplan-2020-joint")).bind(
        answer.inspection.profile, answer.plan
    )
    bound = next(bound for bound in binding.variables if bound.symbol == "D")
    assert bound.value == pytest.approx(data, rel=1e-12)
    assert bound.status == status


WRONG = [
    ({"batch_size": 0}, "--batch-size: 0 is no batch size; give 1 example or more"),
    ({"count": "vector"}, "--count: no count 'vector'; use one of matrix, all"),
]


@pytest.mark.parametrize(("options", "says"), WRONG)
def test_what_makes_no_sense(image: Profile, options, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        estimate(image, 1e12, **options)
    assert str(caught.value) == says


def law(name: str, formula: str, **changes):
    fields = {
        "name": name, "kind": "conditional", "source": {"citation": "none"}, "formula": formula,
        "metric": {"name": "error", "unit": "fraction", "better": "lower"},
        "applies_to": {"modality": "image", "task": "image-classification"}, **changes,
    }  # fmt: skip
    (found,) = laws_of(fields, "test")
    return found


def test_a_law_that_takes_the_batch_size(image: Profile) -> None:
    own = law("batch", "1/(1 + B/S)", variables={"B": {}, "S": {}})
    answer = estimate(image, 31_360.0 * 64 * 100, batch_size=64, laws={own.name: own})
    assert answer.predictions[0].value == pytest.approx(1 / (1 + 64 / 100), rel=1e-12)


def test_a_law_of_ones_own_comes_first(image: Profile) -> None:
    better = law("better", "0.5*D**-0.01", D={"sample": "example", "meaning": "seen"}, evidence={
        "extrapolation_error": 0.001})  # fmt: skip
    mine = law("mine", "1e3*N**-0.1*D**-0.3", N={"count": "total"}, D={"sample": "example", "meaning": "seen"})
    known = {better.name: better}
    assert [p.law for p in estimate(image, 1e12, laws={**known, mine.name: mine}).predictions] == ["better", "mine"]
    answer = estimate(image, 1e12, laws=known, law=mine)
    assert [p.law for p in answer.predictions] == ["mine", "better"]
    assert answer.predictions[0].value == pytest.approx(1e3 * 7840**-0.1 * (1e12 / 31_360) ** -0.3, rel=1e-12)
    # the best model is sought by the law asked for, by no other
    assert answer.best == () or {best.optimum.law for best in answer.best} == {"mine"}
    assert estimate(image, 1e12, laws={mine.name: mine}, law=better).best == ()


def test_a_law_of_another_task_is_refused_as_any(image: Profile) -> None:
    other = law("other", "D**-0.1", D={}, applies_to={"modality": "text", "task": "language-modeling"})
    answer = estimate(image, 1e12, laws={}, law=other)
    assert answer.predictions == ()
    assert answer.refused[0][0] is other
    assert "another task" in answer.refused[0][1]


def test_distinct_samples_tell_nothing_while_the_cost_is_unknown(text: Profile) -> None:
    answer = estimate(text, 1e12, unique=1e6, task="language-modeling", tokenizer="gpt2")  # s is not set
    assert (answer.predictions, answer.best, answer.efficiency) == ((), (), None)
    why = {law.name: why for law, why in answer.refused}
    assert why["kaplan-2020-joint"] == "what the budget buys is unknown while a size is missing"
    assert why["besiroglu-2024"] == "D: what the budget buys is unknown, as the cost of one token is"
    assert answer.verdict.startswith("The cost depends on s: set a size")


def test_a_budget_of_device_time(image: Profile) -> None:
    run = estimate(image, Budget(1e12, "1s", "1 x 1 s", ("so it is (--budget)",))).run
    assert run.assumptions[0] == "so it is (--budget)"
    assert run.plan.compute == 1e12
