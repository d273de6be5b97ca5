"""The answers of `optimal` as objects: which laws answer, what they are asked in, what is refused and why."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from scalecalc import profile
from scalecalc.errors import LawError, UsageError
from scalecalc.estimate import Budget, budget, inspect
from scalecalc.estimate.advice import settings_at
from scalecalc.estimate.allocation import allocate
from scalecalc.estimate.asking import Question, Stop
from scalecalc.expressions import parse
from scalecalc.laws import Bound, Plan, load, shipped
from scalecalc.laws.conventions import Coefficient, Metric, Variable
from tests.laws.repeated import repeated

LAWS = shipped()
BESIROGLU = LAWS["besiroglu-2024"]


def one(question: Question, *names: str, **options):
    return allocate(question, laws=[LAWS[name] for name in names], **options).places[0]


def test_every_law_of_the_task_answers_the_default_first():
    answer = allocate(Question(budget=budget("1e21")))
    assert answer.places[0].law.name == "besiroglu-2024"
    assert {place.law.name for place in answer.places} >= {"kaplan-2020-joint", "muennighoff-2023", "besiroglu-2024"}
    # the same runs stand once, as the better fit to them
    assert ("hoffmann-2022", "besiroglu-2024") in {(law.name, why.split()[0]) for law, why in answer.refused}
    asked = allocate(Question(budget=budget("1e21")), laws=[load("besiroglu-2024"), load("hoffmann-2022")])
    assert {place.law.name for place in asked.places} == {"besiroglu-2024", "hoffmann-2022"}
    assert {curve.law.name for curve in answer.curves} >= {"cerebras-gpt-2023", "kaplan-2020-compute"}
    assert not [law for law, _ in answer.refused if law.applies_to.task != "language-modeling"]
    assert any("--task" in line for line in answer.assumptions)
    counts = {place.law.name: place.count for place in answer.places}
    assert (counts["kaplan-2020-joint"], counts["besiroglu-2024"]) == ("non_embedding", "total")


def test_a_models_own_cost_and_counts():
    """GPT-2: 124,439,808 parameters, 85,056,000 of them not embeddings; 854,438,400 training FLOPs per token."""
    model = inspect(profile("gpt2"))
    answer = allocate(Question(budget=budget("1e21")), inspection=model, laws=[LAWS["kaplan-2020-joint"], BESIROGLU])
    costs = {(place.law.name, place.cost): place.per_nd for place in answer.places}
    assert costs == {
        ("kaplan-2020-joint", "6ND"): 6.0,
        ("kaplan-2020-joint", "own"): pytest.approx(854_438_400 / 85_056_000),
        ("besiroglu-2024", "6ND"): 6.0,
        ("besiroglu-2024", "own"): pytest.approx(854_438_400 / 124_439_808),
    }
    for place in answer.places:
        assert place.standing.params == (85_056_000 if place.law is not BESIROGLU else 124_439_808)
        assert place.standing.status == "exact"
        assert place.standing.data == pytest.approx(1e21 / place.per_nd / place.standing.params)


def test_doubling_and_worse_by_hand():
    """The best model's loss at 1e21 and 2e21, from N* = G (C/6)^(beta/(alpha+beta)) written out."""
    a, alpha, b, beta, e = 482.00572, 0.34781, 2085.43420, 0.36585, 1.81686

    def best(c: float) -> float:
        n = ((alpha * a) / (beta * b)) ** (1 / (alpha + beta)) * (c / 6) ** (beta / (alpha + beta))
        return e + a / n**alpha + b / (c / 6 / n) ** beta

    place = one(Question(budget=Budget(1e21), params=1e9), "besiroglu-2024")
    assert place.doubling == pytest.approx(best(1e21) - best(2e21))
    own = e + a / 1e9**alpha + b / (1e12 / 6) ** beta
    assert place.standing.worse == pytest.approx(own - best(1e21))


def test_an_isoflop_table_holds_its_best_and_the_flat_part():
    place = one(Question(budget=Budget(1e21), isoflop=True), "besiroglu-2024")
    sizes = [point.params / place.best.params for point in place.isoflop]
    assert sizes == [2.0**k for k in range(-4, 5)]
    for point in place.isoflop:
        assert 6 * point.params * point.data == pytest.approx(1e21)
        assert point.worse == pytest.approx(point.value - place.best.value, abs=1e-12)
    assert min(place.isoflop, key=lambda point: point.value).params == place.best.params


