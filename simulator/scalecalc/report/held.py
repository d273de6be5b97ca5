"""Held-out observations beside what the law says of them, for people and for programs."""

from __future__ import annotations

from typing import Any

import numpy as np

from scalecalc.calibrate.bands import Held, fitted_of, held_of
from scalecalc.calibrate.calibration import Calibration
from scalecalc.calibrate.tape import Array
from scalecalc.laws.conventions import LEVEL
from scalecalc.laws.prediction import basis
from scalecalc.report.blocks import Row

SHOWN, MOST = 8, 1_000
"""Observations a table and a document list."""


def rows(result: Calibration) -> list[Row]:
    """How the law does on the observations that were held out."""
    if result.read.held is None:
        return []
    found = fitted_of(result)
    held = held_of(found, result.read.held.runs)
    logs = result.method.residual == "log"
    how = [f"{100 * value:.2g} %" if logs else f"{value:.3g}" for value in (_rms(held.off), np.abs(held.off).max())]
    lines: list[Row] = [[
        f"{len(held.off):,} observations, not fitted: off by {how[0]} (root mean square), {how[1]} at most; "
        f"{_inside(held)} of one run ({basis(found.law)})"
    ]]  # fmt: skip
    if len(held.off) > SHOWN:
        return lines
    names = [name for name in ("N", "D", "U", "C") if name in held.runs.columns]
    lines.append([*names, held.runs.metric, "law", "interval", "z"])
    for k, observed in enumerate(held.runs.observed):
        about = held.about
        known = np.isfinite(about.sigma[k])
        ends, z = f"{about.least[k]:.4g} to {about.most[k]:.4g}" if known else "none", f"{held.scores[k]:+.1f}"
        values = [f"{held.runs.columns[name][k]:.4g}" for name in names]
        lines.append([*values, f"{observed:.4g}", f"{about.middle[k]:.4g}", ends, z if known else ""])
    return lines


def document(result: Calibration) -> dict[str, Any] | None:
    """The same for programs; None where nothing was held out."""
    if result.read.held is None:
        return None
    found = fitted_of(result)
    held = held_of(found, result.read.held.runs)
    about = held.about
    return {
        "observations": len(held.off), "rms": _rms(held.off), "inside": held.inside, "without_interval": held.unsure,
        "level": LEVEL, "basis": basis(found.law),
        "runs": [
            {**{name: float(column[k]) for name, column in held.runs.columns.items()}, "observed": float(observed),
             "law": float(about.middle[k]),
             "interval": [float(about.least[k]), float(about.most[k])] if np.isfinite(about.sigma[k]) else None,
             "z": float(held.scores[k]) if np.isfinite(held.scores[k]) else None}
            for k, observed in enumerate(held.runs.observed[:MOST])
        ],
    }  # fmt: skip


def _inside(held: Held) -> str:
    known = len(held.off) - held.unsure
    none = (
        f" ({held.unsure:,} more have none: too many draws of the coefficients have no value there)"
        if held.unsure
        else ""
    )
    return f"{held.inside:,} of {known:,} inside the law's {LEVEL:.0%} interval{none}"


def _rms(off: Array) -> float:
    return float(np.sqrt((off**2).mean()))
