"""CPU time of fits and bootstraps of the Chinchilla law, beside scipy's L-BFGS-B in the same run.

    python benchmarks/calibration/run.py [--sample 60] [--pairs 3] [--check] [--save]

Both minimise one objective (the sum of Huber losses of log residuals, delta 1e-3, of the 240 trainings) of the same
resamples. Ours starts from the optimum of all trainings, scipy's there and elsewhere (`WAYS`). It has no derivatives,
as in the replication's notebook; it fits a sample of the resamples, and its time is that of one times their number.
`--check` exits 1 where a limit does not hold; `--save` writes results.json and results.md beside this script.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np
import scipy
from scipy.optimize import minimize

from scalecalc.calibrate.fit import fit
from scalecalc.calibrate.losses import huber
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.resample import DRAWS, bootstrap, weights_of
from scalecalc.expressions import parse

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "simulator" / "scalecalc" / "calibrate" / "data" / "chinchilla.csv"
DROPPED, DELTA, MISSED = 5, 1e-3, 1e-6
GRID = (5.0, 5.0, 0.5, 0.5, 0.5)
"""One of the starts Hoffmann et al. 2022 fit from: log A, log B, log E, alpha, beta."""
TIGHT = {"ftol": 1e-15, "gtol": 1e-10, "maxfun": 100_000, "maxiter": 100_000}
WAYS: dict[str, tuple[Any, int, dict[str, float]]] = {
    "from the optimum of all, default tolerances": (None, 0, {}),
    "from the optimum of all, tightest tolerances": (None, 0, TIGHT),
    "the same, restarted up to 30 times while it misses": (None, 30, TIGHT),
    "from a start of the published grid, tightest tolerances": (GRID, 0, TIGHT),
}
"""Start (None: the optimum of all trainings), restarts, options."""
EQUAL = list(WAYS)[2:]
"""Those that come to the optima: what ours is compared with."""
Found = TypeVar("Found")


def chinchilla(copies: int = 1) -> Problem:
    """The law for the trainings that the replication keeps, each `copies` times."""
    n, c, loss = np.loadtxt(DATA, delimiter=",", skiprows=3, usecols=(0, 1, 2), unpack=True)
    kept = np.tile(np.argsort(loss)[: len(loss) - DROPPED], copies)
    data = {"N": n[kept], "D": (c / (6 * n))[kept]}
    formula = parse("E + A/N**alpha + B/D**beta")
    return Problem(formula, ("A", "B", "E"), ("alpha", "beta"), data, loss[kept], huber(DELTA))


def seconds(work: Callable[[], Found]) -> tuple[float, Found]:
    """CPU seconds of this process, and what came of them."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def objective(problem: Problem, weights: Any) -> Callable[[Any], float]:
    """What scipy minimises, over (log A, log B, log E, alpha, beta), as one would write it by hand."""
    log_n, log_d, log_l = np.log(problem.data["N"]), np.log(problem.data["D"]), np.log(problem.observed)

    def value(x: Any) -> float:
        terms = np.array([x[0] - x[3] * log_n, x[1] - x[4] * log_d, np.full_like(log_n, x[2])])
        largest = terms.max(axis=0)
        size = np.abs(np.log(np.exp(terms - largest).sum(axis=0)) + largest - log_l)
        return float(weights @ np.where(size <= DELTA, 0.5 * size**2, DELTA * (size - 0.5 * DELTA)))

    return value


def by_scipy(start: Any, rows: Any, best: Any, problem: Problem, again: int = 0, **options: float) -> list[float]:
    """What L-BFGS-B reaches for each resample, by finite differences; restarted while it misses the best."""
    found = []
    for weights, least in zip(rows, best, strict=True):
        value, x = objective(problem, weights), start
        for _ in range(1 + again):
            end = minimize(value, x, method="L-BFGS-B", options=options)
            x = end.x
            if end.fun <= least * (1 + MISSED):
                break
        found.append(float(end.fun))
    return found


