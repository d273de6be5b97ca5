"""Attention of ONNX Runtime's own domain: with the projections inside, of packed inputs, with caches."""

from __future__ import annotations

from scalecalc.dims import Dim, larger, regroup, same, split_evenly, split_parts
from scalecalc.ops.contrib import MICROSOFT
from scalecalc.ops.conv import Ints
from scalecalc.ops.dtypes import itemsize
from scalecalc.ops.heads import Projection, attend, projected
from scalecalc.ops.registry import Cost, Inner, Keep, Out, Tensor, give, inner, op
from scalecalc.ops.vector import ROTATION


@op("Attention", domain=MICROSOFT, fixed_inputs=(3, 6), roles={2: "bias"})
def attention(
    x: Tensor, w: Tensor, b: Tensor | None = None, mask: Tensor | None = None, past: Tensor | None = None,
    bias: Tensor | None = None, past_length: Tensor | None = None, *, num_heads: int, qkv_hidden_sizes: Ints = None,
) -> Cost:  # fmt: skip
    """One product for queries, keys and values together, and both products of attention."""
    batch, length, features = x.shape
    same(features, w.shape[0])
    widths = split_parts(w.shape[1], qkv_hidden_sizes) if qkv_hidden_sizes else split_evenly(w.shape[1], 3)
    heads, size = regroup((widths[0],), (num_heads, -1), key="q")
    value_heads, value_size = regroup((widths[2],), (num_heads, -1), key="v")
    before: Dim = past.shape[3] if past is not None else 0
    keys, bytes_of = before + length, itemsize(x.dtype)

    def made(rows: Dim, count: Dim, width: Dim, *cache: Tensor | None) -> Projection:
        kept = Keep(bytes=batch * rows * count * width * bytes_of)
        return Projection(count, rows, width, inner(x, w, b, *cache, keep=kept))

    queries = made(length, heads, size)
    costs = attend(
        batch, queries, made(keys, heads, size, past), made(keys, value_heads, value_size, past),
        dtype=x.dtype, mask=bias if bias is not None else mask if mask is not None and mask.rank > 1 else None,
    )  # fmt: skip
    costs["contractions"].insert(0, (batch * length * w.size, x, w))
    if b is not None:
        costs["vector"] += batch * length * b.size
        costs["backward"][2] = batch * length * b.size
    present = Out((2, batch, heads, keys, size))
    return give((batch, length, widths[2]), present, **costs)


@op("MultiHeadAttention", domain=MICROSOFT, fixed_inputs=(4, 8, 9), roles={3: "bias"})
def multi_head_attention(
    query: Tensor, key: Tensor | None = None, value: Tensor | None = None, b: Tensor | None = None,
    padding: Tensor | None = None, bias: Tensor | None = None, past_key: Tensor | None = None,
    past_value: Tensor | None = None, past_length: Tensor | None = None, indirection: Tensor | None = None,
    *, num_heads: int,
) -> Cost:  # fmt: skip
    """Both products of attention, of projections made before: apart, or packed in one input."""
    batch = query.shape[0]
    if query.rank == 5:
        q, k, v = (_packed(query, query.shape[2], query.shape[4]) for _ in range(3))
    elif key is not None and key.rank == 5:
        q, (k, v) = projected(query, num_heads, None, 0), [_packed(key, key.shape[2], key.shape[4])] * 2
    else:
        stated = (query, key if key is not None else query, value if value is not None else query)
        q, k, v = (
            projected(x, num_heads, past, slot)
            for x, past, slot in zip(stated, (None, past_key, past_value), range(3), strict=True)
        )
    costs = attend(batch, q, k, v, dtype=query.dtype, mask=bias if bias is not None else padding)
    if b is not None:
        rows = batch * (q.length * q.heads * q.size + k.length * k.heads * k.size + v.length * v.heads * v.size)
        costs["vector"] += rows
        costs["backward"][3] = rows
    caches = [Out((batch, x.heads, x.length, x.size)) for x in (k, v)]
    scores = Out((batch, q.heads, q.length, k.length))
    return give((batch, q.length, q.heads * v.size), *caches, scores, **costs)


def _packed(x: Tensor, heads: Dim, size: Dim) -> Projection:
    """A part of (batch, length, heads, parts, size)."""
    return Projection(heads, x.shape[1], size, x)


@op("GroupQueryAttention", domain=MICROSOFT, fixed_inputs=(5, 6, 7, 8, 9))
def group_query_attention(
    query: Tensor, key: Tensor | None = None, value: Tensor | None = None, past_key: Tensor | None = None,
    past_value: Tensor | None = None, lengths: Tensor | None = None, total: Tensor | None = None,
    cos: Tensor | None = None, sin: Tensor | None = None, positions: Tensor | None = None, bias: Tensor | None = None,
    sinks: Tensor | None = None,
    *, num_heads: int, kv_num_heads: int, do_rotary: int = 0, rotary_embedding_dim: int = 0, softcap: float = 0.0,
) -> Cost:  # fmt: skip
    """Both products of attention, several heads of queries for one of keys; over all keys cached, its full square."""
    batch, length, width = query.shape
    heads: Dim
    shared: Dim
    if key is None or value is None:  # packed: queries, keys and values behind each other
        size = regroup((width,), (num_heads + 2 * kv_num_heads, -1), key="packed")[1]
        heads, shared, source = num_heads, kv_num_heads, (query, query)
    else:
        heads, size = regroup((width,), (num_heads, -1), key="q")
        shared, own = regroup((key.shape[2],), (kv_num_heads, -1), key="k")
        same(size, own)
        source = (key, value)
    keys = _all_keys(length, past_key, total)
    q = Projection(heads, length, size, query)
    k, v = (
        Projection(shared, keys, size, _cached(x, past, slot, batch * shared * keys * size))
        for slot, (x, past) in enumerate(zip(source, (past_key, past_value), strict=True), 1)
    )
    costs = attend(batch, q, k, v, dtype=query.dtype, mask=bias, softcap=softcap)
    if do_rotary:
        part: Dim = rotary_embedding_dim or size
        turned = batch * length * (heads + shared) * part
        costs["vector"] += ROTATION.forward * turned
        costs["backward"][0] += ROTATION.backward * turned
    room = keys if past_key is None else larger(keys, past_key.shape[2])  # a cache may have been made for more
    cache = Out((batch, shared, room, size))
    return give((batch, length, heads * size), cache, cache, **costs)


def _all_keys(length: Dim, past: Tensor | None, total: Tensor | None) -> Dim:
    """How many keys there are: what the graph computes it to be, else those of the cache and the new ones."""
    known = total.known() if total is not None else None
    if known is not None and len(known) == 1:
        count: Dim = known[0]
        return count
    return length if past is None else past.shape[2] + length


def _cached(x: Tensor, past: Tensor | None, slot: int, count: Dim) -> Tensor | Inner:
    return x if past is None else inner(x, past, keep=Keep(~slot, bytes=count * itemsize(x.dtype)))
