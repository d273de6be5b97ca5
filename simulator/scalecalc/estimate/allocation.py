"""Which N and D a budget is best spent on, by several laws at once, and where a model stands beside that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scalecalc.errors import LawError, UsageError, nearest
from scalecalc.estimate.advice import Setting, Size, is_size, settings_at, size_of
from scalecalc.estimate.asking import Question
from scalecalc.estimate.curves import Curve, curve
from scalecalc.estimate.inspection import Inspection
from scalecalc.estimate.places import Place, outside, place
from scalecalc.estimate.planning import plan_of
from scalecalc.estimate.sense import worse_than_guessing
from scalecalc.laws import Bound, Law, Plan, catalogue
from scalecalc.laws.binding import bind_params
from scalecalc.laws.choosing import rank
from scalecalc.laws.optimum import SIX
from scalecalc.laws.scope import routed

DEFAULT_TASK = "language-modeling"
MOST_DECADES = 4.0
"""Beyond what a law was calibrated on: farther away it is asked by name only."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """The answer to `optimal`.

    Attributes:
        question: what was asked.
        inspection: of the model asked about, if any.
        places: what laws of N and D answer, the default law first; of each as often as there are costs.
        sizes: N* of allocation laws, which are N* = f(C), and their D*.
        settings: batch, learning rate and the like for the first place's best model.
        curves: what laws of C alone say.
        refused: laws that give no answer, with the reason.
        assumptions: what was taken for granted.
    """

    question: Question
    inspection: Inspection | None
    places: tuple[Place, ...]
    sizes: tuple[Size, ...]
    settings: tuple[Setting, ...]
    curves: tuple[Curve, ...]
    refused: tuple[tuple[Law, str], ...]
    assumptions: tuple[str, ...]


def allocate(
    question: Question,
    *,
    inspection: Inspection | None = None,
    laws: Sequence[Law] = (),
    task: str | None = None,
    known: Mapping[str, Law] | None = None,
) -> Allocation:
    """The best models for a question, by law.

    Args:
        question: what is asked.
        inspection: of a model whose place is asked for.
        laws: those asked; none: every law of the task that has an answer.
        task: of the laws, where neither they nor a model tell.
        known: laws by name instead of the catalogue's.

    Raises:
        UsageError: the question is none, or no law is of the task.
        LawError: no law has an answer; the reason of the first.
    """
    question.check(model=inspection is not None)
    assumptions = list(question.budget.assumptions) if question.budget is not None else []
    plan = None
    if inspection is not None:
        plan = plan_of(inspection, question.budget.flops if question.budget is not None else None, question.unique)
        assumptions += inspection.assumptions
    known = catalogue() if known is None else known
    asked = list(laws) or _of_task(known, task, plan, question, assumptions)
    found: list[Place] = []
    sizes: list[Size] = []
    curves: list[Curve] = []
    refused: list[tuple[Law, str]] = []
    names = {law.name for law in asked}
    for law in asked:
        if not laws and law.superseded_by in names:
            refused.append((law, f"{law.superseded_by} uses the same runs better; --law {law.name} asks this one"))
            continue
        own = plan or _any_model(law, question)
        try:
            if law.divides:
                found += _near(_places(law, question, own, inspection), asked=bool(laws))
            elif law.kind == "allocation" and law.inputs == ("C",) and question.budget is not None:
                sizes.append(size_of(law, own, question.budget.flops, known))
            elif law.kind in ("conditional", "frontier") and law.inputs == ("C",):
                said = curve(law, own, question)
                if isinstance(said, str):
                    raise LawError(said)
                curves.append(said)
            else:
                raise LawError(_no_optimum(law))
        except LawError as error:
            refused.append((law, error.what))
    if not (found or sizes or curves):
        law, why = refused[0]
        more = f" ({len(refused) - 1} more laws refuse)" if len(refused) > 1 else ""
        raise LawError(f"{why}{more}", where=f"law {law.name}", todo=_instead(question))
    settings = () if laws else _settings(known, found, plan or _any_model(asked[0], question))
    return Allocation(
        question, inspection, tuple(found), tuple(sizes), settings, tuple(curves), tuple(refused),
        (*assumptions, *_assumed(question, inspection, found)),
    )  # fmt: skip


def _places(law: Law, question: Question, plan: Plan, inspection: Inspection | None) -> list[Place]:
    """The law's answers under 6ND, and under the model's own cost."""
    if limit := law.regime.get("limit"):
        raise LawError(f"it assumes {limit}")
    if inspection is None:
        given = question.params and Bound("N", question.params, "assumed", "as given, in the law's own count")
        return [place(law, question, cost="6ND", per_nd=SIX, model=given or None)]
    bound = bind_params(law, inspection.profile, plan)
    if bound.value is None:
        raise LawError(bound.how)
    rows = [place(law, question, cost="6ND", per_nd=SIX, model=bound)]
    forward = inspection.each(inspection.profile.forward["matrix_flops"])
    if plan.flops_per_sample and forward:
        train, use = float(plan.flops_per_sample) / bound.value, float(forward) / bound.value
        rows.append(place(law, question, cost="own", per_nd=train, per_served=use, model=bound))
    return [_sensible(row, inspection) for row in rows]


def _near(rows: list[Place], *, asked: bool) -> list[Place]:
    """The answers, unless the best model is so far from a law's runs that only who asks for it should see it.

    Raises:
        LawError: it is, and nobody asked for this law.
    """
    for row in () if asked else rows:
        gaps = outside(row.law, row.best) if row.best is not None else {}
        far = [f"{name} {gap:.1f}" for name, gap in gaps.items() if gap > MOST_DECADES]
        if far:
            what = f"{', '.join(far)} decades outside what it was calibrated on"
            raise LawError(f"{what}; --law {row.law.name} asks it all the same")
    return rows


def _sensible(row: Place, inspection: Inspection) -> Place:
    """The answers that are better than guessing; refused if the best model's is not."""
    if row.best is not None and (why := worse_than_guessing(row.law, row.best.value, inspection)):
        raise LawError(why)
    own = row.standing
    if own is None or own.value is None or not (why := worse_than_guessing(row.law, own.value, inspection)):
        return row
    return replace(row, standing=replace(own, value=None, worse=None, gain=None, why=why))


