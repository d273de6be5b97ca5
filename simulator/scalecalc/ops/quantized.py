"""Arithmetic of 8-bit and smaller integers: the products count as those of floats, weights by their stored bits."""

from __future__ import annotations

from scalecalc.dims import Dim, broadcast_shapes, prod, regroup, same, total
from scalecalc.ops.conv import Ints, average_pool, conv, global_pool
from scalecalc.ops.matmul import gemm, matmul
from scalecalc.ops.registry import Cost, Out, Tensor, axis_of, give, op
from scalecalc.ops.vector import DEQUANTIZE, QUANTIZE, SOFTMAX, UNARY

MICROSOFT = "com.microsoft"


def _requantized(cost: Cost, dtype: str) -> Cost:
    """The same in another integer type: every output is scaled, rounded, shifted and clipped."""
    shape = cost.outputs[0].shape
    cost.outputs = [Out(shape, dtype)]
    cost.vector += QUANTIZE * prod(shape)
    return cost


@op("QuantizeLinear", fixed_inputs=(1, 2))
def quantize(x: Tensor, scale: Tensor, zero: Tensor | None = None, *, output_dtype: str = "") -> Cost:
    """Div, round, add, clip: 4 per element."""
    return give(Out(x.shape, zero.dtype if zero else output_dtype or "uint8"), vector=QUANTIZE * x.size)


@op("DequantizeLinear", fixed_inputs=(1, 2), passes=True)
def dequantize(x: Tensor, scale: Tensor, zero: Tensor | None = None, *, output_dtype: str = "") -> Cost:
    """(x - zero) * scale: 2 per element."""
    return give(Out(x.shape, output_dtype or scale.dtype), vector=DEQUANTIZE * x.size)


@op("DynamicQuantizeLinear", fixed_inputs=(0,))
def dynamic_quantize(x: Tensor) -> Cost:
    """The least and the largest element, then as QuantizeLinear: 6 per element."""
    return give(Out(x.shape, "uint8"), Out((), "float32"), Out((), "uint8"), vector=(2 + QUANTIZE) * x.size)


@op("MatMulInteger")
def matmul_integer(a: Tensor, b: Tensor, a_zero: Tensor | None = None, b_zero: Tensor | None = None) -> Cost:
    """MatMul of 8-bit integers into int32."""
    cost = matmul(a, b)
    cost.outputs[0].dtype = "int32"
    return cost


@op("ConvInteger")
def conv_integer(
    x: Tensor, w: Tensor, x_zero: Tensor | None = None, w_zero: Tensor | None = None,
    *, strides: Ints = None, pads: Ints = None, dilations: Ints = None, group: int = 1, kernel_shape: Ints = None,
    auto_pad: str = "NOTSET",
) -> Cost:  # fmt: skip
    """Conv of 8-bit integers into int32."""
    cost = conv(
        x, w, strides=strides, pads=pads, dilations=dilations, group=group, kernel_shape=kernel_shape, auto_pad=auto_pad
    )
    cost.outputs[0].dtype = "int32"
    return cost


@op("QLinearMatMul", fixed_inputs=(1, 2, 4, 5, 6, 7))
def qlinear_matmul(
    a: Tensor, a_scale: Tensor, a_zero: Tensor, b: Tensor, b_scale: Tensor, b_zero: Tensor,
    y_scale: Tensor, y_zero: Tensor,
) -> Cost:  # fmt: skip
    """MatMul of 8-bit integers, its result quantised again."""
    return _requantized(matmul(a, b), y_zero.dtype)


@op("QLinearConv", fixed_inputs=(1, 2, 4, 5, 6, 7), roles={8: "bias"})
def qlinear_conv(
    x: Tensor, x_scale: Tensor, x_zero: Tensor, w: Tensor, w_scale: Tensor, w_zero: Tensor,
    y_scale: Tensor, y_zero: Tensor, b: Tensor | None = None,
    *, strides: Ints = None, pads: Ints = None, dilations: Ints = None, group: int = 1, kernel_shape: Ints = None,
    auto_pad: str = "NOTSET",
) -> Cost:  # fmt: skip
    """Conv of 8-bit integers, its result quantised again."""
    cost = conv(
        x, w, b, strides=strides, pads=pads, dilations=dilations, group=group, kernel_shape=kernel_shape,
        auto_pad=auto_pad,
    )  # fmt: skip
    return _requantized(cost, y_zero.dtype)


@op("MatMulIntegerToFloat", domain=MICROSOFT, roles={6: "bias"}, fixed_inputs=(2, 3, 4, 5))
def matmul_integer_to_float(
    a: Tensor, b: Tensor, a_scale: Tensor, b_scale: Tensor, a_zero: Tensor | None = None, b_zero: Tensor | None = None,
    bias: Tensor | None = None,
) -> Cost:  # fmt: skip
    """MatMul of 8-bit integers, its result scaled to floats: one multiplication each, and a bias."""
    cost = matmul(a, b)
    size = prod(cost.outputs[0].shape)
    cost.outputs[0].dtype = a_scale.dtype
    cost.vector = (1 + (bias is not None)) * size
    return cost


@op("DynamicQuantizeMatMul", domain=MICROSOFT, roles={4: "bias"}, fixed_inputs=(2, 3))
def dynamic_quantize_matmul(
    a: Tensor, b: Tensor, b_scale: Tensor, b_zero: Tensor | None = None, bias: Tensor | None = None
) -> Cost:
    """DynamicQuantizeLinear of the first operand, MatMul of integers, and its result scaled to floats."""
    cost = matmul(a, b)
    cost.vector = (2 + QUANTIZE) * a.size + (1 + (bias is not None)) * prod(cost.outputs[0].shape)
    return cost