def test_a_target_with_a_budget_and_a_model():
    question = Question(budget=Budget(1e21), target=2.4, params=1e9)
    place = one(question, "besiroglu-2024")
    assert BESIROGLU.evaluate(N=place.target.params, D=place.target.data) == pytest.approx(2.4)
    low, high = place.reaching
    assert low < place.best.params < high
    assert BESIROGLU.evaluate(N=1e9, D=place.standing.target / 6e9) == pytest.approx(2.4)
    small = one(replace(question, budget=Budget(1e19), params=1e8), "besiroglu-2024")
    assert small.reaching is None
    assert small.standing.target == math.inf  # 1e8 parameters come to 2.61 at best


def test_inference_takes_the_optimums_loss_where_none_is_asked_for():
    place = one(Question(budget=Budget(1e21), served=1e12), "hoffmann-2022")
    assert place.serving.value == place.best.value
    assert place.trained.params == pytest.approx(place.best.params)
    assert place.trained.total == pytest.approx(1e21 + 2 * place.best.params * 1e12)
    assert place.serving.total < place.trained.total


def test_inference_costs_the_models_own_forward_pass():
    """GPT-2 at 1024 tokens: 2 (123,532,032 + 18,432*1,024) FLOP forward for each."""
    model = inspect(profile("gpt2"))
    own = allocate(Question(target=3.0, served=1e12), inspection=model, laws=[BESIROGLU]).places[1]
    each = 2 * (123_532_032 + 18_432 * 1_024) / 124_439_808
    assert own.cost == "own"
    assert own.serving.inference == pytest.approx(each * own.serving.params * 1e12)
    assert own.trained.inference == pytest.approx(each * own.trained.params * 1e12)


def test_laws_of_one_pass_and_repeated_data():
    few = allocate(Question(budget=Budget(1e21), unique=30e9), laws=[BESIROGLU])
    assert few.places[0].notes[0].startswith("2 passes over 30B distinct tokens")
    with pytest.raises(LawError, match=r"59.9 passes over 1B distinct tokens.*knows repeated data"):
        allocate(Question(budget=Budget(1e21), unique=1e9), laws=[BESIROGLU])
    both = allocate(Question(budget=Budget(1e21), unique=1e9), laws=[BESIROGLU, repeated()])
    assert [place.law.name for place in both.places] == ["repeated"]
    assert both.places[0].best.unique == 1e9
    assert [law.name for law, _ in both.refused] == ["besiroglu-2024"]
    # the best model repeats 30B twice, a tiny one many times: of that one the law says nothing
    tiny = allocate(Question(budget=Budget(1e21), unique=30e9, params=1e8, isoflop=True), laws=[BESIROGLU]).places[0]
    assert tiny.standing.value is None
    assert "passes" in tiny.standing.why
    assert all(point.data <= 4 * 30e9 for point in tiny.isoflop)


def test_the_articles_law_has_no_best_compute_but_an_end():
    """a exp(b C) gains ever more: a doubling from 1e14 gains a (exp(2e14 b) - exp(1e14 b)), and 1.85e15 is the end."""
    law = load("seed-exponential")
    (curve,) = allocate(Question(budget=Budget(1e14), target=0.93, stop=Stop(0.01)), laws=[law]).curves
    b = math.log(0.95 / 0.9) / 9e14
    a = 0.9 * math.exp(-b * 1e14)
    assert curve.value == pytest.approx(0.9)
    assert curve.doubling == pytest.approx(a * (math.exp(2e14 * b) - math.exp(1e14 * b)))
    assert curve.rising
    assert curve.stop is None
    assert curve.ends == pytest.approx(math.log(1 / a) / b)
    assert curve.target == pytest.approx(math.log(0.93 / a) / b)
    late = allocate(Question(budget=Budget(1e15)), laws=[law]).curves[0]
    assert late.doubling is None  # 2e15 lies beyond the end
    with pytest.raises(LawError, match="would exceed 1"):
        allocate(Question(budget=Budget(2e15)), laws=[law])


def test_a_frontier_counts_in_its_own_unit():
    """(3.1e8/C)^.05 with C in PF-days of 8.64e19 FLOP: 2.4 is reached at 3.1e8/2.4^20 of them."""
    (curve,) = allocate(Question(target=2.4, stop=Stop(0.1)), laws=[LAWS["kaplan-2020-compute"]]).curves
    assert curve.value is None
    assert curve.target == pytest.approx(3.1e8 / 2.4**20 * 8.64e19)
    # (3.1e8/C)^.05 (1 - 2^-.05) = .1
    assert curve.stop == pytest.approx(3.1e8 * ((1 - 2**-0.05) / 0.1) ** 20 * 8.64e19)
    assert not curve.rising


