"""What each stored tensor is for, on graphs small enough to count by hand."""

from __future__ import annotations

import pytest

from scalecalc.walk import walk
from tests.walk.graphs import graph

SHOWN = ("trainable", "embedding", "positional", "head", "norm", "other", "buffers", "constants", "quantized")


def params(text: str, opset: int = 23) -> dict[str, object]:
    profile = walk(graph(text, opset))
    found = {name: profile.params[name].formula for name in SHOWN if profile.params[name].formula != 0}
    whole = profile.params
    assert whole["total"].formula == sum(found.get(n, 0) for n in ("trainable", "buffers", "constants", "quantized"))  # type: ignore[misc]
    assert whole["non_embedding"].formula == sum(found.get(n, 0) for n in ("head", "norm", "other"))  # type: ignore[misc]
    assert whole["trainable"].formula == whole["active"].formula == sum(found.get(n, 0) for n in SHOWN[1:6])  # type: ignore[misc]
    return found


TOKENS = "(int64[batch, seq] x) => (float[batch, seq, N] y)"
ROWS = "(float[batch, 8] x) => (float[batch, N] y)"
IMAGES = "(float[batch, 3, 8, 8] x) => (float[batch, N, M, O] y)"

TABLE = {
    "an MLP: the last layer is the head": (
        f"{ROWS} <float[8, 16] u, float[16] b, float[16, 4] v, float[4] c> {{"
        " h = Gemm(x, u, b)  r = Relu(h)  y = Gemm(r, v, c) }",
        {"trainable": 8 * 16 + 16 + 16 * 4 + 4, "other": 144, "head": 68},
    ),
    "MatMul and Add": (
        f"{ROWS} <float[8, 16] u, float[16] b, float[16, 4] v, float[4] c> {{"
        " g = MatMul(x, u)  h = Add(g, b)  r = Relu(h)  p = MatMul(r, v)  y = Add(p, c) }",
        {"trainable": 212, "other": 144, "head": 68},
    ),
    "positions counted where tokens are": (
        f"{TOKENS} <float[50, 8] table, float[20, 8] places, int64 pad = {{1}}, int64 along = {{1}}> {{"
        " e = Gather(table, x)  gap = Equal(x, pad)  no = Not(gap)  there = Cast<to=7>(no)  n = CumSum(there, along)"
        " m = Mul(there, n)  p = Add(m, pad)  q = Gather(places, p)  y = Add(e, q) }",
        {"trainable": 560, "embedding": 400, "positional": 160, "constants": 2},
    ),
    "a tied head is the embedding, once": (
        f"{TOKENS} <float[50, 8] table> {{ e = Gather(table, x)  t = Transpose(table)  y = MatMul(e, t) }}",
        {"trainable": 400, "embedding": 400},
    ),
    "the same, the table stored on its side": (
        f"{TOKENS} <float[8, 50] side> {{ table = Transpose(side)  e = Gather(table, x)  y = MatMul(e, side) }}",
        {"trainable": 400, "embedding": 400},
    ),
    "a head of its own": (
        f"{TOKENS} <float[50, 8] table, float[8, 50] w> {{ e = Gather(table, x)  y = MatMul(e, w) }}",
        {"trainable": 800, "embedding": 400, "head": 400},
    ),
    "a weight used by two layers counts once": (
        f"{ROWS} <float[8, 8] w> {{ h = MatMul(x, w)  r = Relu(h)  y = MatMul(r, w) }}",
        {"trainable": 64, "head": 64},
    ),
    "positions looked up by number": (
        f"{TOKENS} <float[50, 8] table, float[32, 8] places, int64 i = {{1}}, int64 zero = {{0}}, int64 one = {{1}}> {{"
        " s = Shape(x)  n = Gather(s, i)  p = Range(zero, n, one)  e = Gather(table, x)  q = Gather(places, p)"
        " y = Add(e, q) }",
        {"trainable": 656, "embedding": 400, "positional": 256, "constants": 3},
    ),
    "positions added as a table": (
        "(float[batch, 32, 8] x) => (float[batch, 32, N] y) <float[1, 32, 8] p, float[8, 4] w> {"
        " h = Add(x, p)  y = MatMul(h, w) }",
        {"trainable": 288, "positional": 256, "head": 32},
    ),
    "a norm and its statistics": (
        f"{IMAGES} <float[3] g, float[3] b, float[3] m, float[3] v> {{ y = BatchNormalization(x, g, b, m, v) }}",
        {"trainable": 6, "norm": 6, "buffers": 6},
    ),
    "weights behind Identity and Cast": (
        f"{ROWS} <float16[8, 4] w> {{ i = Identity(w)  c = Cast<to=1>(i)  y = MatMul(x, c) }}",
        {"trainable": 32, "head": 32},
    ),
    "a weight reshaped": (
        f"{ROWS} <float[2, 4, 4] w, int64[2] to = {{8, 4}}> {{ r = Reshape(w, to)  y = MatMul(x, r) }}",
        {"trainable": 32, "head": 32, "constants": 2},
    ),
    "a quantised weight, dequantised": (
        f"{ROWS} <int8[8, 4] w, float[1] s> {{ d = DequantizeLinear(w, s)  y = MatMul(x, d) }}",
        {"quantized": 32, "constants": 1},
    ),
    "a quantised product": (
        "(uint8[batch, 8] x) => (int32[batch, N] y) <uint8[8, 4] w> { y = MatMulInteger(x, w) }",
        {"quantized": 32},
    ),
    "a scalar is a constant": (
        f"{ROWS} <float[8, 4] w, float half = {{0.5}}> {{ h = MatMul(x, w)  y = Mul(h, half) }}",
        {"trainable": 32, "head": 32, "constants": 1},
    ),
    "the bias of one output is a weight": (
        f"{ROWS} <float[8, 1] w, float[1] b> {{ h = MatMul(x, w)  y = Add(h, b) }}",
        {"trainable": 9, "head": 9},
    ),
    "one number added to many outputs is a constant": (
        f"{ROWS} <float[8, 4] w, float c = {{1.0}}> {{ h = MatMul(x, w)  y = Add(h, c) }}",
        {"trainable": 32, "head": 32, "constants": 1},
    ),
    "a mask no gradient reaches": (
        f"{ROWS} <float[8, 4] w, bool[4] keep, float low = {{-1e9}}> {{ h = MatMul(x, w)  y = Where(keep, h, low) }}",
        {"trainable": 32, "head": 32, "constants": 5},
    ),
    "a model that ends in integers is trained by what they are made of": (
        "(float[batch, 8] x) => (int64[batch, 1] y) <float[8, 4] w> { h = MatMul(x, w)  y = ArgMax<axis=1>(h) }",
        {"trainable": 32, "head": 32},
    ),
    "a tensor nothing uses": (
        f"{ROWS} <float[8, 4] w, float[100] unused> {{ y = MatMul(x, w) }}",
        {"trainable": 32, "head": 32, "constants": 100},
    ),
    "a convolution's bias": (
        f"{IMAGES} <float[4, 3, 3, 3] w, float[4] b, float[2, 4, 1, 1] v> {{ h = Conv(x, w, b)  y = Conv(h, v) }}",
        {"trainable": 108 + 4 + 8, "other": 112, "head": 8},
    ),
    "a gate of vectors": (
        f"{ROWS} <float[8] scale, float[8, 4] w> {{ h = Mul(x, scale)  y = MatMul(h, w) }}",
        {"trainable": 40, "other": 8, "head": 32},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_roles(name: str) -> None:
    text, expected = TABLE[name]
    assert params(text) == expected


@pytest.mark.parametrize(
    ("name", "linear"),
    [
        ("MatMul and Add", 8 * 16 + 16 * 4), ("a tied head is the embedding, once", 400),
        ("a head of its own", 400), ("a convolution's bias", 108 + 8), ("a gate of vectors", 32),
    ],
)  # fmt: skip
def test_linear_counts_the_operands_of_products(name: str, linear: int) -> None:
    assert walk(graph(TABLE[name][0])).params["linear"].formula == linear


def test_facts_of_a_tied_head() -> None:
    tied = walk(graph(TABLE["a tied head is the embedding, once"][0])).facts
    untied = walk(graph(TABLE["a head of its own"][0])).facts
    assert (tied["vocabulary"], tied["tied_head"]) == (50, True)
    assert (untied["vocabulary"], untied["tied_head"]) == (50, False)


def test_bytes_are_those_of_the_dtype() -> None:
    profile = walk(graph(TABLE["weights behind Identity and Cast"][0]))
    assert profile.memory["weights"].formula == 2 * 32
    assert profile.memory["gradients"].formula == 2 * 32
    assert profile.memory["optimizer"].formula == 8 * 32  # two moments in float32
    quantised = walk(graph(TABLE["a quantised weight, dequantised"][0]))
    assert quantised.memory["weights"].formula == 32
    assert quantised.memory["gradients"].formula == 0


def test_merged_norms_are_noted() -> None:
    text = (
        "(float[batch, 8] x) => (float[batch, 8] y) <float[8] g, float[8] b, float[8, 8] w> {"
        " n = LayerNormalization(x, g, b)  h = MatMul(n, w)  y = LayerNormalization(h, g, b) }"
    )
    (note,) = walk(graph(text)).notes
    assert "2 norm weights feed several nodes (g: 2)" in note
