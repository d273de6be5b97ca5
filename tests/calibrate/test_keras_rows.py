"""Rows that a real `model.fit` left behind are read without a word, and a law comes of them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from scalecalc.calibrate.calibration import calibrate
from scalecalc.calibrate.forms import form_of
from scalecalc.calibrate.method import Method
from scalecalc.calibrate.reading import Reading, runs_of
from scalecalc.calibrate.stated import Stated
from scalecalc.calibrate.tables import read
from scalecalc.errors import FileError, UsageError

ROWS = Path(__file__).parent / "data/runs_keras.csv"


@pytest.fixture(scope="module")
def reading() -> Reading:
    return runs_of(read(ROWS))


def test_nothing_is_assumed_but_what_the_rows_do_not_say(reading: Reading) -> None:
    runs = reading.runs
    assert runs.conventions == {
        "N": {"count": "total"}, "D": {"sample": "example", "meaning": "seen"},
        "U": {"sample": "example", "meaning": "unique"},
        "C": {"count": "exact", "attention": "unknown", "unit": "FLOP"},
    }  # fmt: skip
    assert (runs.metric, reading.better) == ("loss", "lower")
    assert [line.split(":")[0] for line in reading.assumptions] == [
        "loss has no unit",
        "the law is for any models like these",
    ]
    assert len(runs) == len(set(runs.groups.tolist())) == 24  # two seeds are two runs


def test_the_counts_are_those_of_the_networks(reading: Reading) -> None:
    """Dense 16 to w to w to 4: weights 16w + w^2 + 4w, biases 2w + 4; backward is twice, but nothing flows into x."""
    runs = reading.runs
    with ROWS.open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    w = np.array([float(row["width"]) for row in rows])
    linear = 16 * w + w * w + 4 * w
    assert (runs.columns["N"] == linear + 2 * w + 4).all()
    assert (runs.columns["D"] == 4 * runs.columns["U"]).all()  # four epochs
    assert (runs.columns["C"] == runs.columns["D"] * 2 * (3 * linear - 16 * w)).all()
    assert (runs.beside["steps"] == runs.columns["D"] / 32).all()
    assert runs.beside["train"].tolist() == [float(row["train_loss"]) for row in rows]
    by_count = [runs_of(read(ROWS), Stated(n_count=n)).runs.columns["N"] for n in ("linear", "non_embedding", "active")]
    assert (by_count[0] == linear).all()
    assert (by_count[1] == by_count[2]).all()


def test_a_law_comes_of_them(reading: Reading) -> None:
    """The largest networks with the most data are predicted from the others within 10 %; seeds differ by up to 9 %."""
    large = (reading.runs.columns["N"] > 1000) & (reading.runs.columns["U"] > 4000)
    found = calibrate(reading.chosen(~large), Method(draws=0), [form_of("kaplan-2020-joint", reading)])
    assert found.fitted.fit.gradient < 1e-8
    held = reading.runs.chosen(large)
    missed = np.log(found.fitted.predict(held.needed(found.law.inputs)) / held.observed)
    assert np.abs(missed).max() < 0.1
    assert any(line.startswith("16 of 22 runs of fewer than 1,000 steps") for line in found.doubts)


def test_accuracy_is_asked_for_by_name() -> None:
    """Test data before validation data; its training column beside it."""
    found = runs_of(read(ROWS), Stated(metric="accuracy"))
    assert (found.runs.metric, found.better, found.unit) == ("accuracy", "higher", "fraction")
    with ROWS.open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert found.runs.observed.tolist() == [float(row["test_accuracy"]) for row in rows]
    assert found.runs.beside["train"].tolist() == [float(row["train_accuracy"]) for row in rows]
    assert runs_of(read(ROWS), Stated(metric="validation_accuracy")).runs.observed[0] == float(
        rows[0]["validation_accuracy"]
    )


def test_a_metric_no_column_has() -> None:
    with pytest.raises(UsageError, match=r"no column of .* is called bleu; choose: --column P=loss"):
        runs_of(read(ROWS), Stated(metric="bleu"))


def test_counts_that_differ_from_row_to_row(tmp_path: Path) -> None:
    """As where one model had a layer nobody knows."""
    path = tmp_path / "rows.csv"
    path.write_text(ROWS.read_text().replace(",exact,", ",6N_total*D,", 1))
    with pytest.raises(FileError, match=r"C_count has 6N_total\*D and exact: counts are mixed"):
        runs_of(read(path))
    path.write_text(ROWS.read_text().replace(",test,", ",validation,", 1))
    with pytest.raises(FileError, match="loss_of has validation and test"):
        runs_of(read(path))
    assert runs_of(read(path), Stated(metric="accuracy")).runs.metric == "accuracy"
    path.write_text(ROWS.read_text().replace(",example,", ",token,", 1))
    with pytest.raises(FileError, match="sample has token and example: counts are mixed"):
        runs_of(read(path))
