"""Layers that exporters decompose: recognised in every form they are known to write, and in nothing near them."""

from __future__ import annotations

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from scalecalc.ir.links import Layer
from scalecalc.ir.patterns import recognise
from scalecalc.walk import walk
from tests.walk.graphs import graph, load, model


def found(text: str, rank: int | None = 3) -> list[Layer]:
    return list(recognise(graph(text), lambda name: 0 if name == "root" else rank))


def kinds(text: str, rank: int | None = 3) -> list[tuple[str, tuple[str, ...]]]:
    return [(layer.node.op_type, layer.node.inputs) for layer in found(text, rank)]


# Gelu: x/2 * (1 + erf(x / sqrt 2)); with tanh(sqrt(2/pi) * (x + 0.044715 x^3)) for the erf

NUMBERS = """float half = {0.5}, float one = {1.0}, float two = {2.0}, float three = {3.0}, float root = {1.4142135},
    float inverse = {0.70710678}, float c = {0.7978846}, float k = {0.044715}"""
ERF = "d = Div(x, root)  e = Erf(d)  p = Add(e, one)"
TANH = "q = Pow(x, three)  r = Mul(q, k)  s = Add(x, r)  t = Mul(s, c)  e = Tanh(t)  p = Add(e, one)"
GELUS = {
    "(x p) half": f"{ERF}  m = Mul(x, p)  y = Mul(m, half)",
    "half (p x)": f"{ERF}  m = Mul(p, x)  y = Mul(half, m)",
    "(x half) p": f"{ERF}  m = Mul(x, half)  y = Mul(m, p)",
    "p (half x)": f"{ERF}  m = Mul(half, x)  y = Mul(p, m)",
    "x (half p)": f"{ERF}  m = Mul(half, p)  y = Mul(x, m)",
    "erf of a product": "d = Mul(x, inverse)  e = Erf(d)  p = Add(one, e)  m = Mul(x, half)  y = Mul(m, p)",
    "tanh": f"{TANH}  m = Mul(x, half)  y = Mul(m, p)",
    "tanh, factors behind": f"{TANH}  m = Mul(x, p)  y = Mul(m, half)",
    "tanh, cube by products": """u = Mul(x, x)  q = Mul(u, x)  r = Mul(k, q)  s = Add(r, x)  t = Mul(c, s)
        e = Tanh(t)  p = Add(e, one)  m = Mul(x, half)  y = Mul(m, p)""",
    "tanh, x factored out": """u = Mul(x, x)  q = Mul(u, k)  r = Add(one, q)  s = Mul(x, c)  t = Mul(s, r)
        e = Tanh(t)  p = Add(e, one)  m = Mul(x, half)  y = Mul(m, p)""",
}


def gelu(body: str, outputs: str = "float[b, s, 8] y") -> str:
    return f"(float[b, s, 8] a) => ({outputs}) <{NUMBERS}> {{ x = Relu(a)  {body} }}"


@pytest.mark.parametrize("name", GELUS)
def test_gelu(name: str) -> None:
    text = gelu(GELUS[name])
    (layer,) = found(text)
    assert (layer.node.op_type, layer.node.inputs, layer.node.outputs) == ("Gelu", ("x",), ("y",))
    assert layer.members == tuple(range(1, len(graph(text).nodes)))  # all but the Relu
    x = np.linspace(0, 3, 8, dtype=np.float32).reshape(1, 1, 8)
    (y,) = ReferenceEvaluator(model(text)).run(None, {"a": x})
    (reference,) = ReferenceEvaluator(model("(float[b, s, 8] a) => (float[b, s, 8] y) { y = Gelu(a) }")).run(
        None, {"a": x}
    )
    np.testing.assert_allclose(y, reference, atol=1e-3)


@pytest.mark.parametrize(
    "body",
    [
        f"{ERF}  m = Mul(x, p)  y = Mul(m, two)",  # another factor
        f"{ERF}  m = Mul(x, x)  n = Mul(m, p)  y = Mul(n, half)",  # x twice
        f"{ERF.replace('root', 'two')}  m = Mul(x, p)  y = Mul(m, half)",  # erf(x / 2)
        f"{ERF.replace('e, one', 'e, two')}  m = Mul(x, p)  y = Mul(m, half)",
        f"{ERF.replace('Div(x', 'Div(a')}  m = Mul(x, p)  y = Mul(m, half)",  # of another value
        f"{TANH.replace('three', 'two')}  m = Mul(x, half)  y = Mul(m, p)",
        f"{TANH.replace('q, k', 'q, half')}  m = Mul(x, half)  y = Mul(m, p)",
        f"{TANH.replace('s, c', 's, half')}  m = Mul(x, half)  y = Mul(m, p)",
        f"{ERF}  m = Mul(x, p)  z = Relu(e)  w = Mul(m, half)  y = Add(w, z)",  # an inner value used outside
        f"{ERF}  y = Mul(x, p)",
        "e = Tanh(x)  y = Add(e, one)",
    ],
)
def test_what_is_no_gelu(body: str) -> None:
    assert found(gelu(body)) == []


