"""Operators of ONNX Runtime's own domain: what its optimiser fuses layers into."""

from __future__ import annotations

from typing import Any

from scalecalc.dims import Dim, bound, broadcast_shapes, prod, same
from scalecalc.errors import UndeterminedError
from scalecalc.ops.conv import Ints, conv
from scalecalc.ops.heads import rotated
from scalecalc.ops.matmul import gemm, matmul
from scalecalc.ops.norm import STATISTIC_BYTES, normalised
from scalecalc.ops.registry import Cost, Keep, Out, Tensor, give, op
from scalecalc.ops.vector import ACTIVATIONS, NORM, RMS_NORM, ROTATION, UNARY, PerElement

MICROSOFT = "com.microsoft"


@op("FusedMatMul", "TransposeMatMul", domain=MICROSOFT)
def fused_matmul(
    a: Tensor, b: Tensor,
    *, alpha: float = 1.0, transA: int = 0, transB: int = 0, transBatchA: int = 0, transBatchB: int = 0,
) -> Cost:  # fmt: skip
    """alpha * A' B': MatMul of operands whose last two axes may be exchanged."""
    if transBatchA or transBatchB:
        raise UndeterminedError("a product of operands with the batch axes exchanged", costs=True)
    return matmul(_turned(a, transA), _turned(b, transB))


