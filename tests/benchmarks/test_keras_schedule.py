"""Runs are trained once each, in an order their learning rates allow, whatever stops the grid; nothing is trained."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from benchmarks.keras_runs import run_grid
from benchmarks.keras_runs.crews import Work, local
from benchmarks.keras_runs.grid import Run, declared
from benchmarks.keras_runs.schedule import Rows, execute, holding
from scalecalc.appending import append
from scalecalc.errors import FileError

FOLDERS = {domain: Path(domain) for domain in ("text", "images", "speech")}


class Trainer:
    """Writes a row at once; its loss is least at the first learning rate; some runs do something else."""

    def __init__(self, instead: Callable[[Run], object] = lambda run: None) -> None:
        self.instead, self.trained, self.rates = instead, [], {}

    def __call__(self, work: Work) -> "Future[Any]":
        run, rate, _, path = work
        self.rates[run.name] = rate
        future: Future[Any] = Future()
        try:
            self.instead(run)
            path.parent.mkdir(exist_ok=True)
            append(path, {"run": run.name, "loss": 2 + rate, "rate": rate})
            self.trained.append(run.name)
            future.set_result(None)
        except Exception as error:
            future.set_exception(error)
        return future


def raising(error: BaseException, at: int) -> Callable[[Run], None]:
    """Raises at the so-manieth run."""
    count = iter(range(1000))

    def instead(run: Run) -> None:
        if next(count) == at:
            raise error

    return instead


def go(runs: list[Run], folder: Path, trainer: Trainer, **options: Any) -> list[str]:
    """Execute what has no row yet."""
    rows = Rows(folder)
    pending = [run for run in runs if run.name not in rows.read(run.domain)]
    return execute(pending, declared(), rows, FOLDERS, trainer, **options)


def names(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.glob("*.csv")):
        with open(path, encoding="utf-8", newline="") as file:
            found += [row["run"] for row in csv.DictReader(file)]
    return found


def test_every_run_has_one_row_and_tuning_comes_first(tmp_path: Path) -> None:
    trainer = Trainer()
    assert go(declared(), tmp_path / "rows", trainer) == []
    assert sorted(names(tmp_path / "rows")) == sorted(run.name for run in declared())
    place = {name: at for at, name in enumerate(trainer.trained)}
    for run in declared():
        if run.domain == "text" and run.rate is None:
            tuning = [other for other in declared() if other.split == "tuning" and other.width == run.width]
            assert all(place[other.name] < place[run.name] for other in tuning)
            assert trainer.rates[run.name] == min(other.rate or 0 for other in tuning)


def test_after_an_interrupt_it_goes_on_without_double_rows(tmp_path: Path) -> None:
    runs = declared(["speech"])
    with pytest.raises(KeyboardInterrupt):
        go(runs, tmp_path / "rows", Trainer(raising(KeyboardInterrupt(), 20)))
    assert len(names(tmp_path / "rows")) == 20
    again = Trainer()
    assert go(runs, tmp_path / "rows", again) == []
    assert len(again.trained) == len(runs) - 20
    assert sorted(names(tmp_path / "rows")) == sorted(run.name for run in runs)


def test_a_full_disk_ends_it_and_leaves_the_rows(tmp_path: Path) -> None:
    trainer = Trainer(raising(FileError("No space left on device", where="rows.csv"), 5))
    with pytest.raises(FileError, match="No space left on device"):
        go(declared(["speech"]), tmp_path / "rows", trainer)
    assert names(tmp_path / "rows") == trainer.trained
    assert len(trainer.trained) == 5


def test_a_run_that_fails_takes_only_those_that_need_it(tmp_path: Path) -> None:
    runs = [run for run in declared(["text"]) if run.width in (16, 24)]

    def instead(run: Run) -> None:
        if run.split == "tuning" and run.width == 16:
            raise RuntimeError("its process ended early")

    failed = go(runs, tmp_path / "rows", Trainer(instead))
    assert len(failed) == 5 + 1  # rates at width 16, and the line below
    assert failed[0].startswith("text-tune-d16L1-")
    waiting = [run for run in runs if run.width == 16 and run.rate is None]
    assert failed[-1].startswith(f"{len(waiting)} runs wait for the tuning runs")
    assert len(names(tmp_path / "rows")) == len(runs) - 5 - len(waiting)


def test_the_budget_of_time(tmp_path: Path) -> None:
    assert go(declared(["speech"]), tmp_path / "rows", trainer := Trainer(), budget=-1) == []
    assert trainer.trained == []


def test_rows_from_elsewhere_are_written_here(tmp_path: Path) -> None:
    def submit(work: Work) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result({"run": work[0].name, "loss": 1.0})
        return future

    (rows := Rows(tmp_path)).folder.mkdir(exist_ok=True)
    runs = declared(["speech"])[:3]
    assert execute(runs, runs, rows, FOLDERS, submit, workers=2) == []
    assert set(rows.read("speech")) == {run.name for run in runs}


def test_one_grid_at_a_time(tmp_path: Path) -> None:
    with holding(tmp_path), pytest.raises(FileError, match="another grid is writing there"), holding(tmp_path):
        pass
    with holding(tmp_path):
        pass


def test_rows_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "speech.csv").write_text("a,b\n1,2\n")
    assert run_grid.main(["--list", "--domain", "speech", "--rows", str(tmp_path)]) == 2
    assert "it has no rows of runs" in capsys.readouterr().err


# --- processes


def work(tmp_path: Path) -> Work:
    return declared()[0], 0.1, tmp_path, tmp_path / "rows.csv"


def test_a_process_for_each_run(tmp_path: Path) -> None:
    """What is called there comes back: nothing, or what went wrong."""
    with local(2, len) as (submit, workers):
        assert workers == 2
        assert [submit(work(tmp_path)).result() for _ in range(2)] == [None, None]
    with local(1, int) as (submit, _), pytest.raises(RuntimeError, match="TypeError"):
        submit(work(tmp_path)).result()


WAITS = """
import os, sys, time
from functools import partial
from pathlib import Path