def test_operators_of_another_domain_make_no_gelu() -> None:
    """Whatever com.acme's Mul does, it need not multiply."""
    ours = GELUS["(x p) half"]
    assert [found(gelu(ours.replace(op, f"com.acme.{op}"))) for op in ("Mul", "Add", "Div")] == [[], [], []]


def test_an_inner_value_that_is_an_output_keeps_gelu_apart() -> None:
    assert found(gelu(GELUS["(x p) half"], "float[b, s, 8] y, float[b, s, 8] e")) == []


# Normalisation: (x - mean) / sqrt(mean((x - mean)^2) + eps) * gamma + beta

WEIGHTS = (
    "float[8] gamma, float[8] beta, float eps = {1e-5}, float two = {2.0}, float one = {1.0}, int64[1] last = {-1}"
)
CENTRED = "m = ReduceMean(x, last)  d = Sub(x, m)"
SQUARES = {"Pow": "q = Pow(d, two)", "Mul": "q = Mul(d, d)"}
ROOT = "v = ReduceMean(q, last)  w = Add(v, eps)  r = Sqrt(w)"
QUOTIENTS = {
    "Div": "n = Div(d, r)", "Reciprocal": "i = Reciprocal(r)  n = Mul(d, i)",
    "Reciprocal first": "i = Reciprocal(r)  n = Mul(i, d)", "1 / r": "i = Div(one, r)  n = Mul(d, i)",
}  # fmt: skip


def norm(body: str, outputs: str = "float[b, s, 8] y", weights: str = WEIGHTS) -> str:
    return f"(float[b, s, 8] a) => ({outputs}) <{weights}> {{ x = Relu(a)  {body} }}"


@pytest.mark.parametrize("square", SQUARES)
@pytest.mark.parametrize("quotient", QUOTIENTS)
@pytest.mark.parametrize("axis", [-1, 2])
def test_layer_norm(square: str, quotient: str, axis: int) -> None:
    body = f"{CENTRED}  {SQUARES[square]}  {ROOT}  {QUOTIENTS[quotient]}  g = Mul(n, gamma)  y = Add(g, beta)"
    text = norm(body).replace("{-1}", f"{{{axis}}}")
    assert kinds(text) == [("LayerNormalization", ("x", "gamma", "beta"))]
    proto = model(text)
    fused = model(norm("y = LayerNormalization<epsilon=1e-5>(x, gamma, beta)"))
    for stored in proto.graph.initializer:
        for other in fused.graph.initializer:
            if stored.name == other.name:
                other.CopyFrom(stored)
    x = np.random.default_rng(0).normal(size=(2, 3, 8)).astype(np.float32)
    results = [ReferenceEvaluator(p).run(None, {"a": x})[0] for p in (proto, fused)]
    np.testing.assert_allclose(*results, atol=1e-4)
    one, whole = walk(load(proto)), walk(load(fused))
    assert one.params["norm"].formula == whole.params["norm"].formula == 16
    for group, name in (("forward", "vector_flops"), ("training", "backward_vector_flops"), ("memory", "activations")):
        assert str(getattr(one, group)[name].formula) == str(getattr(whole, group)[name].formula)


@pytest.mark.parametrize("quotient", QUOTIENTS)
def test_rms_norm(quotient: str) -> None:
    body = f"q = Pow(x, two)  {ROOT}  {QUOTIENTS[quotient].replace('d,', 'x,').replace('d)', 'x)')}  y = Mul(n, gamma)"
    assert kinds(norm(body)) == [("RMSNormalization", ("x", "gamma"))]


def test_a_norm_without_an_offset() -> None:
    body = f"{CENTRED}  {SQUARES['Mul']}  {ROOT}  n = Div(d, r)  y = Mul(gamma, n)"
    assert kinds(norm(body)) == [("LayerNormalization", ("x", "gamma"))]


