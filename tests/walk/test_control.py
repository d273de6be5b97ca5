"""Loops and branches count as what they do, as often as they run."""

import onnx
import pytest

from scalecalc.errors import GraphError, ShapeError
from scalecalc.walk import walk
from tests.walk.graphs import graph, load, model

LOOP = """
(float[batch, 512] x%s) => (y) <float[512, 512] w, bool on = {1}%s> {
    y, all = Loop(%s, on, x) <body = b (int64 i, bool go, float[batch, 512] h) => (bool same, float[batch, 512] k, k2) {
        same = Identity(go)
        p = MatMul(h, w)
        k = Relu(p)
        k2 = Identity(k)
    }>
}
"""


def test_a_loop_counts_as_often_as_it_runs() -> None:
    profile = walk(graph(LOOP % ("", ", int64 n = {10}", "n")))
    assert str(profile.forward["macs"].formula) == f"{10 * 512 * 512}*batch"
    assert profile.params["trainable"].formula == 512 * 512
    # the body's input needs a gradient in every run: it is made with the weight in the run before
    assert str(profile.training["backward_matrix_flops"].formula) == f"{2 * 2 * 10 * 512 * 512}*batch"
    assert profile.complete
    assert [str(dim) for dim in profile.outputs["y"] or ()] == ["batch", "512"]


def test_a_count_the_file_does_not_fix_is_a_symbol() -> None:
    profile = walk(graph(LOOP % (", int64 n", "", "n")))
    assert profile.forward["macs"].value({"batch": 2, "trips_0": 7}) == 7 * 2 * 512 * 512
    assert profile.symbols["trips_0"].kind == "data"


def test_scan_runs_along_its_sequence() -> None:
    text = """
    (float[batch, 4] h0, float[seq, batch, 6] x) => (h, hs) <float[6, 4] w, float[4, 4] u> {
        h, hs = Scan <num_scan_inputs = 1, body = b (float[batch, 4] s, float[batch, 6] e)
            => (float[batch, 4] t, float[batch, 4] o) {
            a = MatMul(e, w)
            b = MatMul(s, u)
            c = Add(a, b)
            t = Tanh(c)
            o = Identity(t)
        }> (h0, x)
    }
    """
    profile = walk(graph(text))
    assert profile.forward["macs"].value({"batch": 3, "seq": 5}) == 5 * 3 * (6 * 4 + 4 * 4)
    assert [str(dim) for dim in profile.outputs["hs"] or ()] == ["seq", "batch", "4"]
    assert profile.params["trainable"].formula == 6 * 4 + 4 * 4


BRANCHES = """
(float[batch, 8] x, bool c) => (y) <float[8, 8] w, float[8, 8] v%s> {
    y = If (%s) <then_branch = t () => (float[batch, 8] a) { a = MatMul(x, w) },
                 else_branch = e () => (float[batch, 8] b) { p = MatMul(x, v)  q = MatMul(p, w)  b = Relu(q) }>
}
"""


def test_an_if_counts_its_dearer_branch_and_says_so() -> None:
    profile = walk(graph(BRANCHES % ("", "c")))
    assert str(profile.forward["macs"].formula) == f"{2 * 8 * 8}*batch"
    assert profile.params["trainable"].formula == 2 * 8 * 8
    assert any("else_branch" in note for note in profile.notes)


@pytest.mark.parametrize(("condition", "macs"), [(1, 8 * 8), (0, 2 * 8 * 8)])
def test_an_if_the_file_decides_counts_what_runs(condition: int, macs: int) -> None:
    profile = walk(graph(BRANCHES % (f", bool yes = {{{condition}}}", "yes")))
    assert str(profile.forward["macs"].formula) == f"{macs}*batch"
    assert not profile.notes


def test_equal_branches_count_once() -> None:
    text = (BRANCHES % ("", "c")).replace("p = MatMul(x, v)  q = MatMul(p, w)  b = Relu(q)", "b = MatMul(x, v)")
    assert str(walk(graph(text)).forward["macs"].formula) == f"{8 * 8}*batch"


def test_loops_in_loops_multiply() -> None:
    text = """
    (float[batch, 8] x) => (y) <float[8, 8] w, bool on = {1}, int64 n = {3}, int64 m = {5}> {
        y = Loop(n, on, x) <body = a (int64 i, bool go, float[batch, 8] h) => (bool go2, float[batch, 8] k) {
            go2 = Identity(go)
            k = Loop(m, go, h) <body = b (int64 j, bool on2, float[batch, 8] s) => (bool on3, float[batch, 8] t) {
                on3 = Identity(on2)
                t = MatMul(s, w)
            }>
        }>
    }
    """
    assert str(walk(graph(text)).forward["macs"].formula) == f"{3 * 5 * 8 * 8}*batch"


