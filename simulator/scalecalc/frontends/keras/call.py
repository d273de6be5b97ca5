"""One call of one layer, as the functions that lower layers see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from scalecalc.errors import FileError
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.keras.held import Held
from scalecalc.frontends.keras.parts import Part


class Unsupported(Exception):
    """A layer, or an option of one, that no lowering covers: it becomes a node that no rule counts."""


class Apply(Protocol):
    """Calls a layer that another one wraps."""

    def __call__(self, inner: Part, /, *xs: Held, label: str) -> list[Held]: ...


@dataclass(slots=True)
class Call:
    """One call of one layer.

    Attributes:
        b: the graph that grows.
        part: the layer's `config`.
        xs: the values among its arguments, in their order.
        args, kwargs: its arguments, values as Held.
        apply: calls a layer inside this one.
        outputs: how many values the file takes of it at least.
    """

    b: Builder
    part: Part
    xs: list[Held]
    args: list[Any]
    kwargs: dict[str, Any]
    apply: Apply
    outputs: int = 1

    @property
    def x(self) -> Held:
        """Its input, where it has one.

        Raises:
            FileError: it has none.
        """
        if not self.xs:
            raise self.error("it is called on nothing")
        return self.xs[0]

    @property
    def several(self) -> list[Held]:
        """Its inputs, where it merges some.

        Raises:
            FileError: it has none.
        """
        return self.xs if self.x else []

    def error(self, what: str) -> FileError:
        """An error in this layer."""
        return self.part.error(what)

    def last(self, value: Value) -> Held:
        """A result whose axes are in Keras's order."""
        return Held(self.b, last=value)

    def first(self, value: Value) -> Held:
        """A result with its channels behind the batch; a matrix has them there in both orders."""
        return Held(self.b, first=value) if value.rank > 2 else Held(self.b, last=value)


Lower: TypeAlias = Callable[[Call], "Held | list[Held]"]

LAYERS: dict[str, Lower] = {}
"""Layers of keras.layers by class name."""
OPERATIONS: dict[str, Lower] = {}
"""Operations of keras.ops by class name: what `x + y` and `x[:, 0]` become in a functional model."""


def lowers(*names: str, table: dict[str, Lower] = LAYERS) -> Callable[[Lower], Lower]:
    """Register what lowers the classes of these names.

    Raises:
        ValueError: one of them is lowered already.
    """

    def register(make: Lower) -> Lower:
        for name in names:
            if name in table:
                raise ValueError(f"{name} is lowered already")
            table[name] = make
        return make

    return register
