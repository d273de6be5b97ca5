"""Convolutions and pooling: windows slid over spatial axes."""

from __future__ import annotations

from collections.abc import Sequence

from scalecalc.dims import Dim, fixed, prod, regroup, same, windows
from scalecalc.errors import ShapeError
from scalecalc.ops.matmul import bias
from scalecalc.ops.registry import Cost, Keep, Out, Shape, Tensor, give, inner, op
from scalecalc.ops.vector import TAPS

Ints = Sequence[int] | None


@op("Conv", roles={2: "bias"})
def conv(
    x: Tensor, w: Tensor, b: Tensor | None = None,
    *, strides: Ints = None, pads: Ints = None, dilations: Ints = None, group: int = 1, kernel_shape: Ints = None,
    auto_pad: str = "NOTSET",
) -> Cost:  # fmt: skip
    """One dot product of length C_in/group * prod(kernel) for every output element."""
    n, c_in, *size = x.shape
    c_out, depth, *taps = w.shape  # ONNX stores depth = C_in / group
    kernel = [fixed(tap) for tap in taps]
    if kernel_shape is not None:
        for stated, tap in zip(kernel_shape, kernel, strict=True):
            same(stated, tap)
    groups, share = regroup((c_in,), (group, -1))
    same(share, depth)
    regroup((c_out,), (groups, -1), key="out")
    if b is not None:
        same(b.size, c_out)
    out: Shape = (n, c_out, *windows(size, kernel, strides, pads, dilations, auto_pad))
    vector, backward = bias(out, b)
    return give(out, contraction=(prod(out) * depth * prod(kernel), x, w), vector=vector, backward=backward)


@op("ConvTranspose", roles={2: "bias"})
def conv_transpose(
    x: Tensor, w: Tensor, b: Tensor | None = None,
    *, strides: Ints = None, pads: Ints = None, dilations: Ints = None, group: int = 1, kernel_shape: Ints = None,
    auto_pad: str = "NOTSET", output_padding: Ints = None, output_shape: Ints = None,
) -> Cost:  # fmt: skip
    """Every input element is multiplied into C_out/group * prod(kernel) outputs."""
    n, c_in, *size = x.shape
    same(c_in, w.shape[0])
    depth, *taps = w.shape[1:]  # ONNX stores depth = C_out / group
    kernel = [fixed(tap) for tap in taps]
    rank = len(kernel)
    groups = regroup((c_in,), (group, -1))[0]
    strides, dilations = strides or (1,) * rank, dilations or (1,) * rank
    pads, extra = pads or (0,) * (2 * rank), output_padding or (0,) * rank
    if min((*kernel, *strides, *dilations), default=1) < 1 or min(extra, default=0) < 0:
        raise ShapeError("a kernel, stride or dilation below 1, or an output padding below 0")
    spatial: list[Dim] = []
    for axis, dim in enumerate(size):
        if output_shape:
            spatial.append(output_shape[axis])
        elif auto_pad.startswith("SAME"):
            spatial.append(dim * strides[axis])
        else:
            cut = 0 if auto_pad == "VALID" else pads[axis] + pads[axis + rank]
            reach = dilations[axis] * (kernel[axis] - 1) + 1
            spatial.append((dim - 1) * strides[axis] + (extra[axis] + reach - cut))
    out: Shape = (n, depth * groups, *spatial)
    vector, backward = bias(out, b)
    return give(out, contraction=(x.size * depth * prod(kernel), x, w), vector=vector, backward=backward)


