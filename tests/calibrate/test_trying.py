"""Which forms runs can have, and which one made them."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scalecalc.calibrate import tables
from scalecalc.calibrate.calibration import calibrate
from scalecalc.calibrate.forms import form_of, forms_for, shape
from scalecalc.calibrate.method import Method
from scalecalc.calibrate.ranking import fit_form, rank
from scalecalc.calibrate.reading import Reading, runs_of
from scalecalc.errors import FitError, ScalecalcError
from scalecalc.laws import load
from scalecalc.report.calibration import render

Make = Callable[[str, str], Reading]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def write(names: str, rows: str) -> Reading:
        path = tmp_path / "x.csv"
        path.write_text(f"{names}\n{rows}\n")
        return runs_of(tables.read(path))

    return write


def test_the_seed_s_two_points_are_solved_exactly(make: Make) -> None:
    """Through (1e14, .9) and (1e15, .95): b = ln(.95/.9)/9e14, a = .9 exp(-1e14 b)."""
    reading = make("C,accuracy", "1e14,0.9\n1e15,0.95")
    found = calibrate(reading)
    b = math.log(0.95 / 0.9) / 9e14
    assert found.fitted.form.name == "exponential"
    assert dict(found.fitted.fit.coefficients) == pytest.approx({"b": b, "a": 0.9 * math.exp(-1e14 * b)}, rel=1e-12)
    assert found.fitted.fit.agreed == found.fitted.fit.starts
    assert not found.draws
    assert "2 runs and 2 coefficients" in found.why_none
    assert float(found.law.evaluate(C=1e14)) == pytest.approx(0.9, rel=1e-14)
    assert float(found.law.evaluate(C=1e15)) == pytest.approx(0.95, rel=1e-14)


def test_a_form_of_compute_beside_n_and_d_becomes_one_of_both(make: Make) -> None:
    """Where C is 6*N*D it is no variable of its own: the law has an optimum, and the same values."""
    n, d = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    loss = 1.8 + (600 * (d / n) ** 0.17 + 1700 * (d / n) ** -0.17) * (6 * n * d) ** -0.17
    reading = make(
        "params,tokens,loss", "\n".join(f"{a!r},{b!r},{c!r}" for a, b, c in np.stack([n, d, loss], 1).tolist())
    )
    form = load("gadre-2024-loss")
    assert form.inputs == ("N", "D", "C")
    found = fit_form(form, reading, Method(draws=0)).law
    assert found.inputs == ("N", "D")
    assert found.coefficients["E"].value == pytest.approx(1.8, rel=1e-6)
    assert found.evaluate(N=n, D=d) == pytest.approx(loss, rel=1e-8)


@pytest.mark.parametrize(("symbol", "metric", "sign"), [("C", "accuracy", 1), ("tokens", "loss", -1)])
def test_data_made_by_an_exponential_select_it(make: Make, symbol: str, metric: str, sign: int) -> None:
    x = np.geomspace(1e12, 1e14, 25)
    noise = np.random.default_rng(5).normal(scale=2e-3, size=25)
    y = 0.4 * np.exp(sign * 5e-15 * x + noise)
    reading = make(f"{symbol},{metric}", "\n".join(f"{a!r},{b!r}" for a, b in zip(x.tolist(), y.tolist(), strict=True)))
    ranked, _ = rank(forms_for(reading), reading, Method(draws=0))
    assert ranked[0].form.name == "exponential"
    fitted = ranked[0].fitted
    assert fitted is not None
    assert fitted.fit.coefficients["b"] == pytest.approx(5e-15, rel=0.02)


def test_data_made_by_a_power_law_with_a_floor_select_it(make: Make) -> None:
    x = np.geomspace(1e15, 1e21, 30)
    y = (1.7 + 900 * x**-0.2) * np.exp(np.random.default_rng(6).normal(scale=2e-3, size=30))
    reading = make("C,loss", "\n".join(f"{a!r},{b!r}" for a, b in zip(x.tolist(), y.tolist(), strict=True)))
    assert rank(forms_for(reading), reading, Method(draws=0))[0][0].form.name == "power-floor"


def test_forms_are_tried_once(make: Make) -> None:
    reading = make("N,D,loss", "1e6,1e9,3\n1e7,2e9,2")
    shapes = [shape(form) for form in forms_for(reading)]
    assert len(shapes) == len(set(shapes))
    assert shape(load("hoffmann-2022")) == shape(load("besiroglu-2024"))


@pytest.mark.parametrize(
    ("name", "rows", "law", "said"),
    [
        ("N,D,loss", "1e6,1e9,3\n1e7,2e9,2", "separable", "2 runs for the 5 coefficients of separable (A, B, E, alpha"),
        ("N,D,loss", "\n".join(f"1e6,{i}e9,{3 - i / 9}" for i in range(1, 9)), "separable", "every run has N = 1e+06"),
        ("D,loss", "1e9,3\n2e9,2", "separable", "'separable' says lower is better and takes N and D"),
        ("D,loss", "1e9,3\n2e9,2", "powr", "no form or law 'powr'; did you mean power?"),
        ("D,loss", "1e9,3\n2e9,2", "besiroglu-2024", "the runs have no N"),
        ("D,loss", "1e9,3\n2e9,2", "seed-exponential", "higher is better"),
    ],
)
def test_what_runs_cannot_tell(make: Make, name: str, rows: str, law: str, said: str) -> None:
    reading = make(name, rows)
    with pytest.raises(ScalecalcError) as caught:
        calibrate(reading, Method(), [form_of(law, reading)])
    assert said in str(caught.value)


def test_a_fit_without_an_optimum_is_no_result(make: Make) -> None:
    """Losses that rise with C: the best falling exponential is at b = 0, which is none."""
    reading = make("C,loss", "\n".join(f"{i}e15,{2 + i / 10}" for i in range(1, 9)))
    with pytest.raises(FitError, match="b of exponential went to its limit"):
        calibrate(reading, Method(), [form_of("exponential", reading)])


def test_few_runs_far_from_the_law(make: Make) -> None:
    """Where every residual is beyond delta the loss is straight: the optimum is found all the same.

    Two of three points are met to delta; moving the line by t at the third cannot pay, as both others would lose.
    """
    reading = make("C,loss", "1e17,4\n1e18,3.5\n1e20,3")
    fit = fit_form(form_of("power", reading), reading, Method()).fit
    assert fit.agreed == fit.starts
    residuals = sorted(abs(fit.residuals))
    assert residuals[1] <= 1e-3 < residuals[2]


def test_weights(make: Make) -> None:
    """A point of no weight does not count: the two others are met."""
    reading = make("C,loss,se", "1e15,3,1e-4\n1e17,2,1e-4\n1e16,9,1e6")
    form = form_of("power", reading)
    heavy = fit_form(form, reading, Method("least-squares", weights="inverse-variance")).fit
    assert abs(heavy.residuals[:2]).max() < 1e-6
    recent = Method(weights="recency:2").weights_of(form, reading)
    assert recent is not None
    # (x/xmax)^2 is 1e-4, 1 and 1e-2, divided by its mean
    assert recent == pytest.approx(np.array([1e-4, 1, 1e-2]) / ((1e-4 + 1 + 1e-2) / 3))


def test_a_coefficient_that_would_leave_its_bounds_says_where_it_is(make: Make) -> None:
    """Runs fall as D^-.5, the form may not fall faster than D^-.2."""
    rows = "\n".join(f"{d},{30 * d**-0.5!r}" for d in (1e4, 2e4, 5e4, 1e5, 3e5, 1e6))
    reading = make("examples,loss", rows)
    form = form_of("power", reading)
    slow = replace(form.coefficients["a"], bounds=(0.0, 0.2))
    found = calibrate(reading, Method(draws=0), [replace(form, coefficients={**form.coefficients, "a": slow})])
    text = io.StringIO()
    render(found, "csv", text)
    name, value, *_, note = next(line for line in text.getvalue().splitlines() if line.startswith("a,")).split(",")
    assert (name, float(value), note) == ("a", 0.2, "at its bound")
