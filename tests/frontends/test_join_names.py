"""What a joint model calls its dimensions, values and functions, and which stored tensors are one."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from scalecalc import profile
from scalecalc.frontends.join import joined
from scalecalc.walk import walk
from tests.frontends.conftest import Files, with_weight
from tests.walk.graphs import graph, model

# Dimensions


def test_equal_names_are_equal_only_through_a_shared_value(files: Files) -> None:
    """`n` of the second file is a length of its own; what the joint value calls `m` is the first file's `n`."""
    first = "(float[n, k, 4] x) => (float[n, k, 4] h) <float[4, 4] w> { h = MatMul(x, w) }"
    second = "(float[m, k, 4] h, float[n, 2] z) => (float[m, k, 2] y, float[n, 3] u) " + (
        "<float[4, 2] v, float[2, 3] r> { y = MatMul(h, v) u = MatMul(z, r) }"
    )
    found = profile(files(first=first, second=second))
    assert str(found.forward["macs"].formula) == "24*n*k + 6*second_n"
    assert list(map(str, found.inputs["z"])) == ["second_n", "2"]


def test_a_number_of_a_later_file_holds_for_the_earlier_one(files: Files) -> None:
    first = "(float[n, t, 4] x) => (float[n, t, 4] h) <float[4, 4] w> { h = MatMul(x, w) }"
    second = "(float[n, 7, 4] h) => (float[n, 7, 2] y) <float[4, 2] v> { y = MatMul(h, v) }"
    found = profile(files(first=first, second=second))
    assert str(found.forward["macs"].formula) == "168*n"  # 7 * (16 + 8)
    assert "t is 7: second takes no other" in found.notes
    backwards = "(float[n, t, 4] h) => (float[n, t, 2] y) <float[4, 2] v> { y = MatMul(h, v) }"
    fixed = profile(files(first=first.replace("t,", "7,"), second=backwards))
    assert str(fixed.forward["macs"].formula) == "168*n"


def test_expressions_follow_their_names(files: Files) -> None:
    first = "(float[n, a] x) => (float[n, a] h) { h = Relu(x) }"
    second = model("(float[n, b] h, float[n, c] z) => (float[n, b] y) { y = Relu(h) }")
    second.graph.input[1].type.tensor_type.shape.dim[1].dim_param = "2*b + a"
    found = profile(files(first=first, second=second))
    assert list(map(str, found.inputs["z"])) == ["n", "2*a + second_a"]


@pytest.mark.parametrize("name", ["unk__3", "s0", "x_dim_1"])
def test_names_exporters_make_up_stay_such_names(files: Files, name: str) -> None:
    first = f"(float[n, {name}, 4] x) => (float[n, {name}, 4] h) <float[4, 4] w> {{ h = MatMul(x, w) }}"
    second = f"(float[n, k, 4] h, float[{name}, 5] z) => (float[n, k, 2] y) <float[4, 2] v> {{ y = MatMul(h, v) }}"
    found = profile(files(first=first, second=second))
    assert {str(dim) for dims in found.inputs.values() for dim in dims} <= {"n", "seq", "batch", "4", "5"}


# Stored tensors


SAME = "(float[n, 4] {0}) => (float[n, 4] {1}) <float[4, 4] w> {{ {1} = MatMul({0}, w) }}"


@pytest.mark.parametrize(("mine", "its", "params"), [(1.0, 1.0, 16), (1.0, 2.0, 32)])
def test_equal_contents_count_once(files: Files, mine: float, its: float, params: int) -> None:
    paths = files(a=with_weight(SAME.format("x", "y"), "w", mine), b=with_weight(SAME.format("y", "z"), "w", its))
    assert profile(paths).params["trainable"].formula == params


OTHER = "(float[n, 4] y) => (float[n, 4] z) <float[4, 4] {0}, float[4] g> {{ a = MatMul(y, {0}) z = Mul(a, g) }}"
NORMED = "(float[n, 4] x) => (float[n, 4] y) <float[4, 4] w, float[4] s> { a = MatMul(x, w) y = Mul(a, s) }"


def test_matrices_of_other_names_are_one_by_their_contents(files: Files) -> None:
    """The random w of the first file is the random table of the second; vectors may be equal by chance."""
    assert profile(files(a=NORMED, b=OTHER.format("table"))).params["trainable"].formula == 16 + 4 + 4


def test_what_initialisation_makes_twice_is_two(files: Files) -> None:
    """Matrices of ones with other names."""
    paths = files(a=with_weight(NORMED, "w", 1.0), b=with_weight(OTHER.format("table"), "table", 1.0))
    assert profile(paths).params["trainable"].formula == 2 * 16 + 4 + 4


def test_contents_in_sidecars_count_apart(files: Files) -> None:
    protos = [with_weight(SAME.format(*pair), "w", 1.0) for pair in (("x", "y"), ("y", "z"))]
    tensor = protos[1].graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    found = profile(files(a=protos[0], b=protos[1]))
    assert found.params["trainable"].formula == 32
    assert found.notes[-1].startswith("1 tensor of a name and shape other files have, contents in sidecars")


