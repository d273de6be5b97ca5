"""What lies about a fitted law: as far as other runs would move it, and as far as one more run may lie off it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scalecalc.calibrate.intervals import LEVEL, combine, noise
from scalecalc.calibrate.lawfit import LawFit
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.tape import Array

MOST_DRAWS = 1_000


@dataclass(frozen=True)
class Band:
    """What lies about a law, each (n).

    Attributes:
        low, middle, high: of the law, as other runs of the kind would move its coefficients.
        least, most: of a new run, which has noise of its own.
        sigma: of a new run, on the scale of residuals.
    """

    low: Array
    middle: Array
    high: Array
    least: Array
    most: Array
    sigma: Array


def band(found: LawFit, values: Mapping[str, Array], draws: Mapping[str, Array]) -> Band:
    """The intervals at values (n), by `calibrate.intervals.combine`; without draws of the noise alone."""
    logs = found.fit.problem.residual == "log"
    middle = law_at(found, values)
    drawn = law_at(found, values, draws_of(found, draws)) if draws else middle[None]
    with np.errstate(all="ignore"):
        spread = np.nanstd(np.log(drawn) if logs else drawn, axis=0)
    left = max(len(found.fit.residuals) - len(found.fit.point), 1)
    law = combine(middle, {"coefficients": spread}, left, LEVEL, logs)
    run = combine(middle, {"coefficients": spread, "noise": noise(found)}, left, LEVEL, logs)
    sigma = np.sqrt(sum(part**2 for part in run.parts.values()))
    return Band(law.low, middle, law.high, run.low, run.high, sigma)


@dataclass(frozen=True)
class Held:
    """Observations beside what a law, fitted to others, says of them.

    Attributes:
        runs: that were held out.
        about: what the law says.
        off: log of the observed over the law's, or the difference where residuals are no logarithms, (n).
        scores: that by its standard deviation, of coefficients and noise, (n).
    """

    runs: Runs
    about: Band
    off: Array
    scores: Array

    @property
    def inside(self) -> int:
        """How many lie where a run should."""
        observed = self.runs.observed
        return int(((self.about.least <= observed) & (observed <= self.about.most)).sum())


def held_of(found: LawFit, runs: Runs, draws: Mapping[str, Array]) -> Held:
    """Held-out observations beside the law.

    Raises:
        FitError: they lack a variable of it.
    """
    about = band(found, runs.needed(found.law.inputs), draws)
    logs = found.fit.problem.residual == "log"
    off = np.log(runs.observed / about.middle) if logs else runs.observed - about.middle
    return Held(runs, about, off, off / about.sigma)


def draws_of(found: LawFit, draws: Mapping[str, Array]) -> dict[str, Array]:
    """Draws as (s, 1), those of tied coefficients too."""
    some = {name: column[:MOST_DRAWS, None] for name, column in draws.items()}
    for first, *others in found.tied:
        some.update({other: some[first] for other in others if first in some})
    return some


def law_at(found: LawFit, values: Mapping[str, Array], coefficients: Mapping[str, Array] | None = None) -> Array:
    """The law at values that may hold more than its variables; without a word where it is not finite."""
    with np.errstate(all="ignore"):
        return found.predict({name: values[name] for name in found.law.inputs}, coefficients)
