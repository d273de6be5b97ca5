"""Convolutions, pooling and what changes the size of images and sequences: (batch, channels, *spatial)."""

from __future__ import annotations

from typing import Any

from scalecalc.dims import Dim, exact_quotient
from scalecalc.errors import ShapeError
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.activations import Activation, activate
from scalecalc.frontends.layers.registry import CHOICES, Ints, Padding, layer
from scalecalc.frontends.wording import shape_text

MODES = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}
"""ONNX's names of interpolations."""
CHOICES["Interpolation"] = tuple(MODES)
Interpolation = str
"""How upsampling fills in."""


def spread(numbers: Ints, axes: int, what: str) -> Ints:
    """A number for each axis, of one for all or one each."""
    if len(numbers) == 1:
        return tuple(numbers) * axes
    if len(numbers) != axes:
        raise ShapeError(f"{what} has {len(numbers)} numbers for {axes} axes")
    return tuple(numbers)


def sides(padding: Ints, axes: int, what: str = "padding") -> Ints:
    """How much before every axis, then how much behind every axis, as ONNX lists it.

    >>> sides((1, 2), 2), sides((0, 1, 2, 3), 2)
    ((1, 2, 1, 2), (0, 2, 1, 3))
    """
    if min(padding, default=0) < 0:
        raise ShapeError(f"{what} is below 0")
    if len(padding) == 2 * axes:
        return (*padding[::2], *padding[1::2])
    return spread(padding, axes, what) * 2


def padded(padding: Padding, axes: int) -> dict[str, Any]:
    """ONNX's attributes for a padding; `same` adds what is odd behind, as TensorFlow does."""
    if isinstance(padding, str):
        return {"auto_pad": "SAME_UPPER"} if padding == "same" else {}
    return {"pads": sides(padding, axes)}


def convolve(
    b: Builder, x: Value, filters: Dim, kernel: Ints, *, strides: Ints = (1,), padding: Padding = "valid",
    dilation: Ints = (1,), groups: Dim = 1, use_bias: bool = True, label: str = "",
) -> Value:  # fmt: skip
    """A convolution over all axes behind the channels."""
    axes = x.rank - 2
    prefix = f"{label}." if label else ""
    taps = spread(kernel, axes, "kernel_size")
    weight = b.weight(f"{prefix}kernel", filters, exact_quotient(x.shape[1], groups), *taps)
    bias = b.weight(f"{prefix}bias", filters) if use_bias else None
    return b.node(
        "Conv", x, weight, bias, kernel_shape=taps, strides=spread(strides, axes, "strides"),
        dilations=spread(dilation, axes, "dilation_rate"), group=groups, **padded(padding, axes),
    )  # fmt: skip


def _ranked(x: Value, axes: int) -> None:
    if x.rank != axes + 2:
        raise ShapeError(f"it takes {axes + 2} axes (batch, channels and {axes} more), not {x.rank}")


def _convolutions(axes: int) -> None:
    @layer(f"conv{axes}d", summary=f"A convolution over {axes} axes.")
    def conv(
        b: Builder, x: Value, filters: Dim,
        *, kernel_size: Ints, strides: Ints = (1,), padding: Padding = "valid", dilation_rate: Ints = (1,),
        groups: Dim = 1, use_bias: bool = True, activation: Activation | None = None,
    ) -> Value:  # fmt: skip
        _ranked(x, axes)
        x = convolve(
            b, x, filters, kernel_size, strides=strides, padding=padding, dilation=dilation_rate, groups=groups,
            use_bias=use_bias,
        )  # fmt: skip
        return activate(b, x, activation)

    @layer(f"depthwise_conv{axes}d", summary=f"A convolution over {axes} axes of every channel by itself.")
    def depthwise(
        b: Builder, x: Value,
        *, kernel_size: Ints, strides: Ints = (1,), padding: Padding = "valid", dilation_rate: Ints = (1,),
        depth_multiplier: Dim = 1, use_bias: bool = True, activation: Activation | None = None,
    ) -> Value:  # fmt: skip
        _ranked(x, axes)
        channels = x.shape[1]
        x = convolve(
            b, x, channels * depth_multiplier, kernel_size, strides=strides, padding=padding, dilation=dilation_rate,
            groups=channels, use_bias=use_bias,
        )  # fmt: skip
        return activate(b, x, activation)

    @layer(f"separable_conv{axes}d", summary=f"A depthwise convolution over {axes} axes, then one of width 1.")
    def separable(
        b: Builder, x: Value, filters: Dim,
        *, kernel_size: Ints, strides: Ints = (1,), padding: Padding = "valid", dilation_rate: Ints = (1,),
        depth_multiplier: Dim = 1, use_bias: bool = True, activation: Activation | None = None,
    ) -> Value:  # fmt: skip
        _ranked(x, axes)
        channels = x.shape[1]
        x = convolve(
            b, x, channels * depth_multiplier, kernel_size, strides=strides, padding=padding, dilation=dilation_rate,
            groups=channels, use_bias=False, label="depthwise",
        )  # fmt: skip
        x = convolve(b, x, filters, (1,), use_bias=use_bias, label="pointwise")
        return activate(b, x, activation)

    @layer(f"conv{axes}d_transpose", summary=f"A transposed convolution over {axes} axes.")
    def transposed(
        b: Builder, x: Value, filters: Dim,
        *, kernel_size: Ints, strides: Ints = (1,), padding: Padding = "valid", output_padding: Ints | None = None,
        dilation_rate: Ints = (1,), groups: Dim = 1, use_bias: bool = True, activation: Activation | None = None,
    ) -> Value:  # fmt: skip
        _ranked(x, axes)
        taps, steps = spread(kernel_size, axes, "kernel_size"), spread(strides, axes, "strides")
        rates = spread(dilation_rate, axes, "dilation_rate")
        reach = tuple(rate * (tap - 1) + 1 for tap, rate in zip(taps, rates, strict=True))
        padding, more = _output_padding(padding, output_padding, steps, reach)
        weight = b.weight("kernel", x.shape[1], exact_quotient(filters, groups), *taps)
        bias = b.weight("bias", filters) if use_bias else None
        x = b.node(
            "ConvTranspose", x, weight, bias, kernel_shape=taps, strides=steps, dilations=rates, group=groups,
            output_padding=more, **padded(padding, axes),
        )  # fmt: skip
        return activate(b, x, activation)


