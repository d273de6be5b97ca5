"""What formulas there are of a model: by their paths in the JSON contract, with units."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches

from scalecalc.errors import UsageError
from scalecalc.estimate import Inspection
from scalecalc.estimate.attention import training_flops
from scalecalc.walk import Quantity

USUAL = (
    "params.trainable", "forward.macs", "forward.vector_flops", "training.matrix_flops", "training.vector_flops",
    "memory.activations",
)  # fmt: skip
"""Shown where nobody asks for others."""
PER_SAMPLE = "training.matrix_flops_per_sample"


def quantities(result: Inspection) -> dict[str, Quantity]:
    """Every formula of a model by its path; what is a quotient only where a polynomial is it."""
    profile = result.profile
    groups = {"params": profile.params, "forward": profile.forward, "training": profile.training}
    found = {f"{group}.{name}": quantity for group, named in groups.items() for name, quantity in named.items()}
    for attention in ("full", "causal"):
        if (flops := training_flops(profile, attention)) is not None:
            found[f"training.matrix_flops_{attention}"] = flops
    if (samples := result.samples_per_step) is not None:
        found["training.samples_per_step"] = samples
    if (per_sample := result.per_sample) is not None:
        found[PER_SAMPLE] = per_sample
    return found | {f"memory.{name}": quantity for name, quantity in profile.memory.items()}


def choose(there: Collection[str], asked: Sequence[str]) -> list[str]:
    """The paths of the quantities asked for, each once: whole paths, or last parts that only one path has.

    Raises:
        UsageError: a name that is none, or the last part of several.
    """
    return list(dict.fromkeys(_path(there, name) for name in asked))


def _path(there: Collection[str], name: str) -> str:
    if name in there:
        return name
    ends = [path for path in there if path.partition(".")[2] == name]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise UsageError(f"'{name}' is {' and '.join(ends)}", where="QUANTITY", todo="name one of them")
    if name in (PER_SAMPLE, PER_SAMPLE.partition(".")[2]):
        raise UsageError(f"{PER_SAMPLE} is no polynomial for this model", where="QUANTITY",
                         todo="divide training.matrix_flops by training.samples_per_step")  # fmt: skip
    lasts = {path.partition(".")[2]: path for path in there}
    near = get_close_matches(name, there, 1, 0.6) or [lasts[n] for n in get_close_matches(name, lasts, 1, 0.5)]
    todo = f"did you mean {near[0]}?" if near else f"use one of {', '.join(there)}"
    raise UsageError(f"no quantity '{name}'", where="QUANTITY", todo=todo)


def unit_of(path: str, sample: str) -> str:
    """What a quantity counts: of one forward run or one training step, at the batch of the symbols.

    >>> unit_of("forward.macs", "token"), unit_of("training.matrix_flops", "token"), unit_of("memory.weights", "token")
    ('MAC per run', 'FLOP per step', 'bytes')
    >>> unit_of("training.matrix_flops_per_sample", "token")
    'FLOP per token'
    """
    group, _, name = path.partition(".")
    if path == PER_SAMPLE:
        return f"FLOP per {sample}"
    if name == "samples_per_step":
        return f"{sample}s per step"
    if group in ("params", "memory"):
        return {"params": "elements", "memory": "bytes"}[group]
    counted = "MAC" if name == "macs" else "bytes" if name == "bytes" else "FLOP"
    return f"{counted} per {'run' if group == 'forward' else 'step'}"
