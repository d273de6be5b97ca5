"""Budgets, losses and inference against brute force on fine grids, and against the publications' figures."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from scalecalc.errors import LawError
from scalecalc.expressions import parse
from scalecalc.laws import load, optimum, shipped
from scalecalc.laws.optimum import least_compute
from scalecalc.laws.sets import sets_of
from scalecalc.laws.standing import (
    best_compute,
    best_interval,
    crossover,
    data_for,
    floor_of,
    frontier_stop,
    gain_per_doubling,
    reaching,
    stop_compute,
    value_at,
)
from tests.laws.repeated import repeated

LAWS = shipped()
JOINT = ("besiroglu-2024", "hoffmann-2022", "hoffmann-2022-unrounded", "kaplan-2020-joint")
SARDANA = load("hoffmann-2022").with_coefficients(alpha=0.336, beta=0.283)
"""The exponents with one digit more, as the publication on inference takes them."""


def grid(law, compute: float, **others: float):
    """N and the value on 200,000 places of a budget."""
    n = np.exp(np.linspace(math.log(1e6), math.log(1e13), 200_001))
    return n, law.evaluate(N=n, D=compute / 6 / n, **others)


@pytest.mark.parametrize("name", JOINT)
@pytest.mark.parametrize("compute", [1e19, 1e22, 5.76e23])
def test_the_optimum_is_that_of_a_fine_grid(name, compute):
    best, (n, values) = optimum(LAWS[name], compute), grid(LAWS[name], compute)
    step = math.log(n[1] / n[0])
    assert math.log(best.params) == pytest.approx(math.log(n[values.argmin()]), abs=step)
    assert best.value <= values.min()
    flat = n[values <= 1.01 * values.min()]
    assert [math.log(edge) for edge in best.near] == pytest.approx(
        [math.log(flat[0]), math.log(flat[-1])], abs=2 * step
    )


def test_how_flat_an_optimum_is():
    """A model of a quarter to four times N* loses a few per cent; of 30 % more or less, next to nothing."""
    best, law = optimum(LAWS["besiroglu-2024"], 1e21), LAWS["besiroglu-2024"]

    def lost(factor: float) -> float:
        return law.evaluate(N=factor * best.params, D=best.data / factor) / best.value - 1

    assert max(lost(0.7), lost(1.3)) < 0.002
    assert lost(best.near[0] / best.params) == pytest.approx(0.01, rel=1e-9)
    assert lost(best.near[1] / best.params) == pytest.approx(0.01, rel=1e-9)


def test_chinchillas_exponents_of_compute():
    """Hoffmann et al. 2022, Table 2, approach 3: N* goes with C^.46, D* with C^.54."""
    one, ten = (optimum(LAWS["hoffmann-2022-unrounded"], c) for c in (1e21, 1e22))
    assert f"{math.log10(ten.params / one.params):.2f}" == "0.46"
    assert f"{math.log10(ten.data / one.data):.2f}" == "0.54"


def test_the_refit_agrees_with_chinchilla():
    """Besiroglu et al. 2024: unlike Hoffmann's own third fit, theirs agrees with 70B parameters, 20 tokens each."""
    best = optimum(LAWS["besiroglu-2024"], 5.76e23)
    low, high = best.params_interval
    assert low < 70e9 < high
    assert best.data_interval[0] < 1.4e12 < best.data_interval[1]
    assert optimum(LAWS["hoffmann-2022-unrounded"], 5.76e23).params < low


def test_intervals_are_those_of_draws():
    """Draws from the covariance give what its propagation gives, and sets beside each other what one by one gives."""
    law, rng = LAWS["besiroglu-2024"], np.random.default_rng(0)
    names = list(law.covariance.coordinates())
    centre = [math.log(law.constants[name]) if is_log else law.constants[name] for name, is_log in names]
    drawn = rng.multivariate_normal(centre, law.covariance.matrix, size=4000).T
    draws = {name: np.exp(row) if is_log else row for (name, is_log), row in zip(names, drawn, strict=True)}
    smooth, sampled = optimum(law, 1e21), optimum(law, 1e21, draws=draws)
    for one, other in (
        (smooth.params_interval, sampled.params_interval),
        (smooth.data_interval, sampled.data_interval),
        (smooth.value_interval, sampled.value_interval),
    ):
        assert one == pytest.approx(other, rel=0.01)
    third = {name: float(row[2]) for name, row in draws.items()}
    alone = optimum(law.with_coefficients(**third), 1e21).params
    sets = sets_of(law, draws)
    assert sets.count == 4001
    together = replace(law, covariance=None)
    few = {name: row[2:3] for name, row in draws.items()}
    assert optimum(together, 1e21, draws=few).params_interval == pytest.approx((alone, alone), rel=1e-12)
    assert best_interval(law, 1e9, draws=draws) == pytest.approx(best_interval(law, 1e9), rel=0.02)