def _output_padding(padding: Padding, given: Ints | None, steps: Ints, reach: Ints) -> tuple[Padding, Ints]:
    """What Keras pads and adds behind: `same` and `valid` give size * stride, `valid` what a longer kernel has more."""
    if given is not None:
        halves = tuple(size // 2 for size in reach)
        return halves if padding == "same" else padding, spread(given, len(steps), "output_padding")
    if padding == "valid":
        return padding, tuple(max(step - size, 0) for step, size in zip(steps, reach, strict=True))
    return padding, (0,) * len(steps)


def _pooling(axes: int, op_type: str, word: str) -> None:
    @layer(f"{word}_pooling{axes}d", summary=f"The {word} of windows over {axes} axes.")
    def pooling(
        b: Builder, x: Value, pool_size: Ints = (2,),
        *, strides: Ints | None = None, padding: Padding = "valid", ceil_mode: bool = False,
    ) -> Value:  # fmt: skip
        _ranked(x, axes)
        window = spread(pool_size, axes, "pool_size")
        steps = window if strides is None else spread(strides, axes, "strides")
        attributes: dict[str, Any] = {"kernel_shape": window, "strides": steps, "ceil_mode": int(ceil_mode)}
        return b.node(op_type, x, **attributes, **padded(padding, axes))

    @layer(f"global_{word}_pooling{axes}d", summary=f"The {word} over {axes} axes.")
    def pooling_all(b: Builder, x: Value, *, keepdims: bool = False) -> Value:
        _ranked(x, axes)
        x = b.node(f"Global{op_type}", x)
        return x if keepdims else b.node("Flatten", x, axis=1)


def _sizes(axes: int) -> None:
    @layer(f"zero_padding{axes}d", summary=f"Zeros around {axes} axes.")
    def zero_padding(b: Builder, x: Value, padding: Ints = (1,)) -> Value:
        _ranked(x, axes)
        pads = sides(padding, axes)
        return b.node("Pad", x, b.constant([0, 0, *pads[:axes], 0, 0, *pads[axes:]]))

    @layer(f"cropping{axes}d", summary=f"The outside of {axes} axes cut off.")
    def cropping(b: Builder, x: Value, cropping: Ints = (1,)) -> Value:
        _ranked(x, axes)
        cuts = sides(cropping, axes, "cropping")
        starts, ends = cuts[:axes], [dim - cut for dim, cut in zip(x.shape[2:], cuts[axes:], strict=True)]
        for start, end in zip(starts, ends, strict=True):
            if isinstance(end, int) and end <= start:
                raise ShapeError(f"cropping leaves nothing of {shape_text(x)}")
        return b.node("Slice", x, b.constant(starts), b.constant(ends), b.constant([*range(2, axes + 2)]))

    @layer(f"up_sampling{axes}d", summary=f"{axes} axes made longer by whole factors.")
    def up_sampling(b: Builder, x: Value, size: Ints = (2,), *, interpolation: Interpolation = "nearest") -> Value:
        _ranked(x, axes)
        factors = spread(size, axes, "size")
        if min(factors) < 1:
            raise ShapeError("a size below 1")
        longer = [dim * factor for dim, factor in zip(x.shape[2:], factors, strict=True)]
        return b.node("Resize", x, None, None, b.constant([*x.shape[:2], *longer]), mode=MODES[interpolation])


for _axes in (1, 2, 3):
    _convolutions(_axes)
    _pooling(_axes, "MaxPool", "max")
    _pooling(_axes, "AveragePool", "average")
    _sizes(_axes)
