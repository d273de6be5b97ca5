"""Layers of speech models, over (batch, sequence, features)."""

from __future__ import annotations

from scalecalc.dims import Dim, exact_quotient
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.activations import Activation, activate
from scalecalc.frontends.layers.basic import sequence
from scalecalc.frontends.layers.registry import layer


@layer("convolutional_positions")
def convolutional_positions(
    b: Builder, x: Value, kernel_size: int, *, groups: Dim = 1, activation: Activation = "gelu"
) -> Value:
    """What a wide convolution makes of the neighbours, added; its weight is a length for each tap and a direction."""
    sequence(x)
    width = x.shape[2]
    direction = b.weight("direction", width, exact_quotient(width, groups), kernel_size)
    length = b.node("ReduceL2", direction, b.constant([0, 1]), keepdims=1)
    weight = b.node("Mul", b.node("Div", direction, length), b.weight("length", 1, 1, kernel_size))
    y = b.node("Transpose", x, perm=(0, 2, 1))
    pads = (kernel_size // 2, kernel_size // 2)
    y = b.node("Conv", y, weight, b.weight("bias", width), kernel_shape=(kernel_size,), pads=pads, group=groups)
    if kernel_size % 2 == 0:  # one place more than there are
        y = b.node("Slice", y, b.constant([0]), b.constant([x.shape[1]]), b.constant([2]))
    return b.node("Add", x, b.node("Transpose", activate(b, y, activation), perm=(0, 2, 1)))


@layer("masked_frames")
def masked_frames(b: Builder, x: Value, rate: float = 0.5) -> Value:
    """Some frames, drawn at random while training, replaced by a learned vector."""
    sequence(x)
    first = b.node("Slice", x, b.constant([0]), b.constant([1]), b.constant([2]))
    limit = b.constant([rate], dtype="float32", scalar=True)
    drawn = b.node("Less", b.node("RandomUniformLike", first), limit)
    return b.node("Where", drawn, b.weight("mask", x.shape[2]), x)
