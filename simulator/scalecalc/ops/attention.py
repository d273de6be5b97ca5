"""Attention as one layer: what the nodes `ir/patterns` recognises cost beside their matrix products."""

from __future__ import annotations

from scalecalc.dims import broadcast_shapes
from scalecalc.ir.graph import LAYERS
from scalecalc.ops.elementwise import sums
from scalecalc.ops.matmul import einsum, matmul
from scalecalc.ops.registry import Cost, Keep, Tensor, give, op
from scalecalc.ops.vector import ROTATION, SOFTMAX


@op("ScaledDotProductAttention", domain=LAYERS)
def scaled_dot_product_attention(
    scores: Tensor, v: Tensor, *masks: Tensor, equation: str = "", scalings: int = 0
) -> Cost:
    """softmax(q k * scale + masks) v, beside its products: per score the scalings, an addition per mask, a softmax.

    The products themselves keep q, k, v and the probabilities; `equation` tells the second one, if it is an Einsum.
    """
    mixed = einsum(scores, v, equation=equation) if equation else matmul(scores, v)
    backward = {0: scores.size * (scalings + SOFTMAX.backward)}
    backward |= {mask.index: sums(mask, scores.shape) for mask in masks}
    return give(*mixed.outputs, vector=scores.size * (scalings + SOFTMAX.forward + len(masks)), backward=backward)


@op("RotaryEmbedding", domain=LAYERS)
def rotary_embedding(x: Tensor, cos: Tensor, sin: Tensor) -> Cost:
    """Pairs of x turned by the angle of their position; the sines are kept to turn the gradient back."""
    out = broadcast_shapes(x.shape, cos.shape, sin.shape)
    keeps = (Keep(1, when=0), Keep(2, when=0))
    return give(out, vector=ROTATION.forward * x.size, backward={0: ROTATION.backward * x.size}, keeps=keeps)
