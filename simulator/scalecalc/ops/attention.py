"""Attention as one layer: what the nodes `ir/patterns.py` recognises cost beside their matrix products."""

from __future__ import annotations

from scalecalc.dims import broadcast_shapes, prod, same
from scalecalc.ir.patterns import LAYERS
from scalecalc.ops.registry import Cost, Tensor, give, op
from scalecalc.ops.vector import SOFTMAX


@op("ScaledDotProductAttention", domain=LAYERS, fixed_inputs=(3,))
def scaled_dot_product_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Cost:
    """softmax(q k / sqrt(d) + mask) v, q as (..., queries, d), k already transposed as (..., d, keys).

    Per score: one scaling, one addition of a mask, and a softmax. The products keep q, k, v and the probabilities.
    """
    same(q.shape[-1], k.shape[-2])
    heads = broadcast_shapes(q.shape[:-2], k.shape[:-2])
    scores = prod(heads) * q.shape[-2] * k.shape[-1]
    per_score = 1 + SOFTMAX.forward + (mask is not None)
    out = (*heads, q.shape[-2], v.shape[-1])
    return give(out, vector=scores * per_score, backward={0: scores * (1 + SOFTMAX.backward)})
