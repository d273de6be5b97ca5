"""Activations: by name as a layer, or as an option of a layer with weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scalecalc.dims import Dim, exact_quotient
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.registry import CHOICES, layer

_OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "gelu": ("Gelu", {}),
    "gelu_tanh": ("Gelu", {"approximate": "tanh"}),
    "silu": ("Swish", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "softmax": ("Softmax", {}),
    "log_softmax": ("LogSoftmax", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "elu": ("Elu", {}),
    "selu": ("Selu", {}),
    "leaky_relu": ("LeakyRelu", {}),
    "hard_sigmoid": ("HardSigmoid", {}),
    "hard_swish": ("HardSwish", {}),
    "mish": ("Mish", {}),
    "exponential": ("Exp", {}),
}
"""Those that are one operator."""


def _relu6(b: Builder, x: Value) -> Value:
    low, high = (b.constant([bound], dtype="float32", scalar=True) for bound in (0.0, 6.0))
    return b.node("Clip", x, low, high)


def _squared_relu(b: Builder, x: Value) -> Value:
    x = b.node("Relu", x)
    return b.node("Mul", x, x)


_MADE: dict[str, Callable[[Builder, Value], Value]] = {"relu6": _relu6, "squared_relu": _squared_relu}
CHOICES["Activation"] = ("linear", *_OPERATORS, *_MADE)

Activation = str
"""One of CHOICES["Activation"]."""


def activate(b: Builder, x: Value, activation: str | None) -> Value:
    """An activation by its name; none and `linear` leave the value as it is."""
    if activation in (None, "linear"):
        return x
    if activation in _MADE:
        return _MADE[activation](b, x)
    op_type, attributes = _OPERATORS[str(activation)]
    return b.node(op_type, x, **attributes)


def _register(name: str) -> None:
    @layer(name, summary=f"The activation {name}, element by element." if name != "softmax" else "")
    def _layer(b: Builder, x: Value) -> Value:
        """exp(x) over its sum along the last axis."""
        return activate(b, x, name)


for _name in CHOICES["Activation"][1:]:
    _register(_name)


@layer("activation")
def activation(b: Builder, x: Value, activation: Activation) -> Value:
    """An activation by its name."""
    return activate(b, x, activation)


@layer("prelu")
def prelu(b: Builder, x: Value, *, shared: bool = True) -> Value:
    """x, or a learned slope times x where it is negative: a slope for each channel (axis 1), or one for all."""
    slope = b.weight("alpha", *((1,) if shared else (x.shape[1], *(1,) * (x.rank - 2))))
    return b.node("PRelu", x, slope)


@layer("glu")
def glu(b: Builder, x: Value, activation: Activation = "sigmoid", *, axis: int = -1) -> Value:
    """The first half of an axis times an activation of the second."""
    half: Dim = exact_quotient(x.shape[axis], 2)
    value, gate = b.nodes("Split", x, b.constant([half, half]), outputs=2, axis=axis)
    return b.node("Mul", value, activate(b, gate, activation))
