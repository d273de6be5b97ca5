"""Positions that are computed: sines and cosines, and attention by how far queries and keys are apart."""

from __future__ import annotations

from scalecalc.dims import Dim, exact_quotient
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.attention import attend, split_heads
from scalecalc.frontends.layers.basic import linear, sequence
from scalecalc.frontends.layers.registry import layer


def sinusoids(b: Builder, steps: Dim, size: Dim) -> Value:
    """(steps, size): sines and cosines of every position at size / 2 frequencies, made once for all layers."""

    def table() -> Value:
        places = b.node("Unsqueeze", b.node("Cast", b.range(steps), to="float32"), b.constant([1]))
        angles = b.node("Mul", places, b.weight("inverse_frequencies", exact_quotient(size, 2), frozen=True))
        return b.node("Concat", b.node("Sin", angles), b.node("Cos", angles), axis=-1)

    return b.once(("sinusoids", steps, size), table)


@layer("sinusoidal_positions")
def sinusoidal_positions(b: Builder, x: Value) -> Value:
    """Sines and cosines of the place on axis 1 added: a vector for each that is computed, not stored."""
    return b.node("Add", x, sinusoids(b, *sequence(x).shape[1:]))


@layer("relative_position_bias")
def relative_position_bias(b: Builder, x: Value, num_heads: Dim, *, buckets: Dim = 32) -> Value:
    """A learned number for each head and bucket of distances: the `bias` all attention layers of a stack share.

    (batch, sequence, features) -> (1, heads, sequence, sequence). Which bucket a distance falls into is arithmetic
    on indices, which costs no FLOPs.
    """
    places = b.range(sequence(x).shape[1])
    apart = b.node("Sub", b.node("Unsqueeze", places, b.constant([0])), b.node("Unsqueeze", places, b.constant([1])))
    bucket = b.node("Min", b.node("Abs", apart), b.constant([buckets - 1]))
    found = b.node("Gather", b.weight("table", buckets, num_heads), bucket)
    return b.node("Unsqueeze", b.node("Transpose", found, perm=(2, 0, 1)), b.constant([0]))


@layer("relative_attention")
def relative_attention(
    b: Builder, x: Value, num_heads: Dim,
    *, key_dim: Dim | None = None, causal: bool = False, use_bias: bool = True, output_bias: bool | None = None,
) -> Value:  # fmt: skip
    """Self-attention of Transformer-XL: a query meets keys, and projected sinusoids of how far away they are.

    The scores are ((q + u) k' + (q + v) r') / sqrt(d), with u and v learned for each head and r one of `sequence`
    distances to the past, `2 sequence - 1` to both sides where it is not causal.

    Args:
        b, x: the builder, and (batch, sequence, features).
        num_heads: of queries, keys and values.
        key_dim: entries of each of them in one head; features / heads unless given.
        causal: each place attends to those before it only.
        use_bias, output_bias: of the projections in front, and of the one behind; distances have none.
    """
    _, steps, features = sequence(x).shape
    size = key_dim if key_dim is not None else exact_quotient(features, num_heads)
    q, k, v = (
        split_heads(b, linear(b, x, num_heads * size, use_bias=use_bias, label=label), num_heads, size)
        for label in ("query", "key", "value")
    )
    reach = steps if causal else 2 * steps - 1
    r = linear(b, sinusoids(b, reach, features), num_heads * size, use_bias=False, label="distance")
    r = b.node("Transpose", b.node("Reshape", r, b.constant([reach, num_heads, size])), perm=(1, 2, 0))
    content, distance = (b.node("Add", q, b.weight(f"{n}_bias", num_heads, 1, size)) for n in ("content", "distance"))
    root = b.node("Sqrt", b.node("Cast", b.constant([size], scalar=True), to="float32"))
    scores = b.node("Div", _shifted(b, b.node("MatMul", distance, r)), root)
    y = attend(b, content, k, v, causal=causal, bias=scores)
    return linear(b, y, features, use_bias=use_bias if output_bias is None else output_bias, label="output")


def _shifted(b: Builder, scores: Value) -> Value:
    """Scores of queries and distances, each row moved so that column k is the distance to place k."""
    batch, heads, steps, distances = scores.shape
    y = b.node("Pad", scores, b.constant([0, 0, 0, 1, 0, 0, 0, 0]))
    y = b.node("Reshape", y, b.constant([batch, heads, distances + 1, steps]))
    y = b.node("Slice", y, b.constant([1]), b.constant([distances + 1]), b.constant([2]))
    y = b.node("Reshape", y, b.constant([batch, heads, steps, distances]))
    return b.node("Slice", y, b.constant([0]), b.constant([steps]), b.constant([3]))