FULL = f"{CENTRED}  {SQUARES['Pow']}  {ROOT}  n = Div(d, r)  g = Mul(n, gamma)  y = Add(g, beta)"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{-1}", "{1}"),  # over another axis: statistics per column
        ("{-1}", "{-2}"),
        ("int64[1] last = {-1}", "int64[2] last = {1, 2}"),  # over two axes
        ("ReduceMean(q, last)", "ReduceMean<keepdims=0>(q, last)"),
        ("ReduceMean(q, last)", "ReduceMax(q, last)"),
        ("two = {2.0}", "two = {3.0}"),
        ("Add(v, eps)", "Add(v, x)"),  # no constant
        ("Div(d, r)", "Mul(d, r)"),
        ("Div(d, r)", "Div(r, d)"),
        ("Div(d, r)", "Div(x, r)"),
        ("y = Add(g, beta)", "y = Add(g, beta)  z = Relu(d)"),
        ("y = Add(g, beta)", "y = Add(g, beta)  z = Relu(r)"),
        ("float[8] gamma", "float[3, 8] gamma"),
    ],
)
def test_what_is_no_layer_norm(old: str, new: str) -> None:
    text = norm(FULL)
    assert old in text
    assert kinds(text) == [("LayerNormalization", ("x", "gamma", "beta"))]
    assert kinds(text.replace(old, new, 1)) == []


def test_an_axis_by_number_needs_the_rank() -> None:
    text = norm(FULL).replace("{-1}", "{2}")
    assert kinds(text, None) == []
    assert [node.layer for node in walk(graph(text)).nodes].count("LayerNormalization") == 9


def test_a_norm_that_subtracts_something_else_is_an_rms_norm_of_the_difference() -> None:
    text = norm(FULL.replace("m = ReduceMean(x, last)", "m = ReduceMax(x, last)"))
    assert kinds(text) == [("RMSNormalization", ("d", "gamma"))]


# Attention: softmax(q k * scale + mask) v

ATTENTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "plain": ("p = Softmax(s)  y = MatMul(p, v)", ()),
    "divided": ("t = Div(s, scale)  p = Softmax(t)  y = MatMul(p, v)", ()),
    "scaled": ("t = Mul(scale, s)  p = Softmax(t)  y = MatMul(p, v)", ()),
    "masked": ("t = Add(s, mask)  p = Softmax(t)  y = MatMul(p, v)", ("mask",)),
    "scaled and masked": ("u = Div(s, scale)  t = Add(u, mask)  p = Softmax(t)  y = MatMul(p, v)", ("mask",)),
    "mask in front": ("u = Div(s, scale)  t = Add(mask, u)  p = Softmax(t)  y = MatMul(p, v)", ("mask",)),
    "where": ("t = Where(keep, s, low)  p = Softmax(t)  y = MatMul(p, v)", ("keep",)),
    "where, filled first": ("t = Where(keep, low, s)  p = Softmax(t)  y = MatMul(p, v)", ("keep",)),
    "dropout": ("p = Softmax(s)  o = Dropout(p)  y = MatMul(o, v)", ()),
    "in half precision": ("f = Cast<to=1>(s)  p = Softmax(f)  h = Cast<to=1>(p)  y = MatMul(h, v)", ()),
    "last axis by number": ("p = Softmax<axis=3>(s)  y = MatMul(p, v)", ()),
    "reshaped": ("r = Reshape(s, four)  t = Add(r, mask)  u = Reshape(t, four)  p = Softmax(u)  y = MatMul(p, v)",
                 ("mask",)),
    "two masks": ("t = Add(s, mask)  u = Where(keep, t, low)  p = Softmax(u)  y = MatMul(p, v)", ("keep", "mask")),
    "rows of nothing": ("t = Add(s, mask)  p = Softmax(t)  i = IsNaN(p)  o = Where(i, nil, p)  y = MatMul(o, v)",
                        ("mask",)),
    "scale by its shape": ("t = Div(s, root)  p = Softmax(t)  y = MatMul(p, v)", ()),
    "an einsum": ('p = Softmax(s)  y = Einsum<equation="bhqk,bhkd->bhqd">(p, v)', ()),
    "an einsum, values first": ('p = Softmax(s)  y = Einsum<equation="bhkd,bhqk->bhqd">(v, p)', ()),
}  # fmt: skip
SCALED = ("divided", "scaled", "scaled and masked", "mask in front", "scale by its shape")


def attention(body: str) -> str:
    return f"""(float[b, 2, s, 4] q, float[b, 2, 4, s] k, float[b, 2, s, 4] v, float[s, s] mask, bool[s, s] keep)
        => (float[b, 2, s, 4] y) <float scale = {{2.0}}, float low = {{-1e9}}, float nil = {{0.0}},
        int64[4] four = {{0, 0, 0, -1}}, int64 nought = {{3}}>
        {{ n = Shape(q)  n1 = Gather(n, nought)  n2 = Cast<to=1>(n1)  root = Sqrt(n2)  s = MatMul(q, k)  {body} }}"""


