"""Convolutions, pooling and what changes the size of images: computed with their channels behind the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scalecalc.frontends.builder import Value
from scalecalc.frontends.keras.call import Call, Unsupported, lowers
from scalecalc.frontends.keras.held import Held
from scalecalc.frontends.keras.layers.activations import activated
from scalecalc.frontends.layers import LAYERS

FORMATS = ("channels_last", "channels_first")
AXES = (1, 2, 3)


def _ready(call: Call, axes: int) -> tuple[Value, Callable[[Value], Held]]:
    """Its input with its channels behind the batch, and what its result is."""
    order = call.part.text("data_format", FORMATS[0])
    if order not in FORMATS:
        raise call.error(f"data_format {order:.40} is none of {', '.join(FORMATS)}")
    if call.x.rank != axes + 2:
        raise call.error(f"it takes {axes + 2} axes, not {call.x.rank}")
    if order == FORMATS[0]:
        return call.x.channels_first(), call.first
    return call.x.plain(), call.last


def _padding(call: Call, axes: int, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> Any:
    """What a convolution puts around its input."""
    padding = call.part.text("padding", "valid").lower()
    if padding == "causal" and axes == 1:
        return ((kernel[0] - 1) * dilation[0], 0)
    if padding not in ("same", "valid"):
        raise call.error(f"padding {padding:.40} is neither same nor valid")
    return padding


def _register(axes: int) -> None:
    def window(call: Call) -> dict[str, Any]:
        part = call.part
        kernel, dilation = part.wholes("kernel_size", count=axes), part.wholes("dilation_rate", 1, count=axes)
        return {
            "kernel_size": kernel, "strides": part.wholes("strides", 1, count=axes), "dilation_rate": dilation,
            "padding": _padding(call, axes, kernel, dilation), "use_bias": part.flag("use_bias", True),
        }  # fmt: skip

    @lowers(f"Conv{axes}D", f"Convolution{axes}D")
    def conv(call: Call) -> Held:
        x, back = _ready(call, axes)
        options = window(call)
        filters, groups = call.part.whole("filters"), call.part.whole("groups", 1)
        y = LAYERS[f"conv{axes}d"].make(call.b, x, filters, groups=groups, **options)
        return activated(call, back(y))

    @lowers(f"DepthwiseConv{axes}D")
    def depthwise(call: Call) -> Held:
        x, back = _ready(call, axes)
        factor = call.part.whole("depth_multiplier", 1)
        y = LAYERS[f"depthwise_conv{axes}d"].make(call.b, x, depth_multiplier=factor, **window(call))
        return activated(call, back(y))

    @lowers(f"SeparableConv{axes}D", f"SeparableConvolution{axes}D")
    def separable(call: Call) -> Held:
        x, back = _ready(call, axes)
        factor, filters = call.part.whole("depth_multiplier", 1), call.part.whole("filters")
        y = LAYERS[f"separable_conv{axes}d"].make(call.b, x, filters, depth_multiplier=factor, **window(call))
        return activated(call, back(y))

    @lowers(f"Conv{axes}DTranspose", f"Convolution{axes}DTranspose")
    def transposed(call: Call) -> Held:
        x, back = _ready(call, axes)
        options, filters = window(call), call.part.whole("filters")
        reach = [(k - 1) * d + 1 for k, d in zip(options["kernel_size"], options["dilation_rate"], strict=True)]
        if call.part.get("output_padding") is not None:
            extra = call.part.wholes("output_padding", count=axes, least=0)
            if options["padding"] == "same":
                options["padding"] = tuple(side for r in reach for side in (r // 2, r // 2))
            options["output_padding"] = extra
        elif options["padding"] == "valid":
            gaps = [max(s - r, 0) for s, r in zip(options["strides"], reach, strict=True)]
            options["output_padding"] = tuple(gaps)
        y = LAYERS[f"conv{axes}d_transpose"].make(call.b, x, filters, **options)
        return activated(call, back(y))

    def pooling(word: str, *names: str) -> None:
        @lowers(*(f"{name}{axes}D" for name in names))
        def pool(call: Call) -> Held:
            x, back = _ready(call, axes)
            size = call.part.wholes("pool_size", 2, count=axes)
            strides = call.part.wholes("strides", size, count=axes)
            padding = _padding(call, axes, size, size)
            return back(LAYERS[f"{word}_pooling{axes}d"].make(call.b, x, size, strides=strides, padding=padding))

        @lowers(*(f"Global{name}{axes}D" for name in names))
        def pool_all(call: Call) -> Held:
            x, back = _ready(call, axes)
            keep = call.part.flag("keepdims")
            y = LAYERS[f"global_{word}_pooling{axes}d"].make(call.b, x, keepdims=keep)
            return back(y) if keep else call.last(y)

    pooling("max", "MaxPooling", "MaxPool")
    pooling("average", "AveragePooling", "AvgPool")

    @lowers(f"ZeroPadding{axes}D")
    def zero_padding(call: Call) -> Held:
        x, back = _ready(call, axes)
        return back(LAYERS[f"zero_padding{axes}d"].make(call.b, x, call.part.pairs("padding", 1, count=axes)))

    @lowers(f"Cropping{axes}D")
    def cropping(call: Call) -> Held:
        x, back = _ready(call, axes)
        return back(LAYERS[f"cropping{axes}d"].make(call.b, x, call.part.pairs("cropping", 1, count=axes)))

    @lowers(f"UpSampling{axes}D")
    def up_sampling(call: Call) -> Held:
        x, back = _ready(call, axes)
        modes = {"nearest": "nearest", "bilinear": "bilinear", "bicubic": "cubic"}
        mode = modes.get(call.part.text("interpolation", "nearest"))
        if mode is None:
            raise Unsupported
        size = call.part.wholes("size", 2, count=axes)
        return back(LAYERS[f"up_sampling{axes}d"].make(call.b, x, size, interpolation=mode))


for _axes in AXES:
    _register(_axes)
