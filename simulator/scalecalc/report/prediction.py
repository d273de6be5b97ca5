"""One point of a law: what it says, how each value was met, how far from its runs."""

from __future__ import annotations

import json
import math
from typing import IO, Any

from scalecalc import __version__
from scalecalc.laws import Law, Prediction
from scalecalc.laws.conventions import LEVEL
from scalecalc.laws.numerics import student
from scalecalc.report.blocks import Block, Row
from scalecalc.report.contract import parts
from scalecalc.report.numbers import unit
from scalecalc.report.render import grid
from scalecalc.report.terminal import show_blocks


def render(law: Law, found: Prediction, form: str, file: IO[str]) -> None:
    """Write a prediction to a stream in one of `render.FORMATS`."""
    if form == "table":
        show_blocks(blocks(law, found), file)
    elif form == "json":
        json.dump(document(law, found), file, indent=1)
        file.write("\n")
    else:
        rows = [[str(cell) for cell in row] for row in _rows(found)]
        grid(("quantity", "value", "status", "how"), rows, form, file)


def blocks(law: Law, found: Prediction) -> list[Block]:
    """The same for people."""
    parts = [
        Block(law.name, [[law.title or law.kind]]),
        Block("SAYS", [[f"{found.metric} {shown(found)}{unit(found.unit)}"], [_interval(found)]]),
        Block("PARTS", _parts(law, found)),
        Block("AT", [
            [bound.symbol, f"{bound.value:.6g} {law.variables[bound.symbol].unit}".rstrip(), bound.status, bound.how]
            for bound in found.binding.variables
        ]),
        Block("RANGE", _range(law, found)),
        Block("NOTES", [[note] for note in found.binding.notes]),
    ]  # fmt: skip
    return [part for part in parts if part.rows]


def shown(found: Prediction) -> str:
    """A value no finer than its interval."""
    if found.interval is None:
        return f"{found.value:.3f}" if 0.1 <= abs(found.value) < 100 else f"{found.value:.4g}"
    return f"{found.value:.{digits(found.interval)}f}"


def digits(interval: tuple[float, float]) -> int:
    """Digits behind the point that an interval leaves sure."""
    width, count = interval[1] - interval[0], 2
    while count < 6 and width * 10**count < 1:
        count += 1
    return count


def _interval(found: Prediction) -> str:
    if found.interval is None:
        return "no interval: none is published (scalecalc calibrate makes laws that have one)"
    low, high = (f"{end:.{digits(found.interval)}f}" for end in found.interval)
    return f"{100 * (found.level or 0):.0f} % interval {low} to {high}: {found.basis}"


def deviation(found: Prediction, size: float) -> str:
    """A standard deviation: in per cent where it is of logarithms, else in the law's unit."""
    return f"{100 * size:.2f} %" if found.logs else f"{size:.3g}{unit(found.unit)}"


def degrees(freedom: float) -> str:
    """In words."""
    return f"{freedom:g} degree{'s' * (freedom != 1)} of freedom"


def _parts(law: Law, found: Prediction) -> list[Row]:
    """What the interval is made of, each a standard deviation."""
    doubt = law.uncertainty
    if not found.parts or doubt is None:
        return []
    draws, rivals = len(next(iter(law.draws.values()), ())), len(doubt.rivals)
    words = {
        "coefficients": f"other runs of the same kind would move the fit{f': {draws:,} resamples' if draws else ''}",
        "noise": "one run about the law",
        "form": f"{rivals or 'no'} other law{'s' * (rivals != 1)} foretold the larger runs about as well",
        "drift": "what fits to the smaller runs missed of the larger ones beyond noise",
    }
    rows: list[Row] = [
        [name, deviation(found, found.parts[name]) if name in found.parts else "unknown", words[name]] for name in words
    ]
    total = math.hypot(*found.parts.values())
    reach = student(found.level or LEVEL, doubt.freedom)
    times = f"their squares added; times {reach:.2f}, Student's t for {degrees(doubt.freedom)}, it is the interval"
    rows.append(["all", deviation(found, total), times])
    if found.conformal:
        low, high = (f"{end:.{digits(found.conformal)}f}" for end in found.conformal)
        beside = (
            f"{low} to {high}: {100 * LEVEL:.0f} % of {doubt.misses:,} predictions of larger runs from smaller ones"
        )
        rows.append(["conformal", "", f"{beside} missed no more"])
    return rows


def _range(law: Law, found: Prediction) -> list[Row]:
    if not law.range:
        return [["unknown: the law does not say where it was calibrated"]]
    rows: list[Row] = []
    for name, (low, high) in law.range.items():
        if name in found.decades_outside:
            far = found.decades_outside[name]
            rows.append([name, f"{low:.3g} to {high:.3g}", "inside" if not far else f"{far:.2g} decades outside"])
    return rows


def _rows(found: Prediction) -> list[list[Any]]:
    rows: list[list[Any]] = [[found.metric, found.value, "", found.unit]]
    if found.interval:
        rows += [["low", found.interval[0], "", found.basis], ["high", found.interval[1], "", found.basis]]
    of = "standard deviation of the logarithm" if found.logs else f"standard deviation, {found.unit}"
    rows += [[name, part, "", of] for name, part in found.parts.items()]
    if found.conformal:
        rows += [
            [f"conformal {end}", value, "", ""] for end, value in zip(("low", "high"), found.conformal, strict=True)
        ]
    return rows + [[b.symbol, b.value, b.status, b.how] for b in found.binding.variables]


def document(law: Law, found: Prediction) -> dict[str, Any]:
    """The same for programs."""
    return {
        "command": "predict",
        "version": __version__,
        "law": law.name,
        "formula": str(law.formula),
        "metric": found.metric,
        "unit": found.unit,
        "value": found.value,
        "interval": list(found.interval) if found.interval else None,
        "level": found.level,
        "basis": found.basis,
        **parts(found),
        "inside_range": found.inside_range,
        "decades_outside": dict(found.decades_outside),
        "binding": {
            "variables": {
                bound.symbol: {"value": bound.value, "status": bound.status, "how": bound.how}
                for bound in found.binding.variables
            },
            "notes": list(found.binding.notes),
        },
    }
