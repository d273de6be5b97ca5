"""Recognises E + A/N^alpha + B/D^beta in a law's expression, whatever its spelling; its optimum has a closed form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalecalc.expressions import Binary, Expr, Name, Negate
from scalecalc.laws.law import Law

Power = tuple[Any, Any]  # factor, exponent: numbers, or one of each for every set of coefficients


@dataclass(frozen=True, slots=True)
class Separable:
    """E + A/N^alpha + B/D^beta with positive A, B, alpha, beta: numbers, or arrays (s, 1) of sets of coefficients."""

    floor: Any
    a: Any
    alpha: Any
    b: Any
    beta: Any

    def log_best(self, log_nd: Any) -> Any:
        """log N* under N*D: N* = G (N D)^(beta/(alpha+beta)), G = (alpha A/(beta B))^(1/(alpha+beta)).

        Hoffmann et al. 2022, equation 4.
        """
        return (self._ratio + self.beta * log_nd) / (self.alpha + self.beta)

    def log_nd(self, log_n: Any) -> Any:
        """log N*D at which N is the best: the inverse of `log_best`."""
        return ((self.alpha + self.beta) * log_n - self._ratio) / self.beta

    def log_data(self, value: Any, log_n: Any) -> Any:
        """log D at which N reaches a value; inf where it never does."""
        rest = np.maximum(value - self.floor - self.a * np.exp(-self.alpha * log_n), 0.0)
        with np.errstate(divide="ignore"):
            return (np.log(self.b) - np.log(rest)) / self.beta

    def log_least(self, value: Any) -> Any:
        """log N of the cheapest model that reaches a value: there A/N^alpha (1 + alpha/beta) = L - E; inf if none."""
        with np.errstate(divide="ignore"):
            rest = np.log(np.maximum(value - self.floor, 0.0))
        return (np.log(self.a) + np.log1p(self.alpha / self.beta) - rest) / self.alpha

    @property
    def _ratio(self) -> Any:
        return np.log(self.alpha * self.a) - np.log(self.beta * self.b)


def separate(law: Law, coefficients: Mapping[str, Any] | None = None) -> Separable | None:
    """The law in that form, its own coefficients replaced by others or not; None if it has another form."""
    if law.inputs != ("N", "D") or law.sign < 0:
        return None
    constants = law.constants_with(coefficients or {})
    floor: Any = 0.0
    powers = dict[str, Power]()
    for sign, term in _terms(law.formula, 1):
        names = term.names & {"N", "D"}
        if not names:
            floor = floor + sign * term.evaluate(constants)
            continue
        power = _power(term, min(names), constants) if len(names) == 1 else None
        if power is None or min(names) in powers:
            return None
        powers[min(names)] = (sign * power[0], -power[1])
    if set(powers) != {"N", "D"} or any(np.any(value <= 0) for power in powers.values() for value in power):
        return None
    return Separable(floor, *powers["N"], *powers["D"])


def _terms(node: Expr, sign: int) -> Iterator[tuple[int, Expr]]:
    match node:
        case Binary("+" | "-" as mark, left, right):
            yield from _terms(left, sign)
            yield from _terms(right, sign if mark == "+" else -sign)
        case Negate(operand):
            yield from _terms(operand, -sign)
        case _:
            yield sign, node


def _power(node: Expr, name: str, constants: Mapping[str, Any]) -> Power | None:
    """(c, p) where the node is c*name**p."""
    if name not in node.names:
        return node.evaluate(constants), 0.0
    match node:
        case Name():
            return 1.0, 1.0
        case Negate(operand):
            power = _power(operand, name, constants)
            return power and (-power[0], power[1])
        case Binary("*" | "/" as mark, left, right):
            one, two = _power(left, name, constants), _power(right, name, constants)
            if one is None or two is None:
                return None
            return (one[0] * two[0], one[1] + two[1]) if mark == "*" else (one[0] / two[0], one[1] - two[1])
        case Binary("**", left, right) if name not in right.names:
            base, exponent = _power(left, name, constants), right.evaluate(constants)
            return None if base is None or np.any(base[0] <= 0) else (base[0] ** exponent, base[1] * exponent)
    return None
