"""Rows of smoke runs against recorded ones: how far apart they may be."""

from pathlib import Path

import pytest

from benchmarks.keras_runs.grid import declared
from benchmarks.keras_runs.schedule import Rows
from benchmarks.keras_runs.smoke import compare, noise
from scalecalc.appending import append


def rows(folder: Path, factor: float = 1.0) -> Rows:
    """Rows of every run at seeds 0, 1, 2: their losses are 1, 1.1, 1.21 times the factor."""
    folder.mkdir()
    found = Rows(folder)
    for run in declared():
        if run.smoke or run.split == "fit":
            row = {"run": run.name, "width": run.width, "depth": run.depth, "cpu_seconds": 3}
            append(found.path(run.domain), {**row, "test_loss": factor * 1.1**run.seed})
    return found


def test_noise_is_that_of_the_seed(tmp_path: Path) -> None:
    """Logarithms 0, l, 2l with l = log 1.1 = 0.09531 have the standard deviation l."""
    recorded = rows(tmp_path / "recorded")
    run = next(run for run in declared() if run.smoke and run.domain == "text")
    assert noise(recorded.read("text").values(), run) == pytest.approx(0.09531, abs=1e-5)
    assert noise([], run) == float("inf")


@pytest.mark.parametrize(("factor", "differ"), [(1.0, 0), (1.4, 0), (0.7, 0), (1.5, 5), (0.65, 5)])
def test_four_deviations_are_too_many(
    factor: float, differ: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """1.1 to the fourth is 1.46."""
    assert len(compare(rows(tmp_path / "new", factor), rows(tmp_path / "recorded"))) == differ
    said = capsys.readouterr().out
    assert said.count("the same") == (5 if factor == 1 else 0)
    assert said.endswith("15 s of processor time\n")
