"""Functions, loops and branches count as what they do, as often as they run."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import scalecalc
from scalecalc.errors import GraphError
from scalecalc.ir import unfold

DOMAINS = [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)]


def weight(name: str, *shape: int) -> onnx.NodeProto:
    values = np.random.default_rng(len(name)).normal(size=shape).astype(np.float32)
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(values))


def saved(tmp_path: Path, nodes: list[onnx.NodeProto], functions: list[onnx.FunctionProto]) -> Path:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [x], [y])
    path = tmp_path / "functions.onnx"
    onnx.save(helper.make_model(graph, opset_imports=DOMAINS, functions=functions), path)
    return path


def dense() -> onnx.FunctionProto:
    """x -> relu(x W), W of 8 x 8 inside the function."""
    nodes = [weight("W", 8, 8), helper.make_node("MatMul", ["a", "W"], ["h"]), helper.make_node("Relu", ["h"], ["b"])]
    return helper.make_function("local", "Dense", ["a"], ["b"], nodes, DOMAINS[:1])


def test_two_calls_cost_twice_and_share_their_weight(tmp_path: Path) -> None:
    calls = [
        helper.make_node("Dense", ["x"], ["m"], domain="local", name="one"),
        helper.make_node("Dense", ["m"], ["y"], domain="local", name="two"),
    ]
    profile = scalecalc.profile(saved(tmp_path, calls, [dense()]))
    assert str(profile.forward["macs"].formula) == "128*batch"  # 2 x 8 x 8
    assert profile.params["trainable"].formula == 64
    assert [node.name for node in profile.nodes if node.op_type == "MatMul"] == ["one/MatMul_1", "two/MatMul_1"]
    assert profile.complete


def test_functions_that_call_functions(tmp_path: Path) -> None:
    inner = [helper.make_node("Dense", [a], [b], domain="local") for a, b in (("a", "h"), ("h", "b"))]
    pair = helper.make_function("local", "Pair", ["a"], ["b"], inner, DOMAINS)
    calls = [
        helper.make_node("Pair", ["x"], ["m"], domain="local"),
        helper.make_node("Pair", ["m"], ["y"], domain="local"),
    ]
    profile = scalecalc.profile(saved(tmp_path, calls, [dense(), pair]))
    assert str(profile.forward["macs"].formula) == "256*batch"  # 4 x 8 x 8


def test_an_output_that_is_an_input_or_a_constant(tmp_path: Path) -> None:
    nodes = [weight("w", 8), helper.make_node("Relu", ["a"], ["r"])]
    function = helper.make_function("local", "Odd", ["a"], ["a", "w", "r"], nodes, DOMAINS[:1])
    calls = [
        helper.make_node("Odd", ["x"], ["p", "q", "r"], domain="local"),
        helper.make_node("Mul", ["p", "q"], ["pq"]),
        helper.make_node("Add", ["pq", "r"], ["y"]),
    ]
    profile = scalecalc.profile(saved(tmp_path, calls, [function]))
    assert profile.params["trainable"].formula == 8
    assert [str(dim) for dim in profile.outputs["y"] or ()] == ["batch", "8"]


def test_functions_that_unfold_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfold, "MOST_STEPS", 100)
    functions = [dense()]
    for level in range(8):
        callee = "Dense" if level == 0 else f"F{level - 1}"
        twice = [helper.make_node(callee, [a], [b], domain="local") for a, b in (("a", "h"), ("h", "b"))]
        functions.append(helper.make_function("local", f"F{level}", ["a"], ["b"], twice, DOMAINS))
    path = saved(tmp_path, [helper.make_node("F7", ["x"], ["y"], domain="local")], functions)
    with pytest.raises(GraphError, match="unfold"):
        scalecalc.profile(path)
