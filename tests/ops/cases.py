"""The table of all operators: the common ones here, more in the modules beside."""

from __future__ import annotations

from scalecalc.ir.graph import Initializer
from tests.ops import cases_images as images
from tests.ops import cases_layers as layers
from tests.ops import cases_quantized as quantized
from tests.ops.rows import Number, each, row

UNARY = """
    Abs Acos Acosh Asin Asinh Atan Atanh Celu Cos Cosh Elu Erf Exp Gelu HardSigmoid HardSwish LeakyRelu Log Mish Neg
    Reciprocal Relu Selu Shrink Sigmoid Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu
    Ceil Floor Round Sign Identity Softmax Hardmax LogSoftmax Dropout Bernoulli RandomNormalLike RandomUniformLike
"""
REDUCTIONS = """
    ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp
"""
IMAGE, PAIR = "b c h w", ("b s d", "s 1")

MATRIX = [
    row("MatMul", ("s k", "k n"), "s n", "s*k*n"),
    row("MatMul", ("b 3 s k", "b 3 k n"), "b 3 s n", "b*3*s*k*n"),
    row("MatMul", ("b c s k", "c k n"), "b c s n", "b*c*s*k*n"),  # leading axes broadcast
    row("MatMul", ("k", "k n"), "n", "k*n"),
    row("MatMul", ("b s k", "k"), "b s", "b*s*k"),
    row("MatMul", ("k", "k"), "", "k"),
    row("Gemm", ("s k", "k n", "n"), "s n", "s*k*n"),
    row("Gemm", ("k s", "n k"), "s n", "s*k*n", transA=1, transB=1),
    row("Gemm", ("s k", "n k", "s n"), "s n", "s*k*n", transB=1, alpha=0.5, beta=2.0),
    row("Gemm", ("s k", "k n", "s 1"), "s n", "s*k*n"),
    row("Einsum", ("b s k", "b n k"), "b s n", "b*s*n*k", equation="bik,bjk->bij"),
    row("Einsum", ("b s c d", "b n c d"), "b c s n", "b*s*n*c*d", equation="bqhd, bkhd -> bhqk"),
    row("Einsum", ("b c s k", "b c k n"), "b c s n", "b*c*s*k*n", equation="...ij,...jk->...ik"),
    row("Einsum", ("s k", "k n"), "n s", "s*k*n", equation="zj,ja"),  # no arrow: once named, in alphabetical order
    row("Einsum", ("s k", "k n"), "n", "k*n", equation="ij,jk->k"),  # i is summed first
    row("Einsum", ("s k", "k n", "n d"), "s d", "s*k*n+s*n*d", equation="ij,jk,kl->il"),
    row("Einsum", ("b s k", "k n", "b n"), "s", "b*s*k*n+b*s*n", equation="bij,jk,bk->i"),
    row("Einsum", ("s k", "s k", "s k"), "s", "s*k", equation="ij,ij,ij->i"),
    row("Einsum", ("c s k", "b 1 k n"), "b c s n", "b*c*s*k*n", equation="...ij,...jk->...ik"),
    row("Einsum", "s k", "k", equation="ij->j"),
    row("Einsum", "s s", "s", equation="ii->i"),
    row("ScaledDotProductAttention", ("b c s n", "b c n k"), "b c s k", domain="scalecalc"),
    row("ScaledDotProductAttention", ("b c s n", "b c n k", "s n"), "b c s k", domain="scalecalc"),
    row("ScaledDotProductAttention", ("b c s n", "b n c k"), "b s c k", domain="scalecalc", equation="bcsn,bnck->bsck"),
    row("RotaryEmbedding", ("b c s 2*d", "b 1 s 2*d", "b 1 s 2*d"), "b c s 2*d", domain="scalecalc"),
]
CONVOLUTIONS = [
    row("Conv", (IMAGE, "k c 3 3"), "b k h-2 w-2", "b*k*(h-2)*(w-2)*c*9", least={"h": 3, "w": 3}),
    row("Conv", (IMAGE, "k c 7 7", "k"), "b k (h+1)//2 (w+1)//2", "b*k*((h+1)//2)*((w+1)//2)*c*49",
        strides=(2, 2), pads=(3, 3, 3, 3), kernel_shape=(7, 7)),
    row("Conv", ("b 6 h w", "8 3 3 1"), "b 8 h w", "b*8*h*w*3*3", group=2, pads=(1, 0, 1, 0)),
    row("Conv", ("b c h w", "c 1 3 3"), "b c h w", "b*c*h*w*9", group=3, pads=(1, 1, 1, 1), least={"c": 3}),
    row("Conv", ("b c s", "k c 3"), "b k s-4", "b*k*(s-4)*c*3", dilations=(2,), least={"s": 5}),
    row("Conv", (IMAGE, "k c 3 3"), "b k (h+1)//2 (w+2)//3", "b*k*((h+1)//2)*((w+2)//3)*c*9",
        strides=(2, 3), auto_pad="SAME_UPPER"),
    row("Conv", ("b c 6 6 6", "k c 3 3 3"), "b k 4 4 4", "b*k*64*c*27", auto_pad="VALID"),
    # ONNX: output = stride*(input - 1) + output_padding + dilation*(kernel - 1) + 1 - pads
    row("ConvTranspose", (IMAGE, "c k 3 3", "k"), "b k h+2 w+2", "b*c*h*w*k*9"),
    row("ConvTranspose", (IMAGE, "c k 4 4"), "b k 2*h 2*w", "b*c*h*w*k*16", strides=(2, 2), pads=(1, 1, 1, 1)),
    row("ConvTranspose", ("b 6 h w", "6 4 2 2"), "b 8 2*h+1 2*w+1", "b*6*h*w*4*4",
        strides=(2, 2), group=2, output_padding=(1, 1), shown_by="inference"),
    row("ConvTranspose", (IMAGE, "c k 3 3"), "b k 2*h 2*w", "b*c*h*w*k*9", strides=(2, 2), auto_pad="SAME_UPPER"),
    *each("MaxPool AveragePool", IMAGE, "b c h//2 w//2", kernel_shape=(2, 2), strides=(2, 2), least={"h": 2, "w": 2}),
    *each("MaxPool AveragePool", IMAGE, "b c (h+1)//2 (w+1)//2",
          kernel_shape=(2, 2), strides=(2, 2), ceil_mode=1, least={"h": 2, "w": 2}),
    row("MaxPool", IMAGE, ("b c (h+1)//2 (w+1)//2", "int64: b c (h+1)//2 (w+1)//2"),
        kernel_shape=(3, 3), strides=(2, 2), pads=(1, 1, 1, 1)),
    row("LpPool", IMAGE, "b c h-1 w-2", kernel_shape=(2, 3), least={"h": 2, "w": 3}),
    *each("GlobalAveragePool GlobalMaxPool", IMAGE, "b c 1 1"),
]  # fmt: skip
ELEMENTWISE = [
    *each(UNARY, "b s 3", "b s 3"),
    *each("IsInf IsNaN", "b s", "bool: b s"),
    *each("Add Sub Mul Div Pow Max Min PRelu", PAIR, "b s d"),
    *each("Max Min Sum Mean", ("b s d", "d", "s 1"), "b s d"),
    row("Mod", PAIR, "b s d", fmod=1),
    *each("Add Mul", ("s 1", "b 1 d"), "b s d"),
    *each("Add Mul", ("b s d", "b s d"), "b s d"),
    *each("Equal Greater GreaterOrEqual Less LessOrEqual", PAIR, "bool: b s d"),
    *each("And Or Xor", ("bool: b s", "bool: s"), "bool: b s"),
    row("Not", "bool: b s", "bool: b s"),
    *each("BitwiseAnd BitwiseOr BitwiseXor", ("uint8: b s", "uint8: s"), "uint8: b s"),
    row("BitShift", ("uint8: b s", "uint8: s"), "uint8: b s", direction="LEFT"),
    row("Where", ("bool: s 1", "b s d", "d"), "b s d"),
    row("Clip", ("b s", 0.0, 6.0), "b s"),
    row("Clip", ("b s", None, 6.0), "b s"),
    row("Cast", "b s", "float16: b s", to="float16"),
    row("CastLike", ("b s", "int64: 1"), "int64: b s"),
    row("Dropout", ("b s", 0.5), ("b s", "bool: b s")),
    row("RandomNormalLike", "b s", "float16: b s", dtype="float16"),
    row("EyeLike", "b s", "b s"),
    row("EyeLike", "b s", "float64: b s", dtype="float64", k=1),
]
NORMS = [
    row("BatchNormalization", (IMAGE, "c", "c", "c", "c"), IMAGE),
    row("LayerNormalization", ("b s d", "d", "d"), "b s d"),
    row("LayerNormalization", ("b s d", "s d"), ("b s d", "b 1 1", "b 1 1"), axis=1),
    row("RMSNormalization", ("b s d", "d"), "b s d"),
    row("InstanceNormalization", (IMAGE, "c", "c"), IMAGE),
    row("GroupNormalization", ("b 6 h w", "6", "6"), "b 6 h w", num_groups=3),
    row("GroupNormalization18", ("b 6 h w", "3", "3"), "b 6 h w", domain="scalecalc", num_groups=3),
    row("LRN", IMAGE, IMAGE, size=5),
    row("MeanVarianceNormalization", IMAGE, IMAGE),
    row("LpNormalization", "b s", "b s"),
]
REDUCED = [
    *each(REDUCTIONS, ("b s d", (1,)), "b 1 d"),
    *each(REDUCTIONS, ("b s d", (-1, 0)), "s", keepdims=0),
    *each("ReduceSum ReduceMean", "b s d", "1 1 1"),
    *each("ReduceSum ReduceMax", "b s d", "b s d", noop_with_empty_axes=1),
    *each("ArgMax ArgMin", "b s d", "int64: b 1 d", axis=1),
    *each("ArgMax ArgMin", "b s d", "int64: b s", axis=-1, keepdims=0),
    row("CumSum", ("b s", 1), "b s"),
    row("TopK", ("b s", (3,)), ("b 3", "int64: b 3"), least={"s": 3}),
    row("TopK", ("b s", (2,)), ("2 s", "int64: 2 s"), axis=0, least={"b": 2}),
]
MOVES = [
    row("Shape", "b s 3", "int64: 3"),
    row("Shape", "b s 3", "int64: 1", start=-2, end=-1),
    row("Size", "b s 3", "int64:"),
    row("Reshape", ("b s 12", (0, 0, 3, 4)), "b s 3 4"),
    row("Reshape", ("b s 12", (-1, 6)), "2*b*s 6"),
    row("Reshape", ("b s d", (-1,)), "b*s*d"),
    row("Reshape", ("b s d", ("b*s", "d")), "b*s d"),
    row("Reshape", ("b 0 d", (0, "d", "b")), "0 d b", allowzero=1),
    row("Flatten", IMAGE, "b c*h*w"),
    row("Flatten", IMAGE, "1 b*c*h*w", axis=0),
    row("Flatten", IMAGE, "b*c*h w", axis=-1),
    row("Transpose", IMAGE, "b h w c", perm=(0, 2, 3, 1)),
    row("Transpose", IMAGE, "w h c b"),
    row("Squeeze", ("b 1 s 1", (1, -1)), "b s"),
    row("Squeeze", "b 1 s 1", "b s", least={"b": 2, "s": 2}),
    row("Unsqueeze", ("b s", (0, -1)), "1 b s 1"),
    row("Expand", ("s 1", ("b", 1, "d")), "b s d"),
    row("Expand", ("b s d", (1, 1)), "b s d"),
    row("Tile", ("b s", (2, "k")), "2*b s*k"),
    row("Concat", ("b s d", "b k d"), "b s+k d", axis=1),
    row("Concat", ("b s", "b s", "b 1"), "b 2*s+1", axis=-1),
    row("Split", "b 6*d", ("b 2*d", "b 2*d", "b 2*d"), axis=-1, num_outputs=3),
    row("Split", "7 d", ("3 d", "3 d", "1 d"), num_outputs=3),
    row("Split", ("b 7", (2, 5)), ("b 2", "b 5"), axis=1),
    row("Slice", ("b s", (1,), (2**63 - 1,), (1,)), "b s-1", least={"s": 2}),
    row("Slice", ("b 9", (-1,), (-(2**63),), (1,), (-2,)), "b 5"),
    row("Slice", ("b s", (0, 2), ("b", 5), (0, 1), (1, 1)), "b 3", least={"s": 5}),
    row("Slice", ("b s", (0, 0), (2**31 - 1, -1)), "b s-1", least={"s": 2}),
    row("Pad", ("b c h w", (0, 0, 1, 2, 0, 0, 3, 4)), "b c h+4 w+6"),
    row("Pad", ("b c h w", (1, 1), 0.0, (-1,)), "b c h w+2"),
    row("DepthToSpace", ("b 4*c h w",), "b c 2*h 2*w", blocksize=2),
    row("SpaceToDepth", ("b c 2*h 3*2*w",), "b 4*c h 3*w", blocksize=2),
    row("Trilu", "b s s", "b s s"),
]
INDICES = [
    row("Gather", ("n d", "int64: b s"), "b s d"),
    row("Gather", ("b s d", 0), "b d", axis=1),
    row("Gather", ("b s d", (1, -1)), "b s 2", axis=-1, least={"d": 2}),
    row("GatherElements", ("b s", "int64: b 2"), "b 2", axis=1, least={"s": 2}),
    row("GatherND", ("b s d", "int64: k 2"), "k d"),
    row("GatherND", ("b s d", "int64: b 1"), "b d", batch_dims=1),
    row("ScatterND", ("n d", "int64: k 1", "k d"), "n d"),
    row("ScatterElements", ("b s", "int64: b 2", "b 2"), "b s", axis=1, least={"s": 2}),
    row("Range", (0, Number("s"), 1), "int64: s"),
    row("Range", (2, 11, 3), "int64: 3"),
    row("Range", (Number("s"), 0, -1), "int64: s"),
    row("Range", (0.0, 1.0, 0.3), "4"),
    row("ConstantOfShape", (("b", "s"),), "b s"),
    row("ConstantOfShape", (("b",),), "int64: b", value=Initializer("v", "int64", (1,), (7,), 8)),
    row("OneHot", ("int64: b s", 10, (0.0, 1.0)), "b s 10"),
    row("OneHot", ("int64: b s", 10, (0.0, 1.0)), "b 10 s", axis=1),
]
CASES = [
    *MATRIX, *CONVOLUTIONS, *ELEMENTWISE, *NORMS, *REDUCED, *MOVES, *INDICES,
    *layers.CASES, *images.CASES, *quantized.CASES,
]  # fmt: skip

