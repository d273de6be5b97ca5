"""Who trains: processes of this machine, one for each run, or the workers of a cluster."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.keras_runs.grid import Run
from benchmarks.keras_runs.sources import folder_of
from scalecalc.errors import FileError, ScalecalcError, UsageError

Work = tuple[Run, float, Path, Path]
"""A run, its learning rate, the folder of its data, the file its row goes to."""
Submit = Callable[[Work], "Future[Mapping[str, object] | None]"]
"""Begins one; its result is the row where somebody else has still to write it."""


@contextmanager
def local(workers: int, task: Callable[[Work], object] | None = None) -> Iterator[tuple[Submit, int]]:
    """A process for each run, so many at a time; all end with this one.

    Args:
        workers: processes.
        task: what is called there, instead of the training.
    """
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tensorflow", "keras"])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    children: set[Any] = set()

    def child(work: Work) -> None:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(task or trained, work, theirs), daemon=True)
        children.add(process)
        process.start()
        theirs.close()
        try:
            error = ours.recv()
        except EOFError:
            error = RuntimeError("its process ended early")
        process.join()
        children.discard(process)
        if error is not None:
            raise error

    with ThreadPoolExecutor(workers) as pool:
        try:
            yield (lambda work: pool.submit(child, work)), workers
        except BaseException:
            for process in list(children):
                if process.pid is not None:
                    process.terminate()
            raise


def trained(work: Work) -> None:
    """Train; TensorFlow is loaded only now."""
    from benchmarks.keras_runs.training import train

    train(*work)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _child(task: Callable[[Work], object], work: Work, pipe: Any) -> None:
    """Do the work, and say what went wrong; end where the parent has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    error: Exception | None = None
    try:
        task(work)
    except ScalecalcError as found:
        error = FileError(str(found))
    except Exception as found:
        error = RuntimeError(f"{type(found).__name__}: {found}")
    pipe.send(error)


@contextmanager
def remote(address: str) -> Iterator[tuple[Submit, int]]:
    """Workers of a Dask cluster; rows come back and are written here.

    Raises:
        UsageError: no cluster at the address.
    """
    from scalecalc.calibrate.sharing import connected

    with connected(address) as client:
        pool, workers = client.get_executor(pure=False), sum(client.nthreads().values())
        if not workers:
            raise UsageError(
                f"the scheduler at '{address}' has no worker", where="--cluster", todo="start: dask worker"
            )
        yield (lambda work: pool.submit(elsewhere, work)), workers


def elsewhere(work: Work) -> Mapping[str, object]:
    """The row of a run that is trained on another machine; data are fetched there where the folder has none."""
    from benchmarks.keras_runs.training import train

    run, rate, folder, _ = work
    with tempfile.TemporaryDirectory() as place:
        train(run, rate, folder_of(run.domain, folder.parent), path := Path(place) / "row.jsonl")
        row: Mapping[str, object] = json.loads(path.read_text())
    return row
