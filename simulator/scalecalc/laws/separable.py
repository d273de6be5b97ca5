"""Recognises E + A/N^alpha + B/D^beta in a law's expression, whatever its spelling; its optimum has a closed form."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scalecalc.expressions import Binary, Expr, Name, Negate
from scalecalc.laws.law import Law

Power = tuple[float, float]  # factor, exponent


@dataclass(frozen=True, slots=True)
class Separable:
    """E + A/N^alpha + B/D^beta with positive A, B, alpha, beta."""

    floor: float
    a: float
    alpha: float
    b: float
    beta: float

    def log_best(self, nd: float) -> float:
        """log N* under N*D = nd: N* = G nd^(beta/(alpha+beta)), G = (alpha A/(beta B))^(1/(alpha+beta)).

        Hoffmann et al. 2022, equation 4.
        """
        ratio = math.log(self.alpha * self.a) - math.log(self.beta * self.b)
        return (ratio + self.beta * math.log(nd)) / (self.alpha + self.beta)


def separate(law: Law) -> Separable | None:
    """The law in that form; None if it has another."""
    if law.inputs != ("N", "D") or law.sign < 0:
        return None
    floor, powers = 0.0, dict[str, Power]()
    for sign, term in _terms(law.formula, 1):
        names = term.names & {"N", "D"}
        if not names:
            floor += sign * term.evaluate(law.constants)
            continue
        power = _power(term, min(names), law) if len(names) == 1 else None
        if power is None or min(names) in powers:
            return None
        powers[min(names)] = (sign * power[0], -power[1])
    if set(powers) != {"N", "D"} or any(value <= 0 for power in powers.values() for value in power):
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


def _power(node: Expr, name: str, law: Law) -> Power | None:
    """(c, p) where the node is c*name**p."""
    if name not in node.names:
        return float(node.evaluate(law.constants)), 0.0
    match node:
        case Name():
            return 1.0, 1.0
        case Negate(operand):
            power = _power(operand, name, law)
            return power and (-power[0], power[1])
        case Binary("*" | "/" as mark, left, right):
            one, two = _power(left, name, law), _power(right, name, law)
            if one is None or two is None:
                return None
            return (one[0] * two[0], one[1] + two[1]) if mark == "*" else (one[0] / two[0], one[1] - two[1])
        case Binary("**", left, right) if name not in right.names:
            base, exponent = _power(left, name, law), float(right.evaluate(law.constants))
            return None if base is None or base[0] <= 0 else (base[0] ** exponent, base[1] * exponent)
    return None
