"""Where one model stands by a law: the budget it is the best for, the one beyond which a larger one wins, what more
compute still gains. N, D and C as in `scalecalc.laws.optimum`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from scalecalc.laws.conventions import Interval
from scalecalc.laws.law import Law
from scalecalc.laws.numerics import first_crossing
from scalecalc.laws.optimum import SIX, Draws
from scalecalc.laws.searches import Array, cross_all
from scalecalc.laws.sets import sets_of
from scalecalc.laws.surface import MOST, Surface


def best_compute(law: Law, params: float, *, per_nd: float = SIX, unique: float | None = None) -> float | None:
    """C at which a model of `params` is the compute-optimal one; None if no budget is."""
    surface = Surface(law, unique=unique)
    found = float(surface.log_balance(surface.log(params))[0])
    return per_nd * math.exp(found) if math.isfinite(found) and found < 600 else None


def best_interval(
    law: Law, params: float, *, per_nd: float = SIX, unique: float | None = None, draws: Draws | None = None
) -> Interval | None:
    """What `best_compute` may be, as the coefficients' errors let it vary; None without."""
    surface = Surface(law, sets_of(law, draws), unique)
    return surface.sets.interval(per_nd * np.exp(surface.log_balance(surface.log(params))))


def value_at(law: Law, params: float, data: float, *, unique: float | None = None) -> float:
    """The law at one N and D, of so many distinct samples."""
    surface = Surface(law, unique=unique)
    return float(surface.at(np.log([[params]]), np.log([[data]]))[0, 0]) * law.sign


def data_for(law: Law, params: float, value: float, *, unique: float | None = None) -> float | None:
    """D at which a model of `params` reaches `value`; None if no D does."""
    surface = Surface(law, unique=unique)
    log_n = surface.log(params)
    found = float(surface.log_data(np.array([value * law.sign]), log_n[:, None])[0, 0])
    return math.exp(found) if math.isfinite(found) else None


def reaching(
    law: Law, compute: float, value: float, *, per_nd: float = SIX, unique: float | None = None
) -> Interval | None:
    """The least and the largest N that reach `value` with a budget; None if none does."""
    surface = Surface(law, unique=unique)
    log_nd, goal = surface.log(compute) - math.log(per_nd), value * law.sign
    log_n = surface.log_best(log_nd)
    if surface.along(log_nd, log_n[:, None])[0, 0] > goal:
        return None
    return surface.edges(float(log_nd[0]), float(log_n[0]), goal)


def floor_of(law: Law, *, unique: float | None = None) -> float:
    """What a law comes to with a model and data beyond any."""
    surface = Surface(law, unique=unique)
    if surface.parts:
        return float(surface.parts.floor)
    most = np.full((1, 1), MOST)
    return float(surface.at(most, most)[0, 0]) * law.sign


def crossover(
    law: Law, params: float, *, factor: float = 2.0, per_nd: float = SIX, unique: float | None = None
) -> float | None:
    """C beyond which a model `factor` times as large as `params` is the better one."""
    surface = Surface(law, unique=unique)
    log_n, more = surface.log(params)[:, None], math.log(factor)

    def loss(log_d: Array) -> Array:
        return surface.at(log_n + more, log_d - more) - surface.at(log_n, log_d)

    return _compute(params, per_nd, loss)


def gain_per_doubling(law: Law, params: float, data: float, *, unique: float | None = None) -> float:
    """How much better the value gets when the same model sees twice the data (positive = better)."""
    surface = Surface(law, unique=unique)
    log_n, log_d = np.array([[math.log(params)]]), np.log([[data, 2 * data]])
    found = surface.at(log_n, log_d)[0]
    return float(found[0] - found[1])


def stop_compute(
    law: Law, params: float, gain: float, *, relative: bool = False, per_nd: float = SIX, unique: float | None = None
) -> float | None:
    """C beyond which doubling the compute of the same model betters the value by less than `gain`.

    Args:
        law: conditional, of N and D, or of N, D and U.
        params: N.
        gain: in the metric's unit; with `relative`, a share of the value.
        relative: see `gain`.
        per_nd: k of C = k*N*D.
        unique: distinct samples there are.
    """
    surface = Surface(law, unique=unique)
    log_n = surface.log(params)[:, None]

    def missing(log_d: Array) -> Array:
        now = surface.at(log_n, log_d)
        return gain * (np.abs(now) if relative else 1.0) - (now - surface.at(log_n, log_d + math.log(2.0)))

    return _compute(params, per_nd, missing)


def frontier_stop(
    law: Law, gain: float, *, relative: bool = False, per_nd: float = SIX, unique: float | None = None
) -> float | None:
    """C beyond which twice the budget, each best spent, betters the value by less than `gain`; see `stop_compute`."""
    surface = Surface(law, unique=unique)

    def missing(log_c: float) -> float:
        log_nd = np.array([log_c, log_c + math.log(2.0)]) - math.log(per_nd)
        now, then = (float(surface.along(x, surface.log_best(x)[:, None])[0, 0]) for x in (log_nd[:1], log_nd[1:]))
        return gain * (abs(now) if relative else 1.0) - (now - then)

    found = first_crossing(missing, math.log(1e9), math.log(1e60), 4.0)
    return None if found is None else math.exp(found)


def _compute(params: float, per_nd: float, function: Callable[[Array], Array]) -> float | None:
    """C at the first D where a function of log D changes sign."""
    found = float(cross_all(function, np.array([math.log(1e-3)]), np.array([math.log(1e30)]))[0])
    return per_nd * params * math.exp(found) if math.isfinite(found) else None
