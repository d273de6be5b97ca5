"""Layers of speech models, over (batch, sequence, features)."""

from __future__ import annotations

from scalecalc.dims import Dim, exact_quotient
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.activations import Activation, activate
from scalecalc.frontends.layers.attention import attend, split_heads
from scalecalc.frontends.layers.basic import linear
from scalecalc.frontends.layers.recurrent import ranked
from scalecalc.frontends.layers.registry import layer


@layer("relative_attention")
def relative_attention(b: Builder, x: Value, num_heads: Dim, *, key_dim: Dim | None = None) -> Value:
    """Attention that scores distances beside contents, each with learned offsets of the queries (Transformer-XL).

    softmax(((q + u) k' + shifted((q + v) r')) / sqrt(d)) v, where r are fixed sines of all 2*sequence - 1 distances
    behind a projection of their own; the other projections have biases. A head has `key_dim` entries, features / heads
    unless given.
    """
    ranked(x)
    steps, features = x.shape[1:]
    size = key_dim if key_dim is not None else exact_quotient(features, num_heads)
    width = num_heads * size
    q, k, v = (linear(b, x, width, use_bias=True, label=label) for label in ("query", "key", "value"))
    by_content, by_distance = (
        split_heads(b, b.node("Add", q, b.weight(label, width)), num_heads, size)
        for label in ("content_offset", "distance_offset")
    )
    sines = b.once(("sines of distances", steps, features), lambda: _sines(b, 2 * steps - 1, features))
    r = split_heads(b, linear(b, sines, width, use_bias=False, label="distance"), num_heads, size)
    scores = _shifted(b, b.node("MatMul", by_distance, b.node("Transpose", r, perm=(0, 1, 3, 2))))
    root = b.node("Sqrt", b.node("Cast", b.constant([size], scalar=True), to="float32"))
    k, v = (split_heads(b, y, num_heads, size) for y in (k, v))
    y = attend(b, by_content, k, v, bias=b.node("Div", scores, root))
    return linear(b, y, features, use_bias=True, label="output")


def _sines(b: Builder, count: Dim, width: Dim) -> Value:
    """Sines of numbers below a count, of frequencies and phases that are fixed: (1, count, width)."""
    places = b.node("Unsqueeze", b.node("Cast", b.range(count), to="float32"), b.constant([1]))
    angles = b.node("Mul", places, b.weight("frequencies", width, frozen=True))
    sines = b.node("Sin", b.node("Add", angles, b.weight("phases", width, frozen=True)))
    return b.node("Unsqueeze", sines, b.constant([0]))


def _shifted(b: Builder, scores: Value) -> Value:
    """Scores of queries and distances, each row moved so that column k is the distance to place k."""
    batch, heads, steps, distances = scores.shape
    x = b.node("Pad", scores, b.constant([0, 0, 0, 1, 0, 0, 0, 0]))
    x = b.node("Reshape", x, b.constant([batch, heads, distances + 1, steps]))
    x = b.node("Slice", x, b.constant([1]), b.constant([distances + 1]), b.constant([2]))
    x = b.node("Reshape", x, b.constant([batch, heads, steps, distances]))
    return b.node("Slice", x, b.constant([0]), b.constant([steps]), b.constant([3]))


@layer("convolutional_positions")
def convolutional_positions(
    b: Builder, x: Value, kernel_size: int, *, groups: Dim = 1, activation: Activation = "gelu"
) -> Value:
    """What a wide convolution makes of the neighbours, added; its weight is a length for each tap and a direction."""
    ranked(x)
    width = x.shape[2]
    direction = b.weight("direction", width, exact_quotient(width, groups), kernel_size)
    length = b.node("ReduceL2", direction, b.constant([0, 1]), keepdims=1)
    weight = b.node("Mul", b.node("Div", direction, length), b.weight("length", 1, 1, kernel_size))
    y = b.node("Transpose", x, perm=(0, 2, 1))
    pads = (kernel_size // 2, kernel_size // 2)
    y = b.node("Conv", y, weight, b.weight("bias", width), kernel_shape=(kernel_size,), pads=pads, group=groups)
    if kernel_size % 2 == 0:  # one place more than there are
        y = b.node("Slice", y, b.constant([0]), b.constant([x.shape[1]]), b.constant([2]))
    return b.node("Add", x, b.node("Transpose", activate(b, y, activation), perm=(0, 2, 1)))


@layer("masked_frames")
def masked_frames(b: Builder, x: Value, rate: float = 0.5) -> Value:
    """Some frames, drawn at random while training, replaced by a learned vector."""
    ranked(x)
    first = b.node("Slice", x, b.constant([0]), b.constant([1]), b.constant([2]))
    limit = b.constant([rate], dtype="float32", scalar=True)
    drawn = b.node("Less", b.node("RandomUniformLike", first), limit)
    return b.node("Where", drawn, b.weight("mask", x.shape[2]), x)
