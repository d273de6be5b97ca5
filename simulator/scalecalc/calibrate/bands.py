"""What lies about a fitted law: as far as other runs would move it, and as far as one more run may lie off it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from scalecalc.calibrate.calibration import Calibration
from scalecalc.calibrate.lawfile import fitted_law
from scalecalc.calibrate.runs import Runs
from scalecalc.laws import Law, intervals
from scalecalc.laws.intervals import combine, said, within
from scalecalc.laws.searches import Array
from scalecalc.laws.sets import sets_of


@dataclass(frozen=True)
class Fitted:
    """A law with what its file says of it, and the runs it was fitted to.

    Attributes:
        law: with draws and uncertainty, where it has them.
        runs: in its counts.
        logs: whether logarithms were fitted.
    """

    law: Law
    runs: Runs
    logs: bool = True


def fitted_of(result: Calibration) -> Fitted:
    """What a calibration found, under its form's name."""
    law = replace(fitted_law(result), name=result.law.name)
    return Fitted(law, result.kept.runs, result.method.residual == "log")


@dataclass(frozen=True)
class Band:
    """What lies about a law, each (n).

    Attributes:
        low, middle, high: of the law, as other runs of the kind would move its coefficients.
        least, most: of a new run, as far as the law says how uncertain it is; cut at the metric's bounds.
        sigma: of a new run, on the scale of residuals.
    """

    low: Array
    middle: Array
    high: Array
    least: Array
    most: Array
    sigma: Array


def band(found: Fitted, values: Mapping[str, Array]) -> Band:
    """The intervals at values (n), which may hold more than the law's variables."""
    law, sets = found.law, sets_of(found.law)
    everywhere = said(law, {name: values[name] for name in law.inputs}, sets)
    spread = sets.spread(everywhere, logarithmic=found.logs)
    left = max(found.runs.independent - len(law.coefficients), 1)
    own = combine(everywhere[0], {"coefficients": spread}, left, logs=found.logs)
    run = own if law.uncertainty is None else intervals.band(law, values, sets=sets, found=everywhere)
    sigma = np.sqrt(sum(part**2 for part in run.parts.values()))
    low, high = within(law, (-math.inf, math.inf))
    return Band(own.low, own.value, own.high, np.maximum(run.low, low), np.minimum(run.high, high), sigma)


@dataclass(frozen=True)
class Held:
    """Observations beside what a law, fitted to others, says of them.

    Attributes:
        runs: that were held out.
        about: what the law says.
        off: log of the observed over the law's, or the difference where residuals are no logarithms, (n).
        scores: that by its standard deviation, (n).
    """

    runs: Runs
    about: Band
    off: Array
    scores: Array

    @property
    def unsure(self) -> int:
        """How many the law has no interval for: too many of its draws have no value there."""
        return int((~np.isfinite(self.about.sigma)).sum())

    @property
    def inside(self) -> int:
        """How many lie where a run should."""
        observed = self.runs.observed
        return int(((self.about.least <= observed) & (observed <= self.about.most)).sum())


def held_of(found: Fitted, runs: Runs) -> Held:
    """Held-out observations beside the law.

    Raises:
        FitError: they lack a variable of it.
    """
    about = band(found, {**runs.columns, **runs.needed(found.law.inputs)})
    off = np.log(runs.observed / about.middle) if found.logs else runs.observed - about.middle
    return Held(runs, about, off, off / about.sigma)


def law_at(found: Fitted, values: Mapping[str, Array]) -> Array:
    """The law at values that may hold more than its variables; without a word where it is not finite."""
    with np.errstate(all="ignore"):
        return np.asarray(found.law.evaluate(**{name: values[name] for name in found.law.inputs}), float)