def _turned(x: Tensor, turn: int) -> Tensor:
    if not turn or x.rank < 2:
        return x
    return Tensor((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype, index=x.index)


@op("FusedGemm", domain=MICROSOFT, roles={2: "bias"})
def fused_gemm(
    a: Tensor, b: Tensor, c: Tensor | None = None,
    *, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0, activation: str = "",
) -> Cost:  # fmt: skip
    """Gemm, and an activation."""
    return _activated(gemm(a, b, c, transA=transA, transB=transB), activation)


@op("FusedConv", domain=MICROSOFT, roles={2: "bias"})
def fused_conv(
    x: Tensor, w: Tensor, b: Tensor | None = None, z: Tensor | None = None,
    *, strides: Ints = None, pads: Ints = None, dilations: Ints = None, group: int = 1, kernel_shape: Ints = None,
    auto_pad: str = "NOTSET", activation: str = "",
) -> Cost:  # fmt: skip
    """Conv, another tensor added to it, and an activation."""
    cost = conv(
        x, w, b, strides=strides, pads=pads, dilations=dilations, group=group, kernel_shape=kernel_shape,
        auto_pad=auto_pad,
    )  # fmt: skip
    if z is not None:
        cost.vector += prod(cost.outputs[0].shape)
    return _activated(cost, activation)


def _activated(cost: Cost, activation: str) -> Cost:
    """The same with an activation behind it, whose derivative needs its result."""
    if activation:
        count = ACTIVATIONS.get(activation.lower(), PerElement(2, 1, "y", "max, min; select"))  # Clip
        size = prod(cost.outputs[0].shape)
        cost.vector += count.forward * size
        cost.backward = {**cost.backward, 1: count.backward * size}
        cost.keeps = (Keep(~0),)
    return cost


def _gelu(x: Tensor, b: Tensor | None, count: PerElement) -> Cost:
    """An activation of a sum; kept are both."""
    backward: dict[int, Dim] = {0: count.backward * x.size}
    keeps = [Keep(0)]
    if b is not None:
        same(b.shape[-1], x.shape[-1])
        backward[b.index] = x.size - b.size
        keeps.append(Keep(b.index))
    vector = (count.forward + (b is not None)) * x.size
    return give(x.shape, vector=vector, backward=backward, keeps=keeps)


@op("Gelu", domain=MICROSOFT)
def gelu(x: Tensor) -> Cost:
    """As ONNX's."""
    return _gelu(x, None, UNARY["Gelu"])


@op("BiasGelu", "FastGelu", domain=MICROSOFT, roles={1: "bias"})
def bias_gelu(x: Tensor, b: Tensor | None = None) -> Cost:
    """Gelu of a sum with a bias, if there is one."""
    return _gelu(x, b, UNARY["Gelu"])


@op("QuickGelu", domain=MICROSOFT)
def quick_gelu(x: Tensor) -> Cost:
    """x * sigmoid(alpha * x): Swish and a multiplication."""
    swish = UNARY["Swish"]
    return _gelu(x, None, PerElement(swish.forward + 1, swish.backward + 1, "x", ""))


def _skip(count: PerElement, statistics: int, x: Tensor, skip: Tensor, b: Tensor | None, *weights: Any) -> Cost:
    """A normalisation of a sum, which is kept in place of its terms; the fourth output is the sum."""
    for w in weights:
        if w is not None:
            same(w.size, x.shape[-1])
    broadcast_shapes(x.shape, skip.shape)
    cost = normalised(x, count, statistics, prod(x.shape[:-1]), *weights)
    rows = Out((*x.shape[:-1], 1), "float32")
    cost.outputs = [*cost.outputs, rows, rows, Out(x.shape)]
    cost.vector += (1 + (b is not None)) * x.size
    cost.backward = {**cost.backward, 1: x.size - skip.size}
    if b is not None:
        cost.backward[b.index] = x.size - b.size
    cost.keeps = (Keep(~3, bytes=x.bytes), *cost.keeps[1:])
    return cost


@op("SkipLayerNormalization", domain=MICROSOFT, roles={2: "norm", 3: "norm", 4: "bias"})
def skip_layer_normalization(
    x: Tensor, skip: Tensor, gamma: Tensor, beta: Tensor | None = None, b: Tensor | None = None
) -> Cost:
    """LayerNormalization of x + skip + bias."""
    return _skip(NORM, 2, x, skip, b, gamma, beta)


@op("SkipSimplifiedLayerNormalization", domain=MICROSOFT, roles={2: "norm", 3: "bias"})
def skip_rms_normalization(x: Tensor, skip: Tensor, gamma: Tensor, b: Tensor | None = None) -> Cost:
    """RMSNormalization of x + skip + bias."""
    return _skip(RMS_NORM, 1, x, skip, b, gamma)


@op(
    "EmbedLayerNormalization", domain=MICROSOFT, fixed_inputs=(0, 1, 7, 8),
    roles={2: "embedding", 3: "positional", 4: "embedding", 5: "norm", 6: "norm"},
)  # fmt: skip
def embed_layer_normalization(
    ids: Tensor, segments: Tensor | None, words: Tensor, positions: Tensor, segment_table: Tensor | None, gamma: Tensor,
    beta: Tensor, mask: Tensor | None = None, position_ids: Tensor | None = None,
) -> Cost:  # fmt: skip
    """Rows of two or three tables added up and normalised."""
    batch, length = ids.shape
    bound(length, positions.shape[0])
    tables = [table for table in (words, positions, segment_table) if table is not None]
    for w in (*tables, gamma, beta):
        same(w.shape[-1], words.shape[1])
    rows = Tensor((batch, length, words.shape[1]), words.dtype)
    cost = normalised(rows, NORM, 2, batch * length, gamma, beta)
    cost.outputs = [Out(rows.shape, words.dtype), Out((batch,), "int32"), Out(rows.shape, words.dtype)]
    cost.vector += (len(tables) - 1) * rows.size
    cost.backward = {table.index: rows.size for table in tables} | {5: NORM.backward * rows.size, 6: 0}
    cost.keeps = (Keep(~2, bytes=rows.bytes), Keep(bytes=batch * length * (2 * STATISTIC_BYTES)), Keep(0))
    return cost


@op("RotaryEmbedding", domain=MICROSOFT, fixed_inputs=(1, 2, 3))
def rotary_embedding(
    x: Tensor, positions: Tensor, cos: Tensor, sin: Tensor, *, num_heads: int = 0, rotary_embedding_dim: int = 0
) -> Cost:
    """Pairs of entries turned by an angle that depends on the position, as ONNX's."""
    if positions.limit is not None:
        bound(positions.limit, cos.shape[0])
    flops = ROTATION.forward * rotated(x, num_heads, rotary_embedding_dim)
    return give(x.shape, vector=flops, backward={0: flops}, keeps=(Keep(2), Keep(3)))
