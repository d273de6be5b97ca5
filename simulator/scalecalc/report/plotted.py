"""What pictures of a fit share: what they go along, in which words and units, and what stands for a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from scalecalc.calibrate.bands import Fitted
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError
from scalecalc.report import canvas
from scalecalc.report.canvas import BLUE

POINTS = 200
NAMES = {"C": "training compute C", "N": "parameters N", "D": "data D", "U": "distinct data U"}
SIX = 6.0


def across_of(found: Fitted) -> tuple[str, Array]:
    """What a picture goes along: the law's only variable, or compute where it is known."""
    for name in (*(found.law.inputs if len(found.law.inputs) == 1 else ()), "C", "D", "N"):
        if name in found.runs.columns:
            return name, found.runs.columns[name]
    raise FitError("runs without C, D and N have no picture", where=found.runs.source, todo="map a column to one")


def points(found: Fitted, axes: Any, x: Array, y: Array, place: Any, shades: Any) -> None:
    """A point for each run, coloured by its N."""
    n = {"color": BLUE} if place is None else {"c": found.runs.columns["N"], "norm": place, "cmap": shades}
    axes.scatter(x, y, s=14, lw=0, label="run", zorder=3, **n)


def sizes(found: Fitted, picture: Any, axes: Any) -> tuple[Any, Any]:
    """Colours by parameters, with their scale, where these are known and several."""
    n = found.runs.columns.get("N")
    if n is None or n.min() == n.max():
        return None, None
    place, shades = canvas.colours(n.min(), n.max())
    canvas.scale_beside(picture, axes, place, shades, label(found, "N"))
    return place, shades


def logged(axis: Any, found: Fitted, name: str, *values: Array) -> None:
    """The logarithmic scale of a variable for these values."""
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    margin = max((high / low) ** 0.03, 1.02)
    canvas.logarithmic(axis, low / margin, high * margin, powers=name == "C")


def title_of(found: Fitted) -> str:
    """Which form on which runs."""
    return f"{found.law.name} on {found.runs.source.rpartition('/')[2] or 'runs'}"


def label(found: Fitted, name: str) -> str:
    """Of an axis: a variable with its word and count."""
    stated = found.runs.conventions.get(name, {})
    if name == "C":
        word = flop(found) if "C" in found.runs.columns else "6*N*D"
    elif name == "N":
        word = stated.get("count", "").replace("_", "-").replace("unknown", "")
    else:
        sample, meaning = stated.get("sample", "sample"), stated.get("meaning", "").replace("unknown", "")
        word = f"{sample}s {'distinct' if meaning == 'unique' else meaning}".strip()
    return f"{NAMES[name]} ({word})" if word else NAMES[name]


def flop(found: Fitted) -> str:
    """The unit of compute."""
    return str(found.runs.conventions.get("C", {}).get("unit", "FLOP"))


def unit(found: Fitted) -> str:
    """The unit of the performance."""
    return found.law.metric.unit.replace("_", " ")


def performance(found: Fitted) -> str:
    """Of an axis: the performance with its unit."""
    word = unit(found)
    return found.runs.metric.replace("_", " ") + (f" ({word})" if word not in ("", "unknown") else "")


def best_of(found: Fitted, line: Array) -> int:
    """Where a line is best."""
    return int(np.nanargmin(line) if found.law.metric.better == "lower" else np.nanargmax(line))


def compute_of(found: Fitted) -> Array:
    """C of the runs, 6*N*D where no column has it."""
    columns = found.runs.columns
    return columns["C"] if "C" in columns else np.asarray(SIX * columns["N"] * columns["D"])


def factor_of(found: Fitted) -> float:
    """C/(N*D) of the runs: 6, or what exact FLOPs come to."""
    columns = found.runs.columns
    return float(np.median(compute_of(found) / (columns["N"] * columns["D"]))) if {"N", "D"} <= columns.keys() else SIX


def spread(values: Array, most: int) -> Array:
    """Some of sorted values, about evenly apart in logarithms."""
    if len(values) <= most:
        return values
    logs = np.log(values)
    wanted = np.linspace(logs[0], logs[-1], most)
    found: Array = values[np.unique(np.abs(logs[None] - wanted[:, None]).argmin(axis=1))]
    return found