@op("MatMulNBits", domain=MICROSOFT, fixed_inputs=(1, 2, 3, 4), roles={5: "bias"})
def matmul_nbits(
    a: Tensor, b: Tensor, scales: Tensor, zeros: Tensor | None = None, groups: Tensor | None = None,
    bias: Tensor | None = None, *, K: int, N: int, bits: int = 4, block_size: int = 32,
) -> Cost:  # fmt: skip
    """A product with a K x N matrix of few bits, packed into bytes by rows and blocks, that is dequantised for it."""
    depth, width = regroup((a.shape[-1],), (K,))[0], regroup((b.shape[0],), (N,), key="N")[0]
    out = (*a.shape[:-1], width)
    vector = DEQUANTIZE * (depth * width) + (prod(out) if bias is not None else 0)
    backward = {5: prod(out)} if bias is not None else {}
    packed = {1: depth * width}
    return give(out, contraction=(prod(out) * depth, a, b), vector=vector, backward=backward, packed=packed)


@op("QGemm", domain=MICROSOFT, fixed_inputs=(1, 2, 4, 5, 7, 8), roles={6: "bias"})
def qgemm(
    a: Tensor, a_scale: Tensor, a_zero: Tensor, b: Tensor, b_scale: Tensor, b_zero: Tensor, c: Tensor | None = None,
    y_scale: Tensor | None = None, y_zero: Tensor | None = None,
    *, alpha: float = 1.0, transA: int = 0, transB: int = 0,
) -> Cost:  # fmt: skip
    """Gemm of 8-bit integers, its result quantised again or, without a scale for that, scaled to floats."""
    cost = gemm(a, b, c, transA=transA, transB=transB)
    if y_zero is not None:
        return _requantized(cost, y_zero.dtype)
    size = prod(cost.outputs[0].shape)
    cost.outputs[0].dtype, cost.vector = a_scale.dtype, cost.vector + size
    return cost


@op("QLinearAdd", "QLinearMul", domain=MICROSOFT, fixed_inputs=(1, 2, 4, 5, 6, 7))
def qlinear_binary(
    a: Tensor, a_scale: Tensor, a_zero: Tensor | None, b: Tensor, b_scale: Tensor, b_zero: Tensor | None,
    y_scale: Tensor, y_zero: Tensor | None = None,
) -> Cost:  # fmt: skip
    """Both operands dequantised, one operation, the result quantised."""
    out = broadcast_shapes(a.shape, b.shape)
    flops = DEQUANTIZE * (a.size + b.size) + (1 + QUANTIZE) * prod(out)
    return give(Out(out, a.dtype), vector=flops)


def _qlinear_unary(name: str, flops: int) -> None:
    @op(f"QLinear{name}", domain=MICROSOFT, fixed_inputs=(1, 2, 3, 4), summary=f"{name} of dequantised elements")
    def rule(x: Tensor, x_scale: Tensor, x_zero: Tensor | None, y_scale: Tensor, y_zero: Tensor | None = None) -> Cost:
        return give(x.shape, vector=(DEQUANTIZE + flops + QUANTIZE) * x.size)


for _name, _flops in {
    "Sigmoid": UNARY["Sigmoid"].forward,
    "LeakyRelu": UNARY["LeakyRelu"].forward,
    "Softmax": SOFTMAX.forward,
}.items():
    _qlinear_unary(_name, _flops)


@op("QLinearGlobalAveragePool", domain=MICROSOFT, fixed_inputs=(1, 2, 3, 4))
def qlinear_global_average_pool(
    x: Tensor, x_scale: Tensor, x_zero: Tensor, y_scale: Tensor, y_zero: Tensor, *, channels_last: int = 0
) -> Cost:
    """GlobalAveragePool, its result quantised again."""
    if channels_last:
        n, *size, c = x.shape
        return _requantized(give((n, *(1 for _ in size), c), vector=x.size), x.dtype)
    return _requantized(global_pool(x), x.dtype)


@op("QLinearAveragePool", domain=MICROSOFT, fixed_inputs=(1, 2, 3, 4))
def qlinear_average_pool(
    x: Tensor, x_scale: Tensor, x_zero: Tensor | None, y_scale: Tensor, y_zero: Tensor | None = None,
    *, kernel_shape: Ints = None, strides: Ints = None, pads: Ints = None, auto_pad: str = "NOTSET", ceil_mode: int = 0,
) -> Cost:  # fmt: skip
    """AveragePool, its result quantised again."""
    cost = average_pool(
        x, kernel_shape=kernel_shape or (), strides=strides, pads=pads, auto_pad=auto_pad, ceil_mode=ceil_mode
    )
    return _requantized(cost, x.dtype)


@op("QLinearConcat", domain=MICROSOFT)
def qlinear_concat(y_scale: Tensor, y_zero: Tensor, *parts: Tensor, axis: int) -> Cost:
    """Parts, each with its scale and zero point behind it, quantised anew and put behind each other."""
    data = parts[::3]
    place = axis_of(axis, data[0].rank)
    out: list[Dim] = list(data[0].shape)
    for part in data[1:]:
        for i, (dim, own) in enumerate(zip(out, part.shape, strict=True)):
            if i != place:
                out[i] = same(dim, own)
    out[place] = total((1, part.shape[place]) for part in data)
    return give(Out(tuple(out), data[0].dtype), vector=(DEQUANTIZE + QUANTIZE) * prod(out))
