"""Pictures of docs/calibration.md: those of every calibration, and two of these rows alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.keras_runs import timing
from benchmarks.keras_runs.calibrate_rows import answers, laws
from benchmarks.keras_runs.curves import Curve
from benchmarks.keras_runs.tables import DOMAINS, PERFORMANCES, all_curves
from scalecalc.calibrate.bands import fitted_of
from scalecalc.calibrate.calibration import Calibration
from scalecalc.laws import Law
from scalecalc.report import canvas, plots
from scalecalc.report.canvas import BLACK, BLUE, GREY, ORANGE
from scalecalc.report.valleys import valleys

GREEN, PINK = "#009e73", "#cc79a7"
SHADES = (BLUE, GREEN, PINK, GREY)
MARKS = ("o", "s", "^")


def figures() -> Iterator[tuple[str, Any]]:
    """Every picture, by its file's name."""
    for name, law in laws().items():
        yield from ((f"{name}-{kind}", made) for kind, made in _of(law, answers()[name]))
    for performance in PERFORMANCES:
        for one in all_curves(performance):
            yield f"compute-{performance.replace('_', '-')}-w{one.width.replace('.', '')}-U{one.unique}", compute(one)
    yield "steps", steps()


def _of(law: Law, result: Calibration) -> Iterator[tuple[str, Any]]:
    """Residuals; the law beside its runs; where C follows from N and D, or is all it takes, what lies beyond."""
    found, aside = fitted_of(result), result.read.held.runs if result.read.held else None
    yield "residuals", plots.residuals(found)
    if law.inputs != ("C",):
        yield "fit", plots.fit(found, aside)
    if law.divides or law.inputs == ("C",):
        yield "extrapolation", plots.extrapolation(found, aside=aside)
    if law.divides:
        yield "valleys", valleys(found)


def compute(one: Curve) -> Any:
    """Forms fitted to the runs of less compute, followed to those of more."""
    words = PERFORMANCES[one.performance]
    title = f"Width {one.width}, {int(one.unique):,} images: foretold from the smaller runs"
    picture, axes = canvas.figure("training compute C (FLOP)", words, title)
    seen, held = one.seen.runs, one.held.runs
    every = np.concatenate([seen.columns["C"], held.columns["C"]])
    across = np.geomspace(every.min(), every.max() * 1.5, 200)
    for form, shade in zip(one.forms, SHADES, strict=True):
        if form.fitted is not None:
            axes.plot(across, form.fitted.predict({"C": across}), color=shade, lw=1.8, label=form.form)
    axes.scatter(seen.columns["C"], seen.observed, s=18, color=BLACK, lw=0, zorder=3, label="run, fitted")
    style = {"facecolor": "none", "edgecolor": ORANGE, "lw": 1.3}
    axes.scatter(held.columns["C"], held.observed, s=28, zorder=4, label="run, foretold", **style)
    canvas.logarithmic(axes.xaxis, every.min() / 1.2, every.max() * 1.5, powers=True)
    both = np.concatenate([seen.observed, held.observed])
    if "accuracy" in one.performance:
        axes.set_ylim(both.min() - 0.01, 1 + 0.3 * (1 - both.min()))
        axes.axhline(1, color=BLACK, lw=0.6, ls=":")
    else:
        canvas.performances(axes.yaxis, both, np.array([both.min() / 2]))
    return canvas.finished(picture, axes)


def steps() -> Any:
    """Measured and predicted seconds of a step."""
    picture, axes = canvas.figure("said by FLOPs and bytes (s)", "measured, processor time (s)", "Seconds of a step")
    ends = []
    for domain, shade, mark in zip(DOMAINS, SHADES[:3], MARKS, strict=True):
        found = timing.times(domain)
        for fitted in (True, False):
            chosen = [place for place, row in enumerate(found.rows) if timing.used(row) is fitted]
            if chosen:
                style = {"color": shade, "lw": 0} if fitted else {"facecolor": "none", "edgecolor": shade, "lw": 1.2}
                word = f"{domain}, {'fitted' if fitted else 'predicted'}"
                axes.scatter(found.said[chosen], found.measured[chosen], s=22, marker=mark, label=word, **style)
        ends += [found.said, found.measured]
    low, high = (float(f(np.concatenate(ends))) for f in (np.min, np.max))
    axes.plot([low, high], [low, high], color=BLACK, lw=1)
    for axis in (axes.xaxis, axes.yaxis):
        canvas.logarithmic(axis, low / 1.2, high * 1.2)
    return canvas.finished(picture, axes)


def write(folder: Path) -> list[str]:
    """All pictures as SVG into a folder, those of before removed; their names."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    names = []
    for name, made in figures():
        (folder / f"{name}.svg").write_bytes(canvas.drawn(made)["svg"])
        names.append(f"{name}.svg")
    return names
