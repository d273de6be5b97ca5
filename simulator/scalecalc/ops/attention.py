"""Attention as one layer: what the nodes `ir/patterns.py` recognises cost beside their matrix products."""

from __future__ import annotations

from scalecalc.dims import broadcast_shapes, prod, same
from scalecalc.ir.graph import LAYERS
from scalecalc.ops.registry import Cost, Keep, Tensor, give, op
from scalecalc.ops.vector import ROTARY, SOFTMAX


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


@op("RotaryEmbedding", domain=LAYERS)
def rotary_embedding(x: Tensor, cos: Tensor, sin: Tensor) -> Cost:
    """Pairs of x turned by the angle of their position; the sines are kept to turn the gradient back."""
    out = broadcast_shapes(x.shape, cos.shape, sin.shape)
    keeps = (Keep(1, when=0), Keep(2, when=0))
    return give(out, vector=ROTARY.forward * x.size, backward={0: ROTARY.backward * x.size}, keeps=keeps)
