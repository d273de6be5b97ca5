"""Coefficients that could as well have been found: every question of a law is asked of all of them at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scalecalc.laws.conventions import LEVEL, Interval
from scalecalc.laws.law import Law
from scalecalc.laws.searches import Array

Z = 1.6448536269514722
"""A normal distribution's central 90 % lie within."""
STEP = 0.1
"""Standard deviations a coefficient is moved by to see what follows: far above rounding, far below curvature."""


@dataclass(frozen=True)
class Sets:
    """Sets of coefficients, the law's own first.

    Attributes:
        count: how many, s.
        values: coefficient to its values, (s, 1); empty where there is only the law's own set.
        matrix: covariance of what was moved by STEP, up and down, set after set; None where the sets are draws.
        moves: by how much, (c).
    """

    count: int
    values: Mapping[str, Array]
    matrix: Array | None = None
    moves: Array | None = None

    @property
    def level(self) -> float | None:
        """Of the intervals; None if there are none."""
        return LEVEL if self.count > 1 else None

    def interval(self, found: Array, *, logarithmic: bool = True) -> Interval | None:
        """What a quantity may be, from its value for every set, (s).

        Quantiles of draws; else first-order propagation of the covariance, of the logarithm or of the quantity.
        None without draws or covariance, and where more than 1 in 20 sets give no value.
        """
        if self.count == 1:
            return None
        others = found[1:]
        if self.matrix is None or self.moves is None:
            good = others[np.isfinite(others)]
            if len(good) < 0.95 * len(others):
                return None
            low, high = np.quantile(good, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            return float(low), float(high)
        if not np.isfinite(found).all() or (logarithmic and (found <= 0).any()):
            return None
        own, reach = float(found[0]), Z * float(self.spread(found, logarithmic=logarithmic))
        return (own * math.exp(-reach), own * math.exp(reach)) if logarithmic else (own - reach, own + reach)

    def spread(self, found: Array, *, logarithmic: bool = True) -> Array:
        """Standard deviation of a quantity or of its logarithm, from its value for every set, (s, ...).

        0 without sets; NaN where more than 1 in 20 give no value.
        """
        if self.count == 1:
            return np.zeros(found.shape[1:])
        with np.errstate(all="ignore"):
            others = np.log(found[1:]) if logarithmic else found[1:]
            if self.matrix is None or self.moves is None:
                good = np.isfinite(others)
                known = good.sum(axis=0)
                middle = np.where(good, others, 0.0).sum(axis=0) / known
                apart = np.where(good, others - middle, 0.0)
                return np.where(known >= 0.95 * len(others), np.sqrt((apart**2).sum(axis=0) / known), np.nan)
        apart = np.moveaxis(others[0::2] - others[1::2], 0, -1)
        slopes = np.divide(apart, 2 * self.moves, out=np.zeros_like(apart), where=self.moves > 0)
        variance: Array = np.einsum("...i,ij,...j->...", slopes, self.matrix, slopes)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def sets_of(law: Law, draws: Mapping[str, Sequence[float] | Array] | None = None) -> Sets:
    """The law's own coefficients, and as many others as draws or a covariance give.

    Args:
        law: its own coefficients come first.
        draws: of resampled runs, each (s); instead of the law's own, or of its covariance.
    """
    draws = draws or getattr(law, "draws", None)
    if draws:
        columns = {name: np.concatenate(([law.constants[name]], values))[:, None] for name, values in draws.items()}
        return Sets(len(next(iter(columns.values()))), columns)
    if law.covariance is None:
        return Sets(1, {})
    matrix = np.array(law.covariance.matrix)
    moves = STEP * np.sqrt(np.diag(matrix))
    names = list(law.covariance.coordinates())
    columns = {name: np.full((1 + 2 * len(names), 1), law.constants[name]) for name, _ in names}
    for index, ((name, is_log), move) in enumerate(zip(names, moves, strict=True)):
        with np.errstate(over="ignore"):  # of a covariance no run ever had: inf, and so no interval
            for place, step in ((1 + 2 * index, move), (2 + 2 * index, -move)):
                columns[name][place] = columns[name][place] * np.exp(step) if is_log else columns[name][place] + step
    return Sets(1 + 2 * len(names), columns, matrix, moves)
