"""NIST's certified problems of nonlinear least squares as it publishes them, and what is compared with them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scalecalc.calibrate.losses import least_squares
from scalecalc.calibrate.problem import Problem
from scalecalc.calibrate.tape import Array
from scalecalc.expressions import parse

HERE = Path(__file__).parent / "data" / "nist"
LANCZOS = "b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)"
GAUSS = "b1*exp(-b2*x) + b3*exp(-(x-b4)**2/b5**2) + b6*exp(-(x-b7)**2/b8**2)"
CUBIC = "(b1+b2*x+b3*x**2+b4*x**3)/(1+b5*x+b6*x**2+b7*x**3)"
CHWIRUT = "exp(-b1*x)/(b2+b3*x)"
SATURATING = "b1*(1-exp(-b2*x))"
FORMULAS = {
    "Misra1a": SATURATING,
    "Chwirut1": CHWIRUT,
    "Chwirut2": CHWIRUT,
    "Lanczos3": LANCZOS,
    "Gauss1": GAUSS,
    "Gauss2": GAUSS,
    "DanWood": "b1*x**b2",
    "Misra1b": "b1*(1-(1+b2*x/2)**(-2))",
    "Kirby2": "(b1+b2*x+b3*x**2)/(1+b4*x+b5*x**2)",
    "Hahn1": CUBIC,
    "Nelson": "b1 - b2*x1*exp(-b3*x2)",
    "MGH17": "b1 + b2*exp(-x*b4) + b3*exp(-x*b5)",
    "Lanczos1": LANCZOS,
    "Lanczos2": LANCZOS,
    "Gauss3": GAUSS,
    "ENSO": "b1 + b2*cos(2*pi*x/12) + b3*sin(2*pi*x/12) + b5*cos(2*pi*x/b4) + b6*sin(2*pi*x/b4)"
    " + b8*cos(2*pi*x/b7) + b9*sin(2*pi*x/b7)",
    "Roszman1": "b1 - b2*x - atan(b3/(x-b4))/pi",
    "Misra1c": "b1*(1-(1+2*b2*x)**(-0.5))",
    "Misra1d": "b1*b2*x*((1+b2*x)**(-1))",
    "MGH09": "b1*(x**2+x*b2)/(x**2+x*b3+b4)",
    "Thurber": CUBIC,
    "BoxBOD": SATURATING,
    "Rat42": "b1/(1+exp(b2-b3*x))",
    "MGH10": "b1*exp(b2/(x+b3))",
    "Eckerle4": "(b1/b2)*exp(-0.5*((x-b3)/b2)**2)",
    "Rat43": "b1/((1+exp(b2-b3*x))**(1/b4))",
    "Bennett5": "b1*(b2+x)**(-1/b3)",
}
"""The models as the files state them, about in NIST's order of difficulty."""


@dataclass(frozen=True)
class Certified:
    """One problem.

    Attributes:
        formula: over b1 ... and the variables.
        starts: NIST's two, (2, p).
        values, deviations: of the coefficients, certified to 11 digits, (p).
        squares: the residual sum of squares.
        data: variables by name, (n).
        observed: (n); of Nelson's, whose model is of log y, the logarithms.
    """

    formula: str
    starts: Array
    values: Array
    deviations: Array
    squares: float
    data: dict[str, Array]
    observed: Array

    @property
    def problem(self) -> Problem:
        """Least squares of the differences, no coefficient's sign known."""
        names = [f"b{i + 1}" for i in range(len(self.values))]
        return Problem(
            parse(self.formula.replace("pi", repr(math.pi))),
            (),
            names,
            self.data,
            self.observed,
            least_squares(),
            "raw",
        )


def read(name: str) -> Certified:
    """One of NIST's files."""
    text = (HERE / f"{name}.dat").read_text(encoding="ascii")
    rows = np.array([row.split() for row in re.findall(r"^ *b\d+ = +(.+)$", text, re.MULTILINE)], float)
    squares = float(re.findall(r"Residual Sum of Squares: +(\S+)", text)[0])
    head, _, numbers = text[text.rindex("\nData:") + 6 :].partition("\n")
    table = np.array(numbers.split(), float).reshape(-1, len(head.split()))
    data = dict(zip(head.split()[1:], table.T[1:], strict=True))
    observed = np.log(table[:, 0]) if name == "Nelson" else table[:, 0]
    return Certified(FORMULAS[name], rows[:, :2].T, rows[:, 2], rows[:, 3], squares, data, observed)


def statistics(problem: Problem, point: Array) -> tuple[Array, float]:
    """Standard errors of the coefficients, from the residuals' slopes, and the residual sum of squares."""
    residuals, slopes = problem.linearised(point[None])
    squares = float(residuals[0] @ residuals[0])
    # by singular values of scaled columns: the product of the slopes would lose half of the digits
    size = np.linalg.norm(slopes[0], axis=0)
    _, singular, right = np.linalg.svd(slopes[0] / size, full_matrices=False)
    spread = np.sqrt(((right / singular[:, None]) ** 2).sum(axis=0)) / size
    return spread * np.sqrt(squares / (len(residuals[0]) - len(point))), squares
