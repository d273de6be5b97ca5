"""Averages of forms: a law of its own, and what it says of published learning curves."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.judgement.learning_curves import curves, error, fitted, grouped_test, intervals
from scalecalc.calibrate.ensemble import HORIZON, RECENCIES, fit_ensemble
from scalecalc.errors import FitError
from scalecalc.laws import load
from tests.calibrate.making import line_runs

X = np.geomspace(1e6, 1e9, 40)
FAR = {"D": np.array([2e9, 1e10])}
M2, M3 = load("alabdulmohsin-2022-m2"), load("alabdulmohsin-2022-m3")


def test_runs_of_one_member_are_foretold():
    runs = line_runs("D", X, 0.2 + 30 * X**-0.35)
    found = fit_ensemble([M2, M3], runs)
    assert found.predict(FAR) == pytest.approx(0.2 + 30 * FAR["D"] ** -0.35, rel=1e-5)
    best = max(found.members, key=lambda member: member.weight)
    assert best.form.name == M2.name
    assert {name: c.value for name, c in best.law.coefficients.items()} == pytest.approx(
        {"e": 0.2, "b": 30.0, "c": 0.35}, rel=1e-4
    )
    assert found.weights.sum() == pytest.approx(1.0)


def test_an_ensemble_is_a_law():
    noisy = (0.2 + 30 * X**-0.35) * np.exp(0.01 * np.random.default_rng(0).standard_normal(40))
    found = fit_ensemble([M2, M3], line_runs("D", X, noisy), "D")
    assert found.law.evaluate(**FAR) == pytest.approx(found.predict(FAR), rel=1e-12)
    assert found.law.inputs == ("D",)
    assert len(found.members) == 6
    wide = found.interval(FAR, 0.99)
    narrow = found.interval(FAR, 0.5)
    assert (wide.low < narrow.low).all()
    assert (narrow.high < wide.high).all()


def test_an_average_of_logarithms_by_hand():
    """Two members at D = 2e9: exp(w1 log f1 + w2 log f2), from their own coefficients."""
    noisy = (0.2 + 30 * X**-0.35) * np.exp(0.01 * np.random.default_rng(0).standard_normal(40))
    found = fit_ensemble([M2, M3], line_runs("D", X, noisy), recencies=[2.0])
    first, second = ({n: c.value for n, c in m.law.coefficients.items()} for m in found.members)
    by_hand = found.members[0].weight * np.log(first["e"] + first["b"] * 2e9 ** -first["c"])
    by_hand += found.members[1].weight * np.log(second["b"] * (1 / 2e9 + second["g"]) ** second["c"])
    assert found.predict({"D": np.array([2e9])})[0] == pytest.approx(np.exp(by_hand), rel=1e-12)
    # inverse squares of what each missed, to a sum of 1
    ratio = found.members[0].weight / found.members[1].weight
    assert ratio == pytest.approx((found.members[1].error / found.members[0].error) ** 2)


def test_coefficients_that_are_held_stay():
    noisy = (0.2 + 30 * X**-0.35) * np.exp(0.01 * np.random.default_rng(0).standard_normal(40))
    found = fit_ensemble([M2, M3], line_runs("D", X, noisy), held={"e": 0.2})
    assert [found.law.coefficients[f"e_{place}"].value for place in (1, 2, 3)] == [0.2, 0.2, 0.2]
    assert "e_1" not in found.draws(5)


def test_too_few_runs_for_any_form():
    with pytest.raises(FitError, match="no form has an optimum"):
        fit_ensemble([M3], line_runs("D", [1, 2, 4], [3, 2, 1.5]), "D")


def test_learning_curves_are_foretold_from_their_training_rows():
    """The authors' best form, M4, reaches .0310 on these curves, M3 .0460 (arXiv:2209.06640); repeated evaluation alone
    scatters by .013."""
    every = curves()
    assert len(every) == 45
    found = np.mean([error(of, ("m2", "m3"), RECENCIES, HORIZON) for of in every])
    assert found <= 0.0225


@pytest.mark.slow
def test_intervals_of_learning_curves_hold():
    """90 % of the rows, tested with a curve counting once; and a score 30 % below that of a bootstrap alone."""
    full, alone = zip(*(intervals(of, fitted(of)) for of in curves()), strict=True)
    assert min(grouped_test(full)) > 0.05
    assert max(grouped_test(alone)) < 1e-6
    assert np.mean([held.score for held in full]) <= 0.7 * np.mean([held.score for held in alone])