def forever(work):
    (work[3].parent / "pid.new").write_text(str(os.getpid()))
    (work[3].parent / "pid.new").rename(work[3].parent / "pid")
    time.sleep(60)

if __name__ == "__main__":
    import waits
    from benchmarks.keras_runs import run_grid
    run_grid.local = partial(run_grid.local, task=waits.forever)
    run_grid.folder_of = lambda *where: Path()
    sys.exit(run_grid.main(["--domain", "speech", "--rows", sys.argv[1]]))
"""


def waited(condition: Callable[[], bool]) -> bool:
    """Whether it holds within ten seconds."""
    return any(condition() or time.sleep(0.05) for _ in range(200))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_grid_that_is_stopped_leaves_no_run_behind(how: signal.Signals, tmp_path: Path) -> None:
    """Nobody trains on to write a row that the next grid writes too."""
    script, rows = tmp_path / "waits.py", tmp_path / "rows"
    script.write_text(WAITS)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((os.getcwd(), str(tmp_path), *sys.path))}
    with open(tmp_path / "said", "w") as said, open(tmp_path / "error", "w") as error:
        grid = subprocess.Popen([sys.executable, str(script), str(rows)], env=environment, stdout=said, stderr=error)
        assert waited((rows / "pid").exists)
        child = int((rows / "pid").read_text())
        grid.send_signal(how)
        code = grid.wait(20)
    assert waited(lambda: not Path(f"/proc/{child}").exists())
    if how != signal.SIGKILL:
        assert code == 130
        assert (tmp_path / "error").read_text().startswith("run_grid: stopped; the same command goes on")
        assert len((tmp_path / "error").read_text().splitlines()) == 1
