"""A picture of isoFLOP valleys: performance over N at fixed compute, and where it is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scalecalc.calibrate.bands import Fitted, law_at
from scalecalc.calibrate.tape import Array
from scalecalc.calibrate.warnings import isoflops
from scalecalc.errors import FitError
from scalecalc.laws.conventions import LEVEL
from scalecalc.laws.intervals import said
from scalecalc.laws.sets import sets_of
from scalecalc.report import canvas
from scalecalc.report.canvas import BLACK, GREY
from scalecalc.report.plotted import (
    POINTS,
    best_of,
    compute_of,
    factor_of,
    flop,
    label,
    logged,
    performance,
    spread,
    title_of,
)

MOST_VALLEYS = 6


def valleys(found: Fitted, budgets: Sequence[float] | None = None) -> Any:
    """Performance over N at fixed compute: groups of runs with equal C, the law for them, and its best N.

    Args:
        found: the fit.
        budgets: compute of each valley; that of the runs' own groups unless given.

    Raises:
        FitError: the law does not take N and D.
    """
    _needs_both(found)
    n, factor = found.runs.columns["N"], factor_of(found)
    groups = _valleys(found) if budgets is None else {float(b): np.empty(0, int) for b in budgets}
    picture, axes = canvas.figure(label(found, "N"), performance(found), f"IsoFLOP valleys of {title_of(found)}")
    place, shades = canvas.colours(min(groups), max(groups))
    across = np.geomspace(n.min() / 5, n.max() * 5, 4 * POINTS)
    shown, ends, bottoms = [], [], []
    for budget, members in groups.items():
        path = {"N": across, "D": budget / (factor * across), "C": np.full_like(across, budget)}
        line, shade, mine = law_at(found, path), shades(place(budget)), found.runs.observed[members]
        least = best_of(found, line)
        best = across[least]
        own = n[members] if len(members) else across[[least]]
        near = (across > min(own.min(), best) / 2) & (across < max(own.max(), best) * 2)
        axes.plot(across[near], line[near], color=shade, lw=1.8, label=f"C = {budget:.2g} {flop(found)}")
        axes.scatter(n[members], mine, color=shade, s=18, lw=0, zorder=3)
        axes.plot(_best_between(found, path), [line[least]] * 2, color=BLACK, lw=1.2)
        axes.scatter(best, line[least], marker="D", s=42, color=shade, edgecolor=BLACK, zorder=5)
        bottoms.append((best, line[least]))
        shown += [mine, line[[least]]] if len(members) else [line[near]]
        ends.append(across[near])
    axes.plot(*zip(*sorted(bottoms), strict=True), color=BLACK, lw=1, ls=":", zorder=2)
    word = f"best N ({LEVEL:.0%}: coefficients)" if found.law.draws else "best N"
    axes.plot([], [], color=BLACK, lw=1.2 if found.law.draws else 0, marker="D", mfc="white", ms=6, label=word)
    if budgets is None and isoflops(found.runs):
        axes.scatter([], [], color=GREY, s=18, lw=0, label=f"run within 10 % of that C; D = C/({factor:.3g} N)")
    logged(axes.xaxis, found, "N", *ends)
    canvas.performances(axes.yaxis, *(values for values in shown if len(values)))
    return canvas.finished(picture, axes)


def _best_between(found: Fitted, path: Mapping[str, Array]) -> Array:
    """Between which N the best one lies, (2); nothing without draws."""
    if not found.law.draws:
        return np.full(2, np.nan)
    many = said(found.law, {name: path[name] for name in found.law.inputs}, sets_of(found.law))[1:]
    bests = path["N"][[best_of(found, line) for line in many]]
    ends: Array = np.quantile(bests, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return ends


def _valleys(found: Fitted) -> dict[float, Array]:
    """Groups of runs with equal compute, the budget of each before it; budgets without runs where there are none."""
    c = compute_of(found)
    groups = isoflops(found.runs)
    by_budget = {float(np.median(c[members])): members for members in groups}
    if not by_budget:
        return {float(budget): np.empty(0, int) for budget in np.geomspace(c.min() * 2, c.max() / 2, MOST_VALLEYS)}
    chosen = spread(np.array(sorted(by_budget)), MOST_VALLEYS)
    return {budget: by_budget[budget] for budget in chosen.tolist()}


def _needs_both(found: Fitted) -> None:
    if not {"N", "D"} <= set(found.law.inputs) <= {"N", "D", "C"} or not {"N", "D"} <= found.runs.columns.keys():
        takes = ", ".join(found.law.inputs)
        what = f"{found.law.name} takes {takes}: valleys are of laws of N and D"
        raise FitError(what, todo="choose a law of both")
