"""How long a step takes, from its FLOPs and bytes: a device's rates measured by the recorded rows.

    seconds = t + s*n + C/R + M/W

for n operators that run, C FLOPs of a training step and M bytes it reads and writes: three times those of its forward
pass. R is the device's peak rate: small networks come nowhere near it, so that their rows cannot tell it. Processor
time is taken, as several processes shared the machine. Speech, and every row of the split `heldout`, is predicted and
not fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.keras_runs.data import CONTEXT
from benchmarks.keras_runs.grid import CNN, IMAGE, TRANSFORMER
from benchmarks.keras_runs.models import CHARACTERS, SECOND, heads
from benchmarks.keras_runs.recorded import Row, rows
from benchmarks.keras_runs.sources import LANGUAGES
from scalecalc.calibrate.lawfit import LawFit, fit_law
from scalecalc.calibrate.losses import loss_of
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.tape import Array
from scalecalc.dims import evaluate
from scalecalc.expressions import parse
from scalecalc.hardware import device
from scalecalc.laws import Coefficient, Law, Metric, Scope, Source, Variable
from scalecalc.walk import Profile

FORMULA = "t + s*n + C/R + M/W"
DEVICE = "xeon-sapphire-rapids-core"
RANGES = {"t": (1e-5, 1e-2), "s": (1e-7, 1e-3), "W": (1e8, 1e12)}
"""Where seconds per step, seconds per operator and byte/s are looked for."""
BACKWARD = 3
"""Bytes of a training step by those of its forward pass: the backward pass reads and writes about twice as much."""


@dataclass(frozen=True)
class Times:
    """Steps of some rows.

    Attributes:
        rows: they are of.
        measured: median processor time of a step, s.
        said: by the fit, s.
    """

    rows: tuple[Row, ...]
    measured: Array
    said: Array

    @property
    def off(self) -> Array:
        """log of said over measured."""
        return np.log(self.said / self.measured)


@cache
def profile(domain: str, width: float, depth: int) -> Profile:
    """Of a model's specification."""
    from scalecalc.frontends.opening import read
    from scalecalc.walk import walk

    if domain == "text":
        values = {"d_model": round(width), "n_layer": depth, "n_head": heads(round(width))}
        return walk(read(TRANSFORMER, values={**values, "vocab": CHARACTERS, "context": CONTEXT}))
    shape, classes = (SECOND, len(LANGUAGES)) if domain == "speech" else (IMAGE, 10)
    values = {"width": round(32 * width), "classes": classes}
    return walk(read(CNN, shapes={"image": ["batch", 1, *shape[:2]]}, values=values))


@cache
def step(domain: str, width: float, depth: int, batch: int) -> tuple[float, float, float]:
    """Operators that run, training FLOPs and bytes of one step."""
    found = profile(domain, width, depth)
    sizes = {name: symbol.hint or batch for name, symbol in found.symbols.items()
             if symbol.hint or symbol.kind == "batch"}  # fmt: skip
    flops, moved = (evaluate(q.formula, sizes) for q in (found.training["matrix_flops"], found.forward["bytes"]))
    often = sum(int(evaluate(node.repeats, sizes)) for node in found.nodes)
    return float(often), float(flops), BACKWARD * float(moved)


def runs(chosen: list[Row]) -> Runs:
    """n, C, M and the processor time of a step."""
    columns = np.array([
        step(row["domain"], float(row["width"]), int(row["depth"]), int(row["batch_size"])) for row in chosen
    ]).T  # fmt: skip
    seconds = np.array([float(row["step_cpu_seconds"]) for row in chosen])
    return Runs(dict(zip("nCM", columns, strict=True)), seconds, np.arange(len(chosen)), "seconds")


def form() -> Law:
    """The formula before it is fitted."""
    return Law(
        "step-seconds", "conditional", parse(FORMULA), Metric("seconds", "s", "lower", (0.0, None)),
        Scope("any", "any"), Source("a sum of what each kind of work takes"),
        variables={name: Variable(name) for name in "nCM"},
        coefficients={name: Coefficient(name, None, bounds=(0.0, None)) for name in ("t", "s", "R", "W")},
    )  # fmt: skip


def used(row: Row) -> bool:
    """Whether the row is fitted."""
    return row["domain"] != "speech" and row["split"] != "heldout"


@cache
def fitted() -> LawFit:
    """Rates that the rows of text and images show, by least absolute deviations of logarithms."""
    chosen = [row for domain in ("text", "images") for row in rows(domain, used)]
    held = {"R": device(DEVICE).peak["fp32"]}
    return fit_law(form(), runs(chosen), loss=loss_of("lad", None), held=held, ranges=RANGES)


def times(domain: str, split: str = "") -> Times:
    """Said and measured for the rows of a domain that were not fitted, or were, of one split if any."""
    chosen = rows(domain, lambda row: not split or row["split"] == split)
    part = runs(chosen)
    return Times(tuple(chosen), part.observed, fitted().predict(part.columns))


def share(row: Row) -> float:
    """Of the device's peak rate that a row's steps took."""
    flops = step(row["domain"], float(row["width"]), int(row["depth"]), int(row["batch_size"]))[1]
    return flops / float(row["step_cpu_seconds"]) / device(DEVICE).peak["fp32"]
