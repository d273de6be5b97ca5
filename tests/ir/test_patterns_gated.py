"""Swish, GroupNormalization and rotary positions as exporters write them out, and what only looks like them."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from scalecalc.ir.patterns import recognise
from scalecalc.walk import Profile, walk
from tests.walk.graphs import graph, load, model


def kinds(text: str, rank: int = 4) -> list[tuple[str, tuple[str, ...]]]:
    return [(layer.node.op_type, layer.node.inputs) for layer in recognise(graph(text), lambda name: rank)]


def same_costs(one: Profile, other: Profile) -> None:
    for group, name in (("forward", "vector_flops"), ("training", "backward_vector_flops"), ("memory", "activations")):
        assert str(getattr(one, group)[name].formula) == str(getattr(other, group)[name].formula)


# Swish: x * sigmoid(x), or of 1.702 x


def swish(body: str) -> str:
    return (
        "(float[b, 8] a, float[b, 8] g) => (float[b, 8] y) <float c = {1.702}, float[8] w>"
        f"{{ x = Mul(a, w)  {body} }}"
    )


@pytest.mark.parametrize(
    "body",
    [
        "s = Sigmoid(x)  y = Mul(x, s)",
        "s = Sigmoid(x)  y = Mul(s, x)",
        "t = Mul(x, c)  s = Sigmoid(t)  y = Mul(x, s)",
        "t = Mul(c, x)  s = Sigmoid(t)  y = Mul(s, x)",
    ],
)
def test_swish(body: str) -> None:
    assert kinds(swish(body)) == [("Swish", ("x",))]
    one, whole = walk(graph(swish(body))), walk(graph(swish("y = Swish(x)"), 24))
    same_costs(one, whole)


@pytest.mark.parametrize(
    "body",
    [
        "s = Sigmoid(x)  y = Mul(s, g)",  # a gate
        "s = Sigmoid(g)  y = Mul(x, s)",
        "s = Sigmoid(x)  y = Add(x, s)",
        "s = Sigmoid(x)  t = Mul(x, s)  y = Add(t, s)",  # an inner value used outside
        "t = Mul(x, g)  s = Sigmoid(t)  y = Mul(x, s)",
        "y = Sigmoid(x)",
    ],
)
def test_what_is_no_swish(body: str) -> None:
    assert kinds(swish(body)) == []


# GroupNormalization: rows of a group as one channel of an InstanceNormalization

GROUPS = """g = Reshape(x, rows)  i = InstanceNormalization<epsilon=1e-5>(g, ones, zeros)  z = Shape(x)
    r = Reshape(i, z)  s = Mul(r, gamma)  y = Add(s, beta)"""
CONSTANTS = "int64[3] rows = {0, 2, -1}, float[2] ones = {1, 1}, float[2] zeros = {0, 0}"


def group_norm(body: str = GROUPS, constants: str = CONSTANTS, affine: str = "6, 1, 1") -> str:
    return f"""(float[b, 3, h, h] a) => (float[b, 6, h, h] y)
        <float[6, 3, 1, 1] w, float[{affine}] gamma, float[{affine}] beta, {constants}> {{ x = Conv(a, w)  {body} }}"""


def test_group_norm() -> None:
    assert kinds(group_norm()) == [("GroupNormalization", ("x", "gamma", "beta"))]
    proto = model(group_norm())
    fused = model(group_norm("y = GroupNormalization<num_groups=2, epsilon=1e-5>(x, gamma, beta)", affine="6"))
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    for tensor in fused.graph.initializer:
        if tensor.name in ("w", "gamma", "beta"):
            shape = (6,) if tensor.name != "w" else (6, 3, 1, 1)
            tensor.CopyFrom(numpy_helper.from_array(stored[tensor.name].reshape(shape), tensor.name))
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32)
    results = [ReferenceEvaluator(p).run(None, {"a": x})[0] for p in (proto, fused)]
    np.testing.assert_allclose(*results, atol=1e-4)
    one, whole = walk(load(proto)), walk(load(fused))
    same_costs(one, whole)
    assert one.params["norm"].formula == 12
    assert one.params["trainable"].formula == 18 + 12  # the scales of 1 and offsets of 0 are nobody's weights


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ones = {1, 1}", "ones = {1, 2}"),
        ("zeros = {0, 0}", "zeros = {0, 1}"),
        ("s = Mul(r, gamma)", "s = Mul(r, x)"),
        ("y = Add(s, beta)", "y = Add(s, x)"),
        ("y = Add(s, beta)", "t = Add(s, beta)  u = Reshape(i, z)  y = Add(t, u)"),
    ],
)
def test_what_is_no_group_norm(old: str, new: str) -> None:
    assert old in group_norm()
    assert kinds(group_norm().replace(old, new, 1)) == []


# Rotary positions: x cos + (-second half, first half) sin

ROTARY = """h1 = Slice(x, zero, half, last, one)  h2 = Slice(x, half, end, last, one)  n = Neg(h2)
    t = Concat<axis=-1>(n, h1)  u = Mul(x, cos)  v = Mul(t, sin)  y = Add(u, v)"""
ANGLES = """l = Shape<start=2, end=3>(a)  k = Squeeze(l)  p = Range(zero_, k, one_)  f = Cast<to=1>(p)
    f2 = Unsqueeze(f, one)  e = Mul(f2, freq)  c2 = Concat<axis=-1>(e, e)  cos = Cos(c2)  sin = Sin(c2)"""


def rotary(body: str = ROTARY, angles: str = ANGLES) -> str:
    return f"""(float[b, 2, s, 8] a) => (float[b, 2, s, 8] y) <float[8, 8] w, float[4] freq, int64 zero_ = {{0}},
        int64 one_ = {{1}}, int64[1] zero = {{0}}, int64[1] half = {{4}}, int64[1] end = {{8}}, int64[1] last = {{-1}},
        int64[1] one = {{1}}> {{ x = MatMul(a, w)  {angles}  {body} }}"""


def test_rotary_positions() -> None:
    assert kinds(rotary()) == [("RotaryEmbedding", ("x", "cos", "sin"))]
    profile, sizes = walk(graph(rotary())), {"b": 2, "s": 5}
    elements = 2 * 2 * 5 * 8
    sines = 5 * 4 + 2 * 5 * 8  # the angles, and a sine and a cosine of each
    assert profile.forward["vector_flops"].value(sizes) == 3 * elements + sines
    assert profile.training["backward_vector_flops"].value(sizes) == 3 * elements
    assert profile.memory["activations"].value(sizes) == 4 * (elements + 2 * 5 * 8)  # a for the weights, both sines
    assert profile.params["trainable"].formula == 64
    assert profile.params["constants"].formula == 4 + 7  # the frequencies; axes, bounds and steps


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("n = Neg(h2)", "n = Neg(a)  n2 = Slice(n, zero, half, last, one)"),
        ("Concat<axis=-1>(n, h1)", "Concat<axis=-1>(h1, n)"),
        ("u = Mul(x, cos)", "u = Mul(a, cos)"),
        ("y = Add(u, v)", "y = Sub(u, v)"),
    ],
)
def test_what_is_no_rotary_position(old: str, new: str) -> None:
    assert old in rotary()
    assert kinds(rotary().replace(old, new, 1)) == []


def test_a_table_of_sines_is_a_constant() -> None:
    looked_up = "cos = Gather(table, p)  sin = Gather(table2, p)"
    angles = ANGLES[: ANGLES.index("f =")] + looked_up
    text = rotary(angles=angles).replace("float[4] freq", "float[16, 8] table, float[16, 8] table2")
    profile = walk(graph(text))
    assert profile.params["trainable"].formula == 64
    assert profile.params["positional"].formula == 0
    assert profile.conditions == ("s <= 16",)


def test_learned_weights_under_a_sine_stay_weights() -> None:
    """A sine as an activation: what it is of depends on the input's contents."""
    text = "(float[b, s, 4] a) => (float[b, s, 8] y) <float[4, 8] w> { x = MatMul(a, w)  y = Sin(x) }"
    assert walk(graph(text)).params["trainable"].formula == 32
    step = """(float[b] t) => (float[b, 8] y) <float[8] w, int64[1] one = {1}>
        { u = Unsqueeze(t, one)  x = Mul(u, w)  y = Cos(x) }"""
    assert walk(graph(step)).params["trainable"].formula == 0  # a time step's frequencies
