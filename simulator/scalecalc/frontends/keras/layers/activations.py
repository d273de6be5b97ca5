"""Activations, as layers and as an option of layers."""

from __future__ import annotations

from typing import Any

from scalecalc.frontends.builder import Value
from scalecalc.frontends.keras.call import Call, Unsupported, lowers
from scalecalc.frontends.keras.held import DOMAIN, Held
from scalecalc.frontends.layers.activations import activate
from scalecalc.ir.graph import TensorType

NAMES = {
    "relu": "relu", "relu6": "relu6", "gelu": "gelu", "silu": "silu", "swish": "silu", "sigmoid": "sigmoid",
    "tanh": "tanh", "softmax": "softmax", "log_softmax": "log_softmax", "softplus": "softplus",
    "softsign": "softsign", "elu": "elu", "selu": "selu", "leaky_relu": "leaky_relu", "linear": "linear",
    "hard_sigmoid": "hard_sigmoid", "hard_silu": "hard_swish", "hard_swish": "hard_swish", "mish": "mish",
    "exponential": "exponential",
}  # fmt: skip
"""Keras's names, and those of `scalecalc.frontends.layers`."""
CLASSES = {"ReLU": "relu", "ELU": "elu", "LeakyReLU": "leaky_relu", "Softmax": "softmax", "PReLU": ""}
ALONG = ("softmax", "log_softmax")
"""Those that go along the last axis."""


def activated(call: Call, x: Held) -> Held:
    """The activation a layer has as an option, if it has one."""
    given = call.part.get("activation")
    name = activation_name(given)
    if name is None:
        x = call.last(x.plain())
        kept = TensorType("float32", tuple(dim if isinstance(dim, int) else str(dim) for dim in x.shape))
        (value,) = call.b.opaque(_said(given)[:60] or "activation", [x.any], [kept], domain=DOMAIN)
        return call.last(value)
    if name == "linear":
        return x
    if name in ALONG:
        return call.last(activate(call.b, x.plain(), name))
    return x.each(lambda v: activate(call.b, v, name))


def activation_name(given: Any) -> str | None:
    """What an activation is called here; None for one that is code of somebody else."""
    if given is None:
        return "linear"
    return NAMES.get(_said(given))


def _said(given: Any) -> str:
    """Its name, as text or inside of what Keras 3 writes for objects."""
    if isinstance(given, str):
        return given
    if not isinstance(given, dict):
        return ""
    name, config = given.get("class_name"), given.get("config")
    if isinstance(config, str):
        module = given.get("module") or "builtins"
        return config if module in ("builtins", "keras.activations", "keras.src.activations") else f"custom {config}"
    return CLASSES.get(str(name), f"custom {name}")


@lowers("Activation")
def activation(call: Call) -> Held:
    """By its name."""
    return activated(call, call.x)


@lowers("ReLU")
def relu(call: Call) -> Held:
    """max(x, 0), cut off at `max_value`, or with a slope below 0."""
    part, b = call.part, call.b
    if part.get("max_value") is not None:
        bounds = (part.number("threshold", 0.0), part.number("max_value"))
        low, high = (b.constant([bound], dtype="float32", scalar=True) for bound in bounds)
        return call.x.each(lambda v: b.node("Clip", v, low, high))
    name = "LeakyRelu" if part.number("negative_slope", 0.0) else "Relu"
    return call.x.each(lambda v: b.node(name, v))


@lowers("LeakyReLU")
def leaky_relu(call: Call) -> Held:
    """x where it is positive, else a fraction of it."""
    return call.x.each(lambda v: call.b.node("LeakyRelu", v))


@lowers("ELU")
def elu(call: Call) -> Held:
    """x where it is positive, else exp(x) - 1."""
    return call.x.each(lambda v: call.b.node("Elu", v))


@lowers("Softmax")
def softmax(call: Call) -> Held:
    """Along an axis."""
    axis = call.part.get("axis", -1)
    axes = axis if isinstance(axis, list) else [axis]
    if len(axes) != 1:
        raise Unsupported
    x = call.x.plain()
    return call.last(call.b.node("Softmax", x, axis=axis_in(call, axes[0], x)))


@lowers("PReLU")
def prelu(call: Call) -> Held:
    """x, or a learned slope times x where it is negative: one for each element but along `shared_axes`."""
    x = call.x.plain()
    shared = call.part.wholes("shared_axes", (), least=-16)
    axes = {axis % x.rank for axis in shared}
    slope = call.b.weight("alpha", *(1 if axis in axes else x.shape[axis] for axis in range(1, x.rank)))
    return call.last(call.b.node("PRelu", x, slope))


def axis_in(call: Call, axis: Any, x: Value | Held) -> int:
    """An axis counted from the front.

    Raises:
        FileError: the value has no such axis.
    """
    if type(axis) is not int or not -x.rank <= axis < x.rank:
        raise call.error(f"axis {axis!s:.20} of {x.rank} axes")
    return axis % x.rank
