"""Pictures of a fit: the law beside its runs, residuals, extrapolation with bands, isoFLOP valleys. Needs matplotlib.

Each function gives a figure; `canvas.drawn` makes PNG and SVG of it, `pictures` all of a calibration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scalecalc.calibrate.bands import Band, Fitted, band, fitted_of, law_at
from scalecalc.calibrate.calibration import Calibration
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError
from scalecalc.laws.conventions import LEVEL
from scalecalc.laws.prediction import basis
from scalecalc.report import canvas
from scalecalc.report.canvas import BLACK, BLUE, GREY, ORANGE
from scalecalc.report.plotted import (
    POINTS,
    across_of,
    best_of,
    compute_of,
    factor_of,
    label,
    logged,
    performance,
    points,
    sizes,
    spread,
    title_of,
    unit,
)
from scalecalc.report.valleys import valleys

BEYOND = 100.0
"""So many times the largest run a law is followed."""
MOST_SIZES = 6
FEW = 40
"""Hollow points that may be large."""
ALIKE = 1.3
"""Runs whose N is within this factor of a size belong to its curve."""
WIDEST = 4.0
"""A band's part that a scale makes room for, above and below the law."""
COEFFICIENTS = f"{LEVEL:.0%}: coefficients"


def pictures(result: Calibration) -> tuple[dict[str, bytes], dict[str, str]]:
    """All pictures of a calibration: files by name, and why others there are none.

    Raises:
        UsageError: matplotlib is not installed.
    """
    found, aside = fitted_of(result), _aside(result)
    wanted: dict[str, Callable[[], Any]] = {
        "fit": lambda: fit(found, aside), "residuals": lambda: residuals(found),
        "extrapolation": lambda: extrapolation(found, aside=aside), "valleys": lambda: valleys(found),
    }  # fmt: skip
    files, missing = {}, {}
    for name, make in wanted.items():
        try:
            made = make()
        except FitError as error:
            missing[name] = error.what
            continue
        files.update({f"{name}.{ending}": data for ending, data in canvas.drawn(made).items()})
    return files, missing


def _aside(result: Calibration) -> Runs | None:
    """Runs that were held out, or else read and not fitted."""
    if result.read.held is not None:
        return result.read.held.runs
    out = result.read.runs.observed > result.kept.runs.observed.max()
    return result.read.chosen(out).runs if out.any() else None


def fit(found: Fitted, aside: Runs | None = None) -> Any:
    """Runs over compute (or data, or parameters), and the law: as a curve, as one for each of some N, or run by run.

    Args:
        found: the fit.
        aside: runs that were not fitted.
    """
    name, x = across_of(found)
    title, inputs = f"{title_of(found)}, {len(found.runs)} observations", set(found.law.inputs)
    if inputs == {name}:
        picture, axes = canvas.figure(label(found, name), performance(found), title)
        values = np.geomspace(x.min(), x.max(), POINTS)
        _bands(found, axes, values, about := band(found, {name: values}))
        axes.plot(values, about.middle, color=BLUE, lw=2, label="law")
        axes.scatter(x, found.runs.observed, s=12, color=BLACK, alpha=0.6, lw=0, label="run", zorder=3)
        shown = [about.middle]
    elif inputs <= {"N", "D", "C"} and name == "C" and {"N", "D"} <= found.runs.columns.keys():
        picture, axes = canvas.figure(label(found, name), performance(found), title)
        place, shades = sizes(found, picture, axes)
        _curves(found, axes, place, shades, aside)
        points(found, axes, x, found.runs.observed, place, shades)
        shown = []
    else:
        return _beside(found, title)
    shown += [found.runs.observed, *_set_aside(axes, name, aside)]
    logged(axes.xaxis, found, name, x, *_those(aside, name))
    canvas.performances(axes.yaxis, *shown)
    return canvas.finished(picture, axes)


def _beside(found: Fitted, title: str) -> Any:
    """Each run beside what the law gives: for laws of more than a plane shows."""
    picture, axes = canvas.figure(f"{performance(found)}, by the law", f"{performance(found)}, observed", title)
    law, observed = law_at(found, found.runs.columns), found.runs.observed
    place, shades = sizes(found, picture, axes)
    points(found, axes, law, observed, place, shades)
    ends = np.array([min(law.min(), observed.min()), max(law.max(), observed.max())])
    axes.plot(ends, ends, color=BLACK, lw=1, label="law")
    canvas.performances(axes.xaxis, ends)
    canvas.performances(axes.yaxis, ends)
    return canvas.finished(picture, axes)


