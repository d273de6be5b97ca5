"""Pictures of a fit hold what they should, with units, and no text over another."""

import sys
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from scalecalc.calibrate.bands import Fitted
from scalecalc.calibrate.lawfit import fit_law
from scalecalc.calibrate.resample import bootstrap
from scalecalc.calibrate.runs import Runs
from scalecalc.errors import FitError, UsageError
from scalecalc.laws import load
from scalecalc.report import plots
from scalecalc.report.canvas import drawn

CONVENTIONS = {"N": {"count": "non_embedding"}, "D": {"sample": "token", "meaning": "seen"}, "C": {"unit": "FLOP"}}


@pytest.fixture(scope="module")
def found() -> Fitted:
    """60 trainings of a known law, 1 % noise, and how far resamples of them move it."""
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, 6), np.geomspace(1e9, 1e12, 10)))
    law = load("besiroglu-2024")
    noise = np.random.default_rng(0).normal(0, 0.01, len(n))
    observed = law.evaluate(N=n, D=d) * np.exp(noise)
    runs = Runs({"N": n, "D": d, "C": 6 * n * d}, observed, np.arange(60), "loss", CONVENTIONS)
    own = fit_law(law, runs)
    moved = own.fit.problem.coefficients(bootstrap(own.fit, count=100).points)
    return Fitted(replace(own.law, draws={name: tuple(column) for name, column in moved.items()}), runs)


def test_without_matplotlib(found: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match=r"^--plot: pictures need matplotlib; pip install 'scalecalc\[plot\]'$"):
        plots.residuals(found)


PICTURES = {
    "fit": (plots.fit, "training compute C (FLOP)", "loss (nat/token)"),
    "residuals": (plots.residuals, "loss (nat/token), by the law", "run above the law (%)"),
    "extrapolation": (plots.extrapolation, "training compute C (FLOP)", "loss (nat/token)"),
    "valleys": (plots.valleys, "parameters N (non-embedding)", "loss (nat/token)"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture(name: str, found: Fitted) -> None:
    draw, across, up = PICTURES[name]
    figure = draw(found)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (across, up)
    files = drawn(figure)
    assert files["png"].startswith(b"\x89PNG")
    assert b"<svg" in files["svg"]
    assert drawn(draw(found)) == files  # no dates, no random names
    ticks = [
        tick.label1 for axis in (axes.xaxis, axes.yaxis) for tick in axis.get_major_ticks()
        if min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    ]  # fmt: skip
    assert len(ticks) >= 6
    texts = [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label, *ticks]
    boxes = [box for t in texts if t.get_text() and (box := t.get_window_extent()).width > 0]
    assert not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]


def test_the_band_widens_beyond_the_runs(found: Fitted) -> None:
    figure = plots.extrapolation(found, upto=1e26)
    corners = (
        next(c for c in figure.axes[0].collections if c.get_label() == "90%: coefficients").get_paths()[0].vertices
    )
    width = {x: np.ptp(corners[corners[:, 0] == x, 1]) for x in set(corners[:, 0])}
    middle = min(width, key=lambda x: abs(np.log(x / 1e21)))
    assert width[max(width)] > 3 * width[middle]


def test_valleys_are_deepest_where_the_closed_form_says(found: Fitted) -> None:
    """N* = G (C/6)^(beta/(alpha + beta)), G = (alpha A/(beta B))^(1/(alpha + beta)): Hoffmann et al. 2022, eq. 4."""
    value = {name: c.value for name, c in found.law.coefficients.items()}
    alpha, beta = value["alpha"], value["beta"]
    best = (alpha * value["A"] / (beta * value["B"])) ** (1 / (alpha + beta)) * (1e20 / 6) ** (beta / (alpha + beta))
    curve = plots.valleys(found, budgets=[1e20]).axes[0].lines[0]
    x, y = curve.get_data()
    assert x[np.argmin(y)] == pytest.approx(best, rel=0.1)


def test_no_valleys_without_both(found: Fitted) -> None:
    runs = Runs({"C": found.runs.columns["C"]}, found.runs.observed, found.runs.groups)
    broken = Fitted(found.law, runs)
    with pytest.raises(FitError, match="valleys are of laws of N and D"):
        plots.valleys(broken)
