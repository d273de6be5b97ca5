"""Forward, backward and kept activations of graphs small enough to count by hand; operators nobody knows."""

from __future__ import annotations

import pytest

from scalecalc.errors import GraphError, ShapeError
from scalecalc.walk import Profile, walk
from tests.walk.graphs import graph

MLP = """(float[batch, 8] x) => (float[batch, 4] y)
    <float[8, 16] u, float[16] a, float[16, 16] v, float[16] b, float[16, 4] w, float[4] c> {
    p = Gemm(x, u, a)  q = Relu(p)  r = Gemm(q, v, b)  s = Relu(r)  y = Gemm(s, w, c) }"""
CNN = """(float[batch, 3, 8, 8] x) => (float[batch, 5] y)
    <float[4, 3, 3, 3] u, float[2, 4, 3, 3] v, float[2, 5] w, float[5] c> {
    p = Conv<pads=[1,1,1,1]>(x, u)  q = Relu(p)  r = MaxPool<kernel_shape=[2,2], strides=[2,2]>(q)
    s = Conv<pads=[1,1,1,1]>(r, v)  t = GlobalAveragePool(s)  f = Flatten(t)  y = Gemm(f, w, c) }"""


def counted(profile: Profile, batch: int = 1) -> tuple[int | None, ...]:
    """(forward MACs, backward MACs, bytes of kept activations)."""
    backward = profile.training["backward_matrix_flops"].value({"batch": batch})
    assert backward is not None
    return (
        profile.forward["macs"].value({"batch": batch}),
        backward // 2,
        profile.memory["activations"].value({"batch": batch}),
    )


@pytest.mark.parametrize("batch", [1, 3])
def test_an_mlp(batch: int) -> None:
    first, rest = 8 * 16, 16 * 16 + 16 * 4
    kept = 4 * (8 + 16 + 16)  # each product's input: x and the two Relus' outputs, which serve the Relus too
    assert counted(walk(graph(MLP)), batch) == (
        batch * (first + rest), batch * (first + 2 * rest), batch * kept
    )  # fmt: skip


@pytest.mark.parametrize("batch", [1, 3])
def test_a_cnn(batch: int) -> None:
    first, second, dense = 64 * 4 * 27, 16 * 2 * 36, 2 * 5
    floats = 3 * 64 + 4 * 64 + 4 * 16 + 2  # x, the Relu's output (the pool needs it too), the pool's, the flat vector
    indices = 8 * 4 * 16  # of the largest entry of each window
    assert counted(walk(graph(CNN)), batch) == (
        batch * (first + second + dense), batch * (first + 2 * (second + dense)), batch * (4 * floats + indices)
    )  # fmt: skip


def test_vector_flops_of_an_mlp() -> None:
    profile = walk(graph(MLP))
    biases, relus = 16 + 16 + 4, 16 + 16
    assert profile.forward["vector_flops"].value({"batch": 1}) == biases + relus
    assert profile.training["backward_vector_flops"].value({"batch": 1}) == biases + relus  # sums of dy; selections
    assert profile.training["optimizer_flops"].formula == 14 * (8 * 16 + 16 + 16 * 16 + 16 + 16 * 4 + 4)
    weights = 4 * (8 * 16 + 16 + 16 * 16 + 16 + 16 * 4 + 4)
    memory = {name: profile.memory[name].formula for name in ("weights", "gradients", "optimizer")}
    assert memory == {"weights": weights, "gradients": weights, "optimizer": 2 * weights}


