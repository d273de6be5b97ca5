"""The best model a law knows for a budget: N*, D* and what they reach under C = k*N*D.

`per_nd` is k: 6 by convention, or the model's own training FLOPs per sample over its N (`own_cost`). N and D are
counted as the law counts them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scalecalc.laws.binding import Binding
from scalecalc.laws.conventions import Interval
from scalecalc.laws.law import Law
from scalecalc.laws.numerics import bisect, first_crossing, minimise
from scalecalc.laws.prediction import LEVEL, Z, spread
from scalecalc.laws.separable import separate

SIX = 6.0


@dataclass(frozen=True, slots=True)
class Optimum:
    """N*, D* of a budget.

    Attributes:
        compute: C = per_nd * params * data.
        value: the law there.
        near: N from least to largest within `tolerance` of that value.
        params_interval, level: N* as the coefficients' covariance lets it vary; None without one.
        closed_form: whether N* came from a formula and not from a minimiser.
    """

    law: str
    compute: float
    per_nd: float
    params: float
    data: float
    value: float
    near: Interval
    tolerance: float
    params_interval: Interval | None
    level: float | None
    closed_form: bool


@dataclass(frozen=True, slots=True)
class Efficiency:
    """`least`: the cheapest model that reaches the same value; `compute`: its C over the C spent."""

    compute: float
    spent: float
    least: Optimum


def optimum(law: Law, compute: float, *, per_nd: float = SIX, tolerance: float = 0.01) -> Optimum:
    """N*, D* and the value of `law` at a budget.

    Raises:
        LawError: the law is not a conditional one of N and D, or the budget buys nothing.
    """
    log_n = _best(law, compute, per_nd)
    params = math.exp(log_n)
    data = compute / per_nd / params
    value = float(law.evaluate(N=params, D=data))
    interval = _interval(law, compute, per_nd, log_n)
    return Optimum(
        law=law.name,
        compute=compute,
        per_nd=per_nd,
        params=params,
        data=data,
        value=value,
        near=_near(law, compute, per_nd, log_n, tolerance),
        tolerance=tolerance,
        params_interval=interval,
        level=LEVEL if interval else None,
        closed_form=separate(law) is not None,
    )


def own_cost(binding: Binding, flops_per_sample: float) -> float:
    """k of C = k*N*D for this very model, N in the law's count."""
    return flops_per_sample / binding.values["N"]


def best_compute(law: Law, params: float, *, per_nd: float = SIX) -> float | None:
    """C at which a model of `params` is the compute-optimal one; None if no budget is."""
    data = _best_data(law, params)
    return None if data is None else per_nd * params * data


def least_compute(law: Law, value: float, *, per_nd: float = SIX) -> Optimum | None:
    """The smallest budget that reaches `value`, with its N and D; None if none does."""

    def gap(log_c: float) -> float:
        c = math.exp(log_c)
        n = math.exp(_best(law, c, per_nd, 1e-6))
        return float(law.evaluate(N=n, D=c / per_nd / n)) - value

    place = first_crossing(gap, math.log(1e6), math.log(1e50), 5.0)
    return None if place is None else optimum(law, math.exp(place), per_nd=per_nd)


def efficiency(binding: Binding, *, per_nd: float = SIX, spent: float | None = None) -> Efficiency | None:
    """C_opt(P)/C: the least compute that reaches the value this binding predicts, over what is spent.

    Args:
        binding: usable, of a law of N and D.
        per_nd: k of C = k*N*D for the cheapest model.
        spent: C of the run; default k*N*D.
    """
    n, d = binding.values["N"], binding.values["D"]
    spent = per_nd * n * d if spent is None else spent
    least = least_compute(binding.law, binding.predict().value, per_nd=per_nd)
    return None if least is None else Efficiency(least.compute / spent, spent, least)


def crossover(law: Law, params: float, *, factor: float = 2.0, per_nd: float = SIX) -> float | None:
    """C beyond which a model `factor` times as large as `params` is the better one."""
    _check(law, params)

    def gap(log_c: float) -> float:
        c = math.exp(log_c)
        larger = law.evaluate(N=factor * params, D=c / per_nd / factor / params)
        return float(larger - law.evaluate(N=params, D=c / per_nd / params)) * law.sign

    place = first_crossing(gap, math.log(per_nd * params * 1e-3), math.log(per_nd * params * 1e30), 1.0)
    return None if place is None else math.exp(place)


def gain_per_doubling(law: Law, params: float, data: float) -> float:
    """How much better the value gets when the same model sees twice the data (positive = better)."""
    return float(law.evaluate(N=params, D=data) - law.evaluate(N=params, D=2 * data)) * law.sign


def _check(law: Law, budget: float) -> None:
    if law.is_form:
        raise law.error(f"is a form: {', '.join(law.unset)} without a value", "fit it to runs of yours")
    if law.kind != "conditional" or law.inputs != ("N", "D"):
        raise law.error("has no optimum: it is not a conditional law of N and D", "choose another law")
    if not 0 < budget < math.inf:
        raise law.error(f"{budget:g} is no budget", "give a positive number")


def _best(law: Law, compute: float, per_nd: float, precision: float = 1e-9) -> float:
    """log N*."""
    _check(law, compute)
    if parts := separate(law):
        return parts.log_best(compute / per_nd)
    objective = _objective(law, compute, per_nd)
    return minimise(objective, 0.0, max(math.log(compute / per_nd), 1.0), precision)


def _objective(law: Law, compute: float, per_nd: float) -> Callable[[float], float]:
    def objective(log_n: float) -> float:
        n = math.exp(log_n)
        return float(law.evaluate(N=n, D=compute / per_nd / n)) * law.sign

    return objective


def _near(law: Law, compute: float, per_nd: float, log_n: float, tolerance: float) -> Interval:
    objective = _objective(law, compute, per_nd)
    worst = objective(log_n) + tolerance * abs(objective(log_n))

    def edge(direction: float) -> float:
        step = 0.5
        while objective(log_n + direction * step) < worst and step < 100:
            step *= 2
        return math.exp(bisect(lambda place: objective(place) - worst, log_n, log_n + direction * step))

    return edge(-1.0), edge(1.0)


def _best_data(law: Law, params: float) -> float | None:
    """D at which N and D gain equally: N dL/dN = D dL/dD."""
    _check(law, params)
    slope_n, slope_d = law.formula.diff("N"), law.formula.diff("D")

    def gap(log_d: float) -> float:
        point = {**law.constants, "N": params, "D": math.exp(log_d)}
        return float(params * slope_n.evaluate(point) - point["D"] * slope_d.evaluate(point))

    place = first_crossing(gap, 0.0, math.log(1e40), 1.0)
    return None if place is None else math.exp(place)


def _interval(law: Law, compute: float, per_nd: float, log_n: float) -> Interval | None:
    """N* by first-order propagation, log-normal; derivatives by central differences of the closed form."""
    if law.covariance is None:
        return None
    slopes = {}
    for name, _ in law.covariance.coordinates():
        value = law.constants[name]
        step = 1e-5 * abs(value)
        up, down = (law.with_coefficients(**{name: value + sign * step}) for sign in (1, -1))
        slopes[name] = (_best(up, compute, per_nd) - _best(down, compute, per_nd)) / (2 * step)
    reach = Z * spread(law, slopes)
    return math.exp(log_n - reach), math.exp(log_n + reach)
