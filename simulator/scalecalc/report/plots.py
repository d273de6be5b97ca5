"""Pictures of a fit: the law beside its runs, residuals, extrapolation with bands, isoFLOP valleys. Needs matplotlib.

Each function gives a figure; `save` writes it as PNG and SVG. Draws are coefficients of resampled runs by name, (s),
as `calibrate.resample.draws` gives them; bands are their central 95 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from scalecalc.calibrate.lawfit import LawFit
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FileError, FitError, UsageError

BLACK, BLUE, ORANGE, GREY = "#222222", "#0072b2", "#d55e00", "#888888"
"""Told apart by everyone: Okabe and Ito's."""
SIZE, DPI = (6.4, 4.4), 160
BAND = (0.025, 0.975)
MOST_DRAWS = 1_000
POINTS = 160
NAMES = {"C": "training compute C", "N": "parameters N", "D": "data D", "U": "distinct data U"}
BUDGETS = 5
NEAR = 1.25
"""Runs whose compute is within this factor of a budget lie in its valley."""


def save(figure: Any, path: str | Path) -> list[Path]:
    """Write a figure as `path`.png and `path`.svg.

    Raises:
        FileError: they cannot be written.
    """
    found = [Path(f"{path}.{ending}") for ending in ("png", "svg")]
    for file in found:
        try:
            figure.savefig(file, dpi=DPI, metadata={"Date": None} if file.suffix == ".svg" else None)
        except OSError as error:
            raise FileError(error.strerror or str(error), where=str(file), todo="give a folder to write to") from None
    return found


def fit(found: LawFit, draws: Mapping[str, Array] | None = None) -> Any:
    """Runs and what the law gives for each of them, over compute (or data, or parameters)."""
    name, x = _across(found)
    figure, axes = _figure(_label(found, name), _performance(found))
    colour, size = _coloured(found, figure, axes, name)
    if draws:
        low, _, high = _band(found, found.runs.columns, draws)
        axes.vlines(x, low, high, color=GREY, lw=1, alpha=0.6, label="law, 95 %")
    axes.scatter(x, _law(found, found.runs.columns), marker="_", s=50, color=BLACK, lw=1, label="law")
    axes.scatter(x, found.runs.observed, c=colour, norm=size, cmap="viridis", s=16, label="run", zorder=3)
    axes.set_xscale("log")
    return _finished(figure, axes, f"{found.law.name} and its {len(found.runs)} observations")


def residuals(found: LawFit) -> Any:
    """By how much each run is off, over what the law gives: without pattern where the form is right."""
    off = -found.fit.residuals * (100 if found.fit.problem.residual == "log" else 1)
    unit = "run above law (%)" if found.fit.problem.residual == "log" else f"run above law ({_unit(found)})"
    figure, axes = _figure(f"{_performance(found)}, by the law", unit)
    colour, size = _coloured(found, figure, axes, "")
    axes.axhline(0, color=BLACK, lw=1)
    axes.scatter(_law(found, found.runs.columns), off, c=colour, norm=size, cmap="viridis", s=16, zorder=3)
    low, high = np.quantile(off, BAND)
    axes.axhspan(low, high, color=GREY, alpha=0.15, lw=0, label="95 % of the runs")
    return _finished(figure, axes, f"Residuals of {found.law.name}")


def extrapolation(found: LawFit, draws: Mapping[str, Array], upto: float | None = None) -> Any:
    """The law beyond its runs, with the band of the draws; the best N and D at each C where it takes both.

    Args:
        found: the fit.
        draws: of its coefficients.
        upto: largest value across; 100 times the largest of the runs unless given.

    Raises:
        FitError: nothing to go along.
    """
    name, x = _across(found)
    values = np.geomspace(x.min(), upto or 100 * x.max(), POINTS)
    path = _path(found, name, values)
    low, middle, high = _band(found, path, draws)
    figure, axes = _figure(_label(found, name), _performance(found))
    axes.axvspan(x.min(), x.max(), color=GREY, alpha=0.12, lw=0, label="where runs are")
    axes.scatter(x, found.runs.observed, s=10, color=BLACK, alpha=0.5, lw=0, label="run")
    axes.fill_between(values, low, high, color=BLUE, alpha=0.25, lw=0, label="95 % of the coefficients")
    best = "law, best N and D" if len(path) > 2 else "law"
    axes.plot(values, middle, color=BLUE, lw=2, label=best)
    axes.set_xscale("log")
    return _finished(figure, axes, f"{found.law.name} beyond its runs")


