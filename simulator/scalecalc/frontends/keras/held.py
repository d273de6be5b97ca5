"""Values as Keras sees them: channels in the last axis, while the layers they become want them in axis 1.

A value is kept in the order it was computed in, and turned (a view: nothing is moved) only for a layer that needs the
other. Layers that go element by element work in whichever order is there, so that an image network turns its input
once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scalecalc.dims import Dim
from scalecalc.frontends.builder import Builder, Value

DOMAIN = "keras"
"""Operator domain of layers that are not counted."""

Make = Callable[[Value], Value]


@dataclass(slots=True)
class Held:
    """A value in one order of its axes or in both.

    Attributes:
        b: of the graph it is part of.
        last: as Keras has it.
        first: the same with the last axis moved behind the batch.
        opaque: instead of both, what a layer that cannot be counted gives, whose shape nobody knows.
    """

    b: Builder
    last: Value | None = None
    first: Value | None = None
    opaque: Value | None = None

    @property
    def any(self) -> Value:
        """In whichever order it is there, channels first preferred."""
        found = self.first or self.last or self.opaque
        assert found is not None
        return found

    @property
    def rank(self) -> int:
        """How many axes it has."""
        return self.any.rank

    @property
    def shape(self) -> tuple[Dim, ...]:
        """One dimension per axis, as Keras has them."""
        if self.last is None and self.first is not None:
            batch, channels, *spatial = self.first.shape
            return (batch, *spatial, channels)
        return self.any.shape

    @property
    def turned(self) -> bool:
        """Whether only channels first is there."""
        return self.last is None

    def plain(self) -> Value:
        """As Keras has it."""
        if self.last is None:
            x = self.any
            self.last = self.b.node("Transpose", x, perm=(0, *range(2, x.rank), 1))
        return self.last

    def channels_first(self) -> Value:
        """With the last axis behind the batch."""
        if self.first is None:
            x = self.plain()
            order = (0, x.rank - 1, *range(1, x.rank - 1))
            self.first = x if x.rank < 3 else self.b.node("Transpose", x, perm=order)
        return self.first

    def each(self, make: Make) -> Held:
        """What an operation that goes element by element makes of it."""
        if self.first is not None and self.rank > 2:
            return Held(self.b, first=make(self.first))
        return Held(self.b, last=make(self.plain()))


def together(xs: Sequence[Held], make: Callable[..., Value]) -> Held:
    """What an operation that goes element by element makes of several values, in the order that turns the fewest."""
    b = xs[0].b
    ranks = {x.rank for x in xs}
    if any(x.turned for x in xs) and len(ranks) == 1 and ranks != {2}:
        return Held(b, first=make(*(x.channels_first() for x in xs)))
    return Held(b, last=make(*(x.plain() for x in xs)))
