"""Laws and runs with known truth for the tests of calibration."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scalecalc.calibrate.runs import Runs
from scalecalc.expressions import parse
from scalecalc.laws import Coefficient, Law, Metric, Scope, Source, Variable

ADDITIVE = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}


def law(
    name: str, formula: str, values: Mapping[str, float], symbols: str = "N D", better: str = "lower",
    bounds: tuple[float | None, float | None] = (0.0, None),
) -> Law:  # fmt: skip
    """A law whose coefficients are positive, unless their bounds say otherwise."""
    return Law(
        name, "conditional", parse(formula), Metric("loss", "nat/token", better), Scope("language", "modelling"),
        Source("made up"), {n: Coefficient(n, v, bounds=bounds) for n, v in values.items()},
        variables={symbol: Variable(symbol) for symbol in symbols.split()},
    )  # fmt: skip


def additive() -> Law:
    """E + A/N^alpha + B/D^beta."""
    return law("additive", "E + A/N**alpha + B/D**beta", ADDITIVE)


def grid_runs(of: Law, noise: float, seed: int = 0, side: int = 6) -> Runs:
    """Runs of a law on a grid of N from 1e7 to 1e10 and D from 1e9 to 1e11, with noise on their logarithms."""
    n, d = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e7, 1e10, side), np.geomspace(1e9, 1e11, side)))
    clean = of.evaluate(N=n, D=d)
    observed = clean * np.exp(noise * np.random.default_rng(seed).standard_normal(len(n)))
    return Runs({"N": n, "D": d, "C": 6 * n * d}, observed, np.arange(len(n)))


def line_runs(symbol: str, places: object, observed: object) -> Runs:
    """Runs along one variable."""
    x, y = np.asarray(places, float), np.asarray(observed, float)
    return Runs({symbol: x}, y, np.arange(len(x)))
