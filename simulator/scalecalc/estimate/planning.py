"""The run a budget buys: samples, steps and passes over the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from scalecalc.errors import UsageError
from scalecalc.estimate.attention import way
from scalecalc.estimate.budgets import Budget
from scalecalc.estimate.datasets import Dataset, usual
from scalecalc.estimate.inspection import Inspection
from scalecalc.estimate.words import short
from scalecalc.laws import Plan

COUNTS = ("matrix", "all")
LETTERS = 512
"""A vocabulary of no more than so many tokens is one of characters or bytes: pieces of words begin at a thousand."""
MOST_FLOPS = 1e60
"""Far beyond any computer; laws leave the range of floats somewhere behind."""


@dataclass(frozen=True, slots=True)
class Run:
    """A training run, as it was asked for and as laws are asked about it.

    Attributes:
        budget: as given.
        count: what it counts: `matrix`: FLOPs of matrix products and convolutions, forward and backward; `all`: with
            every other operation of them and of the optimizer.
        cost: FLOPs per sample, counted so; None while a size is missing.
        plan: for the laws: always in matrix FLOPs.
        batch_size: examples in one optimizer step.
        samples_per_step: the same in samples.
        steps: optimizer steps in the run.
        dataset: where the data come from, if it was named.
        assumptions: what was taken for granted of all this.
    """

    budget: Budget
    count: str
    cost: float | None
    plan: Plan
    batch_size: int | None
    samples_per_step: float | None
    steps: float | None
    dataset: Dataset | None
    assumptions: tuple[str, ...]


def planned(
    inspection: Inspection,
    budget: Budget,
    *,
    unique: float | None = None,
    dataset: Dataset | None = None,
    tokenizer: str | None = None,
    batch_size: int | None = None,
    count: str = "matrix",
) -> Run:
    """What a budget buys of a model.

    Args:
        inspection: the model at sizes.
        budget: of the whole run.
        unique: distinct samples; overrules those of `dataset`.
        dataset: where the data come from.
        tokenizer: of the training data.
        batch_size: examples in one optimizer step; None: those of one run of the graph.
        count: one of COUNTS.

    Raises:
        UsageError: a budget, count or batch size that makes no sense, or data of another kind.
    """
    if not 1 <= budget.flops <= MOST_FLOPS:
        raise UsageError(f"{budget.text or repr(budget.flops):.40} is no budget", where="--budget",
                         todo="give from 1 to 1e60 FLOP, such as 1e21")  # fmt: skip
    if count not in COUNTS:
        raise UsageError(f"no count '{count}'", where="--count", todo=f"use one of {', '.join(COUNTS)}")
    if batch_size is not None and batch_size < 1:
        raise UsageError(f"{batch_size} is no batch size", where="--batch-size", todo="give 1 example or more")
    assumptions = list(budget.assumptions)
    if dataset is not None and unique is None:
        unique = float(dataset.unique(inspection.task))
        assumptions += _of_data(inspection, dataset, tokenizer)
    elif unique is None:
        known = usual(inspection.task)
        named = f", or --dataset {known.name}" if known is not None else ""
        assumptions.append(f"one pass over the data (--unique{named})")
    if batch_size is None:
        batch_size = inspection.value(inspection.examples_per_run)
        assumptions += [_step(batch_size)] if batch_size is not None else []
    each = inspection.samples_per_example
    step = None if batch_size is None or each is None else batch_size * each
    if tokenizer is None and _letters(inspection):
        assumptions.append(f"a vocabulary of {inspection.vocabulary}: tokens are characters or bytes (--tokenizer)")
    matrix, cost = inspection.flops_per_sample, _cost(inspection, count, step)
    plan = plan_of(inspection, budget.flops * (matrix / cost if matrix and cost else 1.0), unique, tokenizer)
    plan = replace(plan, corpus=dataset.corpus if dataset is not None else None)
    steps = plan.seen / step if plan.seen is not None and step else None
    extra = {name: value for name, value in (("B", step), ("S", steps)) if value is not None}
    return Run(budget, count, cost, replace(plan, extra=extra), batch_size, step, steps, dataset, tuple(assumptions))


def _step(batch_size: int) -> str:
    return f"steps of {batch_size:,} example{'s' * (batch_size != 1)}, as the graph runs (--batch-size)"


def _cost(inspection: Inspection, count: str, step: float | None) -> float | None:
    """FLOPs per sample as the budget counts them."""
    matrix, training = inspection.flops_per_sample, inspection.profile.training
    if count == "matrix" or matrix is None:
        return matrix
    vector, optimizer = inspection.each(training["vector_flops"]), inspection.value(training["optimizer_flops"])
    return None if vector is None or optimizer is None or not step else matrix + vector + optimizer / step


def _of_data(inspection: Inspection, dataset: Dataset, tokenizer: str | None) -> list[str]:
    """What a data set's count leaves open for this model."""
    task, name = inspection.task, dataset.name
    held = dataset.samples[task.sample]
    found = []
    if dataset.about:
        found.append(f"{name} holds about {short(held)} {task.sample}s, as published (--unique)")
    if task.sample == "token" and dataset.tokenizer != (tokenizer or "").lower():
        found.append(f"{name} was counted in tokens of {dataset.tokenizer}; others give another number (--unique)")
    if task.modality is None:
        found.append(f"the model is of modality {dataset.modality}, as {name} (--task)")
    if None not in (task.classes, dataset.classes) and task.classes != dataset.classes:
        found.append(f"{name} has {dataset.classes:,} classes, the model {task.classes:,}")
    return found


def _letters(inspection: Inspection) -> bool:
    """Whether the tokens are characters or bytes, by how many of them there are."""
    vocabulary = inspection.vocabulary
    return inspection.task.sample == "token" and isinstance(vocabulary, int) and vocabulary <= LETTERS


def plan_of(
    inspection: Inspection, compute: float | None, unique: float | None = None, tokenizer: str | None = None
) -> Plan:
    """The model at sizes, as laws are asked about it."""
    task = inspection.task
    sizes: Mapping[str, int] = inspection.settled.sizes
    shape = task.shape or ()
    numbers = tuple(dim for dim in shape if isinstance(dim, int))
    return Plan(
        task=task.name,
        modality=task.modality,
        family=task.family,
        sample=task.sample,
        sizes=sizes,
        tokenizer=tokenizer or ("char" if _letters(inspection) else None),
        compute=compute,
        unique=unique,
        flops_per_sample=inspection.flops_per_sample or None,
        attention=way(inspection.profile),
        classes=task.classes,
        sparse=any(w.trainable and (w.picked or w.active != w.size) for w in inspection.profile.weights),
        input_shape=numbers if shape and len(numbers) == len(shape) else None,
    )
