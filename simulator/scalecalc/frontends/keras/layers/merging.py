"""Layers that make one value of several."""

from __future__ import annotations

from functools import reduce

from scalecalc.frontends.builder import Value
from scalecalc.frontends.keras.call import Call, lowers
from scalecalc.frontends.keras.held import Held, together
from scalecalc.frontends.keras.layers.activations import axis_in

PAIRWISE = {"Add": "Add", "Subtract": "Sub", "Multiply": "Mul"}
AT_ONCE = {"Average": "Mean", "Maximum": "Max", "Minimum": "Min"}


def _register(name: str, op_type: str, *, pairwise: bool) -> None:
    @lowers(name)
    def merge(call: Call) -> Held:
        def make(*xs: Value) -> Value:
            return reduce(lambda x, y: call.b.node(op_type, x, y), xs) if pairwise else call.b.node(op_type, *xs)

        return together(call.several, make)


for _name, _op_type in PAIRWISE.items():
    _register(_name, _op_type, pairwise=True)
for _name, _op_type in AT_ONCE.items():
    _register(_name, _op_type, pairwise=False)


@lowers("Concatenate")
def concatenate(call: Call) -> Held:
    """Behind each other along an axis."""
    return joined(call, call.several, call.part.get("axis", -1))


def joined(call: Call, xs: list[Held], axis: object) -> Held:
    """Values behind each other, in the order that turns the fewest."""
    place, rank = axis_in(call, axis, xs[0]), xs[0].rank
    if rank > 2 and any(x.turned for x in xs) and all(x.rank == rank for x in xs):
        inside = {0: 0, rank - 1: 1}.get(place, place + 1)
        return call.first(call.b.node("Concat", *(x.channels_first() for x in xs), axis=inside))
    return call.last(call.b.node("Concat", *(x.plain() for x in xs), axis=place))


@lowers("Dot")
def dot(call: Call) -> Held:
    """A product that sums one axis of each of two values, example by example."""
    if len(call.xs) != 2:
        raise call.error(f"it takes 2 values, not {len(call.xs)}")
    x, y = (held.plain() for held in call.xs)
    if call.part.flag("normalize"):
        x, y = (call.b.node("LpNormalization", value) for value in (x, y))
    axes = call.part.wholes("axes", count=2, least=-16)
    left, right = axis_in(call, axes[0], x), axis_in(call, axes[1], y)
    if not left or not right:
        raise call.error("it cannot sum over the batch")
    letters = iter("bcdefghijklmnopqrstuvwxyz")
    first = ["a", *("z" if axis == left else next(letters) for axis in range(1, x.rank))]
    second = ["a", *("z" if axis == right else next(letters) for axis in range(1, y.rank))]
    out = "".join(letter for letter in (*first, *second[1:]) if letter != "z")
    product = call.b.node("Einsum", x, y, equation=f"{''.join(first)},{''.join(second)}->{out}")
    if product.rank == 1:
        product = call.b.node("Unsqueeze", product, call.b.constant([1]))
    return call.last(product)
