"""One fit: a formula, its coefficients in coordinates that keep them where they must be, data, and a loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalecalc.calibrate.losses import Loss
from scalecalc.calibrate.newton import Evaluate
from scalecalc.calibrate.tape import Array, Tape
from scalecalc.expressions import Call, Expr, Name

RESIDUALS = ("log", "raw")
CELLS = 12_000
"""Numbers of one array computed together, of all problems: as many as stay in the processor's cache."""
EXACT, MET = 1e-13, 1.4e-6
"""Residuals, as part of what was observed, that are rounding; and those of a formula that meets its runs by six digits
more than anybody measures.
"""


@lru_cache(maxsize=64)
def compiled(
    formula: Expr, positive: tuple[str, ...], free: tuple[str, ...], data: frozenset[str]
) -> tuple[Tape, list[tuple[int, int]]]:
    """A formula over coordinates (logarithms of positive coefficients) with its slopes and second slopes.

    Returns:
        The tape, and the entries of the Hessian that are not 0, in its order.
    """
    names = (*positive, *free)
    inner = formula.substitute({name: Call("exp", (Name(name),)) for name in positive})
    slopes = [inner.diff(name) for name in names]
    pairs = [(i, j) for i, slope in enumerate(slopes) for j in range(i + 1) if names[j] in slope.names]
    return Tape([inner, *slopes, *(slopes[i].diff(names[j]) for i, j in pairs)], data), pairs


