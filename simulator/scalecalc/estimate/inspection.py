"""What a file holds and costs, before any budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from scalecalc.dims import divide
from scalecalc.errors import UsageError
from scalecalc.estimate.sizes import Settled, settle
from scalecalc.laws import catalogue
from scalecalc.walk import Profile, Quantity
from scalecalc.walk.task import SAMPLES, TASKS, Task, guess


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
    def samples_per_step(self) -> Quantity:
        """Samples in one run of the graph."""
        return Quantity(self.task.per_step)

    @property
    def per_sample(self) -> Quantity | None:
        """Training matrix FLOPs per sample as a formula, None where no polynomial is that quotient."""
        training = self.profile.training["matrix_flops"]
        quotient = divide(training.formula, self.task.per_step)
        return None if quotient is None else Quantity(quotient, training.lower_bound)

    @property
    def flops_per_sample(self) -> int | float | None:
        """Training matrix FLOPs per sample at the settled sizes; None while a size is missing."""
        return self.each(self.profile.training["matrix_flops"])

    def each(self, quantity: Quantity) -> int | float | None:
        """A quantity of one run of the graph, per sample: an exact integer where it is one."""
        whole, samples = self.value(quantity), self.value(self.samples_per_step)
        if whole is None or not samples:
            return None
        return whole / samples if whole % samples else whole // samples


def inspect(
    profile: Profile, *, sizes: Mapping[str, int] | None = None, task: str | None = None, sample: str | None = None
) -> Inspection:
    """A profile at sizes, with its task and every assumption.

    Args:
        profile: from `walk`.
        sizes: symbol name to size.
        task, sample: what the model is for and what a sample is, where the guess is wrong.

    Raises:
        UsageError: an unknown symbol, task or sample, or sizes that break a condition.
    """
    settled = settle(profile, sizes)
    _known(task, sample)
    found = guess(profile, task=task, sample=sample)
    assumptions = [*settled.remarks, *profile.assumptions]
    if found.guessed:
        assumptions.append(f"task guessed: {found.words} (--task)" if found.name else "task unknown (--task)")
    if settled.missing:
        names = ", ".join(settled.missing)
        assumptions.append(f"no value for {names}: figures that need it stay formulas (--set {settled.missing[0]}=)")
    if not profile.complete:
        assumptions.append("what has no rule costs nothing: costs are lower bounds, what a budget buys is an upper one")
    return Inspection(profile, found, settled, tuple(assumptions))


def _known(task: str | None, sample: str | None) -> None:
    if sample is not None and sample not in SAMPLES:
        raise UsageError(f"no sample '{sample}'", where="--sample", todo=f"use one of {', '.join(SAMPLES)}")
    if task is not None and task not in TASKS:
        tasks = dict.fromkeys((*TASKS, *(law.applies_to.task for law in catalogue().values())))
        if task not in tasks:
            near = get_close_matches(task, tasks, 1, 0.5)
            todo = f"did you mean {near[0]}?" if near else f"use one of {', '.join(tasks)}"
            raise UsageError(f"no task '{task}'", where="--task", todo=todo)
