"""How sure a fitted law is of larger runs: its prediction at the largest one, and at that one grown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scalecalc.calibrate.judge import growing
from scalecalc.calibrate.runs import Runs
from scalecalc.errors import ScalecalcError
from scalecalc.laws import Law, Prediction
from scalecalc.laws.point import at_point

FACTORS = (1.0, 10.0, 100.0)


@dataclass(frozen=True)
class Step:
    """A point of the line.

    Attributes:
        factor: how many times the largest run.
        along: in what: C, N*D, D or N.
        values: of the law's variables.
        said: by the law, as `predict` says it; None where it refuses.
        why: it refuses.
    """

    factor: float
    along: str
    values: Mapping[str, float]
    said: Prediction | None
    why: str = ""


def ahead(law: Law, runs: Runs) -> list[Step]:
    """The law along the line on which N and D grow alike from the largest run, by FACTORS of its compute."""
    along, x = growing(runs)
    largest = int(np.argmax(x))
    shared = along in ("C", "N*D")
    found = []
    for factor in FACTORS:
        each = {s: factor**0.5 if shared and s != "C" else factor if shared or s == along else 1.0 for s in law.inputs}
        values = {symbol: float(runs.columns[symbol][largest]) * each[symbol] for symbol in law.inputs}
        said, why = None, ""
        try:
            binding = at_point(law, values)
            said = binding.predict() if binding.usable else None
            why = binding.why
        except ScalecalcError as error:
            why = error.what
        found.append(Step(factor, along, values, said, why))
    return found
