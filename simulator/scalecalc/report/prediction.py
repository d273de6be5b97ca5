"""One point of a law: what it says, how each value was met, how far from its runs."""

from __future__ import annotations

import json
from typing import IO, Any

from scalecalc import __version__
from scalecalc.laws import Law, Prediction
from scalecalc.report.blocks import Block, Row
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
    unit = "" if found.unit == "1" else found.unit
    parts = [
        Block(law.name, [[law.title or law.kind]]),
        Block("SAYS", [[f"{found.metric} {shown(found)} {unit}".rstrip()], [_interval(found)]]),
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
    return f"{found.value:.{_digits(found.interval)}f}"


def _digits(interval: tuple[float, float]) -> int:
    """Digits behind the point that an interval leaves sure."""
    width, digits = interval[1] - interval[0], 2
    while digits < 6 and width * 10**digits < 1:
        digits += 1
    return digits


def _interval(found: Prediction) -> str:
    if found.interval is None:
        return "no interval: none is published (scalecalc calibrate makes laws that have one)"
    low, high = (f"{end:.{_digits(found.interval)}f}" for end in found.interval)
    return f"{100 * (found.level or 0):.0f} % interval {low} to {high}: {found.basis}"


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
