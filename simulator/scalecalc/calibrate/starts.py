"""Where fits begin: nonlinear coefficients spread over their ranges, the linear ones solved for at each place.

Most of a grid over all coefficients is a plain without slope; with the linear ones at their best (variable projection,
Golub and Pereyra 1973; here by non-negative least squares) every start lies in the valley.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.tape import Array
from scalecalc.expressions import Expr
from scalecalc.expressions.calculus import ZERO

COUNT = 75
EXPONENTS = (0.03, 1.5)
"""Where a nonlinear coefficient is looked for if nobody says."""
LEAST = 0.05
"""Each term begins with at least this part of what is observed: from nothing its exponent would have no slope."""


def linear(formula: Expr, names: Sequence[str]) -> tuple[str, ...]:
    """Coefficients the formula is a sum over: its slope by one of them holds none of them.

    >>> from scalecalc.expressions import parse
    >>> linear(parse("E + A/N**alpha"), ["E", "A", "alpha"])
    ('E', 'A')
    """
    found: list[str] = []
    for name in names:
        slope = formula.diff(name)
        if slope != ZERO and not slope.names & {name, *found}:
            found.append(name)
    return tuple(found)


def starts(problem: Problem, ranges: Mapping[str, tuple[float, float]] | None = None, count: int = COUNT) -> Array:
    """Points (count, p) in the problem's coordinates; the same ones every time.

    Args:
        problem: to be solved.
        ranges: least and largest value of a nonlinear coefficient to begin with.
        count: how many.
    """
    solved = linear(problem.formula, problem.names)
    others = [name for name in problem.names if name not in solved]
    places = _spread(count if others else 1, len(others))
    values: dict[str, Array] = {}
    for column, name in enumerate(others):
        low, high = (ranges or {}).get(name, EXPONENTS)
        by_factor = name in problem.positive and low > 0
        unit = places[:, column]
        values[name] = low * (high / low) ** unit if by_factor else low + (high - low) * unit
    columns = {name: np.empty(len(places)) for name in solved}
    for place in range(len(places)):
        at = {name: float(value[place]) for name, value in values.items()}
        for name, value in _solved(problem, solved, at).items():
            columns[name][place] = value
    return problem.coordinates({**values, **columns})


def _spread(count: int, dimensions: int) -> Array:
    """Points that fill the unit cube evenly: Roberts's additive sequence."""
    root = 2.0
    for _ in range(50):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    steps = np.array([root ** -(axis + 1) for axis in range(dimensions)])
    found: Array = np.mod(0.5 + np.outer(np.arange(1, count + 1), steps), 1.0)
    return found


def _solved(problem: Problem, names: Sequence[str], at: Mapping[str, float]) -> dict[str, float]:
    """The linear coefficients that fit best at values of the others; relatively, if logarithms are fitted."""
    if not names:
        return {}
    from scipy.optimize import nnls

    zero = {**at, **dict.fromkeys(names, 0.0)}
    with np.errstate(all="ignore"):
        rest = np.broadcast_to(problem.formula.evaluate({**problem.data, **zero}), problem.observed.shape)
        columns = [
            np.broadcast_to(problem.formula.diff(name).evaluate({**problem.data, **zero}), problem.observed.shape)
            for name in names
        ]
    by = 1.0 / problem.observed if problem.residual == "log" else np.ones_like(problem.observed)
    matrix, target = np.stack(columns, axis=1) * by[:, None], (problem.observed - rest) * by
    scale = np.maximum(np.abs(matrix).mean(axis=0), 1e-300)
    positive = [name in problem.positive for name in names]
    if not (np.isfinite(matrix).all() and np.isfinite(target).all()):
        return dict.fromkeys(names, 1.0)
    # a coefficient of any sign is the difference of two that have none
    signed = [i for i, is_positive in enumerate(positive) if not is_positive]
    solution, _ = nnls(np.concatenate([matrix / scale, -(matrix / scale)[:, signed]], axis=1), target)
    best = solution[: len(names)].copy()
    best[signed] -= solution[len(names) :]
    least = LEAST * max(float(np.abs(target).mean()), 1e-300)
    return {
        name: float((max(value, least) if is_positive else value) / size)
        for name, value, size, is_positive in zip(names, best, scale, positive, strict=True)
    }
