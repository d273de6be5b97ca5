"""How a law's variables are met by a model and a run: exact, converted, assumed or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scalecalc.errors import LawError
from scalecalc.laws.bounds import beyond
from scalecalc.laws.conventions import UNKNOWN, Variable
from scalecalc.laws.law import Law
from scalecalc.laws.plan import Plan
from scalecalc.laws.scope import NOT_PREDICTING, assumptions, mismatches, plain

if TYPE_CHECKING:
    from scalecalc.laws.prediction import Prediction
    from scalecalc.walk.profile import Profile

PF_DAY = 8.64e19  # FLOP: 1e15 a second for 86,400 s
# a law's count of N: the role of a profile's parameters
ROLES = {"total": "trainable", "non_embedding": "non_embedding", "linear": "linear", "active": "active"}
# a law's count of C: the count of N in 6*N*D
SIX_N_D = {"6N_total*D": "total", "6N_nonemb*D": "non_embedding", "6N_linear*D": "linear"}
HEADLESS = "exact_without_head"  # another one: no formula of a profile tells it
NO_VALUE = "no value"
ONE_PASS = 1.001
"""Passes over the data up to which it counts as seen once: steps and batches are whole."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One variable's value in the law's own count.

    Attributes:
        status: exact, converted, assumed or refused.
        how: the formula, the assumption, or the reason of a refusal.
    """

    symbol: str
    value: float | None
    status: str
    how: str


@dataclass(frozen=True, slots=True)
class Binding:
    """A law met by a model and a run; only this predicts.

    Attributes:
        variables: one entry per input of the law.
        cost: C in the law's own count where the law declares one without using it.
        beside: other variables the law declares and does not use: its range says what its runs had of them.
        notes: what is taken for granted.
        refusals: why it does not predict; empty if it does.
        comparable: False if `force` overrode a refusal.
    """

    law: Law
    variables: tuple[Bound, ...]
    cost: Bound | None
    notes: tuple[str, ...]
    refusals: tuple[str, ...]
    comparable: bool = True
    beside: tuple[Bound, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether `predict` gives a value."""
        return not self.refusals

    @property
    def why(self) -> str:
        """The refusals in one line."""
        return "; ".join(self.refusals)

    @property
    def values(self) -> Mapping[str, float]:
        """The variables that have a value."""
        return {bound.symbol: bound.value for bound in self.variables if bound.value is not None}

    def predict(self) -> Prediction:
        """The law's value.

        Raises:
            LawError: the binding is refused.
        """
        from scalecalc.laws.prediction import predict

        return predict(self)


def bind(law: Law, profile: Profile, plan: Plan, *, force: bool = False, setting: bool = False) -> Binding:
    """Every variable of `law` from the formulas of a model and the plan of a run.

    Args:
        law: what is asked.
        profile: parameters by role.
        plan: everything else.
        force: apply it even to another task or modality; the result is marked as not comparable.
        setting: it is asked for what it gives instead of a performance: a batch, a learning rate.
    """
    if law.is_form:
        why = f"a form: {', '.join(law.unset)} without a value (calibrate it on runs of yours)"
        return Binding(law, (), None, law.notes, (why,))
    outside = mismatches(law, plan)
    binder = _Binder(profile, plan, repeats="U" in law.inputs)
    variables = tuple(binder.bind(law.variables[symbol]) for symbol in law.inputs)
    unbound = _unbound(law, variables)
    refusals = [NOT_PREDICTING[law.kind]] if law.kind in NOT_PREDICTING and not setting else []
    notes = [*law.notes, *assumptions(law, plan)]
    if force:
        notes = [f"NOT COMPARABLE: {reason}" for reason in outside] + notes
    else:
        refusals += outside
    # missing values are no news about a law that would not apply with them
    refusals = refusals or unbound
    if not refusals:
        refusals = beyond(law, {bound.symbol: bound.value for bound in variables if bound.value is not None})
    cost = binder.bind(law.variables["C"]) if "C" in law.variables and "C" not in law.inputs else None
    unused = [v for s, v in law.variables.items() if s in law.range and s not in (*law.inputs, "C")]
    beside = tuple(map(binder.bind, unused))
    return Binding(law, variables, cost, tuple(notes), tuple(refusals), not (force and outside), beside)


