"""Which run is next: each that is ready, cheap ones first, one row for each."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from pathlib import Path

from benchmarks.keras_runs.crews import Submit
from benchmarks.keras_runs.grid import Run, tuned, tuning_of
from scalecalc.appending import append
from scalecalc.errors import FileError, ScalecalcError


class Rows:
    """The rows of a folder, one CSV for each domain."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, domain: str) -> Path:
        """Of the file of a domain."""
        return self.folder / f"{domain}.csv"

    def read(self, domain: str) -> dict[str, dict[str, str]]:
        """A domain's rows by the run's name; none where there is no file.

        Raises:
            FileError: it is no table of runs.
        """
        path = self.path(domain)
        if not path.exists():
            return {}
        try:
            with open(path, encoding="utf-8", newline="") as file:
                return {row["run"]: row for row in csv.DictReader(file)}
        except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
            raise FileError(f"it has no rows of runs ({error})", where=str(path), todo="give another --rows") from None


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """The folder is this process's to write to: two that fill it would train the same runs twice.

    Raises:
        FileError: another one has it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o666)
    except OSError as error:
        raise FileError(error.strerror or str(error), where=str(folder), todo="give another --rows") from None
    try:
        try:
            import fcntl
        except ImportError:  # not on Windows
            pass
        else:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise FileError(
                    "another grid is writing there", where=str(folder), todo="give another --rows"
                ) from None
        yield
    finally:
        os.close(handle)


def execute(
    pending: Sequence[Run], runs: Sequence[Run], rows: Rows, folders: Mapping[str, Path], submit: Submit,
    workers: int = 1, budget: float | None = None,
) -> list[str]:  # fmt: skip
    """Train what is pending as soon as its tuning runs are over.

    Args:
        pending: in the order of their beginning.
        runs: all that are declared.
        rows: where the rows of the tuning runs are, and where new ones go.
        folders: of the data, by domain.
        submit: begins a run.
        workers: runs at a time.
        budget: seconds after which none begins.

    Returns:
        A line for each run that failed, and for those that had to wait for it.

    Raises:
        ScalecalcError: a row cannot be written: nothing more is begun.
    """
    waiting, failed, start, late = list(pending), [], time.monotonic(), False
    active: dict[Future[Mapping[str, object] | None], Run] = {}
    with _progress(pending) as (begun, ended):
        while waiting or active:
            late = budget is not None and time.monotonic() - start > budget
            while len(active) < workers and not late and (ready := _ready(waiting, runs, rows)):
                run, needs = ready
                waiting.remove(run)
                rate = tuned(run, needs, rows.read(run.domain))
                active[submit((run, rate, folders[run.domain], rows.path(run.domain)))] = run
                begun(run)
            if not active:
                break
            for future in wait(active, return_when=FIRST_COMPLETED).done:
                run = active.pop(future)
                ended(run)
                try:
                    if (row := future.result()) is not None:
                        append(rows.path(run.domain), row)
                except ScalecalcError:
                    wait(active)
                    raise
                except Exception as error:  # a run that fails takes no other with it
                    failed.append(f"{run.name}: {error}; run the same command again")
    if waiting and not late:
        failed.append(f"{len(waiting)} runs wait for the tuning runs of their size; run the same command again")
    return failed


def _ready(waiting: Sequence[Run], runs: Sequence[Run], rows: Rows) -> tuple[Run, list[str]] | None:
    """The first run whose tuning runs have rows, with their names."""
    for run in waiting:
        needs = tuning_of(run, runs)
        if not needs or set(needs) <= rows.read(run.domain).keys():
            return run, needs
    return None


@contextmanager
def _progress(pending: Sequence[Run]) -> Iterator[tuple[Callable[[Run], None], Callable[[Run], None]]]:
    """A bar of the estimated seconds on a terminal; a line for each run elsewhere."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = BarColumn(), TextColumn("{task.fields[done]}/{task.fields[count]} runs"), TimeElapsedColumn()
    with Progress(*columns, TimeRemainingColumn(), TextColumn("{task.description}")) as bar:
        task = bar.add_task("", total=sum(run.seconds for run in pending), count=len(pending), done=0)
        active: dict[str, float] = {}
        done = 0

        def begun(run: Run) -> None:
            active[run.name] = time.monotonic()
            bar.update(task, description=", ".join(active))

        def ended(run: Run) -> None:
            nonlocal done
            done += 1
            seconds = time.monotonic() - active.pop(run.name)
            if not bar.console.is_terminal:
                print(f"{run.name} {seconds:.0f} s", flush=True)
            bar.update(task, advance=run.seconds, done=done, description=", ".join(active))

        yield begun, ended
