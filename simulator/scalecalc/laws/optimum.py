"""The best model a law knows for a budget: N*, D* and what they reach under C = k*N*D.

`per_nd` is k: 6 by convention, or the model's own training FLOPs per sample over its N (`own_cost`). N and D are
counted as the law counts them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from scalecalc.laws.binding import Binding
from scalecalc.laws.conventions import LEVEL, Interval
from scalecalc.laws.law import Law

if TYPE_CHECKING:
    from scalecalc.laws.searches import Array

SIX = 6.0
Draws: TypeAlias = "Mapping[str, Sequence[float] | Array]"
"""Coefficients of resampled runs, each (s)."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """N*, D* of a budget.

    Attributes:
        compute: C = per_nd * params * data.
        value: the law there.
        near: N from least to largest within `tolerance` of that value.
        params_interval, data_interval, level: as the coefficients' errors let them vary; None without.
        value_interval: of a new run there, where the law says how uncertain it is, else as the others.
        closed_form: whether N* came from a formula and not from a minimiser.
        unique: distinct samples there are; None for as many as are seen.
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
    data_interval: Interval | None = None
    value_interval: Interval | None = None
    unique: float | None = None


@dataclass(frozen=True, slots=True)
class Efficiency:
    """`least`: the cheapest model that reaches the same value; `compute`: its C over the C spent."""

    compute: float
    spent: float
    least: Least


@dataclass(frozen=True, slots=True)
class Least:
    """The cheapest model that reaches a value.

    Attributes:
        params, data, compute: N, D and the C of its training.
        served: samples it is to answer after training.
        inference: FLOPs of these.
        params_interval, data_interval, total_interval, level: as the coefficients' errors let them vary.
    """

    law: str
    value: float
    per_nd: float
    params: float
    data: float
    compute: float
    served: float = 0.0
    inference: float = 0.0
    params_interval: Interval | None = None
    data_interval: Interval | None = None
    total_interval: Interval | None = None
    level: float | None = None

    @property
    def total(self) -> float:
        """FLOPs of training and inference."""
        return self.compute + self.inference


def optimum(
    law: Law, compute: float, *, per_nd: float = SIX, tolerance: float = 0.01, unique: float | None = None,
    draws: Draws | None = None,
) -> Optimum:  # fmt: skip
    """N*, D* and the value of `law` at a budget.

    Args:
        law: conditional, of N and D, or of N, D and U.
        compute: the budget, FLOP.
        per_nd: k of C = k*N*D.
        tolerance: share of the value that `near` may lose.
        unique: distinct samples there are.
        draws: of the coefficients, for intervals instead of the law's covariance.

    Raises:
        LawError: the law is not a conditional one of N and D, the budget buys nothing, or the best N is no size.
    """
    import numpy as np

    from scalecalc.laws.intervals import told
    from scalecalc.laws.sets import sets_of
    from scalecalc.laws.surface import MOST, Surface

    surface = Surface(law, sets_of(law, draws), unique)
    sets, log_nd = surface.sets, surface.log(compute) - math.log(per_nd)
    log_n = surface.log_best(log_nd)
    if not (abs(log_n[0]) < MOST and abs(log_nd[0] - log_n[0]) < MOST):
        raise law.error(f"its N* at {compute:.3g} FLOP would be 10^{log_n[0] / math.log(10):.0f}", "choose another law")
    signed = surface.along(log_nd, log_n[:, None])[:, 0]
    worst = float(signed[0] + tolerance * abs(signed[0]))
    values = signed * law.sign
    params = np.exp(log_n)
    data = np.exp(log_nd - log_n)
    there = {name: float(value[0]) for name, value in surface.values(log_n[:1], log_nd[:1] - log_n[:1]).items()}
    there["C"] = SIX * there["N"] * there["D"]  # as runs without a C of their own count it
    return Optimum(
        law=law.name,
        compute=compute,
        per_nd=per_nd,
        params=float(params[0]),
        data=float(data[0]),
        value=float(values[0]),
        near=surface.edges(float(log_nd[0]), float(log_n[0]), worst),
        tolerance=tolerance,
        params_interval=sets.interval(params),
        data_interval=sets.interval(data),
        value_interval=told(law, there, sets, values)[0],
        level=LEVEL if law.uncertainty else sets.level,
        closed_form=surface.parts is not None,
        unique=unique,
    )


def own_cost(binding: Binding, flops_per_sample: float) -> float:
    """k of C = k*N*D for this very model, N in the law's count."""
    return flops_per_sample / binding.values["N"]


def least_compute(
    law: Law, value: float, *, per_nd: float = SIX, served: float = 0.0, per_served: float = 2.0,
    unique: float | None = None, draws: Draws | None = None,
) -> Least | None:  # fmt: skip
    """The least FLOPs that reach `value`, with their N and D; None if none do.

    With `served`: min k N D + 2 N served subject to L(N, D) = value, so that the cost of use counts: Sardana et al.
    2024, Beyond Chinchilla-Optimal.

    Args:
        law: conditional, of N and D, or of N, D and U.
        value: to be reached.
        per_nd: k, FLOPs of training per parameter and sample.
        served: samples to be answered after training.
        per_served: FLOPs of inference per parameter and sample.
        unique: distinct samples there are.
        draws: of the coefficients, for intervals instead of the law's covariance.
    """
    import numpy as np

    from scalecalc.laws.sets import sets_of
    from scalecalc.laws.surface import Surface

    surface = Surface(law, sets_of(law, draws), unique)
    sets, goal = surface.sets, np.full(surface.sets.count, value * law.sign)
    log_n = surface.log_least(goal, per_served * served / per_nd)
    if not math.isfinite(log_n[0]):
        return None
    params = np.exp(log_n)
    data = np.exp(surface.log_data(goal, log_n[:, None])[:, 0])
    total = params * (per_nd * data + per_served * served)
    return Least(
        law.name, value, per_nd, float(params[0]), float(data[0]), float(per_nd * params[0] * data[0]), served,
        float(per_served * served * params[0]), sets.interval(params), sets.interval(data), sets.interval(total),
        sets.level,
    )  # fmt: skip


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
