"""What a residual costs: least squares, Huber, least absolute deviations, Student's t; each with two derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scalecalc.calibrate.tape import Array
from scalecalc.errors import UsageError

Terms = tuple[Array, Array, Array]
"""Value, first and second derivative by the residual."""


EASE = 1e-4
"""Where a loss is straight its second derivative is 0, and so are Hessians of few runs that all lie there: Newton's
method then has no step. It is given as this part of delta/|r|, the curvature of the parabola that touches the loss.
"""


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss of residuals; objectives are its weighted *sum*: a mean stops optimisers early.

    Attributes:
        name: `least-squares`, `huber`, `lad` or `student-t`.
        scale: the residual where it bends (delta of Huber, the scale of t); 0 for none.
        terms: from residuals.
    """

    name: str
    scale: float
    terms: Callable[[Array], Terms]

    def __reduce__(self) -> tuple[Callable[..., Loss], tuple[str, float | None]]:
        # terms are functions inside functions: other processes make them anew
        return loss_of, (self.name, self.scale or None)


def least_squares() -> Loss:
    """r^2 / 2."""
    return Loss("least-squares", 0.0, lambda r: (0.5 * r * r, r, np.ones_like(r)))


def huber(delta: float = 1e-3) -> Loss:
    """r^2 / 2 up to delta, then delta (|r| - delta / 2): Huber 1964, as Hoffmann et al. 2022 use it on logarithms."""

    def terms(r: Array) -> Terms:
        pull = np.clip(r, -delta, delta)
        return pull * (r - 0.5 * pull), pull, np.divide(EASE * pull, r, out=np.ones_like(pull), where=pull != r)

    return Loss("huber", delta, terms)


def lad(smoothing: float = 1e-7) -> Loss:
    """|r|, rounded off below `smoothing` on the way to its optimum (`corners`)."""
    rounded = huber(smoothing)

    def terms(r: Array) -> Terms:
        value, first, second = rounded.terms(r)
        return value / smoothing, first / smoothing, second / smoothing

    return Loss("lad", smoothing, terms)


def student_t(scale: float, freedom: float = 4.0) -> Loss:
    """(freedom + 1)/2 log(1 + r^2/(freedom scale^2)): outliers pull ever less."""

    def terms(r: Array) -> Terms:
        width = freedom * scale * scale
        square = r * r
        first = (freedom + 1) * r / (width + square)
        second = (freedom + 1) * (width - square) / (width + square) ** 2
        return 0.5 * (freedom + 1) * np.log1p(square / width), first, second

    return Loss("student-t", scale, terms)


def loss_of(name: str, scale: float | None = None) -> Loss:
    """A loss by its name.

    Raises:
        UsageError: there is none of that name, or its scale is not positive.
    """
    if scale is not None and scale <= 0:
        raise UsageError(f"a scale of {scale:g}", where="--delta", todo="give one above 0")
    match name:
        case "least-squares":
            return least_squares()
        case "huber":
            return huber(1e-3 if scale is None else scale)
        case "lad":
            return lad(1e-7 if scale is None else scale)
        case "student-t":
            return student_t(1e-2 if scale is None else scale)
    raise UsageError(f"no loss '{name}'", where="--loss", todo="use least-squares, huber, lad or student-t")
