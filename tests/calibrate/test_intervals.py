"""Intervals and their parts against textbook formulas and counting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from scalecalc.calibrate.intervals import conformal, interval, noise, score, uncertainty, written
from scalecalc.calibrate.judge import aicc
from scalecalc.calibrate.lawfit import fit_law
from scalecalc.calibrate.losses import lad, least_squares
from scalecalc.calibrate.profiling import freedom, profile
from scalecalc.calibrate.resample import bootstrap, bootstrap_residuals
from scalecalc.calibrate.runs import Runs
from scalecalc.errors import FitError
from scalecalc.laws.intervals import combine
from scalecalc.laws.numerics import student
from tests.calibrate.making import additive, grid_runs, law, line_runs


def test_parts_add_in_quadrature():
    """3, 4 and 12 make 13; 90 % of a normal distribution lie within 1.6449."""
    found = combine(np.array([100.0]), {"coefficients": 3.0, "noise": 4.0, "form": 12.0}, 1e9, logs=False)
    assert found.high[0] - 100 == pytest.approx(1.6448536 * 13, rel=1e-6)
    assert found.parts["drift"][0] == 0.0


def test_logarithms_make_factors():
    found = combine(np.array([2.0]), {"noise": 0.1}, 3, 0.9)
    assert found.high[0] * found.low[0] == pytest.approx(4.0)
    assert found.high[0] == pytest.approx(2 * np.exp(0.1 * 2.3533634), rel=1e-6)  # t of 3 degrees, tables


def test_rivals_of_n_and_d_speak_beside_a_law_of_compute_too():
    runs = grid_runs(additive(), 0.003)
    mixed = law(
        "mixed", "E + A*N**-a + B*D**-b + 0*C", {"E": 1.8, "A": 480.0, "a": 0.35, "B": 2100.0, "b": 0.37}, "N D C"
    )
    fitted = fit_law(mixed, runs, loss=least_squares())
    compute = law("power", "A*C**-a", {"A": 10.0, "a": 0.05}, "C")
    assert list(uncertainty(fitted, {"additive": additive(), "power": compute}).rivals) == ["additive"]


@pytest.mark.parametrize("resample", ["runs", "residuals"])
def test_a_straight_line_has_the_textbook_parts(resample):
    """Standard error of the mean response and residual deviation, from numpy alone."""
    x = np.arange(1.0, 61.0)
    y = 50.0 + 2.0 * x + np.random.default_rng(1).standard_normal(60)
    design = np.stack([np.ones_like(x), x], axis=1)
    best, squares = np.linalg.lstsq(design, y, rcond=None)[:2]
    deviation = np.sqrt(squares[0] / 58)
    there = np.array([1.0, 90.0])
    error = deviation * np.sqrt(there @ np.linalg.inv(design.T @ design) @ there)
    form = law("line", "a + b*D", {"a": 1.0, "b": 1.0}, "D")
    fitted = fit_law(form, line_runs("D", x, y), loss=least_squares(), residual="raw")
    found = interval(fitted, {"D": np.array([90.0])}, resample=resample, count=2000)
    assert noise(fitted) == pytest.approx(deviation, rel=1e-6)
    # 2,000 resamples know a deviation to 1.6 %, and resampling runs does not assume equal noise
    assert found.parts["coefficients"][0] == pytest.approx(error, rel=0.05 if resample == "residuals" else 0.2)
    reach = t.ppf(0.95, 58) * np.hypot(found.parts["coefficients"][0], deviation)
    assert (found.low[0], found.high[0]) == pytest.approx((there @ best - reach, there @ best + reach), rel=1e-6)


def test_rivals_and_drift_widen():
    runs = grid_runs(additive(), 0.005)
    fitted = fit_law(additive(), runs, loss=least_squares())
    other = fit_law(
        law("equal", "E + A/N**alpha + B/D**alpha", {"E": 1.8, "A": 480.0, "B": 480.0, "alpha": 0.3}), runs,
        loss=least_squares(),
    )  # fmt: skip
    far = {"N": np.array([1e12]), "D": np.array([1e13])}
    alone, wide = interval(fitted, far), interval(fitted, far, rivals={"equal": other.law}, drift=0.01)
    apart = np.log(other.predict(far)) - np.log(fitted.predict(far))
    # root mean square of 0 and `apart`; a rival's constants are kept to 7 digits
    assert wide.parts["form"][0] == pytest.approx(abs(apart[0]) / np.sqrt(2), rel=1e-4)
    assert alone.parts["form"][0] == 0.0
    assert (wide.freedom, alone.freedom) == (3, 31)
    assert wide.low[0] < alone.low[0] < alone.high[0] < wide.high[0]


def test_conformal_counts():
    """Of 19 misses 1 ... 19 the (20 * .9 = 18)-th smallest; of 8 the 9 * .9 = 9th, which there is not."""
    misses = np.arange(1.0, 20.0) * np.tile([1, -1], 10)[:19]
    assert conformal(misses, 0.9) == 18.0
    assert conformal(misses[:8], 0.9) is None


def test_quantiles_of_student():
    """Two-sided 90 % and 99 %: 1 degree tan(pi level/2); 2, 3, 10 and 120 of printed tables; then the normal's."""
    assert student(0.9, 1) == pytest.approx(np.tan(np.pi * 0.45), rel=1e-9)
    for degrees, ninety, most in ((2, 2.920, 9.925), (3, 2.353, 5.841), (10, 1.812, 3.169), (120, 1.658, 2.617)):
        assert (student(0.9, degrees), student(0.99, degrees)) == pytest.approx((ninety, most), abs=5e-4)
    assert student(0.9, 1e7) == pytest.approx(1.6448536, rel=1e-6)
    for degrees in (1.5, 4, 31, 235, 1e4):
        assert student(0.9, degrees) == pytest.approx(t.ppf(0.95, degrees), rel=1e-7)


