"""One or two sentences a person can act on."""

from __future__ import annotations

from collections.abc import Sequence

from scalecalc.estimate.inspection import Inspection
from scalecalc.estimate.optimal import Best
from scalecalc.estimate.planning import Run
from scalecalc.estimate.sense import GUESSING, MOST_PASSES, NO_STEP, pays_no_step
from scalecalc.estimate.trying import example_sizes
from scalecalc.estimate.words import short
from scalecalc.laws import Law, Plan, Prediction


def verdict(
    inspection: Inspection,
    run: Run,
    predictions: Sequence[Prediction],
    best: Sequence[Best],
    refused: Sequence[tuple[Law, str]],
) -> str:
    """Too big, too small, too short, or well chosen; and what to do."""
    plan = run.plan
    if inspection.flops_per_sample is None:
        if shapeless := [name for name in inspection.profile.input_dtypes if name not in inspection.profile.inputs]:
            return f"The file gives no shape for input {shapeless[0]}: say it with --shape {shapeless[0]}=..."
        names = " and ".join(inspection.settled.missing)
        return f"The cost depends on {names}: set a size, for example {example_sizes(inspection)}."
    if not inspection.profile.complete:
        known = short(inspection.flops_per_sample)
        return (
            f"{known} FLOP per {plan.sample} are known and the rest is not: write rules for the missing operators "
            "before you rely on any figure but the parameters."
        )
    if not inspection.flops_per_sample:
        return "Nothing in this graph is trained: no training cost."
    if pays_no_step(plan, run.samples_per_step):
        step = (run.cost or 0) * (run.samples_per_step or 0)
        return f"{NO_STEP[0].upper()}{NO_STEP[1:]}, which takes {short(step)} FLOP at these sizes: ask for more."
    if best:
        law = best[0].optimum.law
        first = next(p for p in predictions if p.law == law)
        count = first.binding.law.variables["N"].count
        by = f"{count.replace('_', '-')} parameters" if count != "total" else "parameters"
        return _starved(plan) + _against_optimum(plan, best[0], f"{by} ({law})") + _far(first)
    sample = plan.sample
    bought = f"{short(run.budget.flops)} FLOP buy {short(plan.seen or 0)} {sample}s"
    ended = next((why for law, why in refused if "would" in why and law.applies_to.task == plan.task), None)
    if ended is not None and ended.endswith(GUESSING) and not predictions:
        small = f"{bought}: this model or this budget is too small for the laws of its task ({ended})"
        return f"{small}; ask for more, or calibrate on runs of your own."
    if ended is not None and not predictions:
        return f"{bought}, more than the law for this task can speak of ({ended.split(';')[0]}): ask for less."
    if predictions:
        first = predictions[0]
        text = f"{_starved(plan)}{bought}; {first.law} expects {first.metric} {first.value:.3g}"
        if not first.comparable:
            return f"{text}, NOT COMPARABLE: that law is of another task."
        advice = "calibrate on runs of your own before you rely on it"
        if not first.inside_range:
            return f"{text}, outside the range it was calibrated on: {advice}."
        if first.binding.law.evidence.runs == 0:
            return f"{text}, but no training stands behind that law: {advice}."
        return f"{text}."
    return (
        f"{bought}. No shipped law covers this task and sample: a few small runs of your own say more than any of them."
    )


def _starved(plan: Plan) -> str:
    """A warning where the data are seen so often that laws of one pass say little."""
    passes = (plan.seen or 0) / plan.unique if plan.unique else 0.0
    if passes <= MOST_PASSES:
        return ""
    return f"Limited by data: {passes:,.0f} passes, and beyond about {MOST_PASSES} repeated data add little. "


def _far(prediction: Prediction) -> str:
    """A warning where the law is used far outside what it was calibrated on."""
    gap = max(prediction.decades_outside.values(), default=0.0)
    return f" This extrapolates {prediction.law} by {gap:.1f} decades." if gap >= 1 else ""


def _against_optimum(plan: Plan, best: Best, parameters: str) -> str:
    point = best.optimum
    low, high = point.near
    params = point.params / best.ratio
    target = f"{short(point.params)} {parameters} on {short(point.data)} {plan.sample}s"
    if plan.unique and point.data > plan.unique:
        target += f" (of which you have {short(plan.unique)})"
    if params < low:
        keep = f"keep {short(params)} only if the cost of inference decides"
        return f"Too small for this budget: train about {target}; {keep}."
    if params > high:
        return (
            f"Too large for this budget: train about {target}, or spend about {short(best.at or 0)} FLOP on this model."
        )
    return f"Well sized for this budget: {short(params)} parameters lie within 1 % of the best loss ({target})."
