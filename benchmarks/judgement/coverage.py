"""How often intervals hold what they should, where the truth is known: 5 laws x 3 levels of noise.

Each cell draws many sets of runs from a law, fits that law to each, and counts how often the 90 % prediction interval
holds a new run ten times beyond the largest in N and D, and how often the profile interval of N* holds the true one.

    python benchmarks/judgement/coverage.py --sets 1000 --workers 2 -o benchmarks/judgement/coverage.md
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scalecalc.calibrate.fit import FINE, Fit, condition
from scalecalc.calibrate.intervals import interval
from scalecalc.calibrate.lawfit import LawFit, problem_of
from scalecalc.calibrate.losses import least_squares
from scalecalc.calibrate.newton import minimise
from scalecalc.calibrate.profiling import profile_best_params
from scalecalc.calibrate.runs import Runs
from scalecalc.expressions import parse
from scalecalc.laws import Coefficient, Law, Metric, Scope, Source, Variable, optimum

LEVEL, COMPUTE = 0.9, 1e24
NOISE = (0.002, 0.005, 0.01)
"""Standard deviations of log loss: repeated trainings of language models differ by .002 to .01."""
LAWS = {
    "additive": ("E + A/N**alpha + B/D**beta", {"E": 1.8172, "A": 477.8, "B": 2143.4, "alpha": 0.3473, "beta": 0.3672}),
    "equal exponents": ("E + A/N**alpha + B/D**alpha", {"E": 1.87, "A": 521.0, "B": 1488.0, "alpha": 0.3527}),
    "without floor": ("A/N**alpha + B/D**beta", {"A": 12.0, "B": 45.0, "alpha": 0.12, "beta": 0.16}),
    "Kaplan's": (
        "((Nc/N)**(aN/aD) + Dc/D)**aD", {"aN": 0.076, "aD": 0.103, "Nc": 6.4e13, "Dc": 1.8e13},
    ),
    "over-training": (
        "E + (a*(D/N)**eta + b*(D/N)**-eta)*(N*D)**-eta", {"E": 1.8, "a": 250.0, "b": 900.0, "eta": 0.17},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One row of the table: shares of sets in which the interval held."""

    law: str
    noise: float
    sets: int
    prediction: float
    best: float
    failed: int


def truth(name: str) -> Law:
    """The law the runs of a cell come from."""
    formula, values = LAWS[name]
    coefficients = {n: Coefficient(n, v, bounds=(0.0, None)) for n, v in values.items()}
    return Law(
        "truth", "conditional", parse(formula), Metric("loss", "nat/token", "lower"), Scope("language", "modelling"),
        Source("made up"), coefficients, variables={s: Variable(s) for s in ("N", "D")},
    )  # fmt: skip


def fits(law: Law, noise: float, sets: int, random: np.random.Generator) -> Iterator[LawFit]:
    """Sets of runs drawn from a law, each with the law fitted to it: all from the truth, as one batch."""
    n, d = (grid.ravel() for grid in np.meshgrid(np.geomspace(1e7, 1e10, 7), np.geomspace(1e9, 1e11, 7)))
    clean = law.evaluate(N=n, D=d)
    problem = problem_of(law, Runs({"N": n, "D": d}, clean, np.arange(len(n))), loss=least_squares())
    targets = np.log(clean) + noise * random.standard_normal((sets, len(n)))
    start = problem.coordinates({name: constant.value for name, constant in law.coefficients.items()})
    found = minimise(problem.evaluate_against, np.tile(start, (sets, 1)), targets, 1e-12)
    for target, point, value, gradient, hessian in zip(targets, *found[:4], strict=True):
        if gradient > FINE:
            continue
        mine = replace(problem, observed=np.exp(target))
        values = {name: float(v) for name, v in problem.coefficients(point).items()}
        fit = Fit(mine, point, values, float(value), float(gradient), condition(hessian), 1, 1, hessian)
        runs = Runs(problem.data, mine.observed, np.arange(len(n)))
        yield LawFit(law.with_coefficients(**values), law, runs, fit, {}, ())


def cell(name: str, noise: float, sets: int, seed: int = 0, count: int = 100) -> Cell:
    """Draw, fit and count."""
    law = truth(name)
    far = {"N": np.array([1e11]), "D": np.array([1e12])}
    beyond, best = float(law.evaluate(N=1e11, D=1e12)), optimum(law, COMPUTE).params
    random = np.random.default_rng([seed, *name.encode(), round(1e6 * noise)])
    kept = held = held_best = 0
    for fitted in fits(law, noise, sets, random):
        new = beyond * math.exp(noise * random.standard_normal())
        said = interval(fitted, far, level=LEVEL, resample="residuals", count=count)
        profile = profile_best_params(fitted, COMPUTE, level=LEVEL)
        kept += 1
        held += bool(said.low[0] <= new <= said.high[0])
        held_best += bool(profile.low <= best <= profile.high)
    return Cell(name, noise, sets, held / max(kept, 1), held_best / max(kept, 1), sets - kept)


def table(cells: Sequence[Cell]) -> str:
    """Markdown."""
    lines = ["| law | noise of log loss | sets | prediction | N* | not fitted |", "|---|---|---|---|---|---|"]
    lines += [f"| {c.law} | {c.noise:g} | {c.sets} | {c.prediction:.1%} | {c.best:.1%} | {c.failed} |" for c in cells]
    return "\n".join(lines)


def main() -> None:
    """Run every cell and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    jobs = [(name, noise) for name in LAWS for noise in NOISE]
    with ProcessPoolExecutor(options.workers) as pool:
        cells = []
        for done in pool.map(cell, *zip(*jobs, strict=True), [options.sets] * len(jobs)):
            cells.append(done)
            print(done, flush=True)
    worst = max(abs(share - LEVEL) for c in cells for share in (c.prediction, c.best))
    text = (
        f"# Coverage of {LEVEL:.0%} intervals where the truth is known\n\n49 runs per set (7 N from 1e7 to 1e10, 7 D "
        "from 1e9 to 1e11), least squares of logarithms.\nPrediction: a new run with its noise at N = 1e11, D = 1e12. "
        f"N*: at {COMPUTE:g} FLOP, by profile likelihood.\n`python benchmarks/judgement/coverage.py --sets "
        f"{options.sets}`; standard error of a share {math.sqrt(LEVEL * (1 - LEVEL) / options.sets):.1%}; largest "
        f"distance from nominal {100 * worst:.1f} points.\n\n{table(cells)}\n"
    )
    if options.output:
        options.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
