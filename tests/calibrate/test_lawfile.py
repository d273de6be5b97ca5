"""A fit written as a law file is the same law again, and says with what it was made."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scalecalc.calibrate.ahead import ahead
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
    for field in (
        "name",
        "coefficients",
        "covariance",
        "draws",
        "uncertainty",
        "range",
        "metric",
        "applies_to",
        "method",
        "evidence",
    ):
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
    found = at_point(replace(again, uncertainty=None), values).predict()
    assert found.interval is not None
    assert found.level == 0.9
    assert found.interval == pytest.approx((low, high), abs=0.05 * (high - low))
    assert found.basis.startswith("coefficients only: 400 draws")


def test_it_predicts_what_the_calibration_does(fitted: Calibration, again: Law) -> None:
    """At the largest run and 10 and 100 times its compute: N and D each sqrt(10) times as large."""
    runs = fitted.kept.runs
    largest = int(np.argmax(runs.columns["C"]))
    for step, factor in zip(ahead(fitted_law(fitted), runs), (1, 10, 100), strict=True):
        n, d = (float(runs.columns[symbol][largest]) * factor**0.5 for symbol in ("N", "D"))
        assert step.said is not None
        assert dict(step.values) == pytest.approx({"N": n, "D": d})
        found = at_point(again, {"N": n, "D": d}).predict()
        assert found.value == pytest.approx(step.said.value, rel=1e-12)
        assert found.interval == pytest.approx(step.said.interval, rel=1e-12)
        assert found.parts == pytest.approx(step.said.parts, rel=1e-9)


def test_its_interval_by_hand(fitted: Calibration, again: Law) -> None:
    """t of 3 degrees is 2.353 for 90 %; the noise is the residuals' root mean square over 240 - 5 runs."""
    found = at_point(again, {"N": 5e10, "D": 5e12}).predict()
    doubt = again.uncertainty
    assert doubt is not None
    assert doubt.noise == pytest.approx(math.sqrt((fitted.fitted.fit.residuals**2).sum() / 235), rel=1e-6)
    drawn = np.log(again.evaluate(N=5e10, D=5e12, **{n: np.array(v) for n, v in again.draws.items()}))
    assert found.parts["coefficients"] == pytest.approx(drawn.std(), rel=1e-9)
    total = math.sqrt(drawn.std() ** 2 + doubt.noise**2 + (doubt.drift or 0) ** 2)
    assert found.interval == pytest.approx(
        (found.value * math.exp(-2.3533634 * total), found.value * math.exp(2.3533634 * total)), rel=1e-7
    )
    assert found.basis == "coefficients + noise + drift: not form"  # no other form was tried
    # of 176 runs beyond the four origins the (177 * .9 = 160)-th smallest miss
    misses = np.sort(np.abs(fitted.ranked[0].misses))
    assert (len(misses), doubt.missed) == (doubt.misses, pytest.approx(misses[math.ceil((len(misses) + 1) * 0.9) - 1]))
    assert found.conformal == pytest.approx(
        (found.value * math.exp(-doubt.missed), found.value * math.exp(doubt.missed)), rel=1e-9
    )


def test_survivors_are_its_rivals() -> None:
    reading, found = open_runs("@chinchilla")
    forms = [form_of(name, reading) for name in ("separable", "joint", "power-floor", "kaplan-2020-joint")]
    result = calibrate(reading, Method(draws=50), forms, run_set=found)
    law = fitted_law(result)
    # the one of C alone survives too, but does not know what N and D are worth; Kaplan's missed more than twice as much
    assert {one.name for one in result.survivors} == {"separable", "joint", "power-floor"}
    assert law.uncertainty is not None
    best, other = (one.fitted.law for one in result.ranked[:2] if one.fitted)
    assert list(law.uncertainty.rivals) == [other.name]
    apart = math.log(other.evaluate(N=1e11, D=1e13) / best.evaluate(N=1e11, D=1e13))
    said = at_point(law, {"N": 1e11, "D": 1e13}).predict()
    assert said.parts["form"] == pytest.approx(abs(apart) / math.sqrt(2), rel=1e-4)


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


def test_draws_whose_floor_went_to_0_make_a_law_file(fitted: Calibration, tmp_path: Path) -> None:
    """As far as a double goes: its logarithm is minus infinity, and no entry of a covariance."""
    floors = np.where(np.arange(1200) % 50 == 0, 0.0, fitted.draws["E"])
    path = tmp_path / "fit.yaml"
    path.write_text(text_of(fitted_law(replace(fitted, draws={**fitted.draws, "E": floors}))))
    again = load(path)
    assert again.covariance is not None
    assert set(again.covariance.of) == {"E", "log(A)", "log(B)", "log(alpha)", "log(beta)"}
    place = again.covariance.of.index("E")
    assert again.covariance.matrix[place][place] == pytest.approx(floors.var(ddof=1), rel=1e-6)
