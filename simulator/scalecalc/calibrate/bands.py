"""What lies about a fitted law: as far as other runs would move it, and as far as one more run may lie off it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scalecalc.calibrate.intervals import LEVEL, combine, noise
from scalecalc.calibrate.lawfit import LawFit
from scalecalc.calibrate.tape import Array

MOST_DRAWS = 1_000


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
    return Band(law.low, middle, law.high, run.low, run.high)


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
