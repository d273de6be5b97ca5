"""Operations: what Keras writes for `x + y`, `x[:, 0]` and the functions of keras.ops in a functional model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from scalecalc.frontends.builder import Value
from scalecalc.frontends.keras.call import OPERATIONS, Call, Lower, Unsupported, lowers
from scalecalc.frontends.keras.held import Held, together
from scalecalc.frontends.keras.layers.activations import axis_in
from scalecalc.frontends.keras.layers.merging import joined
from scalecalc.frontends.keras.parts import MOST_AXES, is_whole
from scalecalc.frontends.layers.activations import activate

BINARY = {
    "Add": "Add", "Subtract": "Sub", "Multiply": "Mul", "Divide": "Div", "TrueDivide": "Div", "Power": "Pow",
    "Maximum": "Max", "Minimum": "Min",
}  # fmt: skip
UNARY = {
    "Negative": "Neg", "Absolute": "Abs", "Abs": "Abs", "Exp": "Exp", "Log": "Log", "Sqrt": "Sqrt", "Sin": "Sin",
    "Cos": "Cos", "Tanh": "Tanh", "Sigmoid": "Sigmoid", "Reciprocal": "Reciprocal", "Erf": "Erf",
}  # fmt: skip
ACTIVATIONS = {
    "Relu": "relu", "Relu6": "relu6", "Gelu": "gelu", "Silu": "silu", "Softplus": "softplus", "Softsign": "softsign",
    "Elu": "elu", "Selu": "selu", "LeakyRelu": "leaky_relu", "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_swish",
}  # fmt: skip
TENSORFLOW = {
    "add": "Add", "subtract": "Subtract", "sub": "Subtract", "multiply": "Multiply", "mul": "Multiply",
    "truediv": "TrueDivide", "divide": "Divide", "maximum": "Maximum", "minimum": "Minimum", "matmul": "Matmul",
    "concat": "Concatenate", "reduce_mean": "Mean", "reduce_sum": "Sum", "relu": "Relu", "sigmoid": "Sigmoid",
    "tanh": "Tanh", "gelu": "Gelu", "silu": "Silu", "exp": "Exp", "sqrt": "Sqrt", "cast": "Cast",
}  # fmt: skip
"""Functions of TensorFlow that Keras 2 names in a TFOpLambda, by the last part of their names."""
REDUCTIONS = {"Mean": "ReduceMean", "Sum": "ReduceSum", "Max": "ReduceMax", "Min": "ReduceMin"}


def operation(*names: str) -> Callable[[Lower], Lower]:
    """Register what lowers operations of these class names."""
    return lowers(*names, table=OPERATIONS)


def _operand(call: Call, given: Any) -> Held:
    """An argument as a value: a number, or a tensor the file holds, is a constant."""
    if isinstance(given, Held):
        return given
    if isinstance(given, int | float) and not isinstance(given, bool) and abs(given) < 1e300:
        return call.last(call.b.constant([float(given)], dtype="float32", scalar=True))
    if isinstance(given, dict) and isinstance(given.get("config"), dict):
        return call.last(call.b.filler(*_extent(given["config"].get("value"))))
    raise Unsupported


def _extent(value: Any) -> tuple[int, ...]:
    """How many entries nested lists have along each axis."""
    dims: list[int] = []
    while isinstance(value, list) and value and len(dims) < MOST_AXES:
        dims.append(len(value))
        value = value[0]
    return tuple(dims)


def _binary(name: str, op_type: str) -> None:
    @operation(name)
    def lower(call: Call) -> Held:
        given = [*call.args, *(call.kwargs[key] for key in ("x1", "x2") if key in call.kwargs)]
        if len(given) != 2:
            raise call.error(f"it takes 2 values, not {len(given)}")
        if all(isinstance(one, Held) for one in given):
            return together(given, lambda x, y: call.b.node(op_type, x, y))
        left, right = (_operand(call, one) for one in given)
        if right.rank == 0:
            return left.each(lambda v: call.b.node(op_type, v, right.plain()))
        if left.rank == 0:
            return right.each(lambda v: call.b.node(op_type, left.plain(), v))
        return call.last(call.b.node(op_type, left.plain(), right.plain()))


def _unary(name: str, op_type: str) -> None:
    @operation(name)
    def lower(call: Call) -> Held:
        return call.x.each(lambda v: call.b.node(op_type, v))


def _activation(name: str, word: str) -> None:
    @operation(name)
    def lower(call: Call) -> Held:
        return call.x.each(lambda v: activate(call.b, v, word))


def _reduction(name: str, op_type: str) -> None:
    @operation(name)
    def lower(call: Call) -> Held:
        x = call.x.plain()
        given = _option(call, "axis", 1)
        listed = given if isinstance(given, list) else [*range(x.rank)] if given is None else [given]
        axes = sorted({axis_in(call, axis, x) for axis in listed})
        keep = _option(call, "keepdims", 2)
        return call.last(call.b.node(op_type, x, call.b.constant(axes), keepdims=int(keep is True)))


for _table, _make in ((BINARY, _binary), (UNARY, _unary), (ACTIVATIONS, _activation), (REDUCTIONS, _reduction)):
    for _name, _word in _table.items():
        _make(_name, _word)


def _option(call: Call, key: str, place: int) -> Any:
    """An option of an operation: of its configuration, or among the arguments of the call."""
    if key in call.part.entries:
        return call.part.entries[key]
    return call.kwargs.get(key, call.args[place] if len(call.args) > place else None)


@operation("Square")
def square(call: Call) -> Held:
    """x * x."""
    return call.x.each(lambda v: call.b.node("Mul", v, v))


@operation("Rsqrt")
def rsqrt(call: Call) -> Held:
    """1 / sqrt(x)."""
    return call.x.each(lambda v: call.b.node("Reciprocal", call.b.node("Sqrt", v)))


@operation("Softmax", "LogSoftmax")
def softmax(call: Call) -> Held:
    """Along an axis."""
    x = call.x.plain()
    axis = _option(call, "axis", 1)
    return call.last(call.b.node("Softmax", x, axis=axis_in(call, -1 if axis is None else axis, x)))


@operation("Matmul")
def matmul(call: Call) -> Held:
    """The product of the last two axes."""
    if len(call.xs) != 2:
        raise Unsupported
    return call.last(call.b.node("MatMul", *(x.plain() for x in call.xs)))


@operation("Einsum")
def einsum(call: Call) -> Held:
    """A product by Einstein's convention."""
    equation = call.part.get("subscripts")
    if not isinstance(equation, str):
        raise Unsupported
    return call.last(call.b.node("Einsum", *(x.plain() for x in call.xs), equation=equation.replace(" ", "")))


