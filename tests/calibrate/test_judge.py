"""Ranking by extrapolation: the law that made the data is found."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from scalecalc.calibrate.judge import Cuts, Judged, aicc, candidate, rank, survivors, with_record
from scalecalc.calibrate.lawfit import fit_law
from scalecalc.calibrate.losses import least_squares
from scalecalc.calibrate.origins import origins
from scalecalc.calibrate.runs import Runs
from scalecalc.errors import FitError
from scalecalc.laws import Law
from tests.calibrate.making import additive, grid_runs, law, line_runs

FORMS = [
    law("exponential", "a*exp(b*C)", {"a": 1.0, "b": 1e-15}, "C", "higher"),
    law("power", "a*C**b", {"a": 1e-3, "b": 0.1}, "C", "higher"),
    law("saturating", "top - b*C**-c", {"top": 1.0, "b": 1.0, "c": 0.3}, "C", "higher"),
    law("logarithm", "a + b*log(C)", {"a": 0.1, "b": 0.1}, "C", "higher"),
]
TRUTHS = {
    "exponential": lambda c: 0.9 * np.exp(6e-17 * c),
    "power": lambda c: 0.01 * c**0.12,
    "saturating": lambda c: 0.95 - 50 * c**-0.15,
}


def ranked(forms: list[Law], runs: Runs) -> list[Judged]:
    """Forms fitted by least squares and judged."""
    found = []
    for form in forms:
        try:
            found.append(candidate(form, fit_law(form, runs, loss=least_squares())))
        except FitError as error:
            found.append(Judged(form, None, why=str(error)))
    return rank(found, Cuts.of(runs))


@pytest.mark.parametrize("name", TRUTHS)
@pytest.mark.parametrize("noise", [0.0005, 0.002])
def test_the_form_that_made_the_runs_is_selected(name, noise):
    compute = np.geomspace(1e13, 5e15, 40)
    observed = TRUTHS[name](compute) * np.exp(noise * np.random.default_rng(3).standard_normal(40))
    judged = ranked(FORMS, line_runs("C", compute, observed))
    assert judged[0].name == name
    assert min(judged, key=lambda law: law.aicc).name == name
    # up to 20 times beyond the origins an exponential's rate makes most of the noise
    assert judged[0].extrapolation < (5 if name == "exponential" else 2) * noise


def test_origins_go_back_evenly_by_factors():
    """1e3 to 1e7: half of the decades is a factor of 100, in two steps of 10."""
    assert origins(np.array([1e3, 1e4, 1e7]), count=2) == pytest.approx([1e6, 1e5])
    assert origins(np.array([1.0, 64.0]), horizon=16, count=4) == pytest.approx([32, 16, 8, 4])
    with pytest.raises(FitError, match="one size only"):
        origins(np.full(5, 3.0))


def test_what_lies_beyond_an_origin_does_not_touch_its_fit():
    runs = grid_runs(additive(), 0.005)
    before, cuts = ranked([additive()], runs), Cuts.of(runs)
    largest = runs.columns["C"] > cuts.limits[0]
    changed = runs.observed * np.where(largest, np.exp(0.3), 1.0)
    after = ranked([additive()], type(runs)(runs.columns, changed, runs.groups))
    # the same prediction, observations higher by .3: each miss is lower by that
    count = cuts.beyond[0]
    assert count == largest.sum() > 0
    assert after[0].misses[:count] == pytest.approx(before[0].misses[:count] - 0.3, abs=1e-6)


def test_a_form_that_cannot_be_fitted_comes_last_and_says_why():
    far = law("shifted", "a*log(b - C)", {"a": 1.0, "b": 1.0}, "C")
    compute = np.geomspace(1e13, 5e15, 12)
    judged = ranked([far, FORMS[1]], line_runs("C", compute, 0.01 * compute**0.12))
    assert [one.name for one in judged] == ["power", "shifted"]
    assert "no optimum" in judged[1].why
    assert [one.name for one in survivors(judged)] == ["power"]


def test_a_simple_form_does_not_win_only_because_it_could_be_judged():
    """The same fits, one judged and one not: the unjudged comes first where its AICc is better by more than 10."""
    compute = np.geomspace(1e13, 5e15, 12)
    first = ranked([FORMS[1]], line_runs("C", compute, 0.01 * compute**0.12))[0]
    judged = replace(first, form=FORMS[1], aicc=-20.0, extrapolation=0.02)
    for score, winner in ((-29.0, "power"), (-31.0, "saturating")):
        other = replace(first, form=FORMS[2], aicc=score, extrapolation=math.inf)
        found = rank([judged, other])
        assert found[0].name == winner
        assert [one.name for one in survivors(found)] == [winner]
        assert [one.name for one in survivors(with_record(found))] == ["power"]  # what an average takes


def test_nothing_survives_nothing():
    compute = np.geomspace(1e13, 5e15, 12)
    far = law("shifted", "a*log(b - C)", {"a": 1.0, "b": 1.0}, "C")
    assert survivors(ranked([far], line_runs("C", compute, compute))) == []
    assert survivors([]) == []


def test_aicc_of_least_squares_by_hand():
    """log y = log a exactly but for +-.1: RSS = .1, n = 10, k = 2 (a and the deviation):
    10 (log(2 pi .01) + 1) + 4 + 2*2*3/7."""
    runs = line_runs("C", np.arange(1.0, 11.0), 3 * np.exp(np.tile([0.1, -0.1], 5)))
    fitted = fit_law(law("constant", "a + 0*C", {"a": 1.0}, "C"), runs, loss=least_squares())
    assert fitted.fit.coefficients["a"] == pytest.approx(3.0)
    assert aicc(fitted.fit) == pytest.approx(10 * (math.log(2 * math.pi * 0.01) + 1) + 4 + 12 / 7)
