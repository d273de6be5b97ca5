"""What formulas there are of a model: by their paths in the JSON contract, with units."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from scalecalc.errors import UsageError
from scalecalc.estimate import Inspection
from scalecalc.estimate.attention import training_flops
from scalecalc.estimate.quantities import quantities as all_of
from scalecalc.estimate.quantities import resolve
from scalecalc.walk import Quantity

USUAL = (
    "params.trainable", "forward.macs", "forward.vector_flops", "training.matrix_flops", "training.vector_flops",
    "memory.activations",
)  # fmt: skip
"""Shown where nobody asks for others."""
PER_SAMPLE = "training.matrix_flops_per_sample"


def quantities(result: Inspection) -> dict[str, Quantity]:
    """Every formula of a model by its path; quotients only where a polynomial is one."""
    found = all_of(result.profile)
    for attention in ("full", "causal"):
        if (flops := training_flops(result.profile, attention)) is not None:
            found[f"training.matrix_flops_{attention}"] = flops
    if (samples := result.samples_per_step) is not None:
        found["training.samples_per_step"] = samples
    if (per_sample := result.per_sample) is not None:
        found[PER_SAMPLE] = per_sample
    return found


def choose(there: Collection[str], asked: Sequence[str]) -> list[str]:
    """The paths of the quantities asked for, each once: whole paths, or last parts that only one path has.

    Raises:
        UsageError: a name that is none, or the last part of several.
    """
    if PER_SAMPLE not in there and {PER_SAMPLE, PER_SAMPLE.partition(".")[2]}.intersection(asked):
        raise UsageError(f"{PER_SAMPLE} is no polynomial for this model", where="QUANTITY",
                         todo="divide training.matrix_flops by training.samples_per_step")  # fmt: skip
    return list(dict.fromkeys(resolve(name, there, "QUANTITY") for name in asked))


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
