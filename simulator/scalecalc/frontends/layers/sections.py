"""Layers made of other layers: one after the other, beside each other, around each other, many times."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from scalecalc.dims import Dim
from scalecalc.errors import ShapeError
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.activations import Activation, activate
from scalecalc.frontends.layers.registry import Arguments, Branches, Merge, Section, layer
from scalecalc.frontends.repeats import repeat as repeated

MERGES = {"add": "Add", "multiply": "Mul"}
SPATIAL_RANKS = (4, 5)


@layer("layers")
def layers(b: Builder, x: Value, layers: Section) -> Value:
    """A list of layers, one after the other."""
    return layers(x)


@layer("repeat")
def repeat(
    b: Builder, x: Value, times: Dim, *, layers: Section, shared: bool = False, unroll: bool = False, index: str = "",
) -> Value:  # fmt: skip
    """The layers `times` times, each with weights of its own unless they are `shared`; the formula keeps the factor.

    `unroll: true` writes each time out, for layers that change the shape; `index` names what counts them, from 0.
    """
    if unroll or index:
        for number in range(b.number(times)):
            with b.inside(str(number)):
                x = layers(x, **({index: number} if index else {}))
        return x
    return repeated(b, x, times, layers, shared=shared)


@layer("block")
def block(b: Builder, x: Value, block: Arguments) -> Value:
    """The layers of a block defined under `blocks`, with its parameters as other keys."""
    return block(x)


@layer("residual")
def residual(
    b: Builder, x: Value, layers: Section, *, shortcut: Section | None = None, activation: Activation | None = None
) -> Value:
    """What the layers give, added to what they were given, or to what the layers of `shortcut` make of it."""
    other = shortcut(x) if shortcut is not None else x
    return activate(b, merged(b, (layers(x), other), "add"), activation)


@layer("parallel")
def parallel(b: Builder, x: Value, branches: Branches, *, merge: Merge = "concat", axis: int | None = None) -> Value:
    """Lists of layers on the same input, their results merged."""
    return merged(b, [branch(x) for branch in branches], merge, axis)


@layer("concat")
def concat(b: Builder, *xs: Value, axis: int | None = None) -> Value:
    """Values behind each other along an axis: that of the channels unless another is given."""
    return merged(b, xs, "concat", axis)


def _register(name: str, words: str) -> None:
    @layer(name, summary=f"{words} of values, element by element.")
    def _layer(b: Builder, *xs: Value) -> Value:
        return merged(b, xs, name)


for _name, _words in (
    ("add", "The sum"), ("multiply", "The product"), ("average", "The mean"), ("maximum", "The largest"),
):  # fmt: skip
    _register(_name, _words)


def merged(b: Builder, xs: Sequence[Value], merge: str, axis: int | None = None) -> Value:
    """Several values as one."""
    if not xs:
        raise ShapeError("nothing to merge")
    if merge == "concat":
        if axis is None:
            axis = 1 if xs[0].rank in SPATIAL_RANKS else -1
        return b.node("Concat", *xs, axis=axis)
    if merge in MERGES:
        return reduce(lambda left, right: b.node(MERGES[merge], left, right), xs)
    return b.node("Mean" if merge == "average" else "Max", *xs)
