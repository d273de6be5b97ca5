"""Pictures of a fit: the law beside its runs, residuals, extrapolation with bands, isoFLOP valleys. Needs matplotlib.

Each function gives a figure; `canvas.drawn` makes PNG and SVG of it, `pictures` all of a calibration. Draws are
coefficients of resampled runs by name, (s), as `calibrate.resample.draws` gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalecalc.calibrate.calibration import Calibration
from scalecalc.calibrate.intervals import LEVEL, combine, noise
from scalecalc.calibrate.lawfit import LawFit
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.tape import Array
from scalecalc.calibrate.warnings import isoflops
from scalecalc.errors import FitError
from scalecalc.report import canvas
from scalecalc.report.canvas import BLACK, BLUE, GREY, ORANGE

MOST_DRAWS = 1_000
POINTS = 200
BEYOND = 100.0
"""So many times the largest run a law is followed."""
NAMES = {"C": "training compute C", "N": "parameters N", "D": "data D", "U": "distinct data U"}
MOST_SIZES, MOST_VALLEYS = 6, 6
ALIKE = 1.3
"""Runs whose N is within this factor of a size belong to its curve."""
SIX = 6.0
WIDEST = 4.0
"""A band's part that a scale makes room for, above and below the law."""


@dataclass(frozen=True)
class Band:
    """What lies about a law, each (n).

    Attributes:
        low, middle, high: of the law, as other runs of the kind would move its coefficients.
        least, most: of a new run, which has noise of its own.
    """

    low: Array
    middle: Array
    high: Array
    least: Array
    most: Array


COEFFICIENTS = f"{LEVEL:.0%}: coefficients"
NEW_RUNS, NOISE = f"{COEFFICIENTS} and a run's noise", f"{LEVEL:.0%}: a run's noise, not the coefficients"


def band(found: LawFit, values: Mapping[str, Array], draws: Mapping[str, Array]) -> Band:
    """The intervals at values (n), by `calibrate.intervals.combine`; without draws of the noise alone."""
    logs = found.fit.problem.residual == "log"
    middle = _law(found, values)
    drawn = _law(found, values, _some(found, draws)) if draws else middle[None]
    with np.errstate(all="ignore"):
        spread = np.nanstd(np.log(drawn) if logs else drawn, axis=0)
    left = max(len(found.fit.residuals) - len(found.fit.point), 1)
    law = combine(middle, {"coefficients": spread}, left, LEVEL, logs)
    run = combine(middle, {"coefficients": spread, "noise": noise(found)}, left, LEVEL, logs)
    return Band(law.low, middle, law.high, run.low, run.high)


