"""Profile likelihood against closed forms and a general constrained minimiser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm, t

from scalecalc.calibrate.lawfit import fit_law
from scalecalc.calibrate.losses import huber, lad, least_squares
from scalecalc.calibrate.profiling import profile, profile_best_params, profile_value, profiles
from scalecalc.errors import FitError
from tests.calibrate.making import additive, grid_runs, law, line_runs

X = np.arange(1.0, 13.0)
Y = 5.0 + 2.0 * X + np.array([0.3, -0.2, 0.1, 0.4, -0.5, 0.2, -0.1, 0.3, -0.4, 0.2, -0.3, 0.1])


def straight():
    """y = a + b x and its textbook intervals: estimate +- t s sqrt((X'X)^-1), here from numpy alone."""
    design = np.stack([np.ones_like(X), X], axis=1)
    best = np.linalg.lstsq(design, Y, rcond=None)[0]
    variance = ((Y - design @ best) ** 2).sum() / (len(X) - 2)
    covariance = variance * np.linalg.inv(design.T @ design)
    fitted = fit_law(
        law("line", "a + b*D", {"a": 1.0, "b": 1.0}, "D"), line_runs("D", X, Y), loss=least_squares(), residual="raw"
    )
    return fitted, best, covariance


@pytest.mark.parametrize(("name", "place"), [("a", 0), ("b", 1)])
def test_a_straight_line_has_the_textbook_interval(name, place):
    fitted, best, covariance = straight()
    reach = t.ppf(0.95, len(X) - 2) * np.sqrt(covariance[place, place])
    found = profile(fitted, name, 0.9)
    assert found.value == pytest.approx(best[place], rel=1e-9)
    assert (found.low, found.high) == pytest.approx((best[place] - reach, best[place] + reach), rel=1e-5)


def test_a_coefficient_of_any_sign_has_the_textbook_interval():
    """y = a + b x with b < 0, and an interval of a that holds 0."""
    y = 0.1 - 0.5 * X + np.array([0.3, -0.2, 0.1, 0.4, -0.5, 0.2, -0.1, 0.3, -0.4, 0.2, -0.3, 0.1])
    design = np.stack([np.ones_like(X), X], axis=1)
    best, squares = np.linalg.lstsq(design, y, rcond=None)[:2]
    errors = np.sqrt(np.diag(squares[0] / 10 * np.linalg.inv(design.T @ design)))
    form = law("line", "a + b*D", {"a": -1.0, "b": -1.0}, "D", bounds=(None, None))
    found = profiles(fit_law(form, line_runs("D", X, y), loss=least_squares(), residual="raw"))
    reach = t.ppf(0.95, 10) * errors
    assert found["a"].low < 0 < found["a"].high
    for place, name in enumerate(("a", "b")):
        ends = (best[place] - reach[place], best[place] + reach[place])
        assert (found[name].low, found[name].high) == pytest.approx(ends, rel=1e-5)


def test_the_line_itself_has_the_textbook_interval_beyond_its_runs():
    fitted, best, covariance = straight()
    there = np.array([1.0, 30.0])
    reach = t.ppf(0.975, len(X) - 2) * np.sqrt(there @ covariance @ there)
    found = profile_value(fitted, {"D": 30.0}, 0.95)
    assert (found.low, found.high) == pytest.approx((there @ best - reach, there @ best + reach), rel=1e-5)


def test_the_ends_of_best_params_are_where_a_constrained_minimiser_says():
    """At the end the sum of squares, minimised with N* = G (C/6)^(beta/(alpha + beta)) held, is (1 + t^2/(n - p))
    times its least: both sides written here without the package."""
    runs = grid_runs(additive(), 0.01)
    fitted = fit_law(additive(), runs, loss=least_squares())
    found = profile_best_params(fitted, 1e23, level=0.9)
    n, d, seen = runs.columns["N"], runs.columns["D"], np.log(runs.observed)

    def squares(p):
        e, a, b, alpha, beta = np.exp(p)
        return ((np.log(e + a / n**alpha + b / d**beta) - seen) ** 2).sum() * 1e3

    def log_best(p):
        _, a, b, alpha, beta = np.exp(p)
        return (np.log(alpha * a / (beta * b)) + beta * np.log(1e23 / 6)) / (alpha + beta)

    start = np.log([fitted.fit.coefficients[name] for name in ("E", "A", "B", "alpha", "beta")])
    assert np.exp(log_best(start)) == pytest.approx(found.value, rel=1e-6)
    allowed = 1 + t.ppf(0.95, 36 - 5) ** 2 / (36 - 5)
    for end in (found.low, found.high):
        held = minimize(
            squares, start, method="SLSQP", options={"ftol": 1e-15, "maxiter": 1000},
            constraints={"type": "eq", "fun": lambda p, end=end: log_best(p) - np.log(end)},
        )  # fmt: skip
        assert held.success
        assert held.fun / squares(start) == pytest.approx(allowed, rel=1e-4)


def test_a_floor_the_runs_do_not_show_has_an_open_end():
    runs = line_runs("D", np.geomspace(1, 10, 8), 10 * np.geomspace(1, 10, 8) ** -0.3 * np.tile([1.02, 0.98], 4))
    form = law("m2", "e + b*D**-c", {"e": 0.1, "b": 1.0, "c": 0.3}, "D")
    found = profile(fit_law(form, runs, loss=least_squares()), "e")
    assert found.low == 0.0
    assert found.high > found.value


def test_huber_and_least_squares_agree_where_no_residual_is_large():
    runs = grid_runs(additive(), 0.01)
    wide = profile(fit_law(additive(), runs, loss=huber(1.0)), "alpha")
    square = profile(fit_law(additive(), runs, loss=least_squares()), "alpha")
    assert (wide.low, wide.high) == pytest.approx((square.low, square.high), rel=1e-6)


def test_absolute_deviations_of_a_mean_have_the_interval_of_a_median():
    """Of 201 even quantiles of a normal distribution the median is known to s sqrt(pi/2/n); within a tenth."""
    y = 50.0 + norm.ppf((np.arange(201) + 0.5) / 201)
    form = law("constant", "a + 0*D", {"a": 1.0}, "D")
    found = profile(fit_law(form, line_runs("D", np.arange(1, 202), y), loss=lad(), residual="raw"), "a")
    reach = 1.645 * np.sqrt(np.pi / 2 / 201)
    assert found.high - 50 == pytest.approx(reach, rel=0.1)
    assert 50 - found.low == pytest.approx(reach, rel=0.1)


def test_only_fitted_coefficients_have_a_profile():
    fitted = fit_law(additive(), grid_runs(additive(), 0.01), loss=least_squares(), held={"E": 1.8})
    with pytest.raises(FitError, match="E was not fitted"):
        profile(fitted, "E")
