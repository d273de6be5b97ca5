"""Grid (b), the seed article's own question: performance against compute, of one network on one set of images.

Each form is fitted to the runs of less compute and says what those of more will reach: what it misses tells which form
is right, as no fit to all runs can.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.keras_runs.calibrate_rows import CHANCE, FALLING, RISING
from benchmarks.keras_runs.recorded import SHARES, reading, rows
from scalecalc.calibrate.forms import form_of
from scalecalc.calibrate.lawfit import LawFit
from scalecalc.calibrate.method import Method
from scalecalc.calibrate.ranking import fit_form
from scalecalc.calibrate.reading import Reading
from scalecalc.calibrate.tape import Array
from scalecalc.errors import ScalecalcError

CURVES = (("1", "55000"), ("1", "4096"), ("0.25", "55000"), ("0.25", "4096"))
"""Width and distinct images of each; the article's network on all data first."""
SEEN = 4
"""Amounts of compute a form is fitted to, the smaller ones of six; fewer while rows are missing."""


@dataclass(frozen=True)
class Foretold:
    """A form on one curve.

    Attributes:
        form: its name.
        fitted: to the smaller runs; None where it could not be, then `why` says so.
        missed: root mean square of predicted less observed of the larger runs, in the performance's unit.
        bias: mean of the same.
        noise: root mean square about the fit to all runs; NaN where it could not be fitted.
    """

    form: str
    fitted: LawFit | None
    why: str = ""
    missed: float = math.inf
    bias: float = math.nan
    noise: float = math.nan


@dataclass(frozen=True)
class Curve:
    """The runs of one network on one set.

    Attributes:
        width, unique: of the network and the set.
        performance: column.
        seen, held: runs of less and of more compute.
        forms: each form's record, the best first.
    """

    width: str
    unique: str
    performance: str
    seen: Reading
    held: Reading
    forms: Sequence[Foretold]

    @property
    def spread(self) -> float:
        """What seeds alone make of the larger runs: their standard deviation at one compute."""
        return seeds_apart(self.held)

    @property
    def levels(self) -> tuple[int, int]:
        """Amounts of compute fitted and foretold."""
        seen, held = (len(np.unique(part.runs.columns["C"])) for part in (self.seen, self.held))
        return seen, held


def curve(width: str, unique: str, performance: str) -> Curve:
    """Every form's record on one curve."""
    whole = curve_runs(width, unique, performance)
    c = whole.runs.columns["C"]
    amounts = np.unique(c)
    seen = c <= amounts[min(SEEN, len(amounts) - 1) - 1]
    parts = whole.chosen(seen), whole.chosen(~seen)
    names = RISING if performance in SHARES else FALLING
    found = [_foretold(name, whole, *parts) for name in names]
    return Curve(width, unique, performance, *parts, sorted(found, key=lambda one: one.missed))


def curve_runs(width: str, unique: str, performance: str) -> Reading:
    """The runs of one network on one set, of C."""
    wanted = {"grid": "b", "width": width, "U": unique}
    return reading("images", lambda row: all(row[k] == v for k, v in wanted.items()), performance, over="C")


def there() -> list[tuple[str, str]]:
    """Those curves that have enough rows."""
    steps = {key: {row["steps"] for row in rows("images", lambda row: row["grid"] == "b")
                   if (row["width"], row["U"]) == key} for key in CURVES}  # fmt: skip
    return [key for key in CURVES if len(steps[key]) >= SEEN]


def _foretold(name: str, whole: Reading, seen: Reading, held: Reading) -> Foretold:
    form, method = form_of(name, whole), Method("least-squares", draws=0, held=CHANCE)
    try:
        fitted = fit_form(form, seen, method)
    except ScalecalcError as error:
        return Foretold(name, None, error.what)
    off = fitted.predict(held.runs.needed(("C",))) - held.runs.observed
    try:
        own = fit_form(form, whole, method)
    except ScalecalcError:
        noise = math.nan
    else:
        noise = _rms(own.predict(whole.runs.needed(("C",))) - whole.runs.observed)
    return Foretold(name, fitted, "", _rms(off), float(off.mean()), noise)


def seeds_apart(read: Reading) -> float:
    """Pooled standard deviation of runs with one compute."""
    c, y = read.runs.columns["C"], read.runs.observed
    groups = [y[c == amount] for amount in np.unique(c)]
    left = sum(len(group) - 1 for group in groups)
    return math.sqrt(sum(float(((g - g.mean()) ** 2).sum()) for g in groups) / left) if left else math.nan


def _rms(off: Array) -> float:
    return float(np.sqrt(np.mean(off**2)))