def measure(sample: int, pairs: int) -> dict[str, Any]:
    """Medians over `pairs` rounds in which ours and scipy's alternate."""
    problem = chinchilla()
    fit(problem)  # loads what the first fit loads
    points = [seconds(lambda: fit(chinchilla())) for _ in range(pairs)]
    point = points[0][1]
    chosen = slice(0, None, -(-DRAWS // sample))
    rows = weights_of(range(len(problem.observed)), DRAWS, 0)[chosen]
    best = bootstrap(point).values[chosen]
    ours, gradient = [], 0.0
    theirs: dict[str, list[tuple[float, list[float]]]] = {name: [] for name in WAYS}
    for _ in range(pairs):
        cpu, found = seconds(lambda: bootstrap(point))
        ours.append(cpu)
        gradient = float(found.gradients.max())
        for name, (start, again, options) in WAYS.items():
            x = point.point if start is None else np.array(start)
            run = seconds(lambda x=x, a=again, o=options: by_scipy(x, rows, best, problem, a, **o))
            theirs[name].append(run)
    cpu = median(ours)
    others = {}
    for name, runs in theirs.items():
        whole = median(t for t, _ in runs) / len(rows) * DRAWS
        missed = float(np.mean(np.array(runs[0][1]) > best * (1 + MISSED)))
        others[name] = {"cpu": whole, "ratio": whole / cpu, "missed": missed}
    return {
        "point": {"cpu": median(t for t, _ in points), "starts": point.starts, "agreed": point.agreed},
        "bootstrap": {"resamples": DRAWS, "cpu": cpu, "gradient": gradient},
        "scipy": {"sample": len(rows), **others},
        "growth": growth(pairs),
    }


def growth(pairs: int) -> dict[str, dict[str, float]]:
    """CPU seconds of bootstraps for more resamples and more trainings."""
    point, found = fit(chinchilla()), {}
    found["resamples"] = {
        str(count): median(seconds(lambda count=count: bootstrap(point, count=count))[0] for _ in range(pairs))
        for count in (1_000, 2_000, 4_000, 8_000)
    }
    found["trainings"] = {}
    for copies in (1, 2, 4, 8):
        more = fit(chinchilla(copies))
        cpu = median(seconds(lambda more=more: bootstrap(more, count=1_000))[0] for _ in range(pairs))
        found["trainings"][str(len(more.problem.observed))] = cpu
    return found


def failures(result: dict[str, Any]) -> list[str]:
    """Limits that do not hold."""
    found = []
    if result["point"]["cpu"] > 1 or result["point"]["agreed"] < result["point"]["starts"]:
        found.append("a point fit from 75 starts takes more than 1 s, or not all agree")
    if min(result["scipy"][name]["ratio"] for name in EQUAL) < 100:
        found.append("bootstraps are not 100 times as fast as scipy's")
    for what, cpu in result["growth"].items():
        counts, times = [int(c) for c in cpu], list(cpu.values())
        if times[-1] / times[0] > 1.3 * counts[-1] / counts[0]:
            found.append(f"CPU grows faster than the number of {what}")
    return found


def markdown(result: dict[str, Any], broken: list[str]) -> str:
    """The results as tables."""
    point, boot, other = result["point"], result["bootstrap"], result["scipy"]
    lines = [
        "| what | CPU s | ratio | missed |",
        "|---|--:|--:|--:|",
        f"| point fit, {point['agreed']} of {point['starts']} starts at the optimum | {point['cpu']:.2f} | | |",
        f"| {boot['resamples']:,} bootstraps | {boot['cpu']:.2f} | 1 | 0 |",
    ]
    for name in WAYS:
        row = other[name]
        lines.append(f"| scipy* {name} | {row['cpu']:.0f} | {row['ratio']:.0f} | {row['missed']:.0%} |")
    for what, cpu in result["growth"].items():
        lines += ["", f"| {what} | bootstraps' CPU s |", "|--:|--:|"]
        lines += [f"| {int(count):,} | {t:.2f} |" for count, t in cpu.items()]
    notes = [
        f"* L-BFGS-B with finite differences; extrapolated from {other['sample']} resamples, spread evenly. Missed: "
        "resamples whose objective stays more than 1e-6, relatively, above the optimum found here.",
        f"- Largest gradient entry of the {boot['resamples']:,} optima: {boot['gradient']:.0e}.",
        "- Growth: resamples of 240 trainings; 1,000 resamples of the trainings repeated.",
        f"- Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, medians.",
        f"- Limits: {'; '.join(broken) or 'all hold'}.",
    ]
    return "\n".join([*lines, "", *notes]) + "\n"


def main() -> int:
    """Measure, print, and record if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sample", type=int, default=60, help="resamples that scipy fits")
    parser.add_argument("--pairs", type=int, default=3, help="rounds the medians are of")
    parser.add_argument("--check", action="store_true", help="exit 1 where a limit does not hold")
    parser.add_argument("--save", action="store_true", help="write results.json and results.md")
    options = parser.parse_args()
    result = measure(options.sample, options.pairs)
    broken = failures(result)
    table = markdown(result, broken)
    print(table)
    if options.save:
        (HERE / "results.md").write_text(table)
        (HERE / "results.json").write_text(json.dumps({**result, "failures": broken}, indent=1) + "\n")
    return int(options.check and bool(broken))


if __name__ == "__main__":
    raise SystemExit(main())