@op("DeformConv", roles={3: "bias"})
def deform_conv(
    x: Tensor, w: Tensor, offset: Tensor, b: Tensor | None = None, mask: Tensor | None = None,
    *, strides: Ints = None, pads: Ints = None, dilations: Ints = None, group: int = 1, offset_group: int = 1,
    kernel_shape: Ints = None,
) -> Cost:  # fmt: skip
    """A convolution of pixels interpolated at offsets: for each a blend of 2 taps per axis, and a mask's factor."""
    cost = conv(x, w, b, strides=strides, pads=pads, dilations=dilations, group=group, kernel_shape=kernel_shape)
    ((macs, _, _),) = cost.contractions
    out = cost.outputs[0].shape
    for dim, own in zip((out[0], *out[2:]), (offset.shape[0], *offset.shape[2:]), strict=True):
        same(dim, own)
    taps = prod(fixed(tap) for tap in w.shape[2:])
    regroup((offset.shape[1],), (offset_group, taps, x.rank - 2), key="offset")
    samples = prod((out[0], x.shape[1], *out[2:])) * taps
    blend = 2 * TAPS["linear"] ** (x.rank - 2) - 1
    cost.contractions = [(macs, inner(x, offset, mask, keep=Keep(0)), w)]
    cost.vector += (blend + (mask is not None)) * samples
    cost.backward = {**cost.backward, 0: (blend + 1) * samples, 2: (blend + 1) * samples}
    if mask is not None:
        cost.backward[4] = 2 * samples
    cost.keeps = [Keep(slot) for slot in (0, 2, 4) if slot < 4 or mask is not None]
    return cost


def _pool(
    x: Tensor, kernel_shape: Sequence[int], strides: Ints, pads: Ints, dilations: Ints, auto_pad: str, ceil_mode: int
) -> Shape:
    n, c, *size = x.shape
    return (n, c, *windows(size, kernel_shape, strides, pads, dilations, auto_pad, ceil_mode=ceil_mode))


@op("MaxPool")
def max_pool(
    x: Tensor,
    *, kernel_shape: Sequence[int], strides: Ints = None, pads: Ints = None, dilations: Ints = None,
    auto_pad: str = "NOTSET", ceil_mode: int = 0, storage_order: int = 0,
) -> Cost:  # fmt: skip
    """A comparison per window entry; backward adds each gradient to the entry that won, whose index is kept."""
    out = _pool(x, kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    size = prod(out)
    keeps = (Keep(0), Keep(bytes=8 * size))
    return give(out, Out(out, "int64"), vector=size * prod(kernel_shape), backward={0: size}, keeps=keeps)


@op("AveragePool")
def average_pool(
    x: Tensor,
    *, kernel_shape: Sequence[int], strides: Ints = None, pads: Ints = None, dilations: Ints = None,
    auto_pad: str = "NOTSET", ceil_mode: int = 0, count_include_pad: int = 0,
) -> Cost:  # fmt: skip
    """Additions over the window and one division; backward spreads each gradient over its window."""
    out = _pool(x, kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    taps = prod(kernel_shape)
    return give(out, vector=prod(out) * taps, backward={0: prod(out) * (1 + taps)}, keeps=(Keep(0),))


@op("LpPool")
def lp_pool(
    x: Tensor,
    *, kernel_shape: Sequence[int], strides: Ints = None, pads: Ints = None, dilations: Ints = None,
    auto_pad: str = "NOTSET", ceil_mode: int = 0, p: int = 2,
) -> Cost:  # fmt: skip
    """A power and an addition per window entry and one root."""
    out = _pool(x, kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    taps = 2 * prod(kernel_shape)
    return give(out, vector=prod(out) * taps, backward={0: prod(out) * (1 + taps)}, keeps=(Keep(0), Keep(~0)))


@op("GlobalLpPool")
def global_lp_pool(x: Tensor, *, p: int = 2) -> Cost:
    """A power and an addition per element; backward its derivative and the gradient."""
    n, c, *size = x.shape
    return give((n, c, *(1 for _ in size)), vector=2 * x.size, backward={0: 2 * x.size}, keeps=(Keep(0), Keep(~0)))


@op("GlobalAveragePool", "GlobalMaxPool")
def global_pool(x: Tensor) -> Cost:
    """One addition or comparison per element; backward spreads the gradient."""
    n, c, *size = x.shape
    return give((n, c, *(1 for _ in size)), vector=x.size, backward={0: x.size})