BACKWARD = {
    # what needs a gradient costs its product once more
    "one layer: its weight alone": ("<float[8, 4] w> { y = MatMul(x, w) }", 1, 8 * 4),
    "two layers: 1 + 2": ("<float[8, 4] w, float[4, 4] v> { h = MatMul(x, w)  y = MatMul(h, v) }", 1, 32 + 2 * 16),
    "a frozen layer behind: its input alone": (
        "<float[8, 4] w, int8[4, 4] v, float[1] s> { h = MatMul(x, w)  d = DequantizeLinear(v, s)  y = MatMul(h, d) }",
        1, 32 + 16,
    ),
    "a frozen layer in front: nothing": (
        "<int8[8, 4] w, float[4, 4] v, float[1] s> { d = DequantizeLinear(w, s)  h = MatMul(x, d)  y = MatMul(h, v) }",
        1, 16,
    ),
    "no weight at all": ("{ t = Transpose(x)  y = MatMul(x, t) }", 3, 0),
    "values times values": (
        "<float[8, 8] w> { h = MatMul(x, w)  t = Transpose(h)  y = MatMul(h, t) }", 3, 3 * 64 + 2 * 3 * 8 * 3,
    ),
    "one weight in two layers": ("<float[8, 8] w> { h = MatMul(x, w)  y = MatMul(h, w) }", 1, 64 + 2 * 64),
    "stopped by an integer": (
        "<float[8, 8] w> { h = MatMul(x, w)  i = Cast<to=7>(h)  f = Cast<to=1>(i)  y = MatMul(f, w) }", 1, 64,
    ),
    "a branch that leads nowhere": (
        "<float[8, 4] w, float[8, 4] v> { h = MatMul(x, v)  y = MatMul(x, w) }", 1, 32,
    ),
    "a weight behind Identity and Transpose": (
        "<float[4, 8] w> { i = Identity(w)  t = Transpose(i)  y = MatMul(x, t) }", 1, 32,
    ),
    "a product of weights": ("<float[8, 2] a, float[2, 4] b> { w = MatMul(a, b)  y = MatMul(x, w) }", 1, 2 * 64 + 32),
}  # fmt: skip


@pytest.mark.parametrize("name", BACKWARD)
def test_backward(name: str) -> None:
    text, batch, macs = BACKWARD[name]
    profile = walk(graph(f"(float[batch, 8] x) => (float[batch, N] y) {text}"))
    assert counted(profile, batch)[1] == macs


