"""Laws of the recorded rows: those that are shipped, found again; against other fits; from rows whose law is known."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy.optimize import least_squares

from benchmarks.keras_runs import calibrate_rows, curves, recorded, story, timing
from benchmarks.keras_runs.grid import Run, declared
from scalecalc.calibrate.bands import fitted_of, held_of
from scalecalc.hardware import device
from scalecalc.laws import catalogue
from scalecalc.laws.writing import text_of


def same(one: Any, other: Any, near: float) -> bool:
    """Equal but for the last digits of numbers, which depend on the processor."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k], near) for k in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other, [near] * len(one)))
    if isinstance(one, float):
        return isinstance(other, int | float) and one == pytest.approx(other, rel=near)
    return bool(one == other)


def test_shipped_laws_are_those_of_the_rows() -> None:
    shipped = {path.stem: path.read_text(encoding="utf-8") for path in calibrate_rows.LAWS.glob("keras-*.yaml")}
    found = {name: text_of(law) for name, law in calibrate_rows.laws().items()}
    assert shipped.keys() == found.keys(), "run python -m benchmarks.keras_runs.calibrate_rows"
    for name, text in found.items():
        then, now = (yaml.safe_load(part) for part in (shipped[name], text))
        for document in (then, now):  # numbers in words, and draws whose order may change
            document.pop("method")
            document.pop("covariance", None)
            document["draws"] = {key: float(np.median(column)) for key, column in document.get("draws", {}).items()}
            document["uncertainty"].pop("rivals", None)
            for constant in document["coefficients"].values():
                constant.pop("se", None)  # of heavy tails
        assert same(then, now, 0.02), f"{name}: run python -m benchmarks.keras_runs.calibrate_rows"
        assert catalogue()[name].evidence.runs == found_runs(name)


def found_runs(name: str) -> int:
    """Counted in the file itself."""
    (question,) = (q for q in calibrate_rows.QUESTIONS if q.name == name)
    with open(recorded.ROWS / f"{question.domain}.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "fit"]
    return sum(all(row[key] == value for key, value in question.where.items()) for row in rows)


def test_the_page_is_up_to_date() -> None:
    text = story.PAGE.read_text(encoding="utf-8")
    names = [name for _, name, *_ in story.PART.findall(text)]
    assert set(story.PARTS) <= set(names)
    for name, old in ((name, old) for _, name, old, _ in story.PART.findall(text)):
        new = story.part(name)
        assert _words(new) == _words(old), f"{name}: run python -m benchmarks.keras_runs.story"
        assert np.allclose(_numbers(new), _numbers(old), rtol=0.1, atol=0.02), f"{name}: run it again"


NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?"


def _words(text: str) -> str:
    return re.sub(NUMBER, "#", text)


def _numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(NUMBER, text)]


# --- against other programs


def test_a_power_law_is_a_straight_line_of_logarithms() -> None:
    """numpy's own least squares."""
    found = curves.curve("1", "55000", "best_test_loss")
    law = next(one.fitted for one in found.forms if one.form == "power")
    assert law is not None
    x, y = np.log(found.seen.runs.columns["C"]), np.log(found.seen.runs.observed)
    slope, start = np.polyfit(x, y, 1)
    values = {name: c.value for name, c in law.law.coefficients.items()}
    assert values["a"] == pytest.approx(-slope, rel=1e-6)
    assert values["A"] == pytest.approx(np.exp(start), rel=1e-5)