def test_contents_beyond_one_piece_are_compared_to_the_end(files: Files) -> None:
    """1,200 x 1,200 numbers of which the last one differs."""
    text = "(float[n, 1200] {0}) => (float[n, 1200] {1}) <float[1200, 1200] w> {{ {1} = MatMul({0}, w) }}"
    protos = [with_weight(text.format(*pair), "w", 1.0) for pair in (("x", "y"), ("y", "z"))]
    assert profile(files(a=protos[0], b=protos[1])).params["trainable"].formula == 1_440_000
    raw = protos[1].graph.initializer[0].raw_data
    protos[1].graph.initializer[0].raw_data = raw[:-1] + b"\0"
    assert profile(files(a=protos[0], b=protos[1])).params["trainable"].formula == 2_880_000


# Names


def test_functions_of_one_name_stay_two(files: Files) -> None:
    def calling(op: str, source: str, result: str) -> onnx.ModelProto:
        body = [helper.make_node(op, ["a"], ["b"])]
        function = helper.make_function("local", "F", ["a"], ["b"], body, [helper.make_opsetid("", 23)])
        types = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", 4)) for name in (source, result)]
        node = helper.make_node("F", [source], [result], domain="local")
        opsets = [helper.make_opsetid("", 23), helper.make_opsetid("local", 1)]
        inner = helper.make_graph([node], "g", types[:1], types[1:])
        return helper.make_model(inner, opset_imports=opsets, functions=[function], ir_version=10)

    found = profile(files(a=calling("Relu", "x", "y"), b=calling("Gelu", "y", "z")))
    assert [node.op_type for node in found.nodes] == ["Relu", "Gelu"]
    assert str(found.forward["vector_flops"].formula) == "24*n"  # 1 and 5 for each of 4
    same = profile(files(a=calling("Relu", "x", "y"), b=calling("Relu", "y", "z")))
    assert str(same.forward["vector_flops"].formula) == "8*n"


def test_bodies_see_the_new_names(files: Files) -> None:
    """A Loop in the second file uses a weight around it and the joint value."""
    first = "(float[n, 4] x) => (float[n, 4] h) <float[4, 4] w> { h = MatMul(x, w) }"
    second = """(float[n, 4] h) => (float[n, 4] y) <float[4, 4] w, int64 trips = {3}, bool go = {1}>
    { y = Loop(trips, go, h) <body = b (int64 i, bool c, float[n, 4] s) => (bool c2, float[n, 4] t)
    { c2 = Identity(c) t = MatMul(s, w) }> }"""
    found = profile(files(first=with_weight(first, "w", 1.0), second=with_weight(second, "w", 2.0)))
    assert str(found.forward["macs"].formula) == "64*n"  # 16 and 3 times 16


def test_files_of_one_name_are_called_after_their_folders(tmp_path: Path) -> None:
    paths = []
    for folder, text in (("encoder", SAME.format("x", "y")), ("decoder", SAME.format("y", "z"))):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "model.onnx")
        paths[-1].write_bytes(model(text).SerializeToString())
    assert profile(paths).name == "encoder_model+decoder_model"


def test_values_named_like_the_prefix_stay_apart() -> None:
    """An input of the first graph has the name an inner value of the second one would get."""
    first = graph("(float[n, 4] x) => (float[n, 4] y) { y = Relu(x) }")
    second = graph("(float[n, 4] y, float[n, 4] q) => (float[n, 4] z) { a = Exp(y) b = Add(a, q) z = Relu(b) }")
    first.name, second.name = "one", "two"
    first.inputs = {"two/a": first.inputs["x"]}
    first.nodes[0].inputs = ("two/a",)
    found = walk(joined([first, second]))
    assert list(found.inputs) == ["two/a", "q"]
    assert [node.name.partition("/")[0] for node in found.nodes] == ["one", "two_", "two_", "two_"]


def chained(source: str, result: str, seed: int, count: int) -> onnx.ModelProto:
    """Products with matrices that begin and end alike and differ in between, `same` last."""
    generator = np.random.default_rng(seed)
    nodes, tensors = [], []
    for i in range(count):
        matrix = np.eye(16, dtype=np.float32)
        matrix[8] = 1 if i == count - 1 else generator.normal(size=16)
        name = "same" if i == count - 1 else f"w{seed}_{i}"
        tensors.append(numpy_helper.from_array(matrix, name))
        ends = source if i == 0 else f"h{i}", result if i == count - 1 else f"h{i + 1}"
        nodes.append(helper.make_node("MatMul", [ends[0], name], [ends[1]]))
    types = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 16]) for name in (source, result))
    body = helper.make_graph(nodes, "g", [next(types)], [next(types)], tensors)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)])


def test_many_tensors_that_begin_and_end_alike_are_compared_at_once(files: Files) -> None:
    count = 2000
    paths = files(first=chained("x", "h", 1, count), second=chained("h", "y", 2, count))
    start = time.process_time()
    found = profile(paths)
    assert time.process_time() - start < 5
    assert found.params["trainable"].formula == (2 * count - 1) * 16 * 16  # the one both call `same` once