def residuals(found: Fitted) -> Any:
    """By how much each run is off, over what the law gives: without pattern where the form is right."""
    law, observed = law_at(found, found.runs.columns), found.runs.observed
    off = 100 * np.log(observed / law) if found.logs else observed - law
    up = f"run above the law ({'%' if found.logs else unit(found)})"
    picture, axes = canvas.figure(f"{performance(found)}, by the law", up, f"Residuals of {title_of(found)}")
    place, shades = sizes(found, picture, axes)
    low, high = np.quantile(off, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    axes.axhspan(low, high, color=GREY, alpha=0.18, lw=0, label=f"{LEVEL:.0%} of the runs: {low:+.2g} to {high:+.2g}")
    axes.axhline(0, color=BLACK, lw=1, label="law")
    points(found, axes, law, off, place, shades)
    canvas.performances(axes.xaxis, law)
    return canvas.finished(picture, axes)


def extrapolation(found: Fitted, upto: float | None = None, aside: Runs | None = None) -> Any:
    """The law beyond its runs, with its bands; the best N and D at each C where it takes both.

    Args:
        found: the fit.
        upto: largest value across; BEYOND times the largest of the runs unless given.
        aside: runs that were not fitted.

    Raises:
        FitError: nothing to go along.
    """
    name, x = across_of(found)
    if {"N", "D"} <= set(found.law.inputs) and {"N", "D"} <= found.runs.columns.keys():
        name, x = "C", compute_of(found)
    end = x.max()
    values = np.geomspace(x.min(), upto or BEYOND * end, POINTS)
    path = _path(found, name, values)
    about = band(found, path)
    picture, axes = canvas.figure(label(found, name), performance(found), f"{title_of(found)}, beyond its runs")
    axes.axvspan(x.min(), end, color=GREY, alpha=0.12, lw=0, label="where the fitted runs are")
    _bands(found, axes, values, about)
    best = ", at the best N and D for each C" if len(path) > 1 else ""
    best += ", no data repeated" if "U" in found.law.inputs else ""
    inside = values <= end
    axes.plot(values[inside], about.middle[inside], color=BLUE, lw=2, label=f"law{best}")
    axes.plot(values[~inside], about.middle[~inside], color=BLUE, lw=2, ls=(0, (4, 1.5)), label="law, extrapolated")
    axes.scatter(x, found.runs.observed, s=10, color=BLACK, alpha=0.5, lw=0, label="run", zorder=3)
    held = _those(aside, name)
    _set_aside(axes, name, aside)
    logged(axes.xaxis, found, name, values, *held)
    beyond = [aside.observed[where] for x in held if aside is not None and (where := x > end).any()]
    canvas.performances(axes.yaxis, found.runs.observed, about.middle, *_ends(about), *beyond)
    return canvas.finished(picture, axes)


def _bands(found: Fitted, axes: Any, values: Array, about: Band) -> None:
    if found.law.uncertainty is not None:
        word = f"{LEVEL:.0%}: {basis(found.law)}"
        axes.fill_between(values, about.least, about.most, color=BLUE, alpha=0.13, lw=0, label=word)
    if (about.high > about.low).any():
        axes.fill_between(values, about.low, about.high, color=BLUE, alpha=0.3, lw=0, label=COEFFICIENTS)


def _ends(about: Band) -> list[Array]:
    """The band where it is widest, unless it is wider than the law is high."""
    ends = np.array([about.least[-1], about.most[-1]])
    middle = about.middle[-1]
    return [np.clip(np.nan_to_num(ends, nan=middle), middle / WIDEST, middle * WIDEST)] if middle > 0 else []


def _curves(found: Fitted, axes: Any, place: Any, shades: Any, aside: Runs | None) -> None:
    """The law over compute for some sizes, as far as these were trained; dashed where no run of them was fitted."""
    n, c, factor = found.runs.columns["N"], compute_of(found), factor_of(found)
    held = {} if aside is None else aside.columns
    for number, size in enumerate(spread(np.unique(n), MOST_SIZES)):
        mine = c[np.abs(np.log(n / size)) < np.log(ALIKE)]
        ends = [(mine.min() / 1.5, mine.max() * 1.5, "-")]
        if {"N", "C"} <= held.keys() and (far := held["C"][np.abs(np.log(held["N"] / size)) < np.log(ALIKE)]).size:
            ends.append((ends[0][1], max(far.max(), ends[0][1]), "--"))
        for low, high, style in ends:
            values = np.geomspace(low, high, POINTS)
            line = law_at(found, {"N": np.full(POINTS, size), "D": values / (factor * size), "C": values})
            word = "law, for some N" if number == 0 and style == "-" else None
            axes.plot(values, line, color=shades(place(size)), lw=1.6, ls=style, label=word)


def _set_aside(axes: Any, name: str, aside: Runs | None) -> list[Array]:
    """Runs that were not fitted, hollow."""
    if not (those := _those(aside, name)):
        return []
    assert aside is not None
    style = {"facecolor": "none", "edgecolor": ORANGE, "lw": 1.2}
    axes.scatter(*those, aside.observed, s=26 if len(aside) < FEW else 10, label="run, not fitted", zorder=4, **style)
    return [aside.observed]


def _those(aside: Runs | None, name: str) -> list[Array]:
    return [aside.columns[name]] if aside is not None and name in aside.columns else []


def _path(found: Fitted, name: str, values: Array) -> dict[str, Array]:
    """Values of all variables along one of them; the best N and D of each budget where the law takes both."""
    inputs = set(found.law.inputs)
    if inputs <= {name}:
        return {name: values}
    if name != "C" or not inputs <= {"N", "D", "C", "U"}:
        what = f"{found.law.name} takes {', '.join(found.law.inputs)}: nothing says how they grow together"
        raise FitError(what, todo="give runs with C")
    factor = factor_of(found)
    n = np.geomspace(1e-4, 1e4, 4 * POINTS)[:, None] * np.sqrt(values / (20 * factor))
    d = values / (factor * n)
    loss = law_at(found, {"N": n, "D": d, "U": d, "C": np.broadcast_to(values, n.shape)})
    best = n[[best_of(found, column) for column in loss.T], np.arange(len(values))]
    d = values / (factor * best)
    return {"N": best, "D": d, "U": d, "C": values}