def _settings(known: Mapping[str, Law], places: Sequence[Place], plan: Plan) -> tuple[Setting, ...]:
    """For the best model of the default law."""
    best = places[0].best if places else None
    if best is None:
        return ()
    name = places[0].law.name
    return settings_at(known.values(), plan, {
        "N": Bound("N", best.params, "converted", f"{places[0].count} N* by {name}"),
        "D": Bound("D", best.data, "converted", f"D* by {name}"),
        "L": Bound("L", best.value, "assumed", f"{places[0].law.metric.name} {best.value:.2f} by {name}"),
    })  # fmt: skip


def _of_task(
    known: Mapping[str, Law], task: str | None, plan: Plan | None, question: Question, assumptions: list[str]
) -> list[Law]:
    """The laws of a task that can have an answer, the default law first."""
    tasks = list(dict.fromkeys(law.applies_to.task for law in known.values()))
    if task is None:
        task = plan.task if plan is not None else DEFAULT_TASK
        if plan is None:
            assumptions.append(f"laws of {task} (--task, or --law)")
    if task not in tasks:
        todo = nearest(task or "", tasks) if task is not None else "say what the model is for: --task"
        raise UsageError(f"no law is of the task '{task or 'unknown'}'", where="--task", todo=todo)
    found = [law for law in known.values() if law.applies_to.task == task and _answers(law, question)]
    if not found:
        raise UsageError(
            f"no law of {task} has an optimum", where="--task", todo="calibrate one on runs of yours: --law"
        )
    return sorted(found, key=lambda law: rank(law, plan or Plan(task=task)))


def _answers(law: Law, question: Question) -> bool:
    """Whether a law speaks of the best model or of a budget at all, as far as it is asked."""
    if law.divides:
        return "limit" not in law.regime
    if is_size(law):
        return question.budget is not None
    of_compute = question.budget is not None or question.target is not None or question.stop is not None
    return of_compute and law.inputs == ("C",) and law.kind in ("conditional", "frontier")


def _any_model(law: Law, question: Question) -> Plan:
    """A run of the law's own kind of model, where nothing is said of another."""
    scope = law.applies_to
    sample = law.variables["D"].sample if "D" in law.variables else "example"
    flops = question.budget.flops if question.budget is not None else None
    return Plan(
        task=scope.task, modality=scope.modality, sample=sample, compute=flops, unique=question.unique,
        sparse=routed(law),
    )  # fmt: skip


def _no_optimum(law: Law) -> str:
    if law.inputs == ("N", "D"):
        return "it has no optimum: its D are distinct samples, of which C does not follow"
    takes = ", ".join(law.inputs) or "nothing"
    return f"it has no optimum: {'an' if law.kind == 'allocation' else 'a'} {law.kind} law of {takes}"


def _instead(question: Question) -> str:
    if question.target is not None:
        return "ask for what it can reach"
    if question.unique is not None:
        return "choose a law that knows repeated data (its inputs hold U), or ask for less"
    return "ask for another budget, or choose another law (scalecalc laws)"


def _assumed(question: Question, inspection: Inspection | None, places: Sequence[Place]) -> list[str]:
    if not places:
        return []
    found = []
    if inspection is None:
        found.append("C = 6ND, with N as each law counts it (--model has a cost of its own)")
    if question.params is not None:
        found.append("N is taken in each law's own count (--model has them all)")
    if question.unique is None:
        found.append("as many distinct samples as are seen (--unique)")
    if question.served is not None:
        own = "" if inspection is None else "; in rows of the model's own cost, as its forward pass"
        found.append(f"inference costs 2 FLOP per parameter and sample{own}")
    return found