def test_speech_again_by_scipy() -> None:
    """Kaplan's form of N and U, from its rows as they stand in the file."""
    with open(recorded.ROWS / "speech.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "fit"]
    n, u, y = (np.array([float(row[name]) for row in rows]) for name in ("N_total", "U", "best_test_loss"))

    def off(p: np.ndarray) -> np.ndarray:
        a_n, a_d, n_c, d_c = np.exp(p)
        return np.asarray(a_d * np.log((n_c / n) ** (a_n / a_d) + d_c / u) - np.log(y))

    best = least_squares(off, np.log([0.5, 0.5, 100.0, 100.0]), xtol=1e-12, ftol=1e-12)
    result = calibrate_rows.answers()["keras-speech"]
    mine = next(one.fitted for one in result.ranked if one.name == "kaplan-2020-joint")
    assert mine is not None
    assert (mine.fit.residuals**2).sum() == pytest.approx((best.fun**2).sum(), rel=1e-6)


# --- rows whose law is known

A, N_EXP, B, D_EXP, FLOOR, NOISE = 60.0, 0.5, 400.0, 0.45, 0.9, 0.01


def made(run: Run, random: np.random.Generator) -> dict[str, object]:
    """A row of a run that obeys a law."""
    loss = FLOOR + A / run.params**N_EXP + B / run.samples**D_EXP
    loss *= float(np.exp(NOISE * random.standard_normal()))
    return {
        "run": run.name, "N_total": run.params, "N_non_embedding": run.params, "N_linear": run.params,
        "N_active": run.params, "C": run.flops, "C_count": "exact", "D": run.samples, "U": run.samples,
        "grid": run.grid, "split": run.split, "width": run.width, "depth": run.depth, "seed": run.seed,
        "test_loss": loss, "best_test_loss": loss, "test_accuracy": 0.5, "best_test_accuracy": 0.5,
    }  # fmt: skip


@pytest.fixture
def complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """All rows of text that are declared, of a known law."""
    random = np.random.default_rng(1)
    lines = [made(run, random) for run in declared(["text"])]
    with open(tmp_path / "text.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    monkeypatch.setattr(recorded, "ROWS", tmp_path)
    recorded.table.cache_clear()
    yield
    recorded.table.cache_clear()


@pytest.mark.usefixtures("complete")
def test_a_known_law_of_text_is_found_again() -> None:
    (question,) = (q for q in calibrate_rows.QUESTIONS if q.name == "keras-text")
    read = calibrate_rows.runs(question)
    assert read.held is not None
    assert len(read.held.runs) == 4
    assert read.runs.columns["C"].max() < 1.1e13 < read.held.runs.columns["C"].min()
    form = calibrate_rows.form_of("separable", read)
    result = calibrate_rows.calibrate(read, calibrate_rows.method(question, 200), [form])
    law = calibrate_rows.law(question, result)
    truth = {"alpha": N_EXP, "beta": D_EXP, "E": FLOOR}
    for name, value in truth.items():
        assert law.coefficients[name].value == pytest.approx(value, abs=4 * (law.coefficients[name].se or 0))
    held = held_of(fitted_of(result), read.held.runs)
    assert np.abs(held.off).max() < 0.05
    assert np.abs(held.scores).max() < 4
    assert law.divides
    assert (law.metric.tokenizer, law.variables["D"].tokenizer, law.variables["C"].count) == ("char", "char", "exact")


# --- what came out


def test_the_exponential_loses_every_curve() -> None:
    for key in curves.there():
        found = curves.curve(*key, "test_accuracy")
        by_name = {one.form: one.missed for one in found.forms}
        assert by_name["exponential"] > 10 * min(by_name.values())


def test_seconds_of_rows_that_were_not_fitted() -> None:
    found = timing.times("speech")
    assert not any(map(timing.used, found.rows))
    assert np.median(np.abs(found.off)) < 0.15
    bandwidth = timing.fitted().law.coefficients["W"].value
    assert device(timing.DEVICE).bandwidth == pytest.approx(bandwidth, rel=0.25)


def test_a_step_s_work_by_hand() -> None:
    """The article's network with one image: 14,256,384 training FLOPs (tests of the grid), 10 operators."""
    operators, flops, moved = timing.step("images", 1.0, 0, 1)
    assert (operators, flops) == (10, 14_256_384)
    # read: 784 + 21,632 + 5,408 + 7,744 + 1,600 numbers and 34,826 weights, once each at least; four bytes, thrice
    assert moved >= 3 * 4 * (784 + 21_632 + 5_408 + 7_744 + 1_600 + 34_826)