def test_rivals_of_other_variables_say_nothing():
    """A law of C alone does not know what N and D are worth; one of N, D and C is asked with the runs' own C."""
    runs = grid_runs(additive(), 0.005)
    fitted = fit_law(
        law("taken", "E + A/N**alpha + 0*D", {"E": 1.8, "A": 480.0, "alpha": 0.3}), runs, loss=least_squares()
    )
    compute = law("compute", "A*C**-alpha", {"A": 50.0, "alpha": 0.05}, "C")
    both = additive().with_coefficients(E=1.75)
    assert list(uncertainty(fitted, {"compute": compute, "both": both}).rivals) == ["both"]
    assert str(written(both)) == "1.75 + 480.0/N**0.35 + 2100.0/D**0.37"


def test_score_of_a_miss_on_either_side():
    """Width 2; a miss by .5 costs 2/.1 * .5 = 10."""
    found = score(np.array([1.0, 1.0, 1.0]), np.array([3.0, 3.0, 3.0]), np.array([2.0, 0.5, 3.5]), 0.9)
    assert found.tolist() == [2.0, 12.0, 12.0]


def test_residuals_of_absolute_deviations_are_not_resampled():
    fitted = fit_law(additive(), grid_runs(additive(), 0.01), loss=lad())
    with pytest.raises(FitError, match="resample runs"):
        bootstrap_residuals(fitted.fit, 10)


def test_a_variable_without_a_value_is_named():
    fitted = fit_law(additive(), grid_runs(additive(), 0.01), loss=least_squares())
    with pytest.raises(FitError, match="no D to predict at"):
        interval(fitted, {"N": np.array([1e11])})


def test_resampled_runs_have_their_own_corners():
    """Optima of absolute deviations have as many residuals of 0 as coefficients, or one less where a valley bends."""
    fitted = fit_law(additive(), grid_runs(additive(), 0.005), loss=lad())
    found = bootstrap(fitted.fit, count=100)
    assert (found.gradients < 1e-8).all()
    zeros = (np.abs(fitted.fit.problem.residuals(found.points)) < 1e-12).sum(axis=1)
    assert (zeros >= 4).all()
    assert (zeros >= 5).mean() > 0.9


def test_resamples_do_not_depend_on_how_many_there_are():
    fitted = fit_law(additive(), grid_runs(additive(), 0.01), loss=least_squares())
    few, many = bootstrap_residuals(fitted.fit, 20), bootstrap_residuals(fitted.fit, 700)
    assert few.points == pytest.approx(many.points[:20], rel=1e-9)


def four_times(runs: Runs, one_run: bool) -> Runs:
    """Every observation four times: as checkpoints of its run, or as one run's checkpoints altogether."""
    columns = {name: np.repeat(column, 4) for name, column in runs.columns.items()}
    groups = np.zeros(4 * len(runs), np.int64) if one_run else np.repeat(runs.groups, 4)
    return replace(runs, columns=columns, observed=np.repeat(runs.observed, 4), groups=groups)


def test_checkpoints_that_say_the_same_make_nothing_surer():
    """Whatever is said of 36 runs is said of the same with four equal checkpoints each."""
    runs = grid_runs(additive(), 0.01)
    one, four = (fit_law(additive(), found, loss=least_squares()) for found in (runs, four_times(runs, False)))
    assert (freedom(one.fit), freedom(four.fit)) == (31, 31)
    assert noise(four) == pytest.approx(noise(one), rel=1e-6)
    assert aicc(four.fit) == pytest.approx(aicc(one.fit), rel=1e-6)
    a, b = profile(one, "alpha"), profile(four, "alpha")
    assert (b.low, b.high) == pytest.approx((a.low, a.high), rel=1e-4)
    assert bootstrap(four.fit, 50).points == pytest.approx(bootstrap(one.fit, 50).points, rel=1e-6)


def test_checkpoints_of_one_run_count_by_themselves():
    """There a law is of that run: nothing else is foretold."""
    fitted = fit_law(additive(), four_times(grid_runs(additive(), 0.01), True), loss=least_squares())
    assert freedom(fitted.fit) == 144 - 5


def test_too_few_runs_of_many_checkpoints_leave_no_interval():
    runs = grid_runs(additive(), 0.01)
    few = fit_law(additive(), replace(runs, groups=np.arange(36) % 4), loss=least_squares())
    with pytest.raises(FitError, match="4 runs for 5 coefficients leave no interval"):
        uncertainty(few)
