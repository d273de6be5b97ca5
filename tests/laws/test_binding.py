"""A law takes no number from a model without saying how; what it says nothing about is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scalecalc.dims import FILE, System
from scalecalc.errors import LawError
from scalecalc.laws import UNKNOWN, Plan, Scope, load, select, shipped
from scalecalc.laws.binding import bind_frontier
from scalecalc.walk.profile import Quantity

LAWS = shipped()
GPT2_D = 1e21 / 854_438_400  # 6*(123,532,032 + 18,432*1024)


def _bound(binding, symbol):
    return next(bound for bound in binding.variables if bound.symbol == symbol)


def test_the_seed_law_is_for_the_seed_model(seed_cnn, seed_plan):
    binding = LAWS["seed-exponential"].bind(seed_cnn, seed_plan)
    assert binding.usable
    assert (_bound(binding, "C").value, _bound(binding, "C").status) == (1e14, "exact")
    prediction = binding.predict()
    assert prediction.value == pytest.approx(0.9)
    assert (prediction.unit, prediction.better, prediction.interval) == ("fraction", "higher", None)
    assert prediction.inside_range
    assert any("10 passes over the data" in note for note in binding.notes)
    assert any("no training behind them" in note for note in binding.notes)


@pytest.mark.parametrize(("compute", "decades"), [(1e13, 1.0), (5e14, 0.0), (1.5e15, 0.1761)])
def test_decades_outside(seed_cnn, seed_plan, compute, decades):
    prediction = LAWS["seed-exponential"].bind(seed_cnn, replace(seed_plan, compute=compute)).predict()
    assert prediction.decades_outside == {"C": pytest.approx(decades, abs=1e-4)}
    assert prediction.inside_range == (decades == 0)


def test_the_seed_law_ends_where_accuracy_passes_one(seed_cnn, seed_plan):
    """ln(1/.9)/ln(.95/.9)*9e14 + 1e14 = 1.854e15."""
    binding = LAWS["seed-exponential"].bind(seed_cnn, replace(seed_plan, compute=2e15))
    assert binding.why == "accuracy would exceed 1: the law ends at C = 1.854e+15 FLOP, 2e+15 was asked"
    with pytest.raises(LawError, match=r"accuracy would exceed 1.*1\.854e\+15"):
        binding.predict()
    with pytest.raises(LawError, match="accuracy would exceed 1"):
        LAWS["seed-exponential"].bind(seed_cnn, replace(seed_plan, compute=2e15), force=True).predict()
    with pytest.raises(LawError, match="accuracy would exceed 1"):
        LAWS["seed-exponential"].bind(seed_cnn, replace(seed_plan, compute=1e60)).predict()


def test_the_seed_law_is_not_for_imagenet(resnet50, resnet50_plan):
    binding = LAWS["seed-exponential"].bind(resnet50, resnet50_plan)
    assert "10 classes, the model's 1,000" in binding.why
    assert "784 numbers per sample, the model's 150,528" in binding.why
    predicting = [law for law in LAWS.values() if law.predicts]
    usable, refused = select(predicting, resnet50, resnet50_plan)
    assert usable == []
    assert refused[0][0].applies_to.classes == 10  # same task: the nearest
    assert len(refused) == len(predicting)


def test_the_seed_law_is_not_for_language(gpt2, gpt2_plan):
    binding = LAWS["seed-exponential"].bind(gpt2, gpt2_plan)
    assert "another task" in binding.why
    assert "another modality" in binding.why


def test_a_fit_that_does_not_say_its_task_is_taken_for_one_of_models_like_this(gpt2, gpt2_plan):
    nobody = replace(LAWS["besiroglu-2024"], applies_to=Scope(UNKNOWN, UNKNOWN))
    assert "the law's is unknown" in nobody.bind(gpt2, gpt2_plan).why
    binding = replace(nobody, method={"loss": "huber"}).bind(gpt2, gpt2_plan)
    assert binding.usable
    assert any("does not say what was trained" in note for note in binding.notes)


def test_force_marks_what_cannot_be_compared(resnet50, resnet50_plan):
    binding = LAWS["seed-exponential"].bind(resnet50, resnet50_plan, force=True)
    prediction = binding.predict()
    assert prediction.value == pytest.approx(0.95)
    assert not prediction.comparable
    assert binding.notes[0].startswith("NOT COMPARABLE: other data")


LANGUAGE = [
    # law               N              how                        loss, decades outside
    ("besiroglu-2024", 124_439_808, "total parameters", 2.634, {"N": 0.0, "D": 0.566, "C": 0.0, "D/N": 1.440}),
    ("hoffmann-2022", 124_439_808, "total parameters", 2.580, {"N": 0.0, "D": 0.369}),
    ("kaplan-2020-joint", 85_056_000, "non_embedding parameters", 2.797, {"N": 0.0, "D": 1.707}),
]


@pytest.mark.parametrize(("name", "params", "how", "loss", "outside"), LANGUAGE)
def test_gpt2_at_1e21(gpt2, gpt2_plan, name, params, how, loss, outside):
    binding = LAWS[name].bind(gpt2, gpt2_plan)
    assert (_bound(binding, "N").value, _bound(binding, "N").status, _bound(binding, "N").how) == (params, "exact", how)
    assert _bound(binding, "D").value == pytest.approx(GPT2_D, rel=1e-12)
    prediction = binding.predict()
    assert prediction.value == pytest.approx(loss, abs=5e-4)
    assert prediction.decades_outside == {key: pytest.approx(value, abs=1e-3) for key, value in outside.items()}
    assert prediction.inside_range is False
    assert any("not comparable" in note for note in binding.notes)


def test_only_besiroglus_coefficients_give_an_interval(gpt2, gpt2_plan):
    """Percentiles 5 and 95 of 4,000 bootstrap refits of the 240 points: 2.613, 2.655."""
    predictions = {law.name: law.bind(gpt2, gpt2_plan) for law in LAWS.values()}
    intervals = {name: own.predict().interval for name, own in predictions.items() if own.usable}
    low, high = intervals.pop("besiroglu-2024")
    assert (low, high) == (pytest.approx(2.613, abs=2e-3), pytest.approx(2.655, abs=2e-3))
    assert set(intervals.values()) == {None}
    prediction = predictions["besiroglu-2024"].predict()
    assert prediction.level == 0.9
    assert prediction.basis.startswith("coefficients only")


def test_which_law_comes_first(gpt2, gpt2_plan):
    def names(plan):
        return [binding.law.name for binding in select(LAWS, gpt2, plan)[0]]

    superseded = ["hoffmann-2022", "hoffmann-2022-unrounded"]
    assert names(gpt2_plan) == ["besiroglu-2024", "kaplan-2020-joint", "muennighoff-2023", *superseded]
    assert names(replace(gpt2_plan, unique=1e9))[:2] == ["muennighoff-2023", "besiroglu-2024"]
    assert names(replace(gpt2_plan, tokenizer="gpt2"))[0] == "kaplan-2020-joint"
    assert names(replace(gpt2_plan, tokenizer="gpt2", corpus="MassiveText"))[0] == "besiroglu-2024"


def test_best_extrapolation_comes_first(gpt2, gpt2_plan):
    better = replace(LAWS["kaplan-2020-joint"].evidence, extrapolation_error=0.02)
    laws = [LAWS["besiroglu-2024"], replace(LAWS["kaplan-2020-joint"], evidence=better)]
    assert select(laws, gpt2, gpt2_plan)[0][0].law.name == "kaplan-2020-joint"


def test_frontiers_and_limits_do_not_predict(gpt2, gpt2_plan):
    refused = {law.name: why for law, why in select(LAWS, gpt2, gpt2_plan)[1]}
    for name in ("kaplan-2020-compute", "kaplan-2020-compute-plain", "cerebras-gpt-2023"):
        assert "see OPTIMUM" in refused[name]
        assert not LAWS[name].bind(gpt2, gpt2_plan, force=True).usable
    assert "unlimited data" in refused["kaplan-2020-n"]
    assert "large enough not to matter" in refused["kaplan-2020-d"]


def test_six_n_d_in_pf_days(gpt2, gpt2_plan):
    """6 * 85,056,000 * 1e10 / 8.64e19."""
    binding = LAWS["kaplan-2020-compute"].bind(gpt2, replace(gpt2_plan, data=1e10))
    bound = _bound(binding, "C")
    assert bound.value == pytest.approx(6 * 85_056_000 * 1e10 / 8.64e19)
    assert (bound.status, bound.how) == ("converted", "6*N*D, N non_embedding/8.64e19 PF-days")


STATUS = [
    # law, change of the plan, symbol, value, status, part of how
    ("hoffmann-2022", {"data": 3e9}, "D", 3e9, "exact", "tokens seen"),
    ("hoffmann-2022", {}, "D", GPT2_D, "converted", "C / (training FLOP per token)"),
    ("hoffmann-2022", {"compute": None}, "D", None, "refused", "--budget"),
    ("hoffmann-2022", {"sample": "image"}, "D", None, "refused", "samples are tokens, the model's images"),
    ("kaplan-2020-joint", {"unique": 1e9}, "D", 1e9, "exact", "distinct tokens"),
    ("kaplan-2020-joint", {}, "D", GPT2_D, "assumed", "one pass"),
    ("cerebras-gpt-2023", {}, "C", 1e21, "exact", "training matrix FLOPs"),
    ("cerebras-gpt-2023", {"compute": None, "data": 1e9}, "C", 1e9 * 854_438_400, "exact", "training matrix FLOPs"),
    ("cerebras-gpt-2023", {"compute": None}, "C", None, "refused", "--budget"),
]


@pytest.mark.parametrize(("name", "change", "symbol", "value", "status", "how"), STATUS)
def test_how_variables_are_met(gpt2, gpt2_plan, name, change, symbol, value, status, how):
    bound = _bound(LAWS[name].bind(gpt2, replace(gpt2_plan, **change)), symbol)
    assert bound.status == status
    assert how in bound.how
    assert bound.value == (None if value is None else pytest.approx(value, rel=1e-12))


VARIABLES = [
    # convention, symbol, value, status, part of how
    ({"count": "linear"}, "N", 123_532_032, "exact", "linear parameters"),
    ({"count": "unknown"}, "N", 124_439_808, "assumed", "does not say how it counts"),
    ({"count": "flops_per_token"}, "N", 854_438_400, "exact", "training FLOPs per token"),
    ({"count": "neurons"}, "N", None, "refused", "'neurons'"),
    ({"sample": "unknown"}, "D", GPT2_D, "assumed", "what a sample is"),
    ({"meaning": "unknown"}, "D", GPT2_D, "assumed", "seen or unique"),
]


@pytest.mark.parametrize(("change", "symbol", "value", "status", "how"), VARIABLES)
def test_how_conventions_are_met(gpt2, gpt2_plan, change, symbol, value, status, how):
    law = LAWS["hoffmann-2022"]
    law = replace(law, variables={**law.variables, symbol: replace(law.variables[symbol], **change)})
    bound = _bound(law.bind(gpt2, gpt2_plan), symbol)
    assert bound.status == status
    assert how in bound.how
    assert bound.value == (None if value is None else pytest.approx(value, rel=1e-12))


COMPUTE = [
    ({"count": "unknown"}, 1e21, "assumed"),
    ({"attention": "causal"}, 1e21, "assumed"),
    ({"attention": "full"}, 1e21, "exact"),
    ({"count": "6N_total*D"}, 6 * 124_439_808 * GPT2_D, "converted"),
    ({"count": "6N_nonemb*D"}, 6 * 85_056_000 * GPT2_D, "converted"),
    ({"unit": "core-day"}, None, "refused"),
    ({"count": "cores"}, None, "refused"),
]


@pytest.mark.parametrize(("change", "value", "status"), COMPUTE)
def test_counts_of_compute(gpt2, gpt2_plan, change, value, status):
    law = LAWS["cerebras-gpt-2023"]
    law = replace(law, variables={"C": replace(law.variables["C"], **change)})
    bound = _bound(law.bind(gpt2, gpt2_plan), "C")
    assert (bound.status, bound.value) == (status, None if value is None else pytest.approx(value, rel=1e-12))


def test_an_unset_size_is_refused(gpt2, gpt2_plan):
    symbolic = replace(
        gpt2, params={**gpt2.params, "trainable": Quantity(System().symbol("d_model", kind="weight", rank=FILE))}
    )
    assert "--set" in LAWS["hoffmann-2022"].bind(symbolic, gpt2_plan).why
    binding = LAWS["hoffmann-2022"].bind(symbolic, replace(gpt2_plan, sizes={"d_model": 768}))
    assert _bound(binding, "N").value == 768


def test_a_lower_bound_is_said(gpt2, gpt2_plan):
    partial = replace(gpt2, params={**gpt2.params, "trainable": Quantity(1000, lower_bound=True)})
    bound = _bound(LAWS["hoffmann-2022"].bind(partial, gpt2_plan), "N")
    assert (bound.status, "lower bound" in bound.how) == ("assumed", True)


def test_an_unknown_task_is_refused_and_says_which_option(gpt2, gpt2_plan):
    assert "--task" in LAWS["hoffmann-2022"].bind(gpt2, replace(gpt2_plan, task=None)).why


@pytest.mark.parametrize(
    ("tokenizer", "passes", "status", "said"),
    [
        ("gpt2", 1.0, "converted", []),
        ("bpe-8k", 1.0, "assumed", ["tokens of bpe-8k, the law's of gpt2"]),
        ("gpt2", 2.5, "assumed", ["2.5 passes, taken for new ones"]),
        ("bpe-8k", 2.5, "assumed", ["tokens of bpe-8k, the law's of gpt2", "2.5 passes, taken for new ones"]),
    ],
)
def test_what_is_assumed_of_data(gpt2, gpt2_plan, tokenizer, passes, status, said):
    law = LAWS["hoffmann-2022"]
    law = replace(law, variables={**law.variables, "D": replace(law.variables["D"], tokenizer="gpt2")})
    plan = replace(gpt2_plan, tokenizer=tokenizer, unique=gpt2_plan.seen / passes)
    bound = _bound(law.bind(gpt2, plan), "D")
    assert (bound.value, bound.status) == (gpt2_plan.seen, status)
    assert [one for one in bound.how.split(": ")[-1].split("; ") if "training" not in one] == said


def test_same_tokenizer_is_noted(gpt2, gpt2_plan):
    binding = load("kaplan-2020-joint").bind(gpt2, replace(gpt2_plan, tokenizer="gpt2"))
    assert "same tokenizer (gpt2)" in binding.notes


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({}, "exact", "1e+21 training matrix FLOPs"),
        ({"count": "6N_nonemb*D"}, "assumed", "the law counts 6N_nonemb*D"),
        ({"unit": "core-day"}, "refused", "which FLOPs do not tell"),
    ],
)
def test_a_frontier_law_takes_the_budget_in_its_own_unit(changes: dict[str, str], status: str, says: str) -> None:
    law = LAWS["cerebras-gpt-2023"]
    law = replace(law, variables={"C": replace(law.variables["C"], **changes)})
    plan = Plan(task="language-modeling", modality="text", sample="token", compute=1e21)
    bound = bind_frontier(law, plan)
    assert (bound.status, says in bound.how) == (status, True)


def test_a_frontier_law_of_another_modality_or_beyond_its_bounds_is_refused() -> None:
    law = LAWS["cerebras-gpt-2023"]
    plan = Plan(task="language-modeling", modality="image", compute=1e21)
    assert "another modality" in bind_frontier(law, plan).how
    bounded = replace(law, metric=replace(law.metric, bounds=(0.0, 0.5)))
    assert "would exceed 0.5" in bind_frontier(bounded, replace(plan, modality="text")).how


def test_laws_of_dense_models_refuse_a_mixture_of_experts() -> None:
    from scalecalc import profile
    from scalecalc.estimate import estimate

    answer = estimate(profile("mixtral"), 1e23)
    assert not answer.predictions
    why = "a mixture of experts: the models behind the law are dense"
    assert {law.name for law, said in answer.refused if said == why} >= {"hoffmann-2022", "besiroglu-2024"}
    forced = estimate(profile("mixtral"), 1e23, force=True)
    assert any(f"NOT COMPARABLE: {why}" in prediction.binding.notes for prediction in forced.predictions)
