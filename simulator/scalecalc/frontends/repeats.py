"""Layers that are repeated: they stand once in the graph, and the graph says how often they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from scalecalc.dims import Dim
from scalecalc.errors import ShapeError
from scalecalc.frontends.builder import Builder, alike
from scalecalc.frontends.values import Value
from scalecalc.frontends.wording import shape_text
from scalecalc.ir.unfold import CONTROL


def repeat(b: Builder, x: Value, count: Dim, body: Callable[[Value], Value], *, shared: bool = False) -> Value:
    """A body applied `count` times, each time with weights of its own unless they are `shared`.

    It stands once in the graph, and says how often it runs. Where nothing before it is trained, its first run
    stands apart: that one needs no gradient of what it is given.

    Raises:
        ShapeError: what the body gives has not the shape of what it takes, or the count is below 0.
    """
    if (b.stated(count) or 0) < 0:
        raise ShapeError(f"it cannot be repeated {count} times", todo="use a number from 0 on")
    if isinstance(count, int) and count < 2:
        return _kept_shape(x, body(x)) if count else x
    if not b.trains(x) and not shared:
        with b.inside("first"):
            x = _kept_shape(x, body(x))
        count = count - 1
    trips = b.constant([count], scalar=True).name
    state = b.node("StateIn", x, domain=CONTROL)
    outer = b.scope
    times, copies = (*outer.times, trips), outer.copies if shared else (*outer.copies, trips)
    b.scope = replace(outer, times=times, copies=copies)
    try:
        last = _kept_shape(state, body(state))
    finally:
        b.scope = outer
    return x if last == state else b.node("StateOut", last, state, x, domain=CONTROL)


def _kept_shape(x: Value, y: Value) -> Value:
    """What a repeated body makes of a value, which must have the same shape."""
    if not alike(y.shape, x.shape):
        raise ShapeError(
            f"what is repeated turns {shape_text(x.tensor)} into {shape_text(y.tensor)}",
            todo="end with the size it begins with, or write each time out with unroll: true",
        )
    return y
