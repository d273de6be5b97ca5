"""Operators a file defines itself."""

from __future__ import annotations

import onnx
import pytest
from onnx import helper

from scalecalc.errors import FileError, GraphError

node = helper.make_node
DOMAINS = ("", "local")


def function(name: str, nodes: list[onnx.NodeProto], *attributes: str, opset: int = 17, **more) -> onnx.FunctionProto:
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("local", 1)]
    return helper.make_function("local", name, ["a"], ["b"], nodes, imports, list(attributes), **more)


def call(name: str, x: str = "x", y: str = "y", **attributes) -> onnx.NodeProto:
    return node(name, [x], [y], domain="local", **attributes)


def referring(op_type: str, **references: str) -> onnx.NodeProto:
    made = node(op_type, ["a"], ["b"])
    for name, reference in references.items():
        made.attribute.add(name=name, ref_attr_name=reference, type=onnx.AttributeProto.INTS)
    return made


def test_bodies_have_their_own_operator_set_and_constants(load) -> None:
    body = [
        node("Constant", [], ["c"], value_float=2.0),
        node("Mul", ["h", "c"], ["b"]),
        node("Squeeze", ["a"], ["h"], axes=[0]),
    ]
    graph = load([call("F"), call("F", "y", "z")], functions=(function("F", body, opset=11),), domains=DOMAINS)
    found = graph.functions["local", "F"]
    assert [each.op_type for each in found.nodes] == ["Constant", "Constant", "Squeeze", "Mul"]
    held = [each.attributes["value"] for each in found.nodes[:2]]
    assert [(tensor.name, tensor.value) for tensor in held] == [("c", (2.0,)), ("h.axes", (0,))]
    assert (found.inputs, found.outputs) == (("a",), ("b",))
    assert [each.op_type for each in graph.nodes] == ["F", "F"]


def test_each_set_of_attributes_is_a_body_of_its_own(load) -> None:
    inner = function("Inner", [referring("ReduceSum", axes="axes")], "axes", opset=11)
    outer_call = call("Inner", "a", "b")
    outer_call.attribute.add(name="axes", ref_attr_name="dims", type=onnx.AttributeProto.INTS)
    default = helper.make_attribute("dims", [9])
    outer = function("Outer", [outer_call], attribute_protos=[default])
    graph = load(
        [
            call("Inner", "x", "p", axes=[1]),
            call("Inner", "p", "q"),
            call("Outer", "q", "r", dims=[1]),
            call("Outer", "r", "y"),
        ],
        functions=(inner, outer),
        domains=DOMAINS,
    )
    assert [each.op_type for each in graph.nodes] == ["Inner", "Inner#2", "Outer", "Outer#2"]
    axes = {
        name: [each.attributes["value"].value for each in found.nodes if each.op_type == "Constant"]
        for (_, name), found in graph.functions.items()
    }
    assert axes == {"Inner": [(1,)], "Inner#2": [], "Outer": [], "Outer#2": [], "Inner#3": [(9,)]}
    assert graph.functions["local", "Outer"].nodes[0].op_type == "Inner"
    assert graph.functions["local", "Outer#2"].nodes[0].op_type == "Inner#3"


def test_references_reach_into_bodies(load) -> None:
    branch = helper.make_graph(
        [referring("ReduceSum", axes="axes")], "g", [], [helper.make_tensor_value_info("b", 1, None)]
    )
    made = function("F", [node("If", ["a"], ["b"], then_branch=branch, else_branch=branch)], "axes", opset=11)
    graph = load([call("F", axes=[2])], functions=(made,), domains=DOMAINS)
    body = graph.functions["local", "F"].nodes[0].attributes["then_branch"]
    assert body.initializers["b.axes"].value == (2,)


def test_functions_nobody_calls_are_left_out(load) -> None:
    assert not load([node("Relu", ["x"], ["y"])], functions=(function("F", [referring("Relu")]),)).functions


def test_overloads(load) -> None:
    first, second = function("F", [node("Relu", ["a"], ["b"])]), function("F", [node("Exp", ["a"], ["b"])])
    second.overload = "fast"
    fast = call("F", "h")
    fast.overload = "fast"
    graph = load([call("F", "x", "h"), fast], functions=(first, second), domains=DOMAINS)
    assert [graph.functions["local", each.op_type].nodes[0].op_type for each in graph.nodes] == ["Relu", "Exp"]


@pytest.mark.parametrize(
    ("functions", "error", "message"),
    [
        ((function("F", [call("F", "a", "b")]),), GraphError, "function 'F' depends on itself"),
        ((function("F", [call("G", "a", "b")]), function("G", [call("F", "a", "b")])), GraphError, "depends on itself"),
        ((function("F", [node("Relu", ["x"], ["b"])]),), GraphError, "nothing in function 'F' defines 'x'"),
        ((function("F", [node("Relu", ["a"], ["c"])]),), GraphError, "nothing in function 'F' defines 'b'"),
        ((function("F", [node("Relu", ["a"], ["b"])], opset=6),), FileError, "operator set 6"),
    ],
)
def test_contradictions(load, functions, error, message) -> None:
    with pytest.raises(error, match=message):
        load([call("F")], functions=functions, domains=DOMAINS)


def test_a_long_chain_of_functions_needs_no_recursion(load) -> None:
    chain = tuple(function(f"F{index}", [call(f"F{index + 1}", "a", "b")]) for index in range(2000))
    end = function("F2000", [node("Relu", ["a"], ["b"])])
    assert len(load([call("F0")], functions=(*chain, end), domains=DOMAINS).functions) == 2001


def test_exploding_functions_are_refused(load) -> None:
    """Each calls the next twice, with two attributes in two orders: 2^n bodies."""

    def step(index: int) -> onnx.FunctionProto:
        calls = [call(f"F{index + 1}", "a", "h"), call(f"F{index + 1}", "h", "b")]
        for each, bit in zip(calls, (0, 1), strict=True):
            for place in range(20):
                if place == index:
                    each.attribute.append(helper.make_attribute(f"p{place}", bit))
                else:
                    each.attribute.add(name=f"p{place}", ref_attr_name=f"p{place}", type=onnx.AttributeProto.INT)
        return function(f"F{index}", calls, *(f"p{place}" for place in range(20)))

    with pytest.raises(FileError, match="more than 10,000 ways"):
        load([call("F0")], functions=tuple(step(index) for index in range(20)), domains=DOMAINS)
