"""Elementwise operators: activations, arithmetic, comparisons, casts."""

from __future__ import annotations

from scalecalc.dims import Dim, broadcast_shapes, prod
from scalecalc.ops.registry import Cost, Keep, Out, Shape, Tensor, give, op
from scalecalc.ops.values import VALUES, apply, cast_values
from scalecalc.ops.vector import BINARY, FLAT_UNARY, UNARY, PerElement

FLAG = 2
"""What the entries of a mask made a number are below."""


def sums(x: Tensor, out: Shape) -> Dim:
    """Additions that bring a gradient of shape `out` back to the shape of a broadcast operand."""
    return 0 if x.shape == out else prod(out) - x.size


def _unary(name: str, count: PerElement) -> None:
    keeps = {"x": (Keep(0),), "y": (Keep(~0),)}.get(count.keeps, ())

    @op(name, elementwise=True, summary=_explained(count))
    def rule(x: Tensor) -> Cost:
        value = apply(VALUES.get(name), x.shape, x)
        size = x.size
        return give(
            Out(x.shape, value=value), vector=count.forward * size, backward={0: count.backward * size}, keeps=keeps
        )


def _explained(count: PerElement) -> str:
    return f"{count.reason} ({count.forward} and {count.backward} FLOPs per element)"


def _binary(name: str, count: PerElement) -> None:
    def many(x: Tensor, *others: Tensor) -> Cost:
        """Broadcast over all operands."""
        operands = (x, *others)
        out = broadcast_shapes(*(t.shape for t in operands))
        size = x.size if out == x.shape else prod(out)
        keeps: list[Keep] = []
        if count.keeps == "both":
            keeps += [Keep(t.index, when=o.index) for t in operands for o in operands if t is not o]
        elif count.keeps == "x":
            keeps += [Keep(t.index) for t in operands]
        if name == "Div":
            keeps.append(Keep(1, when=1))
        value = x.value
        for other in others if value is not None else ():
            function = VALUES["TrueDiv"] if name == "Div" and x.is_float else VALUES.get(name)
            value = apply(function, out, Tensor(out, x.dtype, value), other)
        limit = _limit(name, operands)
        extra = {t.index: 0 if t.shape == out else size - t.size for t in operands}
        return give(
            Out(out, value=value, limit=limit),
            vector=count.forward * size * max(len(others), 1),
            backward={slot: count.backward * size + more for slot, more in extra.items()},
            keeps=keeps,
        )

    def two(x: Tensor, y: Tensor) -> Cost:
        return many(x, y)

    op(name, elementwise=True, summary=_explained(count))(many if name in ("Max", "Min") else two)


def _flat(name: str, flops: int) -> None:
    @op(name, fixed_inputs=(0,), elementwise=True, summary=f"{flops} FLOP per element; its gradient is 0")
    def rule(x: Tensor) -> Cost:
        value = apply(VALUES.get(name), x.shape, x)
        return give(Out(x.shape, "bool" if name.startswith("Is") else "", value), vector=flops * x.size)


def _comparison(name: str) -> None:
    @op(name, fixed_inputs=(0, 1), elementwise=True, summary="1 FLOP per element if it compares floats; no gradient")
    def rule(x: Tensor, y: Tensor) -> Cost:
        out = broadcast_shapes(x.shape, y.shape)
        return give(Out(out, "bool", apply(VALUES.get(name), out, x, y)), vector=prod(out))


def _limit(name: str, operands: tuple[Tensor, ...]) -> Dim | None:
    """What a sum or a masked number stays below, where both operands' entries are below something."""
    if len(operands) != 2:
        return None
    for x, y in (operands, operands[::-1]):
        if x.limit is None:
            continue
        offset = y.known()
        if name == "Add" and offset is not None and len(offset) == 1 and not isinstance(offset[0], float):
            total: Dim = x.limit + offset[0]
            return total
        if name == "Mul" and isinstance(y.limit, int) and y.limit == FLAG:
            return x.limit
    return None


for _name, _count in UNARY.items():
    _unary(_name, _count)
for _name, _count in BINARY.items():
    _binary(_name, _count)
for _name, _flops in FLAT_UNARY.items():
    _flat(_name, _flops)
for _name in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor"):
    _comparison(_name)


@op("Not", fixed_inputs=(0,), elementwise=True)
def not_(x: Tensor) -> Cost:
    """Logical negation: no FLOP."""
    return give(Out(x.shape, "bool", apply(VALUES["Not"], x.shape, x)))


@op("BitwiseNot", fixed_inputs=(0,), elementwise=True)
def bitwise_not(x: Tensor) -> Cost:
    """Integer logic: no FLOP."""
    return give(x.shape)


@op("BitCast", fixed_inputs=(0,))
def bit_cast(x: Tensor, *, to: str) -> Cost:
    """The same bits read as another type of their width: nothing is moved."""
    return give(Out(x.shape, to), view=True)


@op("BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", fixed_inputs=(0, 1), elementwise=True)
def bitwise(x: Tensor, y: Tensor) -> Cost:
    """Integer logic: no FLOP."""
    return give(broadcast_shapes(x.shape, y.shape))


@op("Sum", "Mean", elementwise=True)
def variadic(x: Tensor, *others: Tensor) -> Cost:
    """One addition per element and further operand."""
    operands = (x, *others)
    out = broadcast_shapes(*(t.shape for t in operands))
    return give(out, vector=len(others) * prod(out), backward={t.index: sums(t, out) for t in operands})


@op("Where", fixed_inputs=(0,), elementwise=True)
def where(condition: Tensor, x: Tensor, y: Tensor) -> Cost:
    """A selection: one FLOP per element; backward selects again."""
    out = broadcast_shapes(condition.shape, x.shape, y.shape)
    choices = apply(lambda c, a, b: (a if c else b,), out, condition, *(_masked(t) for t in (x, y)))
    value = tuple(None if c is None or c[0] is _MISSING else c[0] for c in choices) if choices else None
    size = prod(out)
    backward = {1: size + sums(x, out), 2: size + sums(y, out)}
    return give(Out(out, x.dtype, value), vector=size, backward=backward, keeps=(Keep(0),))


_MISSING = object()


def _masked(x: Tensor) -> Tensor:
    """An operand whose unknown entries may stay unselected."""
    value = None if x.value is None else tuple(_MISSING if v is None else v for v in x.value)
    return Tensor(x.shape, x.dtype, value)


@op("Clip", fixed_inputs=(1, 2), elementwise=True)
def clip(x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Cost:
    """min(max(x, low), high): one comparison per bound given; backward selects."""
    bounds = (low is not None) + (high is not None)
    return give(x.shape, vector=bounds * x.size, backward={0: x.size}, keeps=(Keep(0),))


@op("Cast", passes=True)
def cast(x: Tensor, *, to: str) -> Cost:
    """A change of type: no FLOP."""
    return give(Out(x.shape, to, cast_values(x, to), FLAG if x.dtype == "bool" else x.limit))


@op("CastLike", fixed_inputs=(1,), passes=True)
def cast_like(x: Tensor, target: Tensor) -> Cost:
    """A change to the other tensor's type: no FLOP."""
    return give(Out(x.shape, target.dtype, cast_values(x, target.dtype), x.limit))


@op("Dropout", fixed_inputs=(1, 2))
def dropout(x: Tensor, ratio: Tensor | None = None, training: Tensor | None = None) -> Cost:
    """Off at inference, and exporters write it only there: no FLOP; its mask is not kept."""
    return give(x.shape, Out(x.shape, "bool"), view=True)