KEPT = {
    # 4 bytes a float; batch 1
    "nothing without weights": ("{ r = Relu(x)  y = Mul(r, r) }", 0),
    "a product's input": ("<float[8, 4] w> { y = MatMul(x, w) }", 4 * 8),
    "a tensor once": ("<float[8, 4] w, float[8, 4] v> { h = MatMul(x, w)  g = MatMul(x, v)  y = Add(h, g) }", 4 * 8),
    "seen through a view": (
        "<float[8, 4] w, float[8, 4] v, int64[2] to = {-1, 8}> {"
        " h = MatMul(x, w)  f = Reshape(x, to)  g = MatMul(f, v)  y = Add(h, g) }", 4 * 8,
    ),
    "softmax keeps its output": ("<float[8, 4] w> { h = MatMul(x, w)  y = Softmax(h) }", 4 * (8 + 4)),
    "a norm keeps its input and two statistics": (
        "<float[8, 4] w, float[4] g, float[4] b> { h = MatMul(x, w)  y = LayerNormalization(h, g, b) }",
        4 * (8 + 4) + 4 * 2,
    ),
    "of a product both factors": (
        "<float[8, 4] w, float[8, 4] v> { h = MatMul(x, w)  g = MatMul(x, v)  y = Mul(h, g) }", 4 * (8 + 4 + 4),
    ),
    "a scale keeps nothing": ("<float[8, 4] w, float s = {2.0}> { h = MatMul(x, w)  y = Mul(h, s) }", 4 * 8),
    "addition keeps nothing": ("<float[8, 4] w, float[4] b> { h = MatMul(x, w)  y = Add(h, b) }", 4 * 8),
    "a look-up keeps its indices": (
        "<float[8, 4] w, int64[3] i> { h = MatMul(x, w)  y = Gather<axis=1>(h, i) }", 4 * 8,  # i is in the file
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_kept(name: str) -> None:
    text, size = KEPT[name]
    text = text.replace("int64[3] i", "int64[3] i = {0, 1, 1}")
    assert counted(walk(graph(f"(float[batch, 8] x) => (float[batch, N] y) {text}")))[2] == size


def test_bytes_are_read_and_written_and_views_are_free() -> None:
    text = "(float[batch, 8] x) => (float[batch, 2, 4] y) <int64[3] to = {0, 2, 4}> { r = Relu(x)  y = Reshape(r, to) }"
    profile = walk(graph(text))
    assert str(profile.forward["bytes"].formula) == "64*batch"
    assert [str(node.bytes) for node in profile.nodes] == ["64*batch", "0"]


# Operators without a rule


def test_behind_an_unknown_operator_nothing_is_guessed() -> None:
    profile = walk(
        graph("""(float[batch, 8] x) => (float[batch, 4] y) <float[8, 4] w, float[4, 4] v> {
        h = MatMul(x, w)  z = com.acme.Foo(h)  g = MatMul(z, v)  y = Relu(g) }""")
    )
    assert profile.unsupported == {("com.acme", "Foo"): 1}
    assert len(profile.unreached) == 2
    assert [node.status for node in profile.nodes] == ["known", "unsupported", "unreached", "unreached"]
    assert not profile.complete
    assert (str(profile.forward["macs"].formula), profile.forward["macs"].lower_bound) == ("32*batch", True)
    assert all(
        q.lower_bound for group in (profile.forward, profile.training) for n, q in group.items() if "opt" not in n
    )
    assert not profile.params["trainable"].lower_bound
    assert profile.params["trainable"].formula == 32 + 16  # a weight is there whether its node is reached or not


def test_behind_an_unknown_operator_the_file_s_shapes_are_used() -> None:
    profile = walk(
        graph("""(float[batch, 8] x) => (float[batch, 4] y)
        <float[8, 4] w, float[4, 4] v, float[batch, 4] z> {
        h = MatMul(x, w)  z = com.acme.Foo(h)  g = MatMul(z, v)  y = Relu(g) }""")
    )
    assert (profile.unsupported, profile.unreached) == ({("com.acme", "Foo"): 1}, ())
    assert (str(profile.forward["macs"].formula), profile.forward["macs"].lower_bound) == ("48*batch", True)
    assert counted(profile)[1] == 2 * 16 + 32  # gradients pass through it


def test_an_unknown_operator_s_own_weight() -> None:
    profile = walk(graph("""(float[batch, 8] x) => (float[batch, 4] y) <float[8, 4] w> { y = com.acme.Foo(x, w) }"""))
    assert profile.params["trainable"].formula == 32
    assert profile.forward["macs"].formula == 0
    assert profile.forward["macs"].lower_bound


def test_two_unknown_operators_are_counted() -> None:
    profile = walk(graph("(float[2] x) => (float[2] y) { h = com.acme.Foo(x)  y = com.acme.Foo(h) }"))
    assert profile.unsupported == {("com.acme", "Foo"): 2}


# Graphs that contradict themselves


@pytest.mark.parametrize(
    ("text", "error", "what"),
    [
        ("<float[9, 4] w> { y = MatMul(x, w) }", ShapeError, "8 must equal 9, in MatMul node 'MatMul_0'"),
        ("<float[4, 3, 3, 3] w> { y = Conv(x, w) }", ShapeError, "in Conv node 'Conv_0'"),
        ("<int64[1] to = {5}> { y = Reshape(x, to) }", ShapeError, "in Reshape node 'Reshape_0'"),
        ("<int64 i = {9}> { y = Gather<axis=1>(x, i) }", ShapeError, "10 is more than 8, in Gather node"),
        ("{ y = MatMul(x, z) }", GraphError, "'z'"),
        ("{ h = Relu(y)  y = Relu(h) }", GraphError, "itself"),
        ("{ y = MatMul(x) }", ShapeError, "MatMul needs 2 inputs"),
        ("{ y = Add(x) }", ShapeError, "Add needs 2 inputs"),
        ("{ y = Transpose<perm=[0, 5]>(x) }", ShapeError, "in Transpose node"),
    ],
)
def test_contradictions_name_the_node(text: str, error: type[Exception], what: str) -> None:
    with pytest.raises(error, match=what) as caught:
        walk(graph(f"(float[batch, 8] x) => (float[N, M] y) {text}"))
    assert "\n" not in str(caught.value)


def test_a_shape_the_contents_decide_is_taken_from_the_file_or_unreached() -> None:
    nodes = "n = CumSum(x, zero)  r = Reshape(y, n)  z = Relu(r)"
    text = f"(int64[2] x, float[batch, 8] y) => (z) <int64 zero = {{0}}%s> {{ {nodes} }}"
    profile = walk(graph(text % ""))
    assert not profile.complete
    assert profile.unreached == ("Reshape_1", "Relu_2")
    declared = walk(graph(text % ", float[rows, 4] r"))
    assert declared.complete
    assert [str(dim) for dim in declared.outputs["z"] or ()] == ["rows", "4"]