NOT_COUNTED = {
    "seed": "contents", "saturate": "contents", "round_mode": "contents", "epsilon": "contents", "alpha": "contents",
    "beta": "contents", "gamma": "contents", "bias": "contents", "scale": "contents", "mean": "contents",
    "high": "contents", "low": "contents", "momentum": "contents", "direction": "contents", "reduction": "contents",
    "approximate": "formula", "fmod": "sign", "detect_negative": "contents", "detect_positive": "contents",
    "select_last_index": "contents", "reverse": "order", "exclusive": "order", "sorted": "order", "largest": "order",
    "mode": "contents", "stash_type": "precision", "precision": "precision", "block_size": "granularity",
    "training_mode": "training", "clip": "contents", "lambd": "contents", "activation_alpha": "contents",
    "activation_beta": "contents", "is_causal": "a mask is not skipped", "left_window_size": "a mask is not skipped",
    "right_window_size": "a mask is not skipped", "qk_matmul_output_mode": "contents", "interleaved": "order",
    "softmax_precision": "precision", "cubic_coeff_a": "contents", "nearest_mode": "contents",
    "exclude_outside": "contents", "extrapolation_value": "contents", "align_corners": "contents",
    "padding_mode": "contents", "coordinate_transformation_mode": "contents", "spatial_scale": "contents",
    "center_point_box": "contents", "ignore_index": "contents", "periodic": "contents",
}  # fmt: skip
"""Attributes no rule reads, each with the reason: they change what is in a tensor, not how much there is."""
NOT_READ = {
    ("QuantizeLinear", "axis"): "granularity", ("DequantizeLinear", "axis"): "granularity",
    ("Attention", "scale"): "contents", ("LSTM", "hidden_size"): "stated by R", ("GRU", "hidden_size"): "stated by R",
    ("RNN", "hidden_size"): "stated by R", ("GRU", "linear_before_reset"): "order",
    ("LpNormalization", "axis"): "row", ("LpNormalization", "p"): "power", ("MeanVarianceNormalization", "axes"): "row",
}  # fmt: skip
"""The same for attributes that matter elsewhere."""
