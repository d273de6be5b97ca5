"""Attention whose keys and values are made of one short vector for each token (DeepSeek-V2 and V3)."""

from __future__ import annotations

from scalecalc.dims import Dim
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.attention import attend, rotated, split_heads
from scalecalc.frontends.layers.basic import linear, sequence
from scalecalc.frontends.layers.registry import layer


@layer("multi_head_latent_attention")
def multi_head_latent_attention(
    b: Builder, x: Value, num_heads: Dim,
    *, kv_rank: Dim, key_dim: Dim, rotary: Dim, value_dim: Dim | None = None, query_rank: Dim | None = None,
    causal: bool = True,
) -> Value:  # fmt: skip
    """Keys and values projected up from a normalised latent vector, beside one rotated key that all heads share.

    Args:
        b, x: the builder, and (batch, sequence, features).
        num_heads: of queries, keys and values.
        kv_rank: entries of the latent vector of keys and values.
        key_dim: entries of a query or key of one head that know nothing of positions.
        rotary: further entries, turned by the position.
        value_dim: entries of a value of one head; as key_dim unless given.
        query_rank: entries of a latent vector of queries; they are projected from x directly unless given.
        causal: each place attends to those before it only.
    """
    batch, steps, features = sequence(x).shape
    heads, depth = num_heads, value_dim if value_dim is not None else key_dim
    q = x if query_rank is None else _latent(b, linear(b, x, query_rank, use_bias=False, label="query_down"), "query")
    q = linear(b, q, heads * (key_dim + rotary), use_bias=False, label="query")
    latent, shared = _parts(b, linear(b, x, kv_rank + rotary, use_bias=False, label="kv_down"), kv_rank, rotary)
    kv = linear(b, _latent(b, latent, "kv"), heads * (key_dim + depth), use_bias=False, label="kv")
    fixed, turned = _parts(b, split_heads(b, q, heads, key_dim + rotary), key_dim, rotary)
    q = b.node("Concat", fixed, rotated(b, turned, rotary), axis=-1)
    k, v = _parts(b, split_heads(b, kv, heads, key_dim + depth), key_dim, depth)
    shared = rotated(b, b.node("Unsqueeze", shared, b.constant([1])), rotary)
    shared = b.node("Expand", shared, b.constant([batch, heads, steps, rotary]))
    y = attend(b, q, b.node("Concat", k, shared, axis=-1), v, causal=causal)
    return linear(b, y, features, use_bias=False, label="output")


def _latent(b: Builder, x: Value, label: str) -> Value:
    return b.node("RMSNormalization", x, b.weight(f"{label}_norm", x.shape[-1]))


def _parts(b: Builder, x: Value, first: Dim, second: Dim) -> tuple[Value, ...]:
    """The last axis in two."""
    return b.nodes("Split", x, b.constant([first, second]), outputs=2, axis=-1)
