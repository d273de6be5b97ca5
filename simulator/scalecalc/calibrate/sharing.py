"""Resamples shared among processes or machines, block by block: the same numbers whoever computes them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from scalecalc.errors import ScalecalcError, UsageError, one_line

MOST_WORKERS = 256
PATIENCE, GLANCE = 5.0, 0.5
"""Seconds a cluster may be silent or without workers, and between two looks at it."""


@contextmanager
def crew(workers: int = 1, cluster: str | None = None) -> Iterator[Any]:
    """Something with a `map` that computes blocks: this process, several, or a Dask cluster.

    Args:
        workers: processes.
        cluster: address of a Dask scheduler.

    Raises:
        UsageError: no such number of workers, no cluster at the address, or either ends before its work does.
    """
    if not 1 <= workers <= MOST_WORKERS:
        raise UsageError(f"{workers} workers", where="--workers", todo=f"give 1 to {MOST_WORKERS}")
    if cluster is not None:
        if workers > 1:
            raise UsageError("--workers and --cluster", where="--cluster", todo="give one: a cluster has its own")
        with connected(cluster) as client:
            yield lambda function, items: _gathered(client, cluster, function, items)
    elif workers > 1:
        with _pool(workers) as share:
            yield share
    else:
        yield map


@contextmanager
def _pool(workers: int) -> Iterator[Any]:
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            yield pool.map
        except BrokenProcessPool:
            what, todo = "a worker was ended before its work was", "use fewer workers, they may lack memory"
            raise UsageError(what, where="--workers", todo=todo) from None


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the Dask scheduler at an address; what Dask logs of lost connections is left out, one line says it.

    Raises:
        UsageError: distributed is not installed, or there is no scheduler.
    """
    distributed = _distributed()
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        client = distributed.Client(address, timeout=PATIENCE)
    except (OSError, ValueError, RuntimeError, MemoryError) as error:  # the last one for names that cannot be resolved
        logging.disable(before)
        what = f"no scheduler at '{address:.80}' ({str(error) or 'not to be reached':.120})"
        raise UsageError(what, where="--cluster", todo="start one: dask scheduler") from None
    try:
        yield client
    finally:
        client.close(timeout=1)
        logging.disable(before)


def _distributed() -> Any:
    try:
        return import_module("distributed")
    except ImportError:
        what, todo = "distributed is not installed", "pip install 'scalecalc[cluster]', or use --workers"
        raise UsageError(what, where="--cluster", todo=todo) from None


def _gathered(client: Any, address: str, function: Any, items: Iterable[Any]) -> list[Any]:
    """Results in their order, as long as somebody computes them."""
    distributed = _distributed()
    futures, alone = client.map(function, list(items), pure=False), 0.0
    while True:
        try:
            distributed.wait(futures, timeout=GLANCE)
            return list(client.gather(futures))
        except distributed.TimeoutError:
            working = client.status == "running" and client.scheduler_info()["workers"]
            alone = 0.0 if working else alone + GLANCE
            what = "has no workers" if client.status == "running" else "is gone"
        except ScalecalcError:
            raise
        except distributed.CancelledError:
            alone, what = PATIENCE, "is gone"
        except Exception as error:  # whatever a worker, or the way to it, may raise
            alone, what = PATIENCE, f"failed ({one_line(str(error) or type(error).__name__):.160})"
        if alone >= PATIENCE:
            todo = "look at its log; the workers need this version of scalecalc"
            raise UsageError(f"the cluster at '{address:.80}' {what}", where="--cluster", todo=todo)