def pictures(result: Calibration) -> tuple[dict[str, bytes], dict[str, str]]:
    """All pictures of a calibration: files by name, and why others there are none.

    Raises:
        UsageError: matplotlib is not installed.
    """
    found, draws, aside = result.fitted, result.draws, _aside(result)
    wanted: dict[str, Callable[[], Any]] = {
        "fit": lambda: fit(found, draws, aside), "residuals": lambda: residuals(found),
        "extrapolation": lambda: extrapolation(found, draws, aside=aside), "valleys": lambda: valleys(found, draws),
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
    """Runs that were read and not fitted."""
    out = result.read.runs.observed > result.kept.runs.observed.max()
    return result.read.chosen(out).runs if out.any() else None


def fit(found: LawFit, draws: Mapping[str, Array] | None = None, aside: Runs | None = None) -> Any:
    """Runs over compute (or data, or parameters), and the law: as a curve, as one for each of some N, or run by run.

    Args:
        found: the fit.
        draws: of its coefficients.
        aside: runs that were not fitted.
    """
    name, x = _across(found)
    title, inputs = f"{_title(found)}, {len(found.runs)} observations", set(found.law.inputs)
    if inputs == {name}:
        picture, axes = canvas.figure(_label(found, name), _performance(found), title)
        values = np.geomspace(x.min(), x.max(), POINTS)
        _bands(axes, values, about := band(found, {name: values}, draws or {}))
        axes.plot(values, about.middle, color=BLUE, lw=2, label="law")
        axes.scatter(x, found.runs.observed, s=12, color=BLACK, alpha=0.6, lw=0, label="run", zorder=3)
        shown = [about.middle]
    elif inputs <= {"N", "D", "C"} and name == "C" and {"N", "D"} <= found.runs.columns.keys():
        picture, axes = canvas.figure(_label(found, name), _performance(found), title)
        place, shades = _sizes(found, picture, axes)
        _curves(found, axes, place, shades)
        _points(found, axes, x, found.runs.observed, place, shades)
        shown = []
    else:
        return _beside(found, title)
    shown += [found.runs.observed, *_set_aside(axes, name, aside)]
    _logged(axes.xaxis, found, name, x, *_those(aside, name))
    canvas.performances(axes.yaxis, *shown)
    return canvas.finished(picture, axes)


def _beside(found: LawFit, title: str) -> Any:
    """Each run beside what the law gives: for laws of more than a plane shows."""
    picture, axes = canvas.figure(f"{_performance(found)}, by the law", f"{_performance(found)}, observed", title)
    law, observed = _law(found, found.runs.columns), found.runs.observed
    place, shades = _sizes(found, picture, axes)
    _points(found, axes, law, observed, place, shades)
    ends = np.array([min(law.min(), observed.min()), max(law.max(), observed.max())])
    axes.plot(ends, ends, color=BLACK, lw=1, label="law")
    canvas.performances(axes.xaxis, ends)
    canvas.performances(axes.yaxis, ends)
    return canvas.finished(picture, axes)


def residuals(found: LawFit) -> Any:
    """By how much each run is off, over what the law gives: without pattern where the form is right."""
    logs = found.fit.problem.residual == "log"
    off = -found.fit.residuals * (100 if logs else 1)
    up = f"run above the law ({'%' if logs else _unit(found)})"
    picture, axes = canvas.figure(f"{_performance(found)}, by the law", up, f"Residuals of {_title(found)}")
    place, shades = _sizes(found, picture, axes)
    low, high = np.quantile(off, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    axes.axhspan(low, high, color=GREY, alpha=0.18, lw=0, label=f"{LEVEL:.0%} of the runs: {low:+.2g} to {high:+.2g}")
    axes.axhline(0, color=BLACK, lw=1, label="law")
    law = _law(found, found.runs.columns)
    _points(found, axes, law, off, place, shades)
    canvas.performances(axes.xaxis, law)
    return canvas.finished(picture, axes)


def extrapolation(
    found: LawFit, draws: Mapping[str, Array] | None = None, upto: float | None = None, aside: Runs | None = None
) -> Any:
    """The law beyond its runs, with its bands; the best N and D at each C where it takes both.

    Args:
        found: the fit.
        draws: of its coefficients.
        upto: largest value across; BEYOND times the largest of the runs unless given.
        aside: runs that were not fitted.

    Raises:
        FitError: nothing to go along.
    """
    name, x = _across(found)
    if {"N", "D"} <= set(found.law.inputs) and {"N", "D"} <= found.runs.columns.keys():
        name, x = "C", _compute(found)
    end = x.max()
    values = np.geomspace(x.min(), upto or BEYOND * end, POINTS)
    path = _path(found, name, values)
    about = band(found, path, draws or {})
    picture, axes = canvas.figure(_label(found, name), _performance(found), f"{_title(found)}, beyond its runs")
    axes.axvspan(x.min(), end, color=GREY, alpha=0.12, lw=0, label="where the fitted runs are")
    _bands(axes, values, about)
    best = ", at the best N and D for each C" if len(path) > 1 else ""
    best += ", no data repeated" if "U" in found.law.inputs else ""
    inside = values <= end
    axes.plot(values[inside], about.middle[inside], color=BLUE, lw=2, label=f"law{best}")
    axes.plot(values[~inside], about.middle[~inside], color=BLUE, lw=2, ls=(0, (4, 1.5)), label="law, extrapolated")
    axes.scatter(x, found.runs.observed, s=10, color=BLACK, alpha=0.5, lw=0, label="run", zorder=3)
    held = _those(aside, name)
    _set_aside(axes, name, aside)
    _logged(axes.xaxis, found, name, values, *held)
    beyond = [aside.observed[where] for x in held if aside is not None and (where := x > end).any()]
    canvas.performances(axes.yaxis, found.runs.observed, about.middle, *_ends(about), *beyond)
    return canvas.finished(picture, axes)


def valleys(found: LawFit, draws: Mapping[str, Array] | None = None, budgets: Sequence[float] | None = None) -> Any:
    """Performance over N at fixed compute: groups of runs with equal C, the law for them, and its best N.

    Args:
        found: the fit.
        draws: of its coefficients: how far the best N may move.
        budgets: compute of each valley; that of the runs' own groups unless given.

    Raises:
        FitError: the law does not take N and D.
    """
    _needs_both(found)
    n, factor = found.runs.columns["N"], _factor(found)
    groups = _valleys(found) if budgets is None else {float(b): np.empty(0, int) for b in budgets}
    picture, axes = canvas.figure(_label(found, "N"), _performance(found), f"IsoFLOP valleys of {_title(found)}")
    place, shades = canvas.colours(min(groups), max(groups))
    across = np.geomspace(n.min() / 5, n.max() * 5, 4 * POINTS)
    shown, ends, bottoms = [], [], []
    for budget, members in groups.items():
        path = {"N": across, "D": budget / (factor * across), "C": np.full_like(across, budget)}
        line, shade, mine = _law(found, path), shades(place(budget)), found.runs.observed[members]
        least = _best(found, line)
        best = across[least]
        sizes = n[members] if len(members) else across[[least]]
        near = (across > min(sizes.min(), best) / 2) & (across < max(sizes.max(), best) * 2)
        axes.plot(across[near], line[near], color=shade, lw=1.8, label=f"C = {budget:.2g} {_flop(found)}")
        axes.scatter(n[members], mine, color=shade, s=18, lw=0, zorder=3)
        axes.plot(_best_between(found, path, draws or {}), [line[least]] * 2, color=BLACK, lw=1.2)
        axes.scatter(best, line[least], marker="D", s=42, color=shade, edgecolor=BLACK, zorder=5)
        bottoms.append((best, line[least]))
        shown += [mine, line[[least]]] if len(members) else [line[near]]
        ends.append(across[near])
    axes.plot(*zip(*sorted(bottoms), strict=True), color=BLACK, lw=1, ls=":", zorder=2)
    label = f"best N ({LEVEL:.0%}: coefficients)" if draws else "best N"
    axes.plot([], [], color=BLACK, lw=1.2 if draws else 0, marker="D", mfc="white", ms=6, label=label)
    if budgets is None and isoflops(found.runs):
        axes.scatter([], [], color=GREY, s=18, lw=0, label=f"run within 10 % of that C; D = C/({factor:.3g} N)")
    _logged(axes.xaxis, found, "N", *ends)
    canvas.performances(axes.yaxis, *(values for values in shown if len(values)))
    return canvas.finished(picture, axes)


def _best_between(found: LawFit, path: Mapping[str, Array], draws: Mapping[str, Array]) -> Array:
    """Between which N the best one lies, (2); nothing without draws."""
    if not draws:
        return np.full(2, np.nan)
    many = _law(found, path, _some(found, draws))
    bests = path["N"][[_best(found, line) for line in many]]
    ends: Array = np.quantile(bests, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return ends


# --- what they share


def _bands(axes: Any, values: Array, about: Band) -> None:
    both = (about.high > about.low).any()
    label = NEW_RUNS if both else NOISE
    axes.fill_between(values, about.least, about.most, color=BLUE, alpha=0.13, lw=0, label=label)
    if both:
        axes.fill_between(values, about.low, about.high, color=BLUE, alpha=0.3, lw=0, label=COEFFICIENTS)


def _ends(about: Band) -> list[Array]:
    """The band where it is widest, unless it is wider than the law is high."""
    ends = np.array([about.least[-1], about.most[-1]])
    middle = about.middle[-1]
    return [np.clip(np.nan_to_num(ends, nan=middle), middle / WIDEST, middle * WIDEST)] if middle > 0 else []


def _curves(found: LawFit, axes: Any, place: Any, shades: Any) -> None:
    """The law over compute for some sizes, as far as these were trained."""
    n, c, factor = found.runs.columns["N"], _compute(found), _factor(found)
    for number, size in enumerate(_spread(np.unique(n), MOST_SIZES)):
        mine = c[np.abs(np.log(n / size)) < np.log(ALIKE)]
        values = np.geomspace(mine.min() / 1.5, mine.max() * 1.5, POINTS)
        line = _law(found, {"N": np.full(POINTS, size), "D": values / (factor * size), "C": values})
        axes.plot(values, line, color=shades(place(size)), lw=1.6, label=None if number else "law, for some N")


def _spread(values: Array, most: int) -> Array:
    """Some of sorted values, about evenly apart in logarithms."""
    if len(values) <= most:
        return values
    logs = np.log(values)
    wanted = np.linspace(logs[0], logs[-1], most)
    found: Array = values[np.unique(np.abs(logs[None] - wanted[:, None]).argmin(axis=1))]
    return found


def _valleys(found: LawFit) -> dict[float, Array]:
    """Groups of runs with equal compute, the budget of each before it; budgets without runs where there are none."""
    c = _compute(found)
    groups = isoflops(found.runs)
    by_budget = {float(np.median(c[members])): members for members in groups}
    if not by_budget:
        return {float(budget): np.empty(0, int) for budget in np.geomspace(c.min() * 2, c.max() / 2, MOST_VALLEYS)}
    chosen = _spread(np.array(sorted(by_budget)), MOST_VALLEYS)
    return {budget: by_budget[budget] for budget in chosen.tolist()}


def _set_aside(axes: Any, name: str, aside: Runs | None) -> list[Array]:
    """Runs that were not fitted, hollow."""
    if not (those := _those(aside, name)):
        return []
    assert aside is not None
    style = {"facecolor": "none", "edgecolor": ORANGE, "lw": 1.2}
    axes.scatter(*those, aside.observed, s=26, label="run left out of the fit", zorder=4, **style)
    return [aside.observed]


def _those(aside: Runs | None, name: str) -> list[Array]:
    return [aside.columns[name]] if aside is not None and name in aside.columns else []


def _across(found: LawFit) -> tuple[str, Array]:
    """What a picture goes along: the law's only variable, or compute where it is known."""
    for name in (*(found.law.inputs if len(found.law.inputs) == 1 else ()), "C", "D", "N"):
        if name in found.runs.columns:
            return name, found.runs.columns[name]
    raise FitError("runs without C, D and N have no picture", where=found.runs.source, todo="map a column to one")


def _points(found: LawFit, axes: Any, x: Array, y: Array, place: Any, shades: Any) -> None:
    """A point for each run, coloured by its N."""
    n = {"color": BLUE} if place is None else {"c": found.runs.columns["N"], "norm": place, "cmap": shades}
    axes.scatter(x, y, s=14, lw=0, label="run", zorder=3, **n)


def _sizes(found: LawFit, picture: Any, axes: Any) -> tuple[Any, Any]:
    """Colours by parameters, with their scale, where these are known and several."""
    n = found.runs.columns.get("N")
    if n is None or n.min() == n.max():
        return None, None
    place, shades = canvas.colours(n.min(), n.max())
    canvas.scale_beside(picture, axes, place, shades, _label(found, "N"))
    return place, shades


def _logged(axis: Any, found: LawFit, name: str, *values: Array) -> None:
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    margin = max((high / low) ** 0.03, 1.02)
    canvas.logarithmic(axis, low / margin, high * margin, powers=name == "C")


def _title(found: LawFit) -> str:
    return f"{found.form.name} on {found.runs.source.rpartition('/')[2] or 'runs'}"


def _label(found: LawFit, name: str) -> str:
    stated = found.runs.conventions.get(name, {})
    if name == "C":
        unit = _flop(found) if "C" in found.runs.columns else "6*N*D"
    elif name == "N":
        unit = stated.get("count", "").replace("_", "-").replace("unknown", "")
    else:
        sample, meaning = stated.get("sample", "sample"), stated.get("meaning", "").replace("unknown", "")
        unit = f"{sample}s {'distinct' if meaning == 'unique' else meaning}".strip()
    return f"{NAMES[name]} ({unit})" if unit else NAMES[name]


def _flop(found: LawFit) -> str:
    return str(found.runs.conventions.get("C", {}).get("unit", "FLOP"))


def _unit(found: LawFit) -> str:
    return found.law.metric.unit.replace("_", " ")


def _performance(found: LawFit) -> str:
    unit = _unit(found)
    return found.runs.metric.replace("_", " ") + (f" ({unit})" if unit not in ("", "unknown") else "")


def _some(found: LawFit, draws: Mapping[str, Array]) -> dict[str, Array]:
    """Draws as (s, 1), those of tied coefficients too."""
    some = {name: column[:MOST_DRAWS, None] for name, column in draws.items()}
    for first, *others in found.tied:
        some.update({other: some[first] for other in others if first in some})
    return some


def _law(found: LawFit, values: Mapping[str, Array], coefficients: Mapping[str, Array] | None = None) -> Array:
    with np.errstate(all="ignore"):
        return found.predict({name: values[name] for name in found.law.inputs}, coefficients)


def _best(found: LawFit, line: Array) -> int:
    return int(np.nanargmin(line) if found.law.metric.better == "lower" else np.nanargmax(line))


def _compute(found: LawFit) -> Array:
    columns = found.runs.columns
    return columns["C"] if "C" in columns else np.asarray(SIX * columns["N"] * columns["D"])


def _factor(found: LawFit) -> float:
    """C/(N*D) of the runs: 6, or what exact FLOPs come to."""
    columns = found.runs.columns
    return float(np.median(_compute(found) / (columns["N"] * columns["D"]))) if {"N", "D"} <= columns.keys() else SIX


def _needs_both(found: LawFit) -> None:
    if not {"N", "D"} <= set(found.law.inputs) <= {"N", "D", "C"} or not {"N", "D"} <= found.runs.columns.keys():
        takes = ", ".join(found.law.inputs)
        what = f"{found.form.name} takes {takes}: valleys are of laws of N and D"
        raise FitError(what, todo="choose a law of both")


def _path(found: LawFit, name: str, values: Array) -> dict[str, Array]:
    """Values of all variables along one of them; the best N and D of each budget where the law takes both."""
    inputs = set(found.law.inputs)
    if inputs <= {name}:
        return {name: values}
    if name != "C" or not inputs <= {"N", "D", "C", "U"}:
        what = f"{found.form.name} takes {', '.join(found.law.inputs)}: nothing says how they grow together"
        raise FitError(what, todo="give runs with C")
    factor = _factor(found)
    n = np.geomspace(1e-4, 1e4, 4 * POINTS)[:, None] * np.sqrt(values / (20 * factor))
    d = values / (factor * n)
    loss = _law(found, {"N": n, "D": d, "U": d, "C": np.broadcast_to(values, n.shape)})
    best = n[[_best(found, column) for column in loss.T], np.arange(len(values))]
    d = values / (factor * best)
    return {"N": best, "D": d, "U": d, "C": values}