def test_an_allocation_law_gives_n_and_what_is_left_for_d():
    law = replace(
        LAWS["cerebras-gpt-2023"], name="some-allocation", kind="allocation", formula=parse("N_0*C**a"),
        coefficients={"N_0": Coefficient("N_0", 0.1), "a": Coefficient("a", 0.5)},
        variables={"C": Variable("C", count="6N_total*D", unit="FLOP")},
        metric=Metric("params", "parameter", "lower"),
    )  # fmt: skip
    (size,) = allocate(Question(budget=Budget(1e20)), laws=[law]).sizes
    assert (size.params, size.data) == (pytest.approx(1e9), pytest.approx(1e20 / 6e9))


def test_sizes_by_allocation_laws_each_in_its_own_count():
    """1e21 FLOP are 11.574 PF-days: 1.3e9*11.574^.73 and 2e10*11.574^.27 by Kaplan et al.'s Table 6."""
    found = {size.law.name: size for size in allocate(Question(budget=Budget(1e21))).sizes}
    assert set(found) == {
        "deepseek-2024-best-n", "hoffmann-2022-approach-1", "hoffmann-2022-approach-2", "kaplan-2020-best-n",
        "porian-2024",
    }  # fmt: skip
    kaplan, deepseek = found["kaplan-2020-best-n"], found["deepseek-2024-best-n"]
    assert (kaplan.params, kaplan.count) == (pytest.approx(1.3e9 * 11.5740740741**0.73), "non_embedding")
    assert kaplan.data == pytest.approx(2e10 * 11.5740740741**0.27)
    # M = 10^(-.7657 + .5243*21) FLOPs of a token; a parameter costs 6 of them
    assert deepseek.params == pytest.approx(1.756e10, rel=1e-3)
    assert deepseek.data == pytest.approx(1e21 / deepseek.params, rel=1e-3)
    assert deepseek.ratio == pytest.approx(6 * deepseek.data / deepseek.params)
    assert deepseek.how == "6ND assumed: the law's C leaves out the head's FLOPs"
    one = found["hoffmann-2022-approach-1"]
    assert 6 * one.params * one.data == pytest.approx(1e21)
    assert found["porian-2024"].outside["C"] == pytest.approx(math.log10(1e21 / 2.56e19))


def test_superseded_steps_are_told_where_they_are_asked_for():
    (size,) = allocate(Question(budget=Budget(5.88e23)), laws=[LAWS["porian-2024-decay"]]).sizes
    assert size.params == pytest.approx(183e9, rel=0.01)
    with pytest.raises(LawError, match=r"its N\* would be 0.000563 at 1e\+03 FLOP"):
        allocate(Question(budget=Budget(1e3)), laws=[LAWS["kaplan-2020-best-n"]])


def test_what_is_not_asked_is_not_answered():
    """Without a budget no law of C has a size; laws of C alone have nothing to say of a model."""
    answer = allocate(Question(params=7e9))
    assert (answer.sizes, answer.curves, answer.settings) == ((), (), ())
    assert not [law for law, _ in answer.refused if not (law.is_form or law.superseded_by)]


def test_what_a_law_of_new_data_refuses():
    answer = allocate(Question(budget=Budget(1e22), unique=10**8))
    assert (answer.sizes, {place.law.name for place in answer.places}) == ((), {"muennighoff-2023"})
    why = {law.name: why for law, why in answer.refused}
    # 1e22/(6*1e8) = 1.67e13 parameters, log10(1.67e13/1.5e9) = 4.05 decades above its largest model
    assert why["kaplan-2020-joint"].startswith("N 4.0 decades outside what it was calibrated on; --law kaplan")
    assert why["hoffmann-2022-approach-1"] == "it would take 1,888 passes over 100M distinct samples"


def test_laws_of_small_models_are_asked_by_name_only():
    """Nobody plans 1e21 FLOP by runs of 1e13."""
    budget = Budget(1e21)
    answer = allocate(Question(budget=budget))
    assert "keras-text" not in {place.law.name for place in answer.places}
    ((said,),) = [[why for law, why in answer.refused if law.name == "keras-text"]]
    assert said.endswith("decades outside what it was calibrated on; --law keras-text asks it all the same")
    (asked,) = allocate(Question(budget=budget), laws=[LAWS["keras-text"]]).places
    assert asked.best is not None


