"""What a fitted law says of the largest run and beyond it, by which parts, for people and programs."""

from __future__ import annotations

from typing import Any

from scalecalc.calibrate.ahead import Step, ahead
from scalecalc.calibrate.runs import Runs
from scalecalc.estimate.words import short
from scalecalc.laws import Law, Prediction
from scalecalc.laws.intervals import PARTS
from scalecalc.report.blocks import Row
from scalecalc.report.contract import parts
from scalecalc.report.prediction import degrees, deviation, digits, shown


def rows(law: Law, runs: Runs) -> list[Row]:
    """A line for each step, its parts, and how they make the interval."""
    steps = ahead(law, runs)
    doubt = law.uncertainty
    head = ["", *law.inputs, runs.metric, "90 % interval", *(PARTS if doubt else ())]
    found: list[Row] = [[*head]]
    for step in steps:
        where = "largest run" if step.factor == 1 else f"{step.factor:g}x its {step.along}"
        values = [short(step.values[symbol]) for symbol in law.inputs]
        if step.said is None:
            found.append([where, *values, step.why])
            continue
        said = step.said
        ends = " to ".join(f"{end:.{digits(said.interval)}f}" for end in said.interval) if said.interval else "none"
        found.append([where, *values, shown(said), ends, *(_part(said, name) for name in PARTS if doubt)])
    if doubt is None:
        return [*found, ["no interval of a new run: there are no more runs than coefficients"]]
    spoken = [step.said for step in steps if step.said is not None]
    words = f"parts: standard deviations; Student's t for {degrees(doubt.freedom)} makes the interval"
    return [*found, [f"{words}, of {spoken[0].basis}" if spoken else words]]


def _part(said: Prediction, name: str) -> str:
    return deviation(said, said.parts[name]) if name in said.parts else "-"


def uncertainty(law: Law) -> dict[str, Any] | None:
    """What the law's predictions miss besides its coefficients' errors, for programs."""
    doubt = law.uncertainty
    if doubt is None:
        return None
    return {
        "scale": doubt.scale, "noise": doubt.noise, "freedom": doubt.freedom, "drift": doubt.drift,
        "rivals": {name: str(rival) for name, rival in doubt.rivals.items()}, "missed": doubt.missed,
        "misses": doubt.misses,
    }  # fmt: skip


def document(law: Law, runs: Runs) -> list[dict[str, Any]]:
    """The steps for programs."""
    return [_step(step) for step in ahead(law, runs)]


def _step(step: Step) -> dict[str, Any]:
    said = step.said
    return {
        "factor": step.factor, "along": step.along, "values": dict(step.values),
        "value": said.value if said else None,
        "interval": list(said.interval) if said and said.interval else None, "level": said.level if said else None,
        **(parts(said) if said else {}), "why_not": step.why or None,
    }  # fmt: skip
