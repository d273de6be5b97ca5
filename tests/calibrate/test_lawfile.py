"""A fit written as a law file is the same law again, and says with what it was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scalecalc.calibrate.calibration import Calibration, calibrate
from scalecalc.calibrate.forms import form_of
from scalecalc.calibrate.lawfile import fitted_law, plain_name, thinned
from scalecalc.calibrate.method import Method
from scalecalc.calibrate.sets import open_runs
from scalecalc.calibrate.sharing import crew
from scalecalc.errors import LawError
from scalecalc.laws import Law, load
from scalecalc.laws.catalogue import laws_of
from scalecalc.laws.point import at_point
from scalecalc.laws.writing import text_of
from scalecalc.loading import MAX_BYTES


@pytest.fixture(scope="module")
def fitted() -> Calibration:
    reading, found = open_runs("@chinchilla")
    return calibrate(reading, Method(draws=1200), [form_of("separable", reading)], run_set=found)


@pytest.fixture
def again(fitted: Calibration, tmp_path: Path) -> Law:
    path = tmp_path / "fit.yaml"
    path.write_text(text_of(fitted_law(fitted)))
    assert path.stat().st_size < MAX_BYTES
    return load(path)


def test_the_same_law_again(fitted: Calibration, again: Law) -> None:
    made = fitted_law(fitted)
    for field in ("name", "coefficients", "covariance", "draws", "range", "metric", "applies_to", "method", "evidence"):
        assert getattr(again, field) == getattr(made, field), field
    assert str(again.formula) == str(made.formula)
    assert dict(again.variables) == dict(made.variables)
    point = {"N": 1e9, "D": 2e10}
    assert again.evaluate(**point) == made.evaluate(**point)


def test_what_it_says_of_itself(again: Law) -> None:
    assert again.name == "separable-chinchilla"
    assert again.evidence.runs == 240
    assert again.evidence.data.startswith("sha256:")
    assert len(again.evidence.data) == 7 + 64
    assert again.method["loss"] == "huber, delta 0.001, summed"
    assert again.method["left out"] == "the 5 highest of 245"
    assert again.method["starts"] == "75 of 75 at this optimum"
    assert float(again.method["objective"]) == pytest.approx(0.00101827401780, rel=1e-10)
    assert again.coefficients["B"].se == pytest.approx(1293, rel=0.2)
    assert again.range["N"] == pytest.approx((5.733e7, 1.618e10), rel=1e-3)


def test_its_interval_is_that_of_all_draws(fitted: Calibration, again: Law) -> None:
    """400 of 1,200 draws, spread along their longest axis: the ends lie within a twentieth of the interval."""
    values = {"N": 5e10, "D": 5e12}
    every = fitted.law.evaluate(**values, **fitted.draws)
    low, high = np.quantile(every, [0.05, 0.95])
    found = at_point(again, values).predict()
    assert found.interval is not None
    assert found.level == 0.9
    assert found.interval == pytest.approx((low, high), abs=0.05 * (high - low))
    assert found.basis.startswith("coefficients only: 400 draws")


def test_thinned_draws_keep_means_and_spreads() -> None:
    random = np.random.default_rng(3)
    a = random.normal(size=4000)
    drawn = {"a": a, "b": 2 * a + random.normal(size=4000)}
    found = thinned(drawn)
    assert {len(column) for column in found.values()} == {400}
    for name in drawn:
        assert abs(found[name].mean() - drawn[name].mean()) < 0.05 * drawn[name].std()
        assert found[name].std() == pytest.approx(drawn[name].std(), rel=0.06)
    pairs = set(zip(*(column.tolist() for column in drawn.values()), strict=True))
    assert pairs.issuperset(zip(*(column.tolist() for column in found.values()), strict=True))
    assert thinned({"a": a[:50]})["a"].tolist() == a[:50].tolist()


def test_the_same_numbers_from_any_number_of_processes(fitted: Calibration) -> None:
    reading, found = open_runs("@chinchilla")
    with crew(2) as share:
        shared = calibrate(reading, Method(draws=1200), [form_of("separable", reading)], run_set=found, share=share)
    for name, column in fitted.draws.items():
        assert column.tolist() == shared.draws[name].tolist()
    assert text_of(fitted_law(shared)) == text_of(fitted_law(fitted))


def test_the_first_resamples_are_the_same_whatever_their_number(fitted: Calibration) -> None:
    reading, found = open_runs("@chinchilla")
    few = calibrate(reading, Method(draws=60), [form_of("separable", reading)], run_set=found)
    for name, column in few.draws.items():
        assert column == pytest.approx(fitted.draws[name][:60], rel=1e-9)


def test_names_of_laws() -> None:
    assert plain_name("Joint fit_2.yaml") == "joint-fit-2-yaml"
    assert plain_name("--") == "fit"


@pytest.mark.parametrize(
    ("draws", "said"),
    [
        ({"a": [1, 2], "b": [1]}, "draws of different lengths"),
        ({"z": [1, 2]}, "draws of z, no coefficients"),
        ({"a": []}, "a must be a list of numbers"),
        ({"a": [1, "x"]}, "a must be a number"),
    ],
)
def test_draws_that_are_none(draws: dict[str, list[object]], said: str) -> None:
    law = {
        "name": "x", "kind": "conditional", "formula": "a*N**b", "coefficients": {"a": 1, "b": 2},
        "N": {"count": "total"},
        "metric": {"name": "loss", "unit": "nat", "better": "lower"}, "applies_to": {"modality": "text", "task": "x"},
        "source": {"citation": "x"}, "draws": draws,
    }  # fmt: skip
    with pytest.raises(LawError, match=said):
        laws_of(law, "x.yaml")
