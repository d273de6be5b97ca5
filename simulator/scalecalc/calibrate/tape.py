"""Expressions with their derivatives as a list of operations on arrays, each different one once.

A law's value, gradient and Hessian share nearly all of their parts: written out as trees, these would be computed
dozens of times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from scalecalc.expressions import Binary, Call, Expr, Name, Negate, Number, Root
from scalecalc.expressions.roots import Solver

Array: TypeAlias = NDArray[np.float64]
Step: TypeAlias = tuple[Callable[..., Any], tuple[int, ...]]

BINARY: Mapping[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "//": np.floor_divide, "%": np.mod,
}  # fmt: skip
CALLS: Mapping[str, Callable[..., Any]] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "floor": np.floor, "ceil": np.ceil, "abs": np.abs,
    "sin": np.sin, "cos": np.cos, "atan": np.arctan,
}  # fmt: skip
EXTREMES: Mapping[str, Callable[..., Any]] = {"min": np.minimum, "max": np.maximum}


class Tape:
    """Operations that compute several expressions at once.

    Args:
        expressions: what `run` gives, in that order.
        constant: names whose values are the same in every run with one set of data: what only they decide is
            computed once, by `prepare`.
    """

    def __init__(self, expressions: Sequence[Expr], constant: frozenset[str] = frozenset()) -> None:
        self.names: list[str] = []
        self._slots: dict[object, int] = {}
        self._values: dict[int, float] = {}
        self._steps: list[tuple[int, Step]] = []
        self._fixed: set[int] = set()
        self._constant = constant
        self._inputs: dict[str, int] = {}
        self.outputs: list[int] = []
        self._ends = [0]
        for expression in expressions:
            self.outputs.append(self._place(expression))
            self._ends.append(len(self._steps))
        self._size = len(self._slots)
        self._buffers, self._deepest = self._shared()
        self._memory: Array = np.empty((self._deepest, 0))

    def _slot(self, key: object) -> tuple[int, bool]:
        known = key in self._slots
        return self._slots.setdefault(key, len(self._slots)), known

    def _place(self, node: Expr) -> int:
        match node:
            case Number(value):
                slot, _ = self._slot(("number", float(value)))
                self._values[slot] = float(value)
                self._fixed.add(slot)
                return slot
            case Name(name):
                slot, known = self._slot(("name", name))
                if not known:
                    self._inputs[name] = slot
                    self.names.append(name)
                    if name in self._constant:
                        self._fixed.add(slot)
                return slot
            case Negate(operand):
                return self._step(np.negative, self._place(operand))
            case Binary("**", left, right):
                return self._power(left, right)
            case Binary(sign, left, right):
                return self._step(BINARY[sign], self._place(left), self._place(right))
            case Call(function, arguments):
                places = [self._place(argument) for argument in arguments]
                if function not in EXTREMES:
                    return self._step(CALLS[function], *places)
                slot = places[0]
                for other in places[1:]:
                    slot = self._step(EXTREMES[function], slot, other)
                return slot
            case Root():
                return self._step(Solver(node), *(self._place(Name(name)) for name in sorted(node.names)))
        raise TypeError(type(node))

    def _power(self, base: Expr, exponent: Expr) -> int:
        """x**a as exp(a log x), whose parts all powers of x and their derivatives share; whole powers as they are."""
        whole = exponent.operand if isinstance(exponent, Negate) else exponent
        if isinstance(whole, Number) and whole.value == int(whole.value):
            return self._step(np.power, self._place(base), self._place(Number(float(whole.value)))) if (
                whole is exponent
            ) else self._step(np.divide, self._place(Number(1.0)), self._place(Binary("**", base, whole)))  # fmt: skip
        return self._place(Call("exp", (Binary("*", exponent, Call("log", (base,))),)))

    def _step(self, function: Callable[..., Any], *places: int) -> int:
        slot, known = self._slot((function, places))
        if not known:
            self._steps.append((slot, (function, places)))
            if self._fixed.issuperset(places):
                self._fixed.add(slot)
        return slot

    def _shared(self) -> tuple[dict[int, int], int]:
        """The piece of memory for each step's result, and how many there are: freed when it was last used.

        Only of results that data and coordinates decide together: others are small.
        """
        last: dict[int, int] = {}
        for place, (_, (_, places)) in enumerate(self._steps):
            last.update(dict.fromkeys(places, place))
        last.update(dict.fromkeys(self.outputs, len(self._steps)))
        wide = set(self._constant and [self._inputs[name] for name in self._constant & self._inputs.keys()])
        free, count, found = list[int](), 0, dict[int, int]()
        for place, (slot, (function, places)) in enumerate(self._steps):
            if wide.isdisjoint(places):
                continue
            wide.add(slot)
            if slot in self._fixed or not isinstance(function, np.ufunc):
                continue
            free += [found[used] for used in set(places) if used in found and last[used] == place]
            if not free:
                free, count = [count], count + 1
            found[slot] = free.pop()
        return found, count

    def prepare(self, data: Mapping[str, Array]) -> list[Any]:
        """What only the constant names decide, for their values."""
        found: list[Any] = [None] * self._size
        for slot, value in self._values.items():
            found[slot] = value
        for name in self._constant & self._inputs.keys():
            found[self._inputs[name]] = data[name]
        for slot, (function, places) in self._steps:
            if slot in self._fixed:
                found[slot] = function(*(found[place] for place in places))
        return found

    def run(
        self, prepared: Sequence[Any], values: Mapping[str, Any], shape: tuple[int, int], first: int = 0
    ) -> list[Any]:
        """The expressions at values of all other names; what they hold is lost with the next run.

        Args:
            prepared: of `prepare`.
            values: (s, 1) each.
            shape: (s, n), of results that data and values decide together.
            first: only so many expressions; all if 0.
        """
        cells = shape[0] * shape[1]
        if self._memory.shape[1] < cells:
            self._memory = np.empty((self._deepest, cells))
        buffers = [row[:cells].reshape(shape) for row in self._memory]
        found = list(prepared)
        for name, slot in self._inputs.items():
            if name not in self._constant:
                found[slot] = values[name]
        first = first or len(self.outputs)
        for slot, (function, places) in self._steps[: self._ends[first]]:
            if slot in self._buffers:
                found[slot] = function(*(found[place] for place in places), out=buffers[self._buffers[slot]])
            elif slot not in self._fixed:
                found[slot] = function(*(found[place] for place in places))
        return [found[slot] for slot in self.outputs[:first]]
