"""Attention layers."""

from __future__ import annotations

from scalecalc.dims import Dim, prod, same
from scalecalc.frontends.builder import Value
from scalecalc.frontends.keras.call import Call, Unsupported, lowers
from scalecalc.frontends.keras.held import Held
from scalecalc.frontends.layers.attention import attend, split_heads
from scalecalc.frontends.layers.basic import linear


def _arguments(call: Call) -> tuple[Value, Value, Value]:
    """Query, key and value: called on (query, value, key), the last as value unless given."""
    named = [call.args[0] if call.args else call.kwargs.get("query")]
    for place, name in ((1, "value"), (2, "key")):
        given = call.args[place] if len(call.args) > place else None
        named.append(given if isinstance(given, Held) else call.kwargs.get(name))
    query, value, key = (x if isinstance(x, Held) else None for x in named)
    if query is None or value is None:
        raise call.error("it is called without a query and a value")
    found = query.plain(), (key or value).plain(), value.plain()
    if any(x.rank != 3 for x in found):
        raise Unsupported
    return found


def _plain_options(call: Call) -> tuple[bool, Value | None]:
    """Whether it is causal, and the mask it is given; nothing else changes what it multiplies."""
    part, kwargs = call.part, call.kwargs
    axes = part.get("attention_axes")
    if part.flag("use_gate") or call.outputs > 1 or kwargs.get("return_attention_scores") or axes not in (None, [1]):
        raise Unsupported
    mask = kwargs.get("attention_mask")
    value = mask.plain() if isinstance(mask, Held) else None
    if value is not None and value.rank == 3:
        value = call.b.node("Unsqueeze", value, call.b.constant([1]))
    return bool(kwargs.get("use_causal_mask")), value


@lowers("MultiHeadAttention")
def multi_head_attention(call: Call) -> Held:
    """Queries, keys and values of every head, and a projection of all heads back."""
    part = call.part
    heads, size = part.whole("num_heads"), part.whole("key_dim")
    width = part.wholes("output_shape") if part.get("output_shape") is not None else None
    return _attention(call, heads, heads, size, part.whole("value_dim", size), width)


@lowers("GroupQueryAttention", "GroupedQueryAttention")
def group_query_attention(call: Call) -> Held:
    """The same where several heads of queries share one of keys and values."""
    part = call.part
    size = part.whole("head_dim")
    return _attention(call, part.whole("num_query_heads"), part.whole("num_key_value_heads"), size, size, None)


def _attention(
    call: Call, heads: int, groups: int, size: int, depth: int, width: tuple[int, ...] | None
) -> Held:  # fmt: skip
    causal, mask = _plain_options(call)
    b, bias = call.b, call.part.flag("use_bias", True)
    query, key, value = _arguments(call)
    q = split_heads(b, linear(b, query, heads * size, use_bias=bias, label="query"), heads, size)
    k = split_heads(b, linear(b, key, groups * size, use_bias=bias, label="key"), groups, size)
    v = split_heads(b, linear(b, value, groups * depth, use_bias=bias, label="value"), groups, depth)
    y = attend(b, q, k, v, causal=causal, bias=mask)
    units: Dim = query.shape[-1] if width is None else prod(width)
    y = linear(b, y, units, use_bias=bias, label="output")
    if width is not None and len(width) > 1:
        y = b.node("Reshape", y, b.constant([0, 0, *width]))
    return call.last(y)


def _listed(call: Call) -> tuple[Value, Value, Value]:
    """Query, key and value of layers called on a list [query, value, key]."""
    if len(call.xs) not in (2, 3) or call.outputs > 1 or call.kwargs.get("return_attention_scores"):
        raise Unsupported
    query, value = (x.plain() for x in call.xs[:2])
    key = call.xs[2].plain() if len(call.xs) > 2 else value
    if any(x.rank != 3 for x in (query, key, value)):
        raise Unsupported
    return query, key, value


@lowers("Attention")
def attention(call: Call) -> Held:
    """softmax(q k') v, without projections."""
    if call.part.text("score_mode", "dot") != "dot":
        raise Unsupported
    b = call.b
    query, key, value = _listed(call)
    scores = b.node("MatMul", query, b.node("Transpose", key, perm=(0, 2, 1)))
    if call.part.flag("use_scale"):
        scores = b.node("Mul", scores, b.weight("scale"))
    return call.last(b.node("MatMul", b.node("Softmax", scores), value))


@lowers("AdditiveAttention")
def additive_attention(call: Call) -> Held:
    """softmax(sum of scale * tanh(q + k)) v."""
    b = call.b
    query, key, value = _listed(call)
    same(query.shape[2], key.shape[2])
    pairs = b.node("Add", b.node("Unsqueeze", query, b.constant([2])), b.node("Unsqueeze", key, b.constant([1])))
    scores = b.node("Tanh", pairs)
    if call.part.flag("use_scale", True):
        scores = b.node("Mul", scores, b.weight("scale", query.shape[2]))
    scores = b.node("ReduceSum", scores, b.constant([3]), keepdims=0)
    return call.last(b.node("MatMul", b.node("Softmax", scores), value))
