"""Resamples shared among processes or machines, block by block: the same numbers whoever computes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scalecalc.calibrate.fit import FINE, Fit, finish, scale_of
from scalecalc.calibrate.newton import Optimum
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.resample import BLOCK, weights_of_block
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FitError, UsageError

MOST_WORKERS = 256
LOST = 20
"""One resample in so many may have no optimum."""


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
    return finish(work.problem, np.repeat(work.point[None], work.count, axis=0), weights)


@contextmanager
def crew(workers: int = 1, cluster: str | None = None) -> Iterator[Any]:
    """Something with a `map` that computes blocks: this process, several, or a Dask cluster.

    Args:
        workers: processes.
        cluster: address of a Dask scheduler.

    Raises:
        UsageError: no such number of workers, or no cluster at the address.
    """
    if not 1 <= workers <= MOST_WORKERS:
        raise UsageError(f"{workers} workers", where="--workers", todo=f"give 1 to {MOST_WORKERS}")
    if cluster is not None:
        with connected(cluster) as client:
            yield lambda function, items: client.gather(client.map(function, items))
    elif workers > 1:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield pool.map
    else:
        yield map


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the Dask scheduler at an address.

    Raises:
        UsageError: distributed is not installed, or there is no scheduler.
    """
    from importlib import import_module

    try:
        client_of = import_module("distributed").Client
    except ImportError:
        what, todo = "distributed is not installed", "pip install 'scalecalc[cluster]', or use --workers"
        raise UsageError(what, where="--cluster", todo=todo) from None
    try:
        client = client_of(address, timeout="10s")
    except (OSError, ValueError) as error:
        what = f"no scheduler at '{address:.80}' ({error})"
        raise UsageError(what, where="--cluster", todo="start one: dask scheduler") from None
    try:
        yield client
    finally:
        client.close()


def shared_bootstrap(fit: Fit, groups: Sequence[int], count: int, seed: int, share: Any = map) -> Optimum:
    """As `resample.bootstrap`, its blocks computed by `share(compute, works)`.

    Raises:
        FitError: more than 1 in LOST resamples has no optimum.
    """
    problem = replace(fit.problem)  # without what was compiled for this process
    works = [
        Work(problem, fit.point, groups, block, min(BLOCK, count - block * BLOCK), seed)
        for block in range(-(-count // BLOCK))
    ]
    found = Optimum(*(np.concatenate(columns) for columns in zip(*share(compute, works), strict=True)))
    lost = int((found.gradients > FINE * scale_of(fit.problem.loss)).sum())
    if lost * LOST > count:
        raise FitError(f"{lost} of {count} resamples have no optimum", todo="give more runs, or a simpler formula")
    return found