def _unbound(law: Law, variables: tuple[Bound, ...]) -> list[str]:
    """What has no value, and why; values no model file tells in one go."""
    refused = [bound for bound in variables if bound.status == "refused"]
    given = [bound.symbol for bound in refused if bound.how == NO_VALUE]
    found = [f"{bound.symbol}: {bound.how}" for bound in refused if bound.how != NO_VALUE]
    if given:
        found.append(f"{', '.join(given)}: {NO_VALUE} (scalecalc predict {law.name} --set {given[0]}=...)")
    return found


def bind_params(law: Law, profile: Profile, plan: Plan, *, force: bool = False) -> Bound:
    """N of a model in the law's count, whatever the run; refused where the law is none for it."""
    sample = law.variables["D"].sample if "D" in law.variables else UNKNOWN
    reasons = [] if force else mismatches(law, plan)
    if sample not in (plan.sample, UNKNOWN):
        reasons.append(f"the law's samples are {sample}s, the model's {plan.sample}s")
    if reasons:
        return Bound("N", None, "refused", "; ".join(reasons))
    return _Binder(profile, plan).bind(law.variables["N"])


class _Binder:
    def __init__(self, profile: Profile, plan: Plan, *, repeats: bool = False) -> None:
        self.profile, self.plan, self.repeats = profile, plan, repeats

    def bind(self, variable: Variable) -> Bound:
        symbol = variable.symbol
        try:
            match symbol:
                case "N":
                    return self.parameters(variable)
                case "D":
                    return self.data(variable)
                case "U":
                    return Bound(symbol, *self.unique())
                case "C":
                    return self.compute(variable)
            return Bound(symbol, self.plan.extra[symbol], "exact", "as given")
        except KeyError:
            return Bound(symbol, None, "refused", NO_VALUE)
        except LawError as error:
            return Bound(symbol, None, "refused", error.what)

    def count(self, count: str) -> tuple[float, bool]:
        """Parameters by the law's count, and whether some are missing."""
        quantity = self.profile.params[ROLES[count]]
        value = quantity.value(self.plan.sizes)
        if value is None:
            raise LawError(f"{count} parameters depend on a size that is not set (--set)")
        if value <= 0:
            raise LawError(f"the model has no {count} parameters")
        return value, quantity.lower_bound

    def parameters(self, variable: Variable) -> Bound:
        if variable.count == "flops_per_token":
            if not self.plan.flops_per_sample:
                raise LawError("training FLOPs per token are unknown")
            return Bound("N", float(self.plan.flops_per_sample), "exact", "training FLOPs per token")
        if variable.count not in (*ROLES, UNKNOWN):
            raise LawError(f"the law counts N as {variable.count!r}, which no profile has")
        count = "total" if variable.count == UNKNOWN else variable.count
        value, partial = self.count(count)
        if partial:
            return Bound("N", value, "assumed", f"{count} parameters of the operators known: a lower bound")
        if variable.count == UNKNOWN:
            return Bound("N", value, "assumed", "total parameters: the law does not say how it counts")
        return Bound("N", value, "exact", f"{count} parameters")

    def seen(self) -> tuple[float, str, str]:
        if self.plan.seen is None:
            if self.plan.compute:
                raise LawError(f"what the budget buys is unknown, as the cost of one {self.plan.sample} is")
            raise LawError("neither data nor a budget is given (--budget)")
        if self.plan.data is None:
            return self.plan.seen, "converted", f"C / (training FLOP per {self.plan.sample})"
        return self.plan.seen, "exact", f"{self.plan.sample}s seen"

    def passes(self) -> float:
        """Over the data, where a law that does not know of repeated samples takes them for new ones; 1 else."""
        plan = self.plan
        return plan.seen / plan.unique if plan.unique and plan.seen and not self.repeats else 1.0

    def unique(self) -> tuple[float, str, str]:
        unique, seen = self.plan.unique, self.plan.seen
        if unique is not None and seen is not None and seen < unique:
            value, status, how = self.seen()
            return value, status, f"{how}: less than one pass over {unique:,.0f} distinct ones"
        if unique is not None:
            return unique, "exact", f"distinct {self.plan.sample}s"
        return self.seen()[0], "assumed", "one pass: all samples distinct (--unique)"

    def data(self, variable: Variable) -> Bound:
        if variable.sample not in (self.plan.sample, UNKNOWN):
            raise LawError(f"the law's samples are {variable.sample}s, the model's {self.plan.sample}s")
        value, status, how = self.unique() if variable.meaning == "unique" else self.seen()
        if variable.meaning == UNKNOWN:
            return Bound("D", value, "assumed", f"{how}: the law does not say seen or unique")
        if variable.sample == UNKNOWN:
            return Bound("D", value, "assumed", f"{how}: the law does not say what a sample is")
        remarks = []
        theirs, ours = variable.tokenizer, self.plan.tokenizer
        if theirs != UNKNOWN and ours is not None and plain(theirs) != plain(ours):
            remarks.append(f"tokens of {ours}, the law's of {theirs}")
        if variable.meaning == "seen" and self.passes() > ONE_PASS:
            remarks.append(f"{self.passes():.3g} passes, taken for new ones")
        return (
            Bound("D", value, "assumed", f"{how}: {'; '.join(remarks)}") if remarks else Bound("D", value, status, how)
        )

    def compute(self, variable: Variable) -> Bound:
        if variable.count in SIX_N_D:
            count = SIX_N_D[variable.count]
            flops = 6 * self.count(count)[0] * self.seen()[0]
            return in_unit(variable, Bound("C", flops, "converted", f"6*N*D, N {count}"))
        return in_unit(variable, _spent(variable, self.plan))