def test_searches_give_the_closed_forms():
    """The same law in a spelling whose closed form is not recognised."""
    law = LAWS["besiroglu-2024"]
    other = replace(law, formula=parse("E + A*exp(-alpha*log(N)) + B*exp(-beta*log(D))"))
    for one, two in (
        (optimum(law, 1e21), optimum(other, 1e21)),
        (least_compute(law, 2.4), least_compute(other, 2.4)),
        (least_compute(law, 2.4, served=1e12), least_compute(other, 2.4, served=1e12)),
    ):
        assert two.params == pytest.approx(one.params, rel=1e-6)
        assert two.data == pytest.approx(one.data, rel=1e-6)
        assert two.params_interval == pytest.approx(one.params_interval, rel=1e-4)
    assert optimum(law, 1e21).closed_form
    assert not optimum(other, 1e21).closed_form
    assert best_compute(other, 1e9) == pytest.approx(best_compute(law, 1e9), rel=1e-6)
    assert data_for(other, 1e9, 2.5) == pytest.approx(data_for(law, 1e9, 2.5), rel=1e-12)
    assert floor_of(other) == pytest.approx(floor_of(law), rel=1e-9)


@pytest.mark.parametrize("name", JOINT)
def test_the_least_compute_for_a_loss_is_the_budget_whose_optimum_has_it(name):
    law = LAWS[name]
    least = least_compute(law, 2.4)
    best = optimum(law, least.compute)
    assert best.value == pytest.approx(2.4, rel=1e-9)
    assert best.params == pytest.approx(least.params, rel=1e-6)
    assert reaching(law, 0.999 * least.compute, 2.4) is None
    low, high = reaching(law, 2 * least.compute, 2.4)
    for n in (low, high):
        assert law.evaluate(N=n, D=2 * least.compute / 6 / n) == pytest.approx(2.4)
    assert low < least.params < high


def test_a_published_case_of_inference():
    """Sardana et al. 2024, figure 1: who would train 13B by Hoffmann's law and serve 2T tokens reaches the same with
    about 7B, and saves 1.7e22 FLOP, 17 %.
    """
    law, params, served = SARDANA, 13e9, 2e12
    data = best_compute(law, params) / 6 / params
    spent = 6 * params * data + 2 * params * served
    least = least_compute(law, law.evaluate(N=params, D=data), served=served)
    assert f"{least.params / 1e9:.0f}B" == "7B"
    assert f"{spent - least.total:.1e}" == "1.7e+22"
    assert f"{1 - least.total / spent:.0%}" == "17%"


@pytest.mark.parametrize("served", [1e10, 1e12, 1e14])
def test_inference_by_lagrange(served):
    """min 6 N D + 2 N T subject to A/N^a + B/D^b = l - E. With the multiplier m, by N: 6 D + 2 T = m a A/N^(a+1); by
    D: 6 N = m b B/D^(b+1). Divided: (D + T/3) b B/D^(b+1) = a A/N^a.
    """
    law = LAWS["hoffmann-2022"]
    least = least_compute(law, 2.2, served=served)
    n, d = least.params, least.data
    assert 1.69 + 406.4 / n**0.34 + 410.7 / d**0.28 == pytest.approx(2.2, rel=1e-12)
    assert (d + served / 3) * 0.28 * 410.7 / d**1.28 == pytest.approx(0.34 * 406.4 / n**0.34, rel=1e-6)
    assert least.inference == pytest.approx(2 * n * served)
    assert least.total == pytest.approx(6 * n * d + 2 * n * served)
    assert n < least_compute(law, 2.2).params


def test_inference_of_a_law_without_closed_forms_is_scipys():
    law, served, goal = LAWS["kaplan-2020-joint"], 1e12, 2.5
    least = least_compute(law, goal, served=served)

    def cost(log_n: np.ndarray) -> float:
        n = math.exp(log_n[0])
        inner = goal ** (1 / 0.103) - (6.4e13 / n) ** (0.076 / 0.103)  # = Dc/D
        return math.log(6 * n * 1.8e13 / inner + 2 * n * served) if inner > 0 else math.inf

    theirs = minimize(cost, [math.log(3 * least.params)], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 0})
    assert least.total <= math.exp(theirs.fun) * (1 + 1e-9)
    assert math.log(least.params) == pytest.approx(theirs.x[0], abs=1e-5)


def test_repeated_data_at_the_published_points():
    """Values the publication's code gives for N = 6.34B and 8.67B at 25B distinct tokens."""
    law = repeated()
    assert law.evaluate(N=6.34e9, D=242e9, U=25e9) == pytest.approx(2.2256440889984477, rel=1e-12)
    assert law.evaluate(N=8.67e9, D=178e9, U=25e9) == pytest.approx(2.2269634075087867, rel=1e-12)


