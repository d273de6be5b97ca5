"""What a budget buys, what the model will reach with it, and which model would be better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

from scalecalc.errors import UsageError
from scalecalc.estimate.inspection import Inspection, inspect
from scalecalc.estimate.optimal import Best, Frontier, best_of, frontiers_of
from scalecalc.estimate.sense import NO_STEP, pays_no_step, worse_than_guessing
from scalecalc.estimate.verdict import verdict
from scalecalc.laws import Binding, Efficiency, Law, Plan, Prediction, catalogue, select
from scalecalc.laws.optimum import efficiency
from scalecalc.walk import Profile

MOST_FLOPS = 1e60
"""Far beyond any computer; laws leave the range of floats somewhere behind."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The answer to `estimate`.

    Attributes:
        inspection: the model at sizes.
        plan: the run the budget buys.
        steps: runs of the graph in it.
        predictions: the default law's first.
        refused: laws that do not apply, the nearest first, with the reason.
        best: the default law's optimum under 6ND and under this model's own cost.
        frontiers: what the best model would reach by laws of C alone.
        efficiency: of the compute, by the default law: the least compute by 6ND over the budget.
        efficiency_own: the same with both at this model's own cost per parameter and sample.
        verdict: what to do.
        notes: remarks of the file and of the laws.
        assumptions: everything taken for granted.
    """

    inspection: Inspection
    plan: Plan
    steps: float | None
    predictions: tuple[Prediction, ...]
    refused: tuple[tuple[Law, str], ...]
    best: tuple[Best, ...]
    frontiers: tuple[Frontier, ...]
    efficiency: Efficiency | None
    efficiency_own: float | None
    verdict: str
    notes: tuple[str, ...]
    assumptions: tuple[str, ...]


def estimate(
    profile: Profile,
    budget: float,
    *,
    sizes: Mapping[str, int] | None = None,
    task: str | None = None,
    sample: str | None = None,
    unique: float | None = None,
    tokenizer: str | None = None,
    force: bool = False,
    laws: Mapping[str, Law] | None = None,
) -> Estimate:
    """What training a model with a budget comes to.

    Args:
        profile: from `walk`.
        budget: training matrix FLOPs (forward and backward) of the whole run.
        sizes: symbol name to size.
        task, sample: where the guess is wrong.
        unique: distinct samples of the data set; None: as many as are seen.
        tokenizer: of the training data, where it is known.
        force: let laws of other tasks predict; the results are marked as not comparable.
        laws: default: the shipped ones and those of plug-ins.

    Raises:
        UsageError: the budget is below 1 or above 1e60, or sizes do not fit the model.
    """
    if not isinstance(budget, Real) or not 1 <= budget <= MOST_FLOPS:
        raise UsageError(f"{budget!r:.40} is no budget", where="--budget", todo="give FLOPs, such as 1e21")
    budget = float(budget)
    inspection = inspect(profile, sizes=sizes, task=task, sample=sample)
    plan = _plan(inspection, budget, unique, tokenizer)
    known = catalogue() if laws is None else laws
    bindings, refused = select(known, profile, plan, force=force)
    senseless = _senseless(bindings, inspection, plan)
    default = next((binding for binding in bindings if binding.law.inputs == ("N", "D") and binding.comparable), None)
    if default is not None and default.law.name in senseless:
        default = None  # nor is its optimum worth a word
    best = best_of(default, plan) if default is not None else ()
    found = efficiency(default, spent=budget) if default is not None else None
    own = best[1].optimum.per_nd if len(best) > 1 else None
    found_own = efficiency(default, per_nd=own, spent=budget) if default is not None and own is not None else None
    refused = [*((b.law, senseless[b.law.name]) for b in bindings if b.law.name in senseless), *refused]
    frontiers, unfit = frontiers_of(known, inspection, plan)
    samples = inspection.value(inspection.samples_per_step)
    predictions = tuple(binding.predict() for binding in bindings if binding.law.name not in senseless)
    assumptions = list(inspection.assumptions)
    if unique is None:
        assumptions.append("one pass over the data (--unique)")
    assumptions.append(
        "AdamW, its two moments in float32, all else in the file's types; the loss is not in the file, nor counted"
    )
    return Estimate(
        inspection=inspection,
        plan=plan,
        steps=plan.seen / samples if plan.seen is not None and samples else None,
        predictions=predictions,
        refused=tuple((law, unfit.get(law.name, why)) for law, why in refused),
        best=best,
        frontiers=tuple(frontiers),
        efficiency=found,
        efficiency_own=found_own.compute if found_own is not None else None,
        verdict=verdict(inspection, plan, predictions, best, refused),
        notes=profile.notes,
        assumptions=tuple(assumptions),
    )


def _senseless(bindings: Sequence[Binding], inspection: Inspection, plan: Plan) -> dict[str, str]:
    """Laws whose prediction is refused for what it says, with the reason."""
    if pays_no_step(inspection, plan):
        return {binding.law.name: NO_STEP for binding in bindings}
    found = ((law := b.law, worse_than_guessing(law, b.predict().value, inspection)) for b in bindings)
    return {law.name: why for law, why in found if why is not None}


def _plan(inspection: Inspection, budget: float, unique: float | None, tokenizer: str | None) -> Plan:
    task = inspection.task
    sizes = inspection.settled.sizes
    shape = task.shape or ()
    numbers = tuple(dim for dim in shape if isinstance(dim, int))
    return Plan(
        task=task.name,
        modality=task.modality,
        family=task.family,
        sample=task.sample,
        sizes=sizes,
        tokenizer=tokenizer,
        compute=budget,
        unique=unique,
        flops_per_sample=inspection.flops_per_sample or None,
        classes=task.classes,
        input_shape=numbers if shape and len(numbers) == len(shape) else None,
    )