SCAN_ALL = """(float[batch, 4] h0, float[100, batch, 6] x) => (hs) <float[6, 4] w, float[4, 4] u> {
    %shs = Scan <num_scan_inputs = 1, body = b (float[batch, 4] s, float[batch, 6] e)
        => (float[batch, 4] t, float[batch, 4] o) {
        a = MatMul(e, w)  c = MatMul(s, u)  d = Add(a, c)  t = Tanh(d)  o = Identity(t)
    }> (h0, x)
}"""


@pytest.mark.parametrize("state", ["h, ", '"", '])
def test_state_needs_a_gradient_whether_it_is_asked_for_or_not(state: str) -> None:
    proto = model(SCAN_ALL % "h, ")
    if state != "h, ":
        proto.graph.node[0].output[0] = ""
    profile = walk(load(proto))
    # forward 100 runs of 6*4 + 4*4; backward the weights' gradients, and the state's: the input needs none
    assert str(profile.forward["macs"].formula) == f"{100 * (24 + 16)}*batch"
    assert str(profile.training["backward_matrix_flops"].formula) == f"{2 * 100 * (24 + 2 * 16)}*batch"


def test_a_scan_keeps_each_entry_of_its_sequence_once() -> None:
    profile = walk(graph(SCAN_ALL % "h, "))
    # the sequence 100*6, the states 100*4 (also tanh's outputs), and the first one: 4 bytes each
    assert str(profile.memory["activations"].formula) == f"{4 * (100 * 6 + 100 * 4 + 4)}*batch"


TWO_LOOPS = """(float[batch, 8] x) => (y) <float[8, 8] w, bool on = {1}, int64 n = {10}, int64 m = {3}> {
    h = Loop(n, on, x) <body = b (int64 i, bool go, float[batch, 8] s) => (bool go2, float[batch, 8] t) {
        go2 = Identity(go)  t = MatMul(s, w)
    }>
    y = Loop(m, on, h) <body = b (int64 i, bool go, float[batch, 8] s) => (bool go2, float[batch, 8] t) {
        go2 = Identity(go)  t = MatMul(s, w)
    }>
}"""


def test_loops_of_one_name_are_two() -> None:
    proto = model(TWO_LOOPS)
    for node in proto.graph.node:
        node.name = "loop"
    assert str(walk(load(proto)).forward["macs"].formula) == f"{13 * 64}*batch"


@pytest.mark.parametrize(("n", "macs"), [(-4, "0"), (2**63 - 1, "64*batch*trips_0")])
def test_counts_that_are_none(n: int, macs: str) -> None:
    text = TWO_LOOPS[: TWO_LOOPS.index("    y = Loop")].replace("h = Loop", "y = Loop").replace("{10}", f"{{{n}}}")
    assert str(walk(graph(text + "}")).forward["macs"].formula) == macs


def test_a_condition_that_may_end_a_loop_makes_its_count_a_bound() -> None:
    text = TWO_LOOPS[: TWO_LOOPS.index("    y = Loop")].replace("h = Loop", "y = Loop")
    text = text.replace(
        "go2 = Identity(go)", "k = ReduceSum<keepdims=0>(s)  l = ReduceMax<keepdims=0>(s)  go2 = Less(k, l)"
    )
    profile = walk(graph(text + "}"))
    assert str(profile.forward["macs"].formula) == "64*batch*trips_0"
    assert profile.symbols["trips_0"].bound == 10


@pytest.mark.parametrize("change", ["scan_output_axes", "num_scan_inputs"])
def test_bodies_that_do_not_fit_are_refused(change: str) -> None:
    proto = model(SCAN_ALL % "h, ")
    attributes = proto.graph.node[0].attribute
    kept = [a for a in attributes if a.name != change]
    del attributes[:]
    attributes.extend(kept)
    attributes.append(onnx.helper.make_attribute(change, 9 if change == "num_scan_inputs" else "x"))
    with pytest.raises((GraphError, ShapeError), match="Scan_0"):
        walk(load(proto))


def test_a_branch_the_file_selects_counts_even_where_it_is_cheap() -> None:
    text = BRANCHES % (", bool yes = {0}", "yes")
    text = text.replace("p = MatMul(x, v)  q = MatMul(p, w)  b = Relu(q)", "b = Transpose<perm=[0, 1]>(x)")
    profile = walk(graph(text))
    assert str(profile.forward["macs"].formula) == "0"
    assert not profile.notes


def test_a_value_neither_branch_is_known_to_make_is_unreached() -> None:
    text = """
    (float[batch, 8] x, bool c) => (y) <float[8, 8] w> {
        z = com.acme.Odd(x)
        v = If (c) <then_branch = t () => (a) { a = Relu(z) }, else_branch = e () => (b) { b = Tanh(z) }>
        y = MatMul(x, w)
        u = Add(v, y)
    }
    """
    profile = walk(graph(text))
    assert profile.unsupported == {("com.acme", "Odd"): 1}
    assert str(profile.forward["macs"].formula) == "64*batch"
    assert len(profile.unreached) == 4  # both branches, what joins them, the sum