@dataclass(frozen=True)
class Problem:
    """What is minimised: the weighted sum of a loss of residuals.

    Attributes:
        formula: over coefficients and variables.
        positive: coefficients fitted as their logarithms.
        free: coefficients of any sign.
        data: variables by name, and `observed`, each (n).
        loss: of one residual.
        residual: `log`: log of the formula less log of what was observed; `raw`: their difference.
        weights: of the observations, (n); None for one each.
    """

    formula: Expr
    positive: Sequence[str]
    free: Sequence[str]
    data: Mapping[str, Array]
    observed: Array
    loss: Loss
    residual: str = "log"
    weights: Array | None = None
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", (*self.positive, *self.free))

    @cached_property
    def _compiled(self) -> tuple[Tape, list[tuple[int, int]]]:
        return compiled(self.formula, tuple(self.positive), tuple(self.free), frozenset(self.data))

    @property
    def _tape(self) -> Tape:
        return self._compiled[0]

    @property
    def _pairs(self) -> list[tuple[int, int]]:
        return self._compiled[1]

    @cached_property
    def _blocks(self) -> list[tuple[slice, list[Any]]]:
        """Observations whose arrays stay in the processor's cache, with what the data alone decide of them."""
        width = max(1, min(len(self.observed), CELLS))
        blocks = [slice(first, first + width) for first in range(0, len(self.observed), width)]
        return [(b, self._tape.prepare({name: column[b] for name, column in self.data.items()})) for b in blocks]

    @cached_property
    def _target(self) -> Array:
        return np.log(self.observed) if self.residual == "log" else self.observed

    def chosen(self, rows: NDArray[Any]) -> Problem:
        """The same for those observations only."""
        own = None if self.weights is None else self.weights[rows]
        data = {name: column[rows] for name, column in self.data.items()}
        return replace(self, data=data, observed=self.observed[rows], weights=own)

    def off_by(self, part: float) -> float:
        """The objective where every residual is this part of what was observed: what is as good as 0."""
        return max(float(self.loss.terms(part * self.sizes)[0].sum()), 1e-300)

    @property
    def sizes(self) -> Array:
        """What residuals are parts of, (n): 1 for logarithms."""
        return np.ones(len(self.observed)) if self.residual == "log" else np.abs(self.observed)

    @property
    def rounding(self) -> float | None:
        """What an objective of squares is as good as 0 by, for relative gradients; None for other losses.

        These have a scale of their own, to which relative gradients are of no use.
        """
        return self.off_by(MET) if self.loss.name == "least-squares" else None

    def coordinates(self, coefficients: Mapping[str, Any]) -> Array:
        """Points (..., p) from coefficients."""
        values = [np.log(coefficients[n]) if n in self.positive else coefficients[n] for n in self.names]
        return np.stack(np.broadcast_arrays(*map(np.asarray, values)), axis=-1).astype(float)

    def coefficients(self, points: Array) -> dict[str, Array]:
        """Coefficients from points."""
        columns = np.moveaxis(points, -1, 0)
        return {n: np.exp(c) if n in self.positive else c for n, c in zip(self.names, columns, strict=True)}

    def _tiles(self, points: Array, first: int = 0) -> Iterator[tuple[slice, slice, tuple[int, int], list[Any]]]:
        """Points and observations piece by piece: which, their shape, and the formula with its slopes there."""
        for columns, prepared in self._blocks:
            width = len(self.observed[columns])
            together = max(1, CELLS // width)
            for start in range(0, len(points), together):
                rows = slice(start, start + together)
                some = points[rows]
                values = {name: some[:, [i]] for i, name in enumerate(self.names)}
                shape = (len(some), width)
                yield rows, columns, shape, self._tape.run(prepared, values, shape, first)

    def residuals(self, points: Array, targets: Array | None = None) -> Array:
        """(s, n)."""
        found = np.empty((len(points), len(self.observed)))
        with np.errstate(all="ignore"):
            for rows, columns, _, (f,) in self._tiles(points, 1):
                found[rows, columns] = np.log(f) if self.residual == "log" else f
        found -= self._target if targets is None else targets
        return found

    def linearised(self, points: Array) -> tuple[Array, Array]:
        """Residuals (s, n) and their slopes by the coordinates (s, n, p)."""
        size = len(self.names)
        found, slopes = np.empty((len(points), len(self.observed))), np.empty((len(points), size, len(self.observed)))
        with np.errstate(all="ignore"):
            for rows, columns, _, (f, *some) in self._tiles(points, 1 + size):
                for i, slope in enumerate(some):
                    slopes[rows, i, columns] = slope / f if self.residual == "log" else slope
                found[rows, columns] = np.log(f) if self.residual == "log" else f
        found -= self._target
        return found, slopes.transpose(0, 2, 1)

    @property
    def evaluate(self) -> Evaluate:
        """Objectives with gradients and Hessians, for `newton.minimise`."""
        return self._evaluate

    @property
    def evaluate_against(self) -> Evaluate:
        """As `evaluate` for other observations: where weights would stand, what each problem is to meet, (s, n).

        Observations are given as residuals see them: logarithms where these are fitted.
        """
        return lambda points, targets: self._evaluate(points, None, targets)

    def _evaluate(
        self, points: Array, weights: Array | None, targets: Array | None = None
    ) -> tuple[Array, Array, Array]:
        count, size = len(points), len(self.names)
        objective, gradients, hessians = np.zeros(count), np.zeros((count, size)), np.zeros((count, size, size))
        with np.errstate(all="ignore"):
            for rows, columns, shape, found in self._tiles(points):
                target = self._target[columns] if targets is None else targets[rows, columns]
                each = [w for w in (self.weights, None if weights is None else weights[rows]) if w is not None]
                value, gradient, hessian = self._summed(found, shape, target, [w[..., columns] for w in each])
                objective[rows] += value
                gradients[rows] += gradient
                hessians[rows] += hessian
        bad = ~(np.isfinite(hessians).all(axis=(1, 2)) & np.isfinite(gradients).all(axis=1))
        objective[bad] = np.inf
        hessians[bad], gradients[bad] = np.eye(size), 0.0
        return objective, gradients, hessians

    def _summed(
        self, found: list[Any], shape: tuple[int, int], target: Array, weights: Sequence[Array]
    ) -> tuple[Array, Array, Array]:
        """One tile's part of the objectives, gradients and Hessians."""
        size, is_log = len(self.names), self.residual == "log"
        f, *others = (part if np.shape(part) == shape else np.broadcast_to(part, shape) for part in found)
        slopes, bends = others[:size], others[size:]
        value, first, second = self.loss.terms((np.log(f) if is_log else f) - target)
        for each in weights:
            value, first, second = value * each, first * each, second * each
        # of log f: d2 = d2f/f - df df/f^2
        pull, bow = (first / f, (second - first) / (f * f)) if is_log else (first, second)
        gradient, hessian = np.empty((shape[0], size)), np.zeros((shape[0], size, size))
        for i, slope in enumerate(slopes):
            gradient[:, i] = _dots(pull, slope)
            weighted = bow * slope
            for j in range(i + 1):
                hessian[:, i, j] = _dots(weighted, slopes[j])
        for (i, j), bend in zip(self._pairs, bends, strict=True):
            hessian[:, i, j] += _dots(pull, bend)
        upper = np.triu_indices(size, 1)
        hessian[:, *upper] = hessian.transpose(0, 2, 1)[:, *upper]
        return value.sum(axis=1), gradient, hessian


def _dots(one: Array, other: Array) -> Array:
    """Of each row, (s)."""
    return np.asarray(np.einsum("sn,sn->s", one, other))