@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention(name: str) -> None:
    body, masks = ATTENTIONS[name]
    (layer,) = found(attention(body), 4)
    assert layer.node.inputs[1:] == ("v", *masks)
    assert layer.members == tuple(range(4, len(graph(attention(body)).nodes)))  # behind the four that make `root`
    profile = walk(graph(attention(body)))
    scores, s = (name in SCALED) + 5 + len(masks), {"b": 3, "s": 7}
    assert profile.forward["vector_flops"].value(s) == scores * 3 * 2 * 7 * 7 + 1  # per score; the root itself
    assert profile.facts["attention_macs"] == profile.forward["macs"].formula
    assert profile.forward["macs"].value(s) == 2 * 3 * 2 * 7 * 7 * 4  # q k and p v


@pytest.mark.parametrize(
    "body",
    [
        "p = Softmax<axis=1>(s)  y = MatMul(p, v)",
        "p = Softmax<axis=-2>(s)  y = MatMul(p, v)",
        "t = Relu(s)  p = Softmax(t)  y = MatMul(p, v)",
        "p = Softmax(s)  y = MatMul(v, p)",  # weights on the right
        "p = Softmax(s)  o = MatMul(p, v)  z = Relu(p)  y = Add(o, z)",
        "p = Softmax(q)  y = MatMul(p, v)",  # no scores
        "y = Softmax(s)",
        "t = Mul(s, s)  p = Softmax(t)  y = MatMul(p, v)",
        "p = Softmax(s)  i = IsNaN(q)  o = Where(i, nil, p)  y = MatMul(o, v)",
    ],
)
def test_what_is_no_attention(body: str) -> None:
    assert found(attention(body), 4) == []


def test_a_learned_scale_stays_outside() -> None:
    """Its gradient needs the scores as they were, and is summed: the layer starts behind it."""
    text = attention("t = Mul(s, w)  u = Add(t, mask)  p = Softmax(u)  y = MatMul(p, v)").replace(
        "float scale", "float[2, 1, 1] w, float scale"
    )
    (layer,) = found(text, 4)
    nodes = graph(text).nodes
    assert [nodes[place].op_type for place in layer.members] == ["MatMul", "Add", "Softmax", "MatMul"]
    profile = walk(graph(text))
    assert profile.facts["attention_macs"] == profile.forward["macs"].formula
    assert profile.params["trainable"].formula == 2


def test_layers_share_no_node() -> None:
    twice = gelu("d = Div(x, root)  e = Erf(d)  p = Add(e, one)  m = Mul(x, p)  y = Mul(m, half)")
    (layer,) = found(twice)
    assert len(set(layer.members)) == len(layer.members)


def test_graphs_without_an_anchor_cost_nothing() -> None:
    assert found("(float[2] x) => (float[2] y) { y = Relu(x) }") == []


HEADS_IN_THE_BATCH = """(float[batch, seq, 8] x, float[batch, 1, seq, seq] mask) => (y)
    <int64[4] split = {0, 0, 2, 4}, int64[1] heads = {2}, int64[1] two = {2}, int64[1] four = {4}> {
    n = Shape<start=0, end=1>(x)  t = Shape<start=1, end=2>(x)  bh = Mul(n, heads)
    q0 = Reshape(x, split)  q1 = Transpose<perm=[0, 2, 1, 3]>(q0)
    of3 = Concat<axis=0>(bh, t, four)  q = Reshape(q1, of3)  k = Transpose<perm=[0, 2, 1]>(q)
    s = MatMul(q, k)
    apart = Concat<axis=0>(n, two, t, t)  s4 = Reshape(s, apart)  m = Add(s4, mask)  p4 = Softmax(m)
    joined = Concat<axis=0>(bh, t, t)  p = Reshape(p4, joined)
    y = MatMul(p, q) }"""


def test_heads_gathered_in_the_batch_stay_apart_from_it() -> None:
    """The layer is tried with shapes the walk knows; it says nothing new of them, such as that the batch is 1."""
    profile = walk(graph(HEADS_IN_THE_BATCH))
    assert not profile.assumptions
    assert not profile.conditions
    sizes = {"batch": 3, "seq": 5}
    assert profile.forward["macs"].value(sizes) == 2 * (3 * 2) * 5 * 5 * 4
    assert profile.facts["attention_macs"] == profile.forward["macs"].formula
    assert profile.forward["vector_flops"].value(sizes) == (5 + 1) * (3 * 2) * 5 * 5  # a softmax and a mask
