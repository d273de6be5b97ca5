"""Train the smoke runs again, in less than a minute of processor time, and compare them with the recorded rows.

    python -m benchmarks.keras_runs.smoke [--recorded FOLDER] [OPTION OF run_grid ...]

Exit code 1 where a loss is further from the recorded one than SPREADS deviations of what another seed makes of it. On
the processor and versions of the recorded rows it is the same to the last bit.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.keras_runs import run_grid
from benchmarks.keras_runs.grid import HERE, Run, declared
from benchmarks.keras_runs.schedule import Rows

SPREADS = 4
LOSS = "test_loss"


def noise(rows: Iterable[Mapping[str, str]], run: Run) -> float:
    """Standard deviation of the logarithm of the loss among runs of a size that differ by their seed alone."""
    alike: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if (float(row["width"]), int(row["depth"])) == (run.width, run.depth):
            alike[row["run"].rpartition("-s")[0]].append(math.log(float(row[LOSS])))
    spreads = [statistics.variance(losses) for losses in alike.values() if len(losses) > 1]
    return math.sqrt(statistics.fmean(spreads)) if spreads else math.inf


def compare(new: Rows, recorded: Rows) -> list[str]:
    """Print both losses of every smoke run; the names of those that differ by more than the seed's noise."""
    differ, seconds = [], 0.0
    for run in (run for run in declared() if run.smoke):
        rows = recorded.read(run.domain)
        now, then = float(new.read(run.domain)[run.name][LOSS]), float(rows[run.name][LOSS])
        spread, apart = noise(rows.values(), run), abs(math.log(now / then))
        said = "the same" if now == then else f"{100 * apart:.3f} % apart"
        print(f"{run.name:32} {now:.6f}, recorded {then:.6f}: {said}; another seed makes {100 * spread:.1f} %")
        differ += [run.name] * (apart > SPREADS * spread)
        seconds += float(new.read(run.domain)[run.name]["cpu_seconds"])
    print(f"{seconds:.0f} s of processor time")
    return differ


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 where all agree, 1 where some differ, that of the grid where it fails."""
    parser = argparse.ArgumentParser("smoke", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--recorded", type=Path, default=HERE / "rows", metavar="FOLDER", help="of the recorded rows")
    options, others = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        if code := run_grid.main(["--only", "smoke", "--rows", folder, *others]):
            return code
        differ = compare(Rows(Path(folder)), Rows(options.recorded))
    for name in differ:
        print(f"smoke: {name}: its loss differs by more than the seed's noise", file=sys.stderr)
    return int(bool(differ))


if __name__ == "__main__":
    sys.exit(main())