@operation("Concatenate")
def concatenate(call: Call) -> Held:
    """Behind each other along an axis."""
    axis = _option(call, "axis", 1)
    return joined(call, call.several, 0 if axis is None else axis)


@operation("Reshape")
def reshape(call: Call) -> Held:
    """Another shape, the batch included."""
    given = _option(call, "newshape", 1)
    if not isinstance(given, list):
        raise Unsupported
    target = [-1 if dim is None else dim for dim in given]
    if not all(is_whole(dim) and dim >= -1 for dim in target) or target.count(-1) > 1:
        raise Unsupported
    return call.last(call.b.node("Reshape", call.x.plain(), call.b.constant(target), allowzero=1))


@operation("Transpose")
def transpose(call: Call) -> Held:
    """The axes in another order."""
    x, given = call.x.plain(), _option(call, "axes", 1)
    listed = [*reversed(range(x.rank))] if given is None else given if isinstance(given, list) else [given]
    return call.last(call.b.node("Transpose", x, perm=tuple(axis_in(call, axis, x) for axis in listed)))


@operation("ExpandDims", "Squeeze")
def axes_of_one(call: Call) -> Held:
    """An axis of one entry more or less."""
    x, given = call.x.plain(), _option(call, "axis", 1)
    op_type = "Unsqueeze" if "newaxis" in call.kwargs or call.part.path.endswith("(ExpandDims)") else "Squeeze"
    listed = given if isinstance(given, list) else [given]
    if not all(is_whole(axis) for axis in listed):
        raise Unsupported
    return call.last(call.b.node(op_type, x, call.b.constant(listed)))


@operation("Cast", "StopGradient", "Identity", "Copy")
def as_it_is(call: Call) -> Held:
    """The same numbers."""
    return call.x


@lowers("TFOpLambda")
def tensorflow(call: Call) -> Held | list[Held]:
    """A function of TensorFlow by its name, on its first arguments and `y`, or `b` of a product."""
    lower = OPERATIONS.get(TENSORFLOW.get(call.part.text("function").rpartition(".")[2], ""))
    if lower is None or call.kwargs.get("transpose_a") or call.kwargs.get("transpose_b"):
        raise Unsupported
    more = [call.kwargs[key] for key in ("y", "b") if call.kwargs.get(key) is not None]
    return lower(replace(call, args=[*call.args, *more]))


@operation("GetItem")
def get_item(call: Call) -> Held:
    """Entries of a value by whole numbers, slices, new axes and `...`, axis by axis."""
    x, given = call.x.plain(), call.args[1] if len(call.args) > 1 else call.kwargs.get("key")
    keys = given if isinstance(given, list) else [given]
    dots = [place for place, key in enumerate(keys) if _is(key, "__ellipsis__")]
    if dots:
        taken = sum(key is not None for key in keys) - 1
        keys = [*keys[: dots[0]], *[_slice(None, None)] * (x.rank - taken), *keys[dots[0] + 1 :]]
    axis = 0
    for key in keys:
        if key is None:
            x = call.b.node("Unsqueeze", x, call.b.constant([axis]))
        elif is_whole(key):
            x = call.b.node("Gather", x, call.b.constant([key], scalar=True), axis=axis_in(call, axis, x))
            continue
        else:
            x = _sliced(call, x, key, axis_in(call, axis, x))
        axis += 1
    return call.last(x)


def _is(key: Any, name: str) -> bool:
    return isinstance(key, dict) and key.get("class_name") == name


def _slice(start: int | None, stop: int | None) -> dict[str, Any]:
    return {"class_name": "__slice__", "config": {"start": start, "stop": stop, "step": None}}


def _sliced(call: Call, x: Value, key: Any, axis: int) -> Value:
    if not _is(key, "__slice__") or not isinstance(key.get("config"), dict):
        raise Unsupported
    bounds = [key["config"].get(name) for name in ("start", "stop", "step")]
    if not all(bound is None or is_whole(bound) for bound in bounds) or bounds[2] == 0:
        raise Unsupported
    start, stop, step = bounds
    if bounds == [None, None, None]:
        return x
    if (step or 1) < 0:
        start, stop = (-1 if start is None else start), (-(2**31) if stop is None else stop)
    begin, end = start or 0, 2**31 if stop is None else stop
    listed = (call.b.constant([entry]) for entry in (begin, end, axis, step or 1))
    return call.b.node("Slice", x, *listed)