def _spent(variable: Variable, plan: Plan) -> Bound:
    """The run's own FLOPs as a law's C."""
    if variable.count not in ("exact", HEADLESS, UNKNOWN):
        raise LawError(f"the law counts C as {variable.count!r}, which is not known here")
    if plan.spent is None:
        raise LawError("no compute is given (--budget)")
    how = "training matrix FLOPs"
    if variable.count == UNKNOWN:
        return Bound("C", plan.spent, "assumed", f"{how}: the law does not say how it counts")
    if variable.count == HEADLESS:
        return Bound("C", plan.spent, "assumed", f"{how}, the head's among them: the law leaves those out")
    if variable.attention in ("full", "causal") and variable.attention != plan.attention:
        return Bound("C", plan.spent, "assumed", f"{how}, {plan.attention} attention; the law's: {variable.attention}")
    return Bound("C", plan.spent, "exact", how)


def flops_per_unit(law: Law) -> float | None:
    """FLOPs in one unit of the law's C; None where FLOPs do not tell."""
    return {"FLOP": 1.0, "PF-day": PF_DAY}.get(law.variables["C"].unit)


def in_unit(variable: Variable, bound: Bound) -> Bound:
    """FLOPs in the unit a law counts in; what was assumed stays so.

    Raises:
        LawError: that unit is none of work.
    """
    if variable.unit == "PF-day" and bound.value is not None:
        status = "assumed" if bound.status == "assumed" else "converted"
        return Bound("C", bound.value / PF_DAY, status, f"{bound.how}/8.64e19 PF-days")
    if variable.unit != "FLOP":
        raise LawError(f"the law counts in {variable.unit}s, which FLOPs do not tell")
    return bound


def bind_frontier(law: Law, plan: Plan) -> Bound:
    """C of a frontier law: the budget itself, as the best model's N and D are the law's own; or why it is refused."""
    reasons = mismatches(law, plan)
    if law.inputs != ("C",):
        reasons.append(f"it takes {', '.join(law.inputs)}: of the best model only C is known")
    if reasons:
        return Bound("C", None, "refused", "; ".join(reasons))
    variable = law.variables["C"]
    six = variable.count in SIX_N_D
    try:
        bound = in_unit(variable, _spent(replace(variable, count="exact") if six else variable, plan))
    except LawError as error:
        return Bound("C", None, "refused", error.what)
    if bound.value is not None and (reasons := beyond(law, {"C": bound.value})):
        return Bound("C", None, "refused", "; ".join(reasons))
    bound = replace(bound, how=f"{plan.spent:.3g} {bound.how}")
    return replace(bound, status="assumed", how=f"{bound.how}; the law counts {variable.count}") if six else bound
