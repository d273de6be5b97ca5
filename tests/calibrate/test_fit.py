"""Fits whose way to the optimum is long, beside a search that takes no slopes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import huber as cost

from scalecalc.calibrate.lawfit import LawFit, fit_law
from scalecalc.calibrate.losses import huber
from scalecalc.calibrate.resample import bootstrap, solved
from scalecalc.calibrate.runs import Runs
from tests.calibrate.making import additive

NAMES = ("E", "A", "B", "alpha", "beta")


def fitted(seed: int, delta: float = 1e-3) -> LawFit:
    """Of 40 runs over few decades with noise of 1 %: what hardly tells a floor from a slow power of D."""
    rng = np.random.default_rng([0, seed])
    n, d = (np.exp(rng.uniform(*np.log(ends), 40)) for ends in ((1e7, 2e9), (1e9, 5e10)))
    observed = (1.8 + 480 / n**0.35 + 2100 / d**0.37) * np.exp(0.01 * rng.standard_normal(40))
    return fit_law(additive(), Runs({"N": n, "D": d}, observed, np.arange(40)), loss=huber(delta))


@pytest.mark.parametrize("delta", [1e-4, 1e-3])
def test_a_loss_that_bends_far_inside_the_residuals_comes_to_its_end(delta):
    """The floor goes to 0; Newton's method alone creeps and says there is no optimum."""
    found = fitted(70, delta)
    n, d = found.runs.columns["N"], found.runs.columns["D"]

    def objective(x: np.ndarray) -> float:
        e, a, b, alpha, beta = np.exp(x)
        return float(cost(delta, np.log((e + a / n**alpha + b / d**beta) / found.runs.observed)).sum())

    here = np.log([max(found.fit.coefficients[name], 1e-12) for name in NAMES])
    assert found.fit.objective == pytest.approx(objective(here), rel=1e-9)
    for start in (here + 0.1, here + np.array([20, 0, 0, 0, 0]), np.log([1.8, 480, 2100, 0.35, 0.37])):
        best = minimize(objective, start, method="Nelder-Mead", options={"maxiter": 20_000, "maxfev": 20_000})
        assert found.fit.objective <= best.fun * (1 + 1e-9)


def test_no_resample_is_left_out_where_its_way_is_long():
    """Without those whose floor goes to 0 the others would look alike."""
    fit = fitted(3).fit
    assert solved(fit, bootstrap(fit, 500)).all()


@pytest.mark.filterwarnings("error")
def test_a_loss_at_0_is_a_parabola_s():
    value, pull, bend = huber(1e-3).terms(np.zeros(2))
    assert (value.tolist(), pull.tolist(), bend.tolist()) == ([0, 0], [0, 0], [1, 1])
