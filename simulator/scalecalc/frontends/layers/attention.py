"""Attention: projections, rotated positions, and the products of queries, keys and values."""

from __future__ import annotations

from scalecalc.dims import Dim, bound, broadcast_shapes, exact_quotient
from scalecalc.errors import ShapeError
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.basic import linear, sequence
from scalecalc.frontends.layers.registry import layer


@layer("multi_head_attention")
def multi_head_attention(
    b: Builder, x: Value, num_heads: Dim,
    *, kv_heads: Dim | None = None, key_dim: Dim | None = None, value_dim: Dim | None = None, causal: bool = False,
    rotary: Dim | None = None, use_bias: bool = True, key_bias: bool | None = None,
    output_bias: bool | None = None, qk_norm: bool = False,
    window: Dim | None = None, memory: Value | None = None, bias: Value | None = None, output_dim: Dim | None = None,
) -> Value:  # fmt: skip
    """Queries, keys and values projected, softmax(q k' / sqrt(d)) v, and a projection of all heads back.

    Args:
        b, x: the builder, and (batch, sequence, features).
        num_heads: of queries.
        kv_heads: of keys and values; as many as queries unless given.
        key_dim: entries of a query or key of one head; features / heads unless given.
        value_dim: entries of a value of one head; as key_dim unless given.
        causal: each place attends to those before it only.
        rotary: how many entries of each head are turned by the position.
        use_bias, key_bias, output_bias: of the projections in front, of that of keys, and of the one behind.
        qk_norm: queries and keys are normalised by an RMS norm over each head.
        window: how many places each one attends to at most. All are counted: an upper bound beyond it.
        memory: what keys and values are made of instead, such as an encoder's output.
        bias: added to the scores, (heads, queries, keys).
        output_dim: features of the result; as those of x unless given.
    """
    heads, groups = num_heads, kv_heads if kv_heads is not None else num_heads
    size = key_dim if key_dim is not None else exact_quotient(sequence(x).shape[-1], heads)
    depth = value_dim if value_dim is not None else size
    other = memory if memory is not None else x
    q = split_heads(b, linear(b, x, heads * size, use_bias=use_bias, label="query"), heads, size)
    biased = use_bias if key_bias is None else key_bias
    k = split_heads(b, linear(b, other, groups * size, use_bias=biased, label="key"), groups, size)
    v = split_heads(b, linear(b, other, groups * depth, use_bias=use_bias, label="value"), groups, depth)
    if qk_norm:
        q, k = (b.node("RMSNormalization", y, b.weight(f"{n}_norm", size)) for y, n in ((q, "query"), (k, "key")))
    if rotary is not None:
        q, k = (rotated(b, y, rotary) for y in (q, k))
    y = attend(b, q, k, v, causal=causal, bias=bias)
    width = output_dim if output_dim is not None else x.shape[-1]
    return linear(b, y, width, use_bias=use_bias if output_bias is None else output_bias, label="output")


@layer("dot_product_attention")
def dot_product_attention(
    b: Builder, *xs: Value, num_heads: Dim, kv_heads: Dim | None = None, causal: bool = False,
    bias: Value | None = None,
) -> Value:  # fmt: skip
    """softmax(q k' / sqrt(d)) v of three values made before: queries, keys and values, without projections.

    Args:
        b, xs: the builder, and (batch, sequence, heads * size) each.
        num_heads: of queries.
        kv_heads: of keys and values; as many as queries unless given.
        causal: each place attends to those before it only.
        bias: added to the scores, (heads, queries, keys).
    """
    if len(xs) != 3:
        raise ShapeError(f"attention is of queries, keys and values, not of {len(xs)} values")
    groups = kv_heads if kv_heads is not None else num_heads
    heads = (num_heads, groups, groups)
    q, k, v = (split_heads(b, x, n, exact_quotient(x.shape[-1], n)) for x, n in zip(xs, heads, strict=True))
    return attend(b, q, k, v, causal=causal, bias=bias)


def split_heads(b: Builder, x: Value, heads: Dim, size: Dim) -> Value:
    """(batch, sequence, heads * size) as (batch, heads, sequence, size)."""
    x = b.node("Reshape", sequence(x), b.constant([0, 0, heads, size]))
    return b.node("Transpose", x, perm=(0, 2, 1, 3))


def attend(b: Builder, q: Value, k: Value, v: Value, *, causal: bool = False, bias: Value | None = None) -> Value:
    """softmax(q k' / sqrt(d) + bias) v of (batch, heads, sequence, size), as (batch, sequence, heads * size)."""
    if bias is not None:
        broadcast_shapes((*q.shape[:3], k.shape[2]), bias.shape)
    y = b.node("Attention", q, k, v, bias, is_causal=int(causal))
    y = b.node("Transpose", y, perm=(0, 2, 1, 3))
    return b.node("Reshape", y, b.constant([0, 0, y.shape[2] * y.shape[3]]))


def rotated(b: Builder, x: Value, size: Dim) -> Value:
    """(batch, heads, sequence, d) with the first `size` entries of each head turned by the angle of the position."""
    steps = x.shape[2]
    bound(size, x.shape[3])

    def angles() -> Value:
        places = b.node("Cast", b.range(steps), to="float32")
        places = b.node("Unsqueeze", places, b.constant([1]))
        return b.node("Mul", places, b.weight("inverse_frequencies", exact_quotient(size, 2), frozen=True))

    angle = b.once(("angles", steps, size), angles)

    def sine(op_type: str) -> Value:
        return b.once((op_type, steps, size), lambda: b.node("Unsqueeze", b.node(op_type, angle), b.constant([0])))

    cos, sin = sine("Cos"), sine("Sin")
    part = size if size != x.shape[3] else 0
    return b.node("RotaryEmbedding", x, cos, sin, rotary_embedding_dim=part)
