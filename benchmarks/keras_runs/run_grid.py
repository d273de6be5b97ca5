"""Train the declared grid, or what of it has no row yet.

    python -m benchmarks.keras_runs.run_grid --list                    every run with its size, samples, FLOPs, seconds
    python -m benchmarks.keras_runs.run_grid --rows FOLDER             all of it; again after an interrupt
    python -m benchmarks.keras_runs.run_grid --rows FOLDER --only smoke

Run it from the top of the source tree, with the extra `keras`. Rows go to `FOLDER/DOMAIN.csv` as each run ends.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from benchmarks.keras_runs.crews import local, remote
from benchmarks.keras_runs.grid import GRIDS, Run, declared, tuning_of
from benchmarks.keras_runs.schedule import Rows, execute, holding
from benchmarks.keras_runs.sources import folder_of
from scalecalc.errors import ScalecalcError, UsageError

CACHE = Path.home() / ".cache" / "scalecalc" / "keras_runs"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when all runs asked for have rows, 2 with one line on stderr when something is wrong."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    try:
        return _run(options)
    except ScalecalcError as error:
        print(f"run_grid: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("run_grid: stopped; the same command goes on with the runs that have no row", file=sys.stderr)
        return 130


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("run_grid", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="print the runs and train nothing")
    parser.add_argument("--rows", type=Path, default=Path("keras_rows"), metavar="FOLDER", help="one CSV per domain")
    parser.add_argument("--domain", action="append", choices=list(GRIDS), help="this one only; may be repeated")
    parser.add_argument(
        "--only", action="append", metavar="WORD", help="runs with it in their name, or smoke; repeatable"
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="with the data: plain files or packages")
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="FOLDER", help=f"for fetched data [{CACHE}]")
    parser.add_argument("--workers", type=int, default=1, help="processes of one thread each [1]")
    parser.add_argument("--cluster", metavar="ADDRESS", help="of a Dask scheduler whose workers train")
    parser.add_argument("--budget-seconds", type=float, metavar="S", help="begin no run after that time")
    return parser


def _run(options: argparse.Namespace) -> int:
    if not 1 <= options.workers <= 256:
        raise UsageError(f"{options.workers} workers", where="--workers", todo="give 1 to 256")
    runs = chosen(options.only or [], options.domain or list(GRIDS))
    rows = Rows(options.rows)
    show(runs, {name for run in runs if (name := run.name) in rows.read(run.domain)})
    if options.list:
        return 0
    with holding(options.rows):
        pending = [run for run in runs if run.name not in rows.read(run.domain)]
        folders = {
            domain: folder_of(domain, options.cache, options.data).resolve() for domain in {r.domain for r in pending}
        }
        crew = remote(options.cluster) if options.cluster else local(options.workers)
        with crew as (submit, workers):
            failed = execute(pending, declared(), rows, folders, submit, workers, options.budget_seconds)
    for line in failed:
        print(f"run_grid: {line}", file=sys.stderr)
    return 2 if failed else 0


def chosen(words: Sequence[str], domains: Sequence[str]) -> list[Run]:
    """Declared runs whose name holds one of the words, with the tuning runs they need.

    Raises:
        UsageError: there is none.
    """
    runs = declared(domains)
    found = [run for run in runs if not words or any(w in run.name or (w == "smoke" and run.smoke) for w in words)]
    if not found:
        raise UsageError(f"no run has {' or '.join(words)} in its name", where="--only", todo="see --list")
    needed = {name for run in found for name in tuning_of(run, runs)} | {run.name for run in found}
    return [run for run in runs if run.name in needed]


def show(runs: Sequence[Run], done: set[str]) -> None:
    """Print the runs: parameters, samples, FLOPs, about how many seconds on one core."""
    print(f"{'run':44} {'N':>8} {'D':>11} {'C':>9} {'seconds':>8}")
    for run in runs:
        mark = " done" if run.name in done else ""
        print(f"{run.name:44} {run.params:8,} {run.samples:11,} {run.flops:9.2e} {run.seconds:8,.0f}{mark}")
    left = sum(run.seconds for run in runs if run.name not in done)
    print(f"{len(runs)} runs, {len(done)} done; the others take about {left / 3600:.1f} hours of one core", flush=True)


if __name__ == "__main__":
    sys.exit(main())
