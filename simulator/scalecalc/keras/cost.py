"""What a step of a Keras model costs, by the walk of its configuration."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scalecalc.errors import ScalecalcError, one_line


@dataclass(frozen=True)
class Cost:
    """What the walk says of a model.

    Attributes:
        params: by the names of FIELDS.
        flops: of one training step with so many examples; None where something is unknown.
        sample: of its data.
        per_example: samples in one example.
        note: why FLOPs are unknown.
    """

    params: Mapping[str, int | None]
    flops: Callable[[int], int] | None
    sample: str = "example"
    per_example: float = 1.0
    note: str = ""


def cost_of(model: Any, sizes: Mapping[str, int]) -> Cost:
    """The model's cost by the walk of its configuration; by 6ND where that does not count everything."""
    from scalecalc.frontends.keras import parse
    from scalecalc.walk import walk

    try:
        profile = walk(parse(model.to_json().encode(), model.name), sizes=sizes or None)
        return _counted(profile)
    except Exception as error:  # what was trained for hours is worth its row, whatever its configuration is like
        why = str(error) if isinstance(error, ScalecalcError) else f"{type(error).__name__}: {error}"
        total = sum(math.prod(weight.shape) for weight in model.trainable_weights)
        params = {"N_total": total, "N_non_embedding": None, "N_linear": None, "N_active": None}
        return Cost(params, None, note=one_line(f"C is 6*N*D: {why:.200}"))


def _counted(profile: Any) -> Cost:
    from scalecalc.dims import evaluate
    from scalecalc.walk.task import guess

    task = guess(profile)
    batch = next((symbol for symbol, info in profile.symbols.items() if info.kind == "batch"), "batch")
    counts = {"total": "trainable", "non_embedding": "non_embedding", "linear": "linear", "active": "active"}
    known = {symbol: info.hint for symbol, info in profile.symbols.items() if info.hint is not None}
    params = {f"N_{name}": evaluate(profile.params[of].formula, known) for name, of in counts.items()}
    steps, examples = (evaluate(formula, {**known, batch: 1}) for formula in (task.steps, task.examples))
    step = profile.training["matrix_flops"].formula
    missing = ""
    if not profile.complete:
        names = sorted({name for _, name in profile.unsupported})
        missing = f"nothing is known of {', '.join(names) or 'some layers'}"
    elif evaluate(step, {**known, batch: 1}) is None or steps is None or not examples:
        names = sorted(set(profile.symbols) - {batch, *known})
        missing = f"the size of {', '.join(names)} is open (RunLogger(sizes=...))"
    if missing:
        return Cost(params, None, note=one_line(f"C is 6*N*D: {missing:.200}"))
    assert steps is not None
    assert examples
    return Cost(
        params, lambda size: evaluate(step, {**known, batch: size}) or 0, task.sample,
        steps / examples / task.per_second,
    )  # fmt: skip
