"""Rows of integer arithmetic: the products of floats, and what scaling costs."""

from __future__ import annotations

from tests.ops.cases_layers import ms
from tests.ops.rows import each, row

SCALES = (0.5, "uint8:")  # a scale, a zero point
PLAIN = [
    row("QuantizeLinear", ("b s", 0.5), "uint8: b s", vector="4*b*s"),
    row("QuantizeLinear", ("b s", 0.5), "int8: b s", output_dtype="int8"),
    row("QuantizeLinear", ("8 6", "4 6", "int8: 4 6"), "int8: 8 6", axis=0, block_size=2),
    row("DequantizeLinear", ("uint8: b s", 0.5), "b s", vector="2*b*s"),
    row("DequantizeLinear", ("int8: 8 6", "4 6", "int8: 4 6"), "8 6", axis=0, block_size=2),
    row("DynamicQuantizeLinear", "b s", ("uint8: b s", "float32:", "uint8:"), vector="6*b*s"),
    row("MatMulInteger", ("uint8: s k", "uint8: k n"), "int32: s n", "s*k*n"),
    row("MatMulInteger", ("uint8: s k", "int8: k n", "uint8:", "int8: n"), "int32: s n", "s*k*n"),
    row("ConvInteger", ("uint8: b c h w", "uint8: k c 3 3", "uint8:"), "int32: b k h w", "b*k*h*w*c*9",
        pads=(1, 1, 1, 1)),
    row("QLinearMatMul", ("uint8: b s k", *SCALES, "uint8: k n", *SCALES, *SCALES), "uint8: b s n", "b*s*k*n",
        vector="4*b*s*n"),
    row("QLinearConv", ("uint8: b c h w", *SCALES, "uint8: k c 3 3", *SCALES, *SCALES, "int32: k"), "uint8: b k h w",
        "b*k*h*w*c*9", vector="5*b*k*h*w", pads=(1, 1, 1, 1)),
]  # fmt: skip
CONTRIBUTED = [
    ms("MatMulIntegerToFloat", ("uint8: s k", "uint8: k n", 0.5, "n", "uint8:", "uint8: n", "n"), "float32: s n",
       "s*k*n", vector="2*s*n"),
    ms("DynamicQuantizeMatMul", ("b s k", "uint8: k n", "n"), "b s n", "b*s*k*n", vector="6*b*s*k + b*s*n"),
    ms("MatMulNBits", ("b s 64", "uint8: 7 2 16", "14"), "b s 7", "b*s*64*7", vector="2*64*7", K=64, N=7),
    ms("MatMulNBits", ("b s 64", "uint8: 7 2 16", "14", "uint8: 7", None, "7"), "b s 7", "b*s*64*7",
       vector="2*64*7 + b*s*7", K=64, N=7, bits=4, block_size=32),
    ms("QGemm", ("uint8: s k", *SCALES, "uint8: n k", *SCALES, "int32: n", *SCALES), "uint8: s n", "s*k*n",
       vector="5*s*n", transB=1),
    ms("QGemm", ("uint8: s k", *SCALES, "uint8: k n", *SCALES), "float32: s n", "s*k*n", vector="s*n"),
    *each("QLinearAdd QLinearMul", ("uint8: b s d", *SCALES, "uint8: d", *SCALES, *SCALES), "uint8: b s d",
          domain="com.microsoft", vector="b*s*d*2 + d*2 + b*s*d*5"),
    ms("QLinearSigmoid", ("uint8: b s", *SCALES, *SCALES), "uint8: b s", vector="b*s*(2+4+4)"),
    ms("QLinearLeakyRelu", ("uint8: b s", *SCALES, *SCALES), "uint8: b s", vector="b*s*(2+2+4)"),
    ms("QLinearSoftmax", ("uint8: b s", *SCALES, *SCALES), "uint8: b s", vector="b*s*(2+5+4)"),
    ms("QLinearGlobalAveragePool", ("uint8: b c h w", *SCALES, *SCALES), "uint8: b c 1 1", vector="b*c*h*w + 4*b*c"),
    ms("QLinearGlobalAveragePool", ("uint8: b h w c", *SCALES, *SCALES), "uint8: b 1 1 c", channels_last=1),
    ms("QLinearAveragePool", ("uint8: b c h w", *SCALES, *SCALES), "uint8: b c h-1 w-1", kernel_shape=(2, 2),
       least={"h": 2, "w": 2}, vector="b*c*(h-1)*(w-1)*(4+4)"),
    ms("QLinearConcat", (*SCALES, "uint8: b s", *SCALES, "uint8: b d", *SCALES), "uint8: b s+d", axis=1,
       vector="6*b*(s+d)"),
]  # fmt: skip
CASES = [*PLAIN, *CONTRIBUTED]
