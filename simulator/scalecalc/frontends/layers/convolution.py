"""Convolutions, pooling and what changes the size of images and sequences: (batch, channels, *spatial)."""

from __future__ import annotations

from typing import Any

from scalecalc.dims import Dim, exact_quotient
from scalecalc.errors import ShapeError
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.activations import Activation, activate
from scalecalc.frontends.layers.registry import CHOICES, Ints, Padding, layer

CHOICES["Interpolation"] = ("nearest", "bilinear")
Interpolation = str
"""How upsampling fills in."""


def spread(numbers: Ints, axes: int, what: str) -> Ints:
    """A number for each axis, of one for all or one each."""
    if len(numbers) == 1:
        return tuple(numbers) * axes
    if len(numbers) != axes:
        raise ShapeError(f"{what} has {len(numbers)} numbers for {axes} axes")
    return tuple(numbers)


def padded(padding: Padding, axes: int) -> dict[str, Any]:
    """ONNX's attributes for a padding."""
    if isinstance(padding, str):
        return {"auto_pad": "SAME_UPPER"} if padding == "same" else {}
    pads = tuple(padding) * 2 if len(padding) == axes else tuple(padding)
    if len(padding) == 1:
        pads = tuple(padding) * (2 * axes)
    elif len(padding) == 2 * axes:
        pads = (*padding[::2], *padding[1::2])
    elif len(padding) != axes:
        raise ShapeError(f"padding has {len(padding)} numbers for {axes} axes")
    return {"pads": pads}


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


def _register(axes: int) -> None:
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
        *, kernel_size: Ints, strides: Ints = (1,), padding: Padding = "valid", output_padding: Ints = (0,),
        dilation_rate: Ints = (1,), groups: Dim = 1, use_bias: bool = True, activation: Activation | None = None,
    ) -> Value:  # fmt: skip
        _ranked(x, axes)
        taps = spread(kernel_size, axes, "kernel_size")
        weight = b.weight("kernel", x.shape[1], exact_quotient(filters, groups), *taps)
        bias = b.weight("bias", filters) if use_bias else None
        x = b.node(
            "ConvTranspose", x, weight, bias, kernel_shape=taps, strides=spread(strides, axes, "strides"),
            dilations=spread(dilation_rate, axes, "dilation_rate"), group=groups,
            output_padding=spread(output_padding, axes, "output_padding"), **padded(padding, axes),
        )  # fmt: skip
        return activate(b, x, activation)

    def pool(op_type: str, word: str, more: dict[str, int]) -> None:
        @layer(f"{word}_pooling{axes}d", summary=f"The {word} of windows over {axes} axes.")
        def pooling(
            b: Builder, x: Value, pool_size: Ints = (2,),
            *, strides: Ints | None = None, padding: Padding = "valid", ceil_mode: bool = False,
        ) -> Value:  # fmt: skip
            _ranked(x, axes)
            window = spread(pool_size, axes, "pool_size")
            steps = window if strides is None else spread(strides, axes, "strides")
            attributes: dict[str, Any] = {"kernel_shape": window, "strides": steps, "ceil_mode": int(ceil_mode), **more}
            return b.node(op_type, x, **attributes, **padded(padding, axes))

        @layer(f"global_{word}_pooling{axes}d", summary=f"The {word} over {axes} axes.")
        def pooling_all(b: Builder, x: Value, *, keepdims: bool = False) -> Value:
            _ranked(x, axes)
            x = b.node(f"Global{op_type}", x)
            return x if keepdims else b.node("Flatten", x, axis=1)

    pool("MaxPool", "max", {})
    pool("AveragePool", "average", {"count_include_pad": 1})

    @layer(f"zero_padding{axes}d", summary=f"Zeros around {axes} axes.")
    def zero_padding(b: Builder, x: Value, padding: Ints = (1,)) -> Value:
        _ranked(x, axes)
        pads: Ints = padded(padding, axes)["pads"]
        return b.node("Pad", x, b.constant([0, 0, *pads[:axes], 0, 0, *pads[axes:]]))

    @layer(f"cropping{axes}d", summary=f"The outside of {axes} axes cut off.")
    def cropping(b: Builder, x: Value, cropping: Ints = (1,)) -> Value:
        _ranked(x, axes)
        cuts: Ints = padded(cropping, axes)["pads"]
        ends = [x.shape[2 + axis] - cuts[axes + axis] for axis in range(axes)]
        return b.node("Slice", x, b.constant(list(cuts[:axes])), b.constant(ends), b.constant([*range(2, axes + 2)]))

    @layer(f"up_sampling{axes}d", summary=f"{axes} axes made longer by whole factors.")
    def up_sampling(b: Builder, x: Value, size: Ints = (2,), *, interpolation: Interpolation = "nearest") -> Value:
        _ranked(x, axes)
        sizes = [dim * factor for dim, factor in zip(x.shape[2:], spread(size, axes, "size"), strict=True)]
        mode = "linear" if interpolation == "bilinear" else interpolation
        return b.node("Resize", x, None, None, b.constant([*x.shape[:2], *sizes]), mode=mode)


for _axes in (1, 2, 3):
    _register(_axes)
