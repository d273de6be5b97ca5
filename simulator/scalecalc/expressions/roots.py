"""A number known only by an equation it solves, as an expression among others.

>>> from scalecalc.expressions import parse
>>> side = parse("root(s, s**3 - volume, 0, 1e6)", roots=True)
>>> round(side.evaluate({"volume": 27.0}), 12)
3.0
>>> str(side.diff("volume")).count("root")  # 1/(3 s^2), by the implicit function theorem
1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from scalecalc.expressions.tree import Binary, Call, Expr, Name, Negate, Number

REACH = 100.0
"""The root is looked for where each end is e^-100 of the distance between both away."""
HALVINGS, NEWTON_STEPS = 9, 14
"""Halvings bring the logarithm of the distance to either end within .4; Newton's steps then double the digits."""
MET, LAST = 1e-9, 1e-17
"""The last step is no longer than the first of these, or changes the number by no more than that part of it."""
KEPT = "kept "
"""Begins the names of what an equation's other names decide alone; the blank keeps them apart from all others."""


@dataclass(frozen=True, slots=True)
class Root(Expr):
    """The one number between two others at which an expression is 0.

    Its derivatives are expressions of itself: dy/dx = -(dh/dx)/(dh/dy) where h(y, x) = 0.

    Attributes:
        unknown: the number's name inside `equation`, and nowhere else.
        equation: what is 0; it changes its sign once between `low` and `high`.
        low, high: the ends, not included.
    """

    unknown: str
    equation: Expr
    low: Expr
    high: Expr

    def parts(self) -> tuple[Expr, ...]:
        """Both ends and every free name of the equation as often as it occurs: the unknown is not seen outside."""
        names = (node for node in self.equation.walk() if isinstance(node, Name) and node.name != self.unknown)
        return (self.low, self.high, *names)

    def replaced(self, replacements: Mapping[str, Expr]) -> Root:
        """With free names replaced; the unknown steps aside where a replacement uses its name."""
        outer = {name: value for name, value in replacements.items() if name != self.unknown}
        unknown, taken = self.unknown, frozenset[str]().union(*(value.names for value in outer.values()))
        while unknown in taken or (unknown != self.unknown and unknown in self.equation.names):
            unknown += "_"
        inner = {**outer, self.unknown: Name(unknown)}
        ends = self.low.substitute(replacements), self.high.substitute(replacements)
        return Root(unknown, self.equation.substitute(inner), *ends)

    def slope(self, name: str) -> Expr:
        """dy/d`name`."""
        from scalecalc.expressions.calculus import ZERO, divide, negate

        slope = self.equation.diff(name) if name != self.unknown else ZERO
        return negate(divide(slope, self.equation.diff(self.unknown))).substitute({self.unknown: self})

    def solve(self, namespace: Mapping[str, Any]) -> Any:
        """The number, or the numbers where values are arrays; nan where the equation keeps its sign.

        Raises:
            ArithmeticError: values are numbers, and there is none.
        """
        import numpy as np

        values = {name: np.asarray(namespace[name], float) for name in self.names}
        shape = np.broadcast_shapes(*(value.shape for value in values.values()))
        with np.errstate(all="ignore"):
            found = self._solved({name: np.atleast_1d(value) for name, value in values.items()}, shape or (1,))
        if shape:
            return found
        if not np.isfinite(found[0]):
            raise ArithmeticError(f"no {self.unknown} between its ends solves the equation")
        return float(found[0])

    def _solved(self, values: Mapping[str, Any], shape: tuple[int, ...]) -> Any:
        """y = low + (high - low)/(1 + e^-t), t by halving and then by Newton's method within what halving left."""
        import numpy as np

        low, high = (np.broadcast_to(np.asarray(end.evaluate(values), float), shape) for end in (self.low, self.high))
        (equation, slope), parts = _parted(self.equation, self.unknown)
        kept = {name: part.evaluate(values) for name, part in parts.items()}

        def at(expression: Expr, y: Any) -> Any:
            return np.broadcast_to(expression.evaluate({**values, **kept, self.unknown: y}), shape)

        def place(t: Any) -> Any:
            return low + (high - low) / (1.0 + np.exp(-t))

        left, right = np.full(shape, -REACH), np.full(shape, REACH)
        below, above = at(equation, place(left)), at(equation, place(right))
        rising = above > 0
        t, going = 0.5 * (left + right), below * above < 0
        for step in range(HALVINGS + NEWTON_STEPS):
            y = place(t)
            value = at(equation, y)
            right = np.where((value > 0) == rising, t, right)
            left = np.where((value > 0) == rising, left, t)
            middle = 0.5 * (left + right)
            if step < HALVINGS:
                t = middle
                continue
            change = (y - low) * (high - y) / (high - low)  # dy/dt
            newton = t - value / (at(slope, y) * change)
            following = np.where((newton >= left) & (newton <= right), newton, middle)
            # each number ends by itself, not with the others: where t is sure, or y is to its last bit
            far = np.abs(following - t)
            t, going = np.where(going, following, t), going & (far > MET) & (far * change > LAST * np.abs(y))
            if not going.any():
                break
        y = place(t)
        last = y - at(equation, y) / at(slope, y)
        y = np.where(np.abs(last - y) < 1e-9 * np.abs(y), last, y)
        return np.where(below * above < 0, y, np.nan)


@lru_cache(maxsize=256)
def _parted(equation: Expr, unknown: str) -> tuple[tuple[Expr, Expr], dict[str, Expr]]:
    """An equation and its slope by the unknown, over what the unknown does not touch: that is computed once."""
    parts: dict[Expr, str] = {}

    def over(node: Expr) -> Expr:
        if isinstance(node, Number) or node == Name(unknown):
            return node
        if unknown not in node.names:
            return Name(parts.setdefault(node, f"{KEPT}{len(parts)}"))
        match node:
            case Negate(operand):
                return Negate(over(operand))
            case Binary(sign, left, right):
                return Binary(sign, over(left), over(right))
            case Call(function, arguments):
                return Call(function, tuple(map(over, arguments)))
        return node

    found = over(equation), over(equation.diff(unknown))
    return found, {name: part for part, name in parts.items()}


def nesting(expression: Expr, known: Mapping[str, int]) -> int:
    """How many roots are inside each other at most, names counting as many as `known` says."""
    deepest = 0
    for node in expression.walk():
        if isinstance(node, Root):
            deepest = max(deepest, 1 + nesting(node.equation, known))
        elif isinstance(node, Name):
            deepest = max(deepest, known.get(node.name, 0))
    return deepest


@dataclass(frozen=True, slots=True)
class Solver:
    """A root as a function of its free names' values, in alphabetical order."""

    root: Root

    def __call__(self, *values: Any) -> Any:
        """The numbers; nan where there are none."""
        return self.root.solve(dict(zip(sorted(self.root.names), values, strict=True)))