@pytest.mark.parametrize("unique", [1e9, 25e9, 1e12])
def test_the_optimum_under_repeated_data_is_that_of_a_fine_grid(unique):
    law, compute = repeated(), 9.2e21
    best = optimum(law, compute, unique=unique)
    n = np.exp(np.linspace(math.log(1e8), math.log(1e12), 200_001))
    d = compute / 6 / n
    values = law.evaluate(N=n, D=d, U=np.minimum(d, unique))
    assert math.log(best.params) == pytest.approx(math.log(n[values.argmin()]), abs=2e-4)
    assert best.value == pytest.approx(values.min(), rel=1e-9)
    assert best.unique == unique


def test_repeated_data_are_worth_less_than_new_ones():
    law, compute = repeated(), 9.2e21
    many, few, none = (optimum(law, compute, unique=u) for u in (None, 25e9, 1e9))
    assert many.value < few.value < none.value
    # where data are short, passes are cheaper than parameters: section 6 of the publication
    assert few.params < many.params
    assert least_compute(law, few.value, unique=25e9).compute == pytest.approx(compute, rel=1e-6)
    assert least_compute(law, 2.1, unique=25e9) is None
    assert floor_of(law, unique=25e9) > 2.1
    assert best_compute(law, few.params, unique=25e9) == pytest.approx(compute, rel=1e-4)


def test_a_law_of_distinct_samples_takes_no_more_than_there_are():
    """Kaplan's D is distinct tokens: more passes add nothing, so all compute beyond them buys parameters."""
    law, unique = LAWS["kaplan-2020-joint"], 1e9
    best = optimum(law, 1e21, unique=unique)
    assert best.data == pytest.approx(unique, rel=1e-6)
    assert best.value == pytest.approx(law.evaluate(N=1e21 / 6 / unique, D=unique))
    assert optimum(law, 1e21, unique=1e12) == replace(optimum(law, 1e21), unique=1e12)


def test_where_a_model_stands():
    law, n = LAWS["besiroglu-2024"], 1e9
    for gain in (0.1, 0.01):
        end = stop_compute(law, n, gain)
        assert gain_per_doubling(law, n, end / 6 / n) == pytest.approx(gain, rel=1e-9)
    # B/D^beta (1 - 2^-beta) = .01 solved for D by hand
    data = (2085.43420 * (1 - 2**-0.36585) / 0.01) ** (1 / 0.36585)
    assert stop_compute(law, n, 0.01) == pytest.approx(6 * n * data, rel=1e-9)
    share = stop_compute(law, n, 0.01, relative=True)
    here, there = (law.evaluate(N=n, D=k * share / 6 / n) for k in (1, 2))
    assert 1 - there / here == pytest.approx(0.01, rel=1e-9)
    # equal losses: A/N^a (1 - 2^-a) = B/D^b (2^b - 1)
    even = (2085.43420 * (2**0.36585 - 1) / (482.00572 / n**0.34781 * (1 - 2**-0.34781))) ** (1 / 0.36585)
    assert crossover(law, n) == pytest.approx(6 * n * even, rel=1e-9)
    assert value_at(law, n, even) == pytest.approx(value_at(law, 2 * n, even / 2), rel=1e-12)


@pytest.mark.parametrize("name", ["besiroglu-2024", "kaplan-2020-joint"])
def test_where_no_budget_is_worth_doubling(name):
    law = LAWS[name]
    end = frontier_stop(law, 0.01)
    assert optimum(law, end).value - optimum(law, 2 * end).value == pytest.approx(0.01, rel=1e-6)
    share = frontier_stop(law, 0.02, relative=True)
    if law.name == "kaplan-2020-joint":  # without a floor: C^-.0437 at best, of which 3 % a doubling, for ever
        assert share is None
    else:
        assert optimum(law, 2 * share).value / optimum(law, share).value == pytest.approx(0.98, rel=1e-6)
    assert frontier_stop(law, 1e9) is None


def test_what_cannot_be_reached_or_asked():
    law = LAWS["hoffmann-2022"]
    assert least_compute(law, 1.69) is None
    assert floor_of(law) == 1.69
    assert data_for(law, 1e6, 2.0) is None
    assert reaching(law, 1e18, 2.0) is None
    with pytest.raises(LawError, match="no budget"):
        best_compute(law, 0.0)
    with pytest.raises(LawError, match="has no optimum"):
        least_compute(LAWS["seed-exponential"], 0.9)


def test_a_best_size_that_is_none_is_refused():
    """A/N^.34 of nearly no A: the closed form's N* is 10^-512."""
    law = load("hoffmann-2022").with_coefficients(A=1e-320)
    with pytest.raises(LawError, match=r"its N\* at 1e\+20 FLOP would be 10\^-512"):
        optimum(law, 1e20)
