"""One fit: a formula, its coefficients in coordinates that keep them where they must be, data, and a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np

from scalecalc.calibrate.losses import Loss
from scalecalc.calibrate.newton import Evaluate
from scalecalc.calibrate.tape import Array, Tape
from scalecalc.expressions import Call, Expr, Name

RESIDUALS = ("log", "raw")


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
    def _prepared(self) -> list[Any]:
        return self._tape.prepare(self.data)

    @cached_property
    def _target(self) -> Array:
        return np.log(self.observed) if self.residual == "log" else self.observed

    @property
    def rounding(self) -> float | None:
        """What is left of the squares of a formula that fits to six digits more than measured; None for other losses.

        Relative gradients are of use to least squares alone: other losses have a scale of their own.
        """
        if self.loss.name != "least-squares":
            return None
        size = np.ones(len(self.observed)) if self.residual == "log" else self.observed
        return max(1e-12 * float(size @ size), 1e-300)

    def coordinates(self, coefficients: Mapping[str, Any]) -> Array:
        """Points (..., p) from coefficients."""
        values = [np.log(coefficients[n]) if n in self.positive else coefficients[n] for n in self.names]
        return np.stack(np.broadcast_arrays(*map(np.asarray, values)), axis=-1).astype(float)

    def coefficients(self, points: Array) -> dict[str, Array]:
        """Coefficients from points."""
        columns = np.moveaxis(points, -1, 0)
        return {n: np.exp(c) if n in self.positive else c for n, c in zip(self.names, columns, strict=True)}

    def residuals(self, points: Array, targets: Array | None = None) -> Array:
        """(s, n)."""
        values = {name: points[:, [i]] for i, name in enumerate(self.names)}
        with np.errstate(all="ignore"):
            f = np.broadcast_to(self._tape.run(self._prepared, values)[0], (len(points), len(self.observed)))
            return np.asarray((np.log(f) if self.residual == "log" else f) - self._against(targets))

    def _against(self, targets: Array | None) -> Array:
        return self._target if targets is None else targets

    def linearised(self, points: Array) -> tuple[Array, Array]:
        """Residuals (s, n) and their slopes by the coordinates (s, n, p)."""
        shape = (len(points), len(self.observed))
        values = {name: points[:, [i]] for i, name in enumerate(self.names)}
        with np.errstate(all="ignore"):
            f, *rest = self._tape.run(self._prepared, values)
            f = np.broadcast_to(f, shape)
            slopes = np.stack([np.broadcast_to(slope, shape) for slope in rest[: len(self.names)]], axis=-1)
            if self.residual == "log":
                return np.log(f) - self._target, slopes / f[:, :, None]
        return f - self._target, slopes

    @property
    def evaluate(self) -> Evaluate:
        """Objectives with gradients and Hessians, for `newton.minimise`."""
        return self._evaluate

    @property
    def evaluate_roughly(self) -> Evaluate:
        """The same with what Gauss and Newton's method takes for the Hessian: nowhere a saddle, good far away."""
        return partial(self._evaluate, bent=False)

    @property
    def evaluate_against(self) -> Evaluate:
        """As `evaluate` for other observations: where weights would stand, what each problem is to meet, (s, n).

        Observations are given as residuals see them: logarithms where these are fitted.
        """
        return lambda points, targets: self._evaluate(points, None, targets)

    def _evaluate(
        self, points: Array, weights: Array | None, targets: Array | None = None, bent: bool = True
    ) -> tuple[Array, Array, Array]:
        count, size, shape = len(points), len(self.names), (len(points), len(self.observed))
        values = {name: points[:, [i]] for i, name in enumerate(self.names)}
        with np.errstate(all="ignore"):
            f, *rest = self._tape.run(self._prepared, values)
            f = np.broadcast_to(f, shape)
            slopes, bends = rest[:size], rest[size:]
            by = 1.0 / f if self.residual == "log" else np.ones(shape)
            r = (np.log(f) if self.residual == "log" else f) - self._against(targets)
            value, first, second = self.loss.terms(r)
            for each in (self.weights, weights):
                if each is not None:
                    value, first, second = value * each, first * each, second * each
        jacobian = np.empty((count, size, shape[1]))
        with np.errstate(all="ignore"):
            for i, slope in enumerate(slopes):
                np.multiply(slope, by, out=jacobian[:, i])
            pull = first * by
            # d2 log f = d2f/f - df df/f^2
            bend = second - first if bent and self.residual == "log" else second
            hessians = np.matmul(jacobian * bend[:, None], jacobian.transpose(0, 2, 1))
            for (i, j), entry in zip(self._pairs, bends, strict=True) if bent else ():
                part = np.broadcast_to(entry, shape)
                added = np.einsum("sn,sn->s", pull, part)
                hessians[:, i, j] += added
                if i != j:
                    hessians[:, j, i] += added
            gradients = np.matmul(jacobian, first[:, :, None])[:, :, 0]
        bad = ~(np.isfinite(hessians).all(axis=(1, 2)) & np.isfinite(gradients).all(axis=1))
        objective = value.sum(axis=1)
        objective[bad] = np.inf
        hessians[bad], gradients[bad] = np.eye(size), 0.0
        return objective, gradients, hessians
