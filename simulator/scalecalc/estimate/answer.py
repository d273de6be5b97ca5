"""What a budget buys, what the model will reach with it, and which model would be better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

from scalecalc.errors import UsageError
from scalecalc.estimate.advice import Setting, Size, settings_of, sizes_of
from scalecalc.estimate.budgets import Budget
from scalecalc.estimate.datasets import Dataset
from scalecalc.estimate.inspection import Inspection, inspect
from scalecalc.estimate.optimal import Best, Frontier, best_of, frontiers_of
from scalecalc.estimate.planning import Run, planned
from scalecalc.estimate.sense import NO_COST, NO_STEP, pays_no_step, worse_than_guessing
from scalecalc.estimate.verdict import verdict
from scalecalc.laws import Binding, Bound, Efficiency, Law, Plan, Prediction, catalogue, select
from scalecalc.laws.optimum import efficiency
from scalecalc.walk import Profile


@dataclass(frozen=True, slots=True)
class Estimate:
    """The answer to `estimate`.

    Attributes:
        inspection: the model at sizes.
        run: what the budget buys.
        predictions: the default law's first.
        refused: laws that do not apply, the nearest first, with the reason.
        best: the default law's optimum under 6ND and under this model's own cost.
        frontiers: what the best model would reach by laws of C alone.
        sizes: its N and D by laws of C alone.
        settings: batch and learning rate for this run, by laws of such settings.
        efficiency: of the compute, by the default law: the least compute by 6ND over the budget.
        efficiency_own: the same with both at this model's own cost per parameter and sample.
        verdict: what to do.
        law: the one asked for by name, if any.
        notes: remarks of the file and of the laws.
        assumptions: everything taken for granted.
    """

    inspection: Inspection
    run: Run
    predictions: tuple[Prediction, ...]
    refused: tuple[tuple[Law, str], ...]
    best: tuple[Best, ...]
    frontiers: tuple[Frontier, ...]
    sizes: tuple[Size, ...]
    settings: tuple[Setting, ...]
    efficiency: Efficiency | None
    efficiency_own: float | None
    verdict: str
    law: Law | None
    notes: tuple[str, ...]
    assumptions: tuple[str, ...]

    @property
    def plan(self) -> Plan:
        """The run as laws are asked about it."""
        return self.run.plan

    @property
    def steps(self) -> float | None:
        """Optimizer steps in the run."""
        return self.run.steps


def estimate(
    profile: Profile,
    budget: float | Budget,
    *,
    sizes: Mapping[str, int] | None = None,
    task: str | None = None,
    sample: str | None = None,
    unique: float | None = None,
    dataset: Dataset | None = None,
    tokenizer: str | None = None,
    batch_size: int | None = None,
    attention: str = "full",
    count: str = "matrix",
    law: Law | None = None,
    force: bool = False,
    laws: Mapping[str, Law] | None = None,
) -> Estimate:
    """What training a model with a budget comes to.

    Args:
        profile: from `walk`.
        budget: training FLOPs of the whole run, forward and backward, or what `budgets.budget` makes of a text.
        sizes: symbol name to size.
        task, sample: where the guess is wrong.
        unique: distinct samples of the data set; None: those of `dataset`, else as many as are seen.
        dataset: where the data come from.
        tokenizer: of the training data, where it is known.
        batch_size: examples in one optimizer step; None: those of one run of the graph.
        attention: how attention's products count: `full`, `causal` or `none` (see `estimate.attention`).
        count: what the budget counts: `matrix` FLOPs, or `all` (see `planning.Run`).
        law: to be asked first, whatever there is beside it.
        force: let laws of other tasks predict; the results are marked as not comparable.
        laws: default: the shipped ones and those of plug-ins.

    Raises:
        UsageError: the budget is below 1 or above 1e60, or sizes, data or counts do not fit the model.
    """
    if not isinstance(budget, Budget):
        if not isinstance(budget, Real):
            raise UsageError(f"{budget!r:.40} is no budget", where="--budget", todo="give FLOPs, such as 1e21")
        budget = Budget(_number(budget))
    inspection = inspect(profile, sizes=sizes, task=task, sample=sample, attention=attention)
    run = planned(
        inspection, budget, unique=unique, dataset=dataset, tokenizer=tokenizer, batch_size=batch_size, count=count
    )
    plan = run.plan
    everything = {**(catalogue() if laws is None else laws), **({law.name: law} if law is not None else {})}
    known = {name: own for name, own in everything.items() if own.predicts or own is law}
    bindings, refused = select(known, inspection.profile, plan, force=force)
    if law is not None:
        bindings.sort(key=lambda binding: binding.law is not law)
        refused.sort(key=lambda pair: pair[0] is not law)
    senseless = _senseless(bindings, inspection, run)
    default = _default(bindings, senseless, law)
    best = best_of(default, plan) if default is not None else ()
    found = efficiency(default, spent=plan.compute) if default is not None else None
    own = best[1].optimum.per_nd if len(best) > 1 else None
    found_own = efficiency(default, per_nd=own, spent=plan.compute) if default is not None and own is not None else None
    refused = [*((b.law, senseless[b.law.name]) for b in bindings if b.law.name in senseless), *refused]
    frontiers, unfit = frontiers_of(known, inspection, plan)
    predictions = tuple(binding.predict() for binding in bindings if binding.law.name not in senseless)
    starts = not pays_no_step(plan, run.samples_per_step)
    assumptions = [*inspection.assumptions, *run.assumptions]
    assumptions.append(
        "AdamW, its two moments in float32, all else in the file's types; the loss is not in the file, nor counted"
    )
    return Estimate(
        inspection=inspection,
        run=run,
        predictions=predictions,
        refused=tuple((other, unfit.get(other.name, why)) for other, why in refused),
        best=best,
        frontiers=tuple(frontiers),
        sizes=sizes_of(everything, plan) if starts else (),
        settings=settings_of(everything.values(), inspection.profile, plan, _loss(predictions)) if starts else (),
        efficiency=found,
        efficiency_own=found_own.compute if found_own is not None else None,
        verdict=verdict(inspection, run, predictions, best, refused),
        law=law,
        notes=profile.notes,
        assumptions=tuple(assumptions),
    )


def _loss(predictions: Sequence[Prediction]) -> Bound | None:
    """What laws take as the loss of the run."""
    if not predictions or predictions[0].unit != "nat/token" or not predictions[0].comparable:
        return None
    first = predictions[0]
    return Bound("L", first.value, "assumed", f"{first.metric} {first.value:.2f} by {first.law}")


def _number(budget: float) -> float:
    try:
        return float(budget)
    except OverflowError:
        return float("inf")


def _default(bindings: Sequence[Binding], senseless: Mapping[str, str], law: Law | None) -> Binding | None:
    """The binding whose optimum is shown: the first of N and D, of the law asked for if any; none if senseless."""
    pool = [binding for binding in bindings if law is None or binding.law is law]
    default = next((b for b in pool if b.law.inputs == ("N", "D") and b.law.divides and b.comparable), None)
    return None if default is None or default.law.name in senseless else default


def _senseless(bindings: Sequence[Binding], inspection: Inspection, run: Run) -> dict[str, str]:
    """Laws whose prediction is refused for what it says, with the reason."""
    if pays_no_step(run.plan, run.samples_per_step):
        return {binding.law.name: NO_STEP for binding in bindings}
    if run.cost is None:  # distinct samples alone do not tell how many are seen
        return {binding.law.name: NO_COST for binding in bindings if {"D", "U"} & set(binding.law.inputs)}
    found = ((law := b.law, worse_than_guessing(law, b.predict().value, inspection)) for b in bindings)
    return {law.name: why for law, why in found if why is not None}
