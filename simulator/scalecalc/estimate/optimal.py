"""The best model a law knows for a budget, beside the one at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scalecalc.estimate.inspection import Inspection
from scalecalc.estimate.sense import worse_than_guessing
from scalecalc.laws import Binding, Bound, Law, Optimum, Plan
from scalecalc.laws.binding import bind_frontier
from scalecalc.laws.optimum import SIX, optimum, own_cost


@dataclass(frozen=True, slots=True)
class Best:
    """The best model of one law for the budget.

    Attributes:
        cost: `6ND`, or `own`: this model's own FLOPs per sample and parameter.
        optimum: N*, D* and the value there, N counted as the law counts it.
        ratio: N* over this model's N.
        at: the budget this model would be the best one for.
        crossover: the budget beyond which a model of twice its N is the better one.
        gain: what twice the budget would gain with this model.
    """

    cost: str
    optimum: Optimum
    ratio: float
    at: float | None
    crossover: float | None = None
    gain: float | None = None


@dataclass(frozen=True, slots=True)
class Frontier:
    """A frontier law's value: what the best model would reach at the budget, taken as `bound` says."""

    law: Law
    value: float
    bound: Bound


def best_of(binding: Binding, plan: Plan) -> tuple[Best, ...]:
    """The optimum of a law for a plan's budget, under 6ND and under the model's own cost."""
    from scalecalc.laws.standing import best_compute, crossover, gain_per_doubling

    law, params = binding.law, binding.values["N"]
    found = []
    costs = {"6ND": SIX}
    if plan.flops_per_sample:
        costs["own"] = own_cost(binding, float(plan.flops_per_sample))
    for cost, per_nd in costs.items():
        point = optimum(law, plan.compute or 0.0, per_nd=per_nd)
        gain = gain_per_doubling(law, params, point.compute / per_nd / params)
        at, larger = best_compute(law, params, per_nd=per_nd), crossover(law, params, per_nd=per_nd)
        found.append(Best(cost, point, point.params / params, at, larger, gain))
    return tuple(found)


def frontiers_of(laws: Mapping[str, Law], inspection: Inspection, plan: Plan) -> tuple[list[Frontier], dict[str, str]]:
    """What the frontier laws of the model's task say of the budget, and why others of them do not."""
    found, refused = [], {}
    for law in laws.values():
        if law.kind != "frontier" or law.applies_to.task != plan.task:
            continue
        bound = bind_frontier(law, plan)
        if bound.value is None:
            refused[law.name] = bound.how
            continue
        value = float(law.evaluate(C=bound.value))
        if why := worse_than_guessing(law, value, inspection):
            refused[law.name] = why
        else:
            found.append(Frontier(law, value, bound))
    return found, refused
