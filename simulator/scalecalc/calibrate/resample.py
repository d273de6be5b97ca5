"""Coefficients of resampled runs: what another set of runs of the same kind would have given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalecalc.calibrate.fit import FINE, Fit, ended, finish, rescued, scale_of
from scalecalc.calibrate.newton import Optimum, minimise
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError

DRAWS = 4_000
BLOCK = 500
"""Resamples of one seed: their numbers do not depend on how many processes share the work."""


LOST = 20
"""One resample in so many may have no optimum."""


def weights_of(groups: Sequence[int], count: int, seed: int) -> Array:
    """How often each observation stands in each of `count` resamples, (count, n): all of a run together.

    Args:
        groups: the run each observation belongs to, (n), numbered from 0.
        count: resamples.
        seed: of the whole series; resample k is the same whatever `count` is.
    """
    blocks = range(-(-count // BLOCK))
    return np.concatenate([weights_of_block(groups, min(BLOCK, count - b * BLOCK), seed, b) for b in blocks])


def weights_of_block(groups: Sequence[int], count: int, seed: int, block: int) -> Array:
    """The first `count` resamples of a block, as `weights_of`."""
    labels = np.asarray(groups)
    runs = int(labels.max()) + 1
    drawn = np.random.default_rng([seed, block]).multinomial(runs, np.full(runs, 1.0 / runs), size=BLOCK)
    found: Array = drawn[:count, labels].astype(float)
    return found


@dataclass(frozen=True)
class Work:
    """One block of resamples, as it is sent.

    Attributes:
        problem: with all runs.
        point: its optimum, (p).
        groups: the run of each observation, (n).
        block, count, seed: which resamples.
    """

    problem: Problem
    point: Array
    groups: Sequence[int]
    block: int
    count: int
    seed: int


def compute(work: Work) -> Optimum:
    """The optima of one block."""
    weights = weights_of_block(work.groups, work.count, work.seed, work.block)
    found = finish(work.problem, np.repeat(work.point[None], work.count, axis=0), weights)
    return rescued(work.problem, found, np.flatnonzero(~ended(work.problem, found)), weights)


def bootstrap(fit: Fit, count: int = DRAWS, seed: int = 0, share: Any = map) -> Optimum:
    """The optima of resampled runs, each found from that of all of them, to the same gradient.

    Args:
        fit: of all runs.
        count, seed: of the resamples.
        share: computes blocks as `map` does: in this process, or in those of a `sharing.crew`.

    Raises:
        FitError: more than 1 in LOST resamples has no optimum: the runs do not determine the coefficients.
    """
    groups = list(range(len(fit.problem.observed))) if fit.groups is None else fit.groups.tolist()
    problem = replace(fit.problem)  # without what was compiled for this process
    works = [
        Work(problem, fit.point, groups, block, min(BLOCK, count - block * BLOCK), seed)
        for block in range(-(-count // BLOCK))
    ]
    found = Optimum(*(np.concatenate(columns) for columns in zip(*share(compute, works), strict=True)))
    _check(found, fit, count)
    return found


def bootstrap_residuals(fit: Fit, count: int = DRAWS, seed: int = 0) -> Optimum:
    """The optima for observations made anew: the fitted ones, each with the residual of another.

    Right where the runs were planned and would be planned alike again; residuals are drawn one by one, widened by
    sqrt(n/(n - p)) for what the fit took out of them.

    Raises:
        FitError: more than 1 in 20 has no optimum, or the loss has corners.
    """
    if fit.problem.loss.name == "lad":
        raise FitError("absolute deviations and resampled residuals", todo="resample runs, or use --loss huber")
    found = minimise(
        fit.problem.evaluate_against, np.repeat(fit.point[None], count, axis=0), targets_of(fit, count, seed),
        FINE * 1e-3 * scale_of(fit.problem.loss),
    )  # fmt: skip
    _check(found, fit, count)
    return found


def targets_of(fit: Fit, count: int, seed: int) -> Array:
    """Observations with resampled residuals, (count, n), as the problem's residuals see them."""
    residuals = fit.residuals
    size = len(residuals)
    fitted = fit.problem.residuals(fit.point[None], np.zeros((1, size)))[0]
    wide = (residuals - residuals.mean()) * np.sqrt(size / max(size - len(fit.point), 1))
    parts = []
    for block in range(-(-count // BLOCK)):
        chosen = np.random.default_rng([seed, block, 1]).integers(size, size=(BLOCK, size))
        parts.append(wide[chosen[: count - block * BLOCK]])
    return np.asarray(fitted - np.concatenate(parts))


def solved(fit: Fit, found: Optimum) -> NDArray[np.bool_]:
    """Which resamples have an optimum, (s)."""
    return ended(fit.problem, found)


def _check(found: Optimum, fit: Fit, count: int) -> None:
    lost = int((~solved(fit, found)).sum())
    if lost * LOST > count:
        raise FitError(f"{lost} of {count} resamples have no optimum", todo="give more runs, or a simpler formula")