def valleys(found: LawFit, draws: Mapping[str, Array] | None = None, budgets: Sequence[float] | None = None) -> Any:
    """Performance over N at fixed compute, D = C/(6N), with the best N of each; bands where draws are given.

    Raises:
        FitError: the law does not take N and D.
    """
    _needs_both(found)
    n, c = found.runs.columns["N"], _compute(found)
    chosen = np.geomspace(c.min() * 2, c.max() / 2, BUDGETS) if budgets is None else np.asarray(budgets, float)
    figure, axes = _figure(_label(found, "N"), _performance(found))
    shades = import_module("matplotlib").colormaps["viridis"](np.linspace(0, 0.85, len(chosen)))
    across = np.geomspace(n.min() / 3, n.max() * 3, POINTS)
    tops = []
    for budget, shade in zip(chosen, shades, strict=True):
        path = {"N": across, "D": budget / (6 * across), "C": np.full(POINTS, budget)}
        line = _law(found, path)
        if draws:
            low, _, high = _band(found, path, draws)
            axes.fill_between(across, low, high, color=shade, alpha=0.2, lw=0)
        axes.plot(across, line, color=shade, lw=1.8, label=f"C = {budget:.1e} FLOP")
        mine = np.abs(np.log(c / budget)) < np.log(NEAR)
        axes.scatter(n[mine], found.runs.observed[mine], color=shade, s=14, lw=0, zorder=3)
        least = _best(found, line)
        axes.scatter(across[least], line[least], marker="v", s=60, color=shade, edgecolor=BLACK, zorder=4)
        tops.append(line[least])
    if (apart := max(tops) - min(tops)) > 0:  # far from their best N, valleys are steep
        lower = found.law.metric.better == "lower"
        axes.set_ylim(min(tops) - apart * (0.1 if lower else 0.9), max(tops) + apart * (0.9 if lower else 0.1))
    axes.scatter([], [], marker="v", s=60, color="white", edgecolor=BLACK, label="best N")
    axes.set_xscale("log")
    return _finished(figure, axes, f"IsoFLOP valleys of {found.law.name}", outside=True)


# --- what they share


def _figure(x: str, y: str) -> tuple[Any, Any]:
    """A figure of its own, on no screen."""
    try:
        figure = import_module("matplotlib.figure").Figure(figsize=SIZE, layout="constrained")
    except ImportError:
        raise UsageError("pictures need matplotlib", where="--plot", todo="pip install 'scalecalc[plot]'") from None
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.25, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _finished(figure: Any, axes: Any, title: str, outside: bool = False) -> Any:
    axes.set_title(title, fontsize=11, loc="left")
    place = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} if outside else {"loc": "upper right"}
    axes.legend(fontsize=8, framealpha=0.9, edgecolor="none", **place)
    return figure


def _across(found: LawFit) -> tuple[str, Array]:
    """What a picture goes along: compute where it is known."""
    for name in ("C", "D", "N"):
        if name in found.runs.columns:
            return name, found.runs.columns[name]
    raise FitError("runs without C, D and N have no picture", where=found.runs.source, todo="map a column to one")


def _coloured(found: LawFit, figure: Any, axes: Any, across: str) -> tuple[Any, Any]:
    """Colours by parameters, with their scale, where these are known and not the axis."""
    if "N" not in found.runs.columns or across == "N":
        return BLUE, None
    colours = import_module("matplotlib.colors")
    n = found.runs.columns["N"]
    size = colours.LogNorm(n.min(), n.max())
    scale = import_module("matplotlib.cm").ScalarMappable(size, "viridis")
    figure.colorbar(scale, ax=axes, label=_label(found, "N"), pad=0.02)
    return n, size


def _label(found: LawFit, name: str) -> str:
    stated = found.runs.conventions.get(name, {})
    if name == "C":
        unit = stated.get("unit", "FLOP")
    elif name == "N":
        unit = stated.get("count", "").replace("_", "-")
    else:
        sample = stated.get("sample", "sample")
        unit = f"{sample}s {stated.get('meaning', '')}".strip()
    return f"{NAMES[name]} ({unit})" if unit else NAMES[name]


def _unit(found: LawFit) -> str:
    return found.law.metric.unit.replace("_", " ")


def _performance(found: LawFit) -> str:
    return f"{found.runs.metric.replace('_', ' ')} ({_unit(found)})"


def _band(found: LawFit, values: Mapping[str, Array], draws: Mapping[str, Array]) -> tuple[Array, Array, Array]:
    """Low, middle and high of the law at values (n): the middle is the fit's own."""
    some = {name: column[:MOST_DRAWS, None] for name, column in draws.items()}
    for first, *others in found.tied:
        some.update({other: some[first] for other in others if first in some})
    low, high = np.quantile(_law(found, values, some), BAND, axis=0)
    return low, _law(found, values), high


def _law(found: LawFit, values: Mapping[str, Array], coefficients: Mapping[str, Array] | None = None) -> Array:
    return found.predict({name: values[name] for name in found.law.inputs}, coefficients)


def _best(found: LawFit, line: Array) -> int:
    return int(np.argmin(line) if found.law.metric.better == "lower" else np.argmax(line))


def _compute(found: LawFit) -> Array:
    columns = found.runs.columns
    return columns["C"] if "C" in columns else np.asarray(6 * columns["N"] * columns["D"])


def _needs_both(found: LawFit) -> None:
    if not {"N", "D"} <= set(found.law.inputs) or not {"N", "D"} <= found.runs.columns.keys():
        what = f"{found.law.name} has no valleys: it does not take N and D"
        raise FitError(what, todo="choose a law of both")


def _path(found: LawFit, name: str, values: Array) -> dict[str, Array]:
    """Values of all variables along one of them; the best N and D of each budget where the law takes both."""
    inputs = set(found.law.inputs)
    if inputs <= {name}:
        return {name: values}
    if name != "C" or not inputs <= {"N", "D", "C"}:
        what = f"{found.law.name} takes {', '.join(found.law.inputs)}: nothing says how they grow together"
        raise FitError(what, todo="give runs with C")
    n = np.geomspace(1e-4, 1e4, 4 * POINTS)[:, None] * np.sqrt(values / 120)
    loss = _law(found, {"N": n, "D": values / (6 * n), "C": np.broadcast_to(values, n.shape)})
    best = n[[_best(found, column) for column in loss.T], np.arange(len(values))]
    return {"N": best, "D": values / (6 * best), "C": values}
