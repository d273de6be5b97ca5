"""What laws that predict no performance say of a budget: its best N and D, and the settings of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from scalecalc.errors import ExpressionError, LawError
from scalecalc.estimate.sense import MOST_PASSES
from scalecalc.estimate.words import short
from scalecalc.laws import Binding, Bound, Law, Plan, bind
from scalecalc.laws.binding import HEADLESS, SIX_N_D, bind_frontier
from scalecalc.laws.bounds import beyond
from scalecalc.laws.conventions import UNKNOWN
from scalecalc.laws.optimum import SIX
from scalecalc.laws.prediction import decades, decades_outside
from scalecalc.walk import Profile

BEST_N, BEST_D = "-best-n", "-best-d"
"""How two laws of one publication are named that give N* and D* of one budget."""
PER_TOKEN = "flops_per_token"
STATUSES = ("exact", "converted", "assumed")


@dataclass(frozen=True, slots=True)
class Size:
    """An allocation law's N* at a budget, and D*: by its companion, else what is left under C = 6ND.

    Attributes:
        params: N*, as `count` says; FLOPs of a token where that begins with flops_per_token.
        how: what C is to the law.
        ratio: D* per parameter.
        outside: decades outside of what it was calibrated on.
    """

    law: Law
    params: float
    data: float
    how: str
    count: str
    ratio: float
    outside: Mapping[str, float]

    @property
    def per_token(self) -> bool:
        """Whether N* is the training FLOPs of a token."""
        return self.count.startswith(PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a hyperparameter law gives: `bound` says of what, the worst met of its variables."""

    law: Law
    value: float
    bound: Bound
    outside: Mapping[str, float]


def size_of(law: Law, plan: Plan, flops: float, known: Mapping[str, Law]) -> Size:
    """N* and D* of an allocation law.

    Args:
        law: of C, giving N.
        plan: what the model is for.
        flops: the budget.
        known: laws by name, its companion for D among them or not.

    Raises:
        LawError: it does not speak of such models, or gives no size.
    """
    if law.gives == "D":
        raise LawError(f"it gives D* alone: ask {law.name.removesuffix(BEST_D) + BEST_N}")
    bound = bind_frontier(law, replace(plan, compute=flops))
    if bound.value is None:
        raise LawError(bound.how)
    count = law.variables["N"].count if law.gives == "N" else UNKNOWN
    params = float(law.evaluate(C=bound.value))
    each = params if count.startswith(PER_TOKEN) else SIX * params
    companion = known.get(law.name.removesuffix(BEST_N) + BEST_D)
    data = float(companion.evaluate(C=bound.value)) if companion is not None else flops / each
    if not (params >= 1 and data >= 1):
        raise LawError(f"its N* would be {params:.3g} at {flops:.3g} FLOP")
    passes = data / plan.unique if plan.unique else 0.0
    if passes > MOST_PASSES:
        times = f"{passes:,.0f}" if passes >= 100 else f"{passes:.3g}"
        raise LawError(f"it would take {times} passes over {short(plan.unique or 0)} distinct samples")
    cost = law.variables["C"].count
    how = "6ND" if cost in SIX_N_D else f"6ND assumed: {_counting(cost)}"
    return Size(law, params, data, how, count, data / (each / SIX), decades(law, {"C": bound.value}))


def _counting(cost: str) -> str:
    if cost == HEADLESS:
        return "the law's C leaves out the head's FLOPs"
    return "the law does not say how it counts C" if cost == UNKNOWN else f"the law counts C as {cost}"


def sizes_of(laws: Mapping[str, Law], plan: Plan) -> tuple[Size, ...]:
    """Those of a model's task that have one at the plan's budget."""
    found = []
    for law in laws.values():
        if is_size(law) and law.applies_to.task == plan.task and plan.compute:
            try:
                found.append(size_of(law, plan, plan.compute, laws))
            except (LawError, ExpressionError):
                continue
    return tuple(found)


def is_size(law: Law) -> bool:
    """Whether it gives N* of a budget, and nobody corrected it."""
    if law.kind != "allocation" or law.inputs != ("C",) or law.is_form:
        return False
    return law.gives != "D" and not law.superseded_by


def settings_of(laws: Iterable[Law], profile: Profile, plan: Plan, loss: Bound | None) -> tuple[Setting, ...]:
    """Batch, learning rate and the like, for a run of a model.

    Args:
        laws: of which those of hyperparameters are asked.
        profile: parameters by role.
        plan: of the run.
        loss: what it comes to, and by which law; None if none says.
    """
    if loss is not None and loss.value is not None:
        plan = replace(plan, extra={**plan.extra, loss.symbol: loss.value})
    found = []
    for law in _of_settings(laws, plan):
        binding = bind(law, profile, plan, setting=True)
        if binding.usable:
            found.append(_setting(_as_best(binding), loss))
    return tuple(found)


def _as_best(binding: Binding) -> Binding:
    """A law of C alone speaks of the best model for C: that this one is it is an assumption."""
    if binding.law.inputs != ("C",):
        return binding
    (bound,) = binding.variables
    taken = replace(bound, status="assumed", how=f"{bound.how}; as for the best model for C")
    return replace(binding, variables=(taken,))


def _of_settings(laws: Iterable[Law], plan: Plan) -> list[Law]:
    return [
        law for law in laws if law.kind == "hyperparameter" and law.applies_to.task == plan.task and not law.is_form
    ]


def settings_at(laws: Iterable[Law], plan: Plan, best: Mapping[str, Bound]) -> tuple[Setting, ...]:
    """The same for the best model of a budget.

    Args:
        laws: of which those of hyperparameters are asked.
        plan: what the model is for, and the budget.
        best: its N, D and L; N in the count that the bound's `how` begins with.
    """
    found = []
    for law in _of_settings(laws, plan):
        if law.inputs == ("C",):
            bounds = [bind_frontier(law, plan)]
        else:
            bounds = [_counted(law, best[symbol]) for symbol in law.inputs if symbol in best]
        values = {bound.symbol: bound.value for bound in bounds if bound.value is not None}
        if values.keys() == set(law.inputs) and not beyond(law, values):
            found.append(_setting(Binding(law, tuple(bounds), None, (), ()), best.get("L")))
    return tuple(found)


def _counted(law: Law, bound: Bound) -> Bound:
    """A variable of the best model, in whatever count the law has."""
    theirs = law.variables[bound.symbol].count
    if bound.symbol != "N" or bound.how.startswith(f"{theirs} "):
        return bound
    return replace(bound, status="assumed", how=f"{bound.how}; the law counts {theirs}")


def _setting(binding: Binding, loss: Bound | None) -> Setting:
    bounds = [loss if loss is not None and bound.symbol == loss.symbol else bound for bound in binding.variables]
    worst = max(bounds, key=lambda bound: STATUSES.index(bound.status))
    value = float(binding.law.evaluate(**binding.values))
    return Setting(binding.law, value, worst, decades_outside(binding))
