"""Best models under a budget: closed forms against the general minimiser, and the publications' figures."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from scalecalc.errors import LawError
from scalecalc.expressions import parse
from scalecalc.laws import optimum, shipped
from scalecalc.laws.optimum import efficiency, least_compute, own_cost
from scalecalc.laws.separable import separate
from scalecalc.laws.standing import best_compute, crossover, gain_per_doubling

LAWS = shipped()

BUDGETS = [
    # law                        C         N*        D*         where
    (
        "hoffmann-2022",
        5.76e23,
        32.19e9,
        2.982e12,
        "Gopher's; (.34*406.4/.28/410.7)^(1/.62) (C/6)^(.28/.62)",
    ),
    ("hoffmann-2022-unrounded", 5.76e23, 40.36e9, 2.3785e12, "the same: 40B, as Hoffmann et al. 2022, Table 3"),
    ("besiroglu-2024", 1e21, 2.782e9, 5.991e10, "the same"),
]


@pytest.mark.parametrize(("name", "compute", "params", "data", "where"), BUDGETS)
def test_published_optima(name, compute, params, data, where):
    best = optimum(LAWS[name], compute)
    assert best.params == pytest.approx(params, rel=3e-4), where
    assert best.data == pytest.approx(data, rel=3e-4), where
    assert best.closed_form
    assert 6 * best.params * best.data == pytest.approx(compute)


def test_how_flat_besiroglus_optimum_is():
    best = optimum(LAWS["besiroglu-2024"], 1e21)
    assert best.value == pytest.approx(2.30, abs=5e-3)
    assert best.near == (pytest.approx(1.2e9, rel=0.03), pytest.approx(6.5e9, rel=0.01))
    for params in best.near:
        assert LAWS["besiroglu-2024"].evaluate(N=params, D=1e21 / 6 / params) == pytest.approx(1.01 * best.value)
    # 4,000 bootstrap refits of the 240 points: log N* varies by .082, hence 2.78e9 * exp(-+1.645*.082)
    assert best.params_interval == (pytest.approx(2.43e9, rel=5e-3), pytest.approx(3.19e9, rel=5e-3))
    assert best.level == 0.9


def test_gpt2s_place():
    law = LAWS["besiroglu-2024"]
    assert best_compute(law, 124_439_808) == pytest.approx(2.3e18, rel=0.02)
    least = least_compute(law, law.evaluate(N=124_439_808, D=1e21 / 854.4e6))
    assert least is not None
    assert least.compute == pytest.approx(5.5e19, rel=0.01)
    assert least.params == pytest.approx(0.63e9, rel=5e-3)
    assert least.data == pytest.approx(14.6e9, rel=5e-3)


def test_efficiency(gpt2, gpt2_plan):
    binding = LAWS["besiroglu-2024"].bind(gpt2, gpt2_plan)
    found = efficiency(binding, spent=1e21)
    assert found is not None
    assert found.compute == pytest.approx(0.055, abs=5e-4)
    own = own_cost(binding, 854_438_400)
    assert own == pytest.approx(6 * 1.144, rel=1e-3)
    # in the model's own count both costs are exact: 6.866/6 dearer on both sides than under 6ND
    same = efficiency(binding, per_nd=own)
    assert same is not None
    assert same.spent == pytest.approx(1e21)
    assert same.compute == pytest.approx(5.5438e19 * own / 6 / 1e21, rel=1e-3)


def test_a_compute_optimal_model_is_fully_efficient(gpt2, gpt2_plan):
    law = LAWS["besiroglu-2024"]
    compute = best_compute(law, 124_439_808)
    binding = law.bind(gpt2, replace(gpt2_plan, data=compute / 6 / 124_439_808))
    assert efficiency(binding).compute == pytest.approx(1, rel=1e-9)


def test_kaplans_optimum_by_hand():
    """d/dN of (Nc/N)^p + 6 N Dc/C is 0 at N = (p Nc^p C/(6 Dc))^(1/(p+1)), p = aN/aD."""
    law, compute, p = LAWS["kaplan-2020-joint"], 1e21, 0.076 / 0.103
    best = optimum(law, compute)
    assert best.params == pytest.approx((p * 6.4e13**p * compute / (6 * 1.8e13)) ** (1 / (p + 1)), rel=1e-6)
    assert not best.closed_form
    assert best.params_interval is None
    assert best_compute(law, best.params) == pytest.approx(compute, rel=1e-5)
    assert least_compute(law, best.value).compute == pytest.approx(compute, rel=1e-5)


@settings(max_examples=50, deadline=None)
@given(st.floats(15, 27), st.floats(1, 30), st.sampled_from(["besiroglu-2024", "hoffmann-2022", "kaplan-2020-joint"]))
def test_optimum_is_scipys(log_c, per_nd, name):
    law, compute = LAWS[name], 10**log_c
    best = optimum(law, compute, per_nd=per_nd)

    def loss(log_n: float) -> float:
        return law.evaluate(N=math.exp(log_n), D=compute / per_nd / math.exp(log_n))

    theirs = minimize_scalar(loss, bounds=(0, math.log(compute / per_nd)), method="bounded", options={"xatol": 1e-9})
    assert best.value <= theirs.fun * (1 + 1e-12)
    assert math.log(best.params) == pytest.approx(theirs.x, abs=1e-5)
    assert best.near[0] < best.params < best.near[1]
    assert best_compute(law, best.params, per_nd=per_nd) == pytest.approx(compute, rel=1e-5)


def test_crossover_with_a_larger_model():
    law, n = LAWS["besiroglu-2024"], 124_439_808
    compute = crossover(law, n)
    assert law.evaluate(N=n, D=compute / 6 / n) == pytest.approx(law.evaluate(N=2 * n, D=compute / 12 / n), rel=1e-12)
    expected = brentq(
        lambda x: law.evaluate(N=n, D=math.exp(x) / 6 / n) - law.evaluate(N=2 * n, D=math.exp(x) / 12 / n), 30, 60
    )
    assert math.log(compute) == pytest.approx(expected)
    assert best_compute(law, n) < compute < best_compute(law, 2 * n)
    for factor, better in ((0.5, n), (2.0, 2 * n)):
        size = min((n, 2 * n), key=lambda size: law.evaluate(N=size, D=factor * compute / 6 / size))
        assert size == better


def test_gain_per_doubling():
    """B/D^beta (1 - 2^-beta) at D = 1e10: 2085.43420/1e10^.36585*(1 - 2^-.36585)."""
    expected = 2085.43420 / 1e10**0.36585 * (1 - 2**-0.36585)
    assert gain_per_doubling(LAWS["besiroglu-2024"], 1e8, 1e10) == pytest.approx(expected)


SPELLINGS = {
    # text                                        has the closed form
    "E + A*N**-alpha + B*D**(-beta)": True,
    "A/N**alpha + (B/D**beta + E)": True,
    "(A**(1/alpha)/N)**alpha - -B/D**beta + E": True,
    "E - (0 - A/N**alpha) + B/(D**beta*1)": True,
    "E + A/N**alpha + B/D**beta + A/N**alpha": False,
    "E + A/N**alpha*B/D**beta": False,
    "E + A/(N + 1)**alpha + B/D**beta": False,
    "E + A*exp(-N/1e9)*alpha + B/D**beta": False,
    "E + A*N**alpha + B/D**beta": False,
    "E - A/N**alpha + B/D**beta": False,
}


@pytest.mark.parametrize(("text", "expected"), SPELLINGS.items())
def test_the_closed_form_is_recognised_in_any_spelling(text, expected):
    law = replace(LAWS["hoffmann-2022"], formula=parse(text))
    parts = separate(law)
    assert (parts is not None) == expected
    if parts:
        assert (parts.floor, parts.b, parts.beta) == (1.69, 410.7, 0.28)
        assert (parts.a, parts.alpha) == (pytest.approx(406.4), pytest.approx(0.34))


def test_laws_without_an_optimum_say_so():
    for name in ("seed-exponential", "kaplan-2020-n", "kaplan-2020-compute"):
        with pytest.raises(LawError, match="has no optimum"):
            optimum(LAWS[name], 1e21)
    with pytest.raises(LawError, match="no budget"):
        optimum(LAWS["hoffmann-2022"], 0.0)
    assert least_compute(LAWS["hoffmann-2022"], 1.0) is None
