"""What a file holds and costs, before any budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from scalecalc.dims import Dim, Poly, divide, put_in
from scalecalc.errors import UsageError, nearest
from scalecalc.estimate.attention import counted
from scalecalc.estimate.sizes import Settled, settle
from scalecalc.laws import catalogue
from scalecalc.walk import Profile, Quantity
from scalecalc.walk.task import ALIASES, SAMPLES, TASKS, Task, guess


@dataclass(frozen=True, slots=True)
class Inspection:
    """A profile at sizes.

    Attributes:
        profile: the formulas.
        task: what the model is for.
        settled: the sizes its values are at.
        assumptions: everything taken for granted, with the option that changes it.
    """

    profile: Profile
    task: Task
    settled: Settled
    assumptions: tuple[str, ...]

    def value(self, quantity: Quantity) -> int | None:
        """A quantity at the settled sizes."""
        return quantity.value(self.settled.sizes)

    @property
    def vocabulary(self) -> int | None:
        """Rows of the table tokens are looked up in."""
        rows = self.profile.facts.get("vocabulary")
        return self.value(Quantity(rows)) if isinstance(rows, int | Poly) else None

    @property
    def steps_per_run(self) -> Quantity:
        """Samples in one run of the graph, in units of `1 / task.per_second`: an integer formula."""
        return Quantity(self.task.steps)

    @property
    def samples_per_step(self) -> Quantity | None:
        """Samples in one run of the graph as a formula, None where no polynomial is that quotient."""
        whole = divide(self.task.steps, self.task.per_second)
        return None if whole is None else Quantity(whole)

    @property
    def examples_per_run(self) -> Quantity:
        """Examples in one run of the graph: its batch."""
        return Quantity(self.task.examples)

    @property
    def samples_per_run(self) -> int | float | None:
        """Samples in one run of the graph at the settled sizes: an exact integer where they are whole."""
        steps = self.value(self.steps_per_run)
        return None if steps is None else _quotient(steps, self.task.per_second)

    @property
    def samples_per_example(self) -> int | float | None:
        """Samples in one example: the tokens of a sequence, the seconds of a clip, else 1."""
        steps, examples = self.value(self.steps_per_run), self.value(self.examples_per_run)
        return None if steps is None or not examples else _quotient(steps, self.task.per_second * examples)

    @property
    def per_sample(self) -> Quantity | None:
        """Training matrix FLOPs per sample as a formula, None where no polynomial is that quotient."""
        training = self.profile.training["matrix_flops"]
        quotient = divide(training.formula * self.task.per_second, self.task.steps)
        return None if quotient is None else Quantity(quotient, training.lower_bound)

    @property
    def flops_per_sample(self) -> int | float | None:
        """Training matrix FLOPs per sample at the settled sizes; None while a size is missing."""
        return self.each(self.profile.training["matrix_flops"])

    def each(self, quantity: Quantity) -> int | float | None:
        """A quantity of one run of the graph, per sample: an exact integer where it is one."""
        whole, steps = self.value(quantity), self.value(self.steps_per_run)
        return None if whole is None or not steps else _quotient(whole * self.task.per_second, steps)

    def against_six(self, role: str) -> float | None:
        """Training matrix FLOPs per token over 6N, N a role of the parameters; None where a sample is no token."""
        flops, params = self.flops_per_sample, self.value(self.profile.params[role])
        return flops / (6 * params) if flops and params and self.task.sample == "token" else None


def _quotient(whole: int, parts: int) -> int | float:
    return whole / parts if whole % parts else whole // parts


def inspect(
    profile: Profile,
    *,
    sizes: Mapping[str, int] | None = None,
    task: str | None = None,
    sample: str | None = None,
    attention: str = "full",
) -> Inspection:
    """A profile at sizes, with its task and every assumption.

    Args:
        profile: from `walk`.
        sizes: symbol name to size.
        task, sample: what the model is for and what a sample is, where the guess is wrong.
        attention: how attention's products count: `full`, `causal` or `none` (see `estimate.attention`).

    Raises:
        UsageError: an unknown symbol, task or sample, sizes that break a condition, or an attention the model lacks.
    """
    profile = counted(profile, attention)
    settled = settle(profile, sizes)
    _known(task, sample)
    found = guess(_at(profile, settled.own), task=task, sample=sample)
    assumptions = [*settled.remarks, *profile.assumptions, *found.remarks]
    if found.guessed:
        assumptions.append(f"task guessed: {found.words} (--task)" if found.name else "task unknown (--task)")
    if settled.missing:
        names = ", ".join(settled.missing)
        assumptions.append(f"no value for {names}: figures that need it stay formulas (--set {settled.missing[0]}=)")
    if not profile.complete:
        assumptions.append("what has no rule costs nothing: costs are lower bounds, what a budget buys is an upper one")
    return Inspection(profile, found, settled, tuple(assumptions))


def _at(profile: Profile, own: Mapping[str, int]) -> Profile:
    """A profile whose shapes hold the model's own sizes as numbers, as those of a file do."""
    if not own:
        return profile

    def shapes(found: Mapping[str, tuple[Dim, ...] | None]) -> dict[str, Any]:
        return {name: shape and tuple(put_in(dim, own) for dim in shape) for name, shape in found.items()}

    vocabulary = profile.facts.get("vocabulary")
    facts = {**profile.facts, "vocabulary": put_in(vocabulary, own)} if isinstance(vocabulary, Poly) else profile.facts
    return replace(profile, inputs=shapes(profile.inputs), outputs=shapes(profile.outputs), facts=facts)


def _known(task: str | None, sample: str | None) -> None:
    if sample is not None and sample not in SAMPLES and not sample.startswith("second@"):
        raise UsageError(f"no sample '{sample}'", where="--sample", todo=nearest(sample, SAMPLES))
    if task is not None and task not in TASKS and task not in ALIASES:
        tasks = dict.fromkeys((*TASKS, *(law.applies_to.task for law in catalogue().values() if law.predicts)))
        if task not in tasks:
            raise UsageError(f"no task '{task}'", where="--task", todo=nearest(task, (*tasks, *ALIASES)))
