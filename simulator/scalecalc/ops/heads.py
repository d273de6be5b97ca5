"""Attention that comes as one operator: ONNX's own, and what goes with it in decoders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from scalecalc.dims import Dim, bound, broadcast, exact_quotient, fixed, prod, regroup, same
from scalecalc.ops.dtypes import itemsize
from scalecalc.ops.registry import Contraction, Cost, Inner, Keep, Out, Shape, Tensor, give, inner, op
from scalecalc.ops.vector import ROTATION, SOFTCAP, SOFTMAX, SWIGLU, UNARY


class Projection(NamedTuple):
    """Queries, keys or values of all heads.

    Attributes:
        heads, length, size: how many heads, rows of each, and entries of a row.
        operand: what they are in a contraction.
    """

    heads: Dim
    length: Dim
    size: Dim
    operand: Tensor | Inner


def attend(
    batch: Dim, q: Projection, k: Projection, v: Projection,
    *, dtype: str, mask: Tensor | None = None, softcap: float = 0,
) -> dict[str, Any]:  # fmt: skip
    """softmax(q k' / sqrt(d) + mask) v as fields of a Cost: two contractions, full squares of scores.

    Several heads of queries may share one of keys and values, which then are not copied. Per score: a scaling, an
    addition of a mask, a softmax. Kept: the probabilities and both sides of each product.
    """
    same(q.size, k.size)
    same(k.length, v.length)
    same(k.heads, v.heads)
    exact_quotient(q.heads, k.heads)
    scores = prod((batch, q.heads, q.length, k.length))
    forward, backward = 1 + SOFTMAX.forward + (mask is not None), 1 + SOFTMAX.backward
    if softcap:
        forward, backward = forward + SOFTCAP.forward, backward + SOFTCAP.backward
    made = {min(q.operand.slots): backward * scores}
    if mask is not None:
        broadcast(mask.shape[-2] if mask.rank > 1 else 1, q.length)
        made[mask.index] = scores - mask.size  # sums over what it was broadcast to
    probabilities = inner(q.operand, k.operand, mask, keep=Keep(bytes=scores * itemsize(dtype)))
    contractions: list[Contraction] = [
        (scores * q.size, q.operand, k.operand),
        (scores * v.size, probabilities, v.operand),
    ]
    return {"contractions": contractions, "vector": forward * scores, "backward": made}


def projected(x: Tensor, heads: int | None, past: Tensor | None, present: int) -> Projection:
    """Heads of an input (batch, heads, length, size) or (batch, length, heads * size), behind those of a cache.

    `present` is the output with both.
    """
    if x.rank == 4:
        count, length, size = x.shape[1:]
    else:
        length = x.shape[1]
        count, size = regroup((x.shape[2],), (heads or 1, -1), key=x.index)
    if past is None:
        return Projection(count, length, size, x)
    same(past.shape[0], x.shape[0])
    same(past.shape[1], count)
    same(past.shape[3], size)
    both = x.size + past.size
    return Projection(
        count, past.shape[2] + length, size, inner(x, past, keep=Keep(~present, bytes=both * itemsize(x.dtype)))
    )


@op("Attention", fixed_inputs=(6,))
def attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, past_key: Tensor | None = None,
    past_value: Tensor | None = None, lengths: Tensor | None = None,
    *, q_num_heads: int | None = None, kv_num_heads: int | None = None, softcap: float = 0.0,
) -> Cost:  # fmt: skip
    """softmax(q k' / sqrt(d) + mask) v: MACs of both products over the full square, cached keys included."""
    batch = same(q.shape[0], k.shape[0])
    same(batch, v.shape[0])
    queries = projected(q, q_num_heads, None, 0)
    keys, values = projected(k, kv_num_heads, past_key, 1), projected(v, kv_num_heads, past_value, 2)
    costs = attend(batch, queries, keys, values, dtype=q.dtype, mask=mask, softcap=softcap)
    out: Shape = (batch, queries.heads, queries.length, values.size)
    if q.rank == 3:
        out = (batch, queries.length, queries.heads * values.size)
    caches = [Out((batch, x.heads, x.length, x.size), t.dtype) for x, t in ((keys, k), (values, v))]
    return give(out, *caches, Out((batch, queries.heads, queries.length, keys.length), q.dtype), **costs)


def rotated(x: Tensor, heads: Dim | None, part: int) -> Dim:
    """How many entries a rotary embedding turns: all, or the first `part` of every head."""
    if not part:
        return x.size
    return prod(x.shape[:-1]) * part * (heads if x.rank == 3 and heads is not None else 1)


@op("RotaryEmbedding", fixed_inputs=(1, 2, 3))
def rotary_embedding(
    x: Tensor, cos: Tensor, sin: Tensor, positions: Tensor | None = None,
    *, num_heads: int | None = None, rotary_embedding_dim: int = 0,
) -> Cost:  # fmt: skip
    """Pairs of entries turned by an angle that depends on the position: x*cos - y*sin and x*sin + y*cos."""
    if positions is not None and positions.limit is not None:
        bound(positions.limit, cos.shape[0])
    same(cos.shape[0], sin.shape[0])
    flops = ROTATION.forward * rotated(x, num_heads, rotary_embedding_dim)
    return give(x.shape, vector=flops, backward={0: flops}, keeps=(Keep(1), Keep(2)))


@op("SwiGLU")
def swiglu(gate: Tensor, x: Tensor) -> Cost:
    """swish(gate) * x."""
    for dim, own in zip(gate.shape, x.shape, strict=True):
        same(dim, own)
    return give(
        gate.shape, vector=SWIGLU.forward * x.size, backward=dict.fromkeys((0, 1), SWIGLU.backward * x.size),
        keeps=(Keep(0), Keep(1)),
    )  # fmt: skip


@op("CausalConvWithState", roles={2: "bias"})
def causal_conv(
    x: Tensor, w: Tensor, b: Tensor | None = None, past: Tensor | None = None, *, activation: str = "none"
) -> Cost:
    """A convolution of each channel by itself over what came before: kernel MACs for every entry."""
    channels, taps = same(x.shape[1], w.shape[0]), fixed(w.shape[2])
    vector, backward = (x.size, {2: x.size}) if b is not None else (0, {})
    keeps: Sequence[Keep] = ()
    if activation != "none":
        swish = UNARY["Swish"]
        vector, backward = vector + swish.forward * x.size, {**backward, 1: swish.backward * x.size}
        keeps = (Keep(bytes=x.bytes),)
    return give(
        x.shape, (x.shape[0], channels, taps - 1),
        contraction=(x.size * taps, inner(x, past, keep=Keep(0)), w), vector=vector, backward=backward, keeps=keeps,
    )  # fmt: skip