def test_a_setting_that_is_none():
    """.003239 - .0001395*ln(1.67e13) = .003239 - .0001395*30.4 is no learning rate."""
    plan, laws = Plan(task="language-modeling"), [LAWS["kaplan-2020-learning-rate"]]
    for params, said in ((1e9, 1), (1.67e13, 0)):
        assert len(settings_at(laws, plan, {"N": Bound("N", params, "assumed", "as given")})) == said


def test_a_budget_for_nothing():
    """(5.984e22)^.0737 + .5 = 48 nats, of which guessing among a million tokens takes 13.8."""
    with pytest.raises(LawError, match=r"1 FLOP are too little: loss would be 48.2, above that of guessing"):
        allocate(Question(budget=Budget(1.0)), laws=[LAWS["cerebras-gpt-2023"]])


def test_settings_for_the_best_model():
    """At 1e21 FLOP: .2920*10^(.3271*21) tokens; 2.0e6*11.574^.24; and at N*, D* of the default law."""
    answer = allocate(Question(budget=Budget(1e21)))
    best, found = answer.places[0].best, {setting.law.name: setting for setting in answer.settings}
    assert found["deepseek-2024-batch"].value == pytest.approx(0.2920 * 10 ** (0.3271 * 21))
    assert found["deepseek-2024-batch"].bound.status == "assumed"
    assert found["kaplan-2020-critical-batch"].value == pytest.approx(2.0e6 * 11.5740740741**0.24)
    assert found["li-2025-batch"].value == pytest.approx(0.58 * best.data**0.571)
    assert found["mccandlish-2018-critical-batch"].value == pytest.approx(2e8 / best.value ** (1 / 0.21))
    rate = found["li-2025-learning-rate"]
    assert rate.value == pytest.approx(1.79 * best.params**-0.713 * best.data**0.307)
    assert (rate.bound.status, rate.bound.how) == (
        "assumed",
        "total N* by besiroglu-2024; the law counts non_embedding",
    )
    assert allocate(Question(budget=Budget(1e21)), laws=[BESIROGLU]).settings == ()


QUESTIONS = [
    (Question(), {}, "nothing is asked"),
    (Question(budget=Budget(0.5)), {}, "no budget"),
    (Question(params=1e9, isoflop=True), {}, "needs a budget"),
    (Question(params=1e9, served=1e9), {}, "--inference-tokens"),
    (Question(budget=Budget(1e21)), {"task": "origami"}, "no law is of the task 'origami'"),
]


@pytest.mark.parametrize(("question", "options", "says"), QUESTIONS)
def test_what_is_no_question(question, options, says):
    with pytest.raises(UsageError, match=says):
        allocate(question, **options)


REFUSED = [
    ("besiroglu-2024", Question(target=1.8), "never reaches loss 1.8: it comes to 1.817 at best"),
    ("besiroglu-2024", Question(budget=Budget(10.0)), "too little"),
    ("kaplan-2020-n", Question(budget=Budget(1e21)), "no optimum"),
    ("cerebras-gpt-2023", Question(target=0.5), "never reaches loss 0.5"),
]


@pytest.mark.parametrize(("name", "question", "says"), REFUSED)
def test_a_law_without_an_answer_says_why(name, question, says):
    with pytest.raises(LawError, match=says):
        allocate(question, laws=[LAWS[name]])


def test_a_law_of_another_task_refuses_a_model():
    model = inspect(profile("resnet:50"))
    with pytest.raises(LawError, match="another task"):
        allocate(Question(budget=Budget(1e18)), inspection=model, laws=[BESIROGLU])


def test_what_is_worse_than_guessing_is_not_said():
    """ln 50,257 = 10.82: after 1e15 FLOP a model of 124M is above it, the best one is not."""
    model = inspect(profile("gpt2"))
    place = allocate(Question(budget=Budget(1e15)), inspection=model, laws=[BESIROGLU]).places[0]
    assert place.best.value < 10.82
    assert place.standing.value is None
    assert "that of guessing" in place.standing.why
    with pytest.raises(LawError, match="that of guessing"):
        allocate(Question(budget=Budget(1e11)), inspection=model, laws=[BESIROGLU])
