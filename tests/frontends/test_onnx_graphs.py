"""What a graph holds once read: types, constants, bodies, order; and how contradictions are told."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from scalecalc.errors import FileError, GraphError
from scalecalc.frontends.onnx import read
from scalecalc.ir.graph import Graph, Initializer, TensorType

LIGHT = Path(os.path.dirname(onnx.__file__)) / "backend/test/data/light"
node = helper.make_node


@pytest.mark.parametrize(
    ("name", "nodes", "weights"),
    # weights: elements, BatchNorm statistics included; AlexNet, ResNet-50 (25,557,032 + 53,120) and VGG-19 as published
    [
        ("bvlc_alexnet", 40, 60_965_224),
        ("densenet121", 1746, 8_146_152),
        ("inception_v1", 237, 6_998_552),
        ("inception_v2", 916, 11_234_792),
        ("resnet50", 415, 25_610_152),
        ("shufflenet", 446, 1_420_152),
        ("squeezenet", 105, 1_235_496),
        ("vgg19", 82, 143_667_240),
        ("zfnet512", 38, 87_250_536),
    ],
)
def test_light_models_make_their_weights_with_constant_of_shape(name: str, nodes: int, weights: int) -> None:
    graph = read(LIGHT / f"light_{name}.onnx")
    assert graph.metadata["nodes"] == str(nodes)
    assert not any(node.op_type in ("Constant", "ConstantOfShape") for node in graph.nodes)
    assert list(graph.inputs.values()) == [TensorType("float32", (1, 3, 224, 224))]
    fed = {name for node in graph.nodes if node.op_type != "Dropout" for name in node.inputs}
    tensors = (tensor for name, tensor in graph.initializers.items() if name in fed and tensor.dtype == "float32")
    assert sum(int(np.prod(tensor.shape)) for tensor in tensors) == weights


@pytest.mark.parametrize(
    ("attributes", "dtype", "shape", "value", "stored"),
    [
        ({"value_int": 7}, "int64", (), (7,), 8),
        ({"value_ints": [1, -2]}, "int64", (2,), (1, -2), 16),
        ({"value_float": 0.5}, "float32", (), (0.5,), 4),
        ({"value_floats": [0.5, 1.5]}, "float32", (2,), (0.5, 1.5), 8),
        ({"value_string": "ab"}, "string", (), None, 2),
        ({"value_strings": ["ab", "c"]}, "string", (2,), None, 3),
        ({"value": numpy_helper.from_array(np.arange(6).reshape(2, 3))}, "int64", (2, 3), (0, 1, 2, 3, 4, 5), 48),
        ({"value": numpy_helper.from_array(np.zeros(65, np.float16))}, "float16", (65,), None, 130),
        (
            {
                "sparse_value": helper.make_sparse_tensor(
                    helper.make_tensor("v", TensorProto.FLOAT, [2], [1, 2]),
                    helper.make_tensor("i", TensorProto.INT64, [2], [3, 9]),
                    [4, 5],
                )
            },
            "float32", (4, 5), None, 8 + 16,
        ),
    ],
)  # fmt: skip
def test_every_form_of_constant(load, attributes, dtype, shape, value, stored) -> None:
    graph = load([node("Constant", [], ["c"], **attributes), node("Foo", ["x", "c"], ["y"])])
    assert graph.initializers == {"c": Initializer("c", dtype, shape, value, stored)}
    assert [each.op_type for each in graph.nodes] == ["Foo"]
    assert graph.nodes[0].name == "Foo_1"
    assert graph.metadata["nodes"] == "2"


@pytest.mark.parametrize(
    ("kind", "values", "dtype", "stored"),
    [
        (TensorProto.FLOAT, [0.5, -1.5], "float32", 8),
        (TensorProto.DOUBLE, [0.1, 2.0], "float64", 16),
        (TensorProto.FLOAT16, [0.5, -2.0], "float16", 4),
        (TensorProto.BFLOAT16, [0.5, -2.0], "bfloat16", 4),
        (TensorProto.INT8, [-3, 4], "int8", 2),
        (TensorProto.UINT8, [3, 200], "uint8", 2),
        (TensorProto.INT16, [-3, 4], "int16", 4),
        (TensorProto.UINT16, [3, 60000], "uint16", 4),
        (TensorProto.INT32, [-3, 4], "int32", 8),
        (TensorProto.UINT32, [3, 2**32 - 1], "uint32", 8),
        (TensorProto.INT64, [-3, 2**62], "int64", 16),
        (TensorProto.UINT64, [3, 2**64 - 1], "uint64", 16),
        (TensorProto.BOOL, [True, False], "bool", 2),
        (TensorProto.INT4, [-8, 7, 3], "int4", 2),
        (TensorProto.UINT4, [15, 7, 3], "uint4", 2),
    ],
)
@pytest.mark.parametrize("raw", [False, True])
def test_small_contents(load, kind, values, dtype, stored, raw) -> None:
    tensor = helper.make_tensor("c", kind, [len(values)], values)
    if raw:
        tensor = numpy_helper.from_array(numpy_helper.to_array(tensor), "c")
    held = load([node("Foo", ["x", "c"], ["y"])], tensors=(tensor,)).initializers["c"]
    assert held == Initializer("c", dtype, (len(values),), tuple(values), stored)


@pytest.mark.parametrize(
    ("kind", "bits"), [("FLOAT8E4M3FN", 8), ("FLOAT8E5M2", 8), ("COMPLEX64", 64), ("FLOAT4E2M1", 4)]
)
def test_contents_nobody_computes_shapes_with_stay_unread(load, kind, bits) -> None:
    tensor = TensorProto(name="c", dims=[6], data_type=TensorProto.DataType.Value(kind), raw_data=bytes(6 * bits // 8))
    held = load([node("Foo", ["x", "c"], ["y"])], tensors=(tensor,)).initializers["c"]
    assert held.value is None
    assert held.stored_bytes == 6 * bits // 8
    assert held.dtype == kind.lower().replace("float8e", "float8_e").replace("float4e2m1", "float4_e2m1fn")


def test_every_element_type_of_onnx_is_known(load) -> None:
    for name, number in TensorProto.DataType.items():
        if name not in ("UNDEFINED", "STRING"):
            tensor = TensorProto(name="c", dims=[100], data_type=number)
            held = load([node("Foo", ["x", "c"], ["y"])], tensors=(tensor,)).initializers["c"]
            assert held.dtype, name
            assert held.stored_bytes >= 25, name


def test_external_weights_are_never_opened(load) -> None:
    tensor = TensorProto(name="c", dims=[1000, 3], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/nowhere/weights.bin")
    held = load([node("Foo", ["x", "c"], ["y"])], tensors=(tensor,)).initializers["c"]
    assert held == Initializer("c", "float32", (1000, 3), None, 12_000)


def test_types_as_the_file_declares_them(load) -> None:
    info = helper.make_tensor_value_info
    infos = {
        "a": ((2, "batch", None, "past + seq"), (2, "batch", None, "past + seq")),
        "b": ((0, -1, "?", ""), (None,) * 4),
        "c": (None, None),
        "d": ((), ()),
    }
    graph = helper.make_graph(
        [node("Foo", list(infos), ["y"])],
        "g",
        [info(name, TensorProto.INT64, shape) for name, (shape, _) in infos.items()]
        + [helper.make_tensor_sequence_value_info("e", TensorProto.FLOAT, None), info("w", 1, [3])],
        [info("y", TensorProto.BFLOAT16, None)],
        [helper.make_tensor("w", TensorProto.FLOAT, [3], [1, 2, 3])],
        value_info=[info("inner", TensorProto.BOOL, ["n"])],
    )
    read_back = load(graph)
    assert read_back.inputs == {
        **{name: TensorType("int64", wanted) for name, (_, wanted) in infos.items()},
        "e": TensorType("", None),
    }  # and not w, which is stored
    assert read_back.outputs == {"y": TensorType("bfloat16", None)}
    assert read_back.value_info == {"inner": TensorType("bool", ("n",))}


def test_constant_of_shape_with_known_shape_is_stored(load) -> None:
    fill = helper.make_tensor("", TensorProto.INT64, [1], [3])
    graph = load(
        [
            node("Constant", [], ["s"], value_ints=[2, 2]),
            node("ConstantOfShape", ["s"], ["a"], value=fill),
            node("ConstantOfShape", ["t"], ["b"]),
            node("Shape", ["x"], ["u"]),
            node("ConstantOfShape", ["u"], ["c"], value=fill),
            node("Foo", ["x", "a", "b", "c"], ["y"]),
        ],
        tensors=(helper.make_tensor("t", TensorProto.INT64, [2], [100, 200]),),
    )
    assert graph.initializers["a"] == Initializer("a", "int64", (2, 2), (3, 3, 3, 3))
    assert graph.initializers["b"] == Initializer("b", "float32", (100, 200), None)
    assert [each.op_type for each in graph.nodes] == ["Shape", "ConstantOfShape", "Foo"]


def test_sparse_initializers_count_as_dense(load) -> None:
    graph = helper.make_graph([node("Foo", ["x", "w"], ["y"])], "g", [helper.make_tensor_value_info("x", 1, [1])], [])
    values = helper.make_tensor("w", TensorProto.FLOAT, [1], [1])
    graph.sparse_initializer.append(
        helper.make_sparse_tensor(values, helper.make_tensor("", TensorProto.INT64, [1], [5]), [30, 40])
    )
    assert load(graph).initializers["w"] == Initializer("w", "float32", (30, 40), None, 12)


def test_attributes_are_plain_hashable_values(load) -> None:
    tensor = helper.make_tensor("t", TensorProto.INT64, [1], [5])
    attributes = {"i": 1, "f": 0.5, "s": "text", "is_": [1, 2], "fs": [0.5], "ss": ["a", "b"], "t": tensor}
    (foo,) = load([node("Foo", ["x", "", ""], ["y"], domain="ai.onnx", **attributes)]).nodes
    stored = Initializer("t", "int64", (1,), (5,), 8)
    assert foo.attributes == {"i": 1, "f": 0.5, "s": "text", "is_": (1, 2), "fs": (0.5,), "ss": ("a", "b"), "t": stored}
    hash(tuple(foo.attributes.values()))
    assert (foo.domain, foo.inputs) == ("", ("x",))


def _branch(output: str, *nodes: onnx.NodeProto) -> onnx.GraphProto:
    return helper.make_graph(list(nodes), "branch", [], [helper.make_tensor_value_info(output, 1, None)])


def test_bodies_see_the_values_around_them(load) -> None:
    then = _branch("t", node("Relu", ["late"], ["r"]), node("Squeeze", ["r"], ["t"], axes=[0]))
    other = _branch("late")
    graph = load(
        [
            node("If", ["c"], ["y"], then_branch=then, else_branch=other),
            node("Constant", [], ["c"], value_int=1),
            node("Relu", ["x"], ["late"]),
        ],
        opset=11,
    )
    assert [each.op_type for each in graph.nodes] == ["Relu", "If"]  # the body needs Relu's output
    body = graph.nodes[1].attributes["then_branch"]
    assert isinstance(body, Graph)
    assert body.opset == 11
    assert body.nodes[1].inputs == ("r", "t.axes")
    assert body.initializers["t.axes"].value == (0,)
    with pytest.raises(GraphError, match=r"nothing defines 'late', which node 'Relu_0' uses"):
        load([node("If", ["x"], ["y"], then_branch=then, else_branch=other)])


FOO = node("Foo", ["x"], ["y"])
BAD_GRAPHS = [
    ([node("A", ["x"], ["h"]), node("B", ["missing"], ["y"])], {}, GraphError, r"defines 'missing', which node 'B_1'"),
    ([FOO], {"outputs": ("z",)}, GraphError, r"nothing defines 'z'"),
    ([FOO, node("Bar", ["x"], ["y"], name="bar")], {}, GraphError, r"'y' is defined twice.*'bar'"),
    ([FOO, node("Constant", [], ["y"], value_int=1)], {}, GraphError, r"'y' is defined twice"),
    ([FOO, node("Bar", ["y"], ["x"])], {}, GraphError, r"'x' is defined twice"),
    ([node("Constant", [], ["y"])], {}, GraphError, r"Constant without a value"),
    ([node("A", ["c"], ["a"]), node("B", ["a", "x"], ["b"]), node("C", ["b"], ["c"]), node("D", ["c"], ["y"])],
     {}, GraphError, r"node '[ABC]_\d' depends on itself"),
    ([FOO], {"tensors": (TensorProto(name="w", dims=[1], data_type=1),) * 2}, GraphError, r"two stored tensors.*'w'"),
    ([FOO], {"tensors": (TensorProto(name="w", dims=[-1], data_type=1),)}, FileError, r"'w' has a negative dim"),
    ([FOO], {"tensors": (TensorProto(name="w", dims=[2**26, 2**26], data_type=1),)}, FileError, r"2\^50"),
    ([FOO], {"tensors": (TensorProto(name="w", dims=[1] * 99, data_type=1),)}, FileError, r"64 axes"),
    ([node("ConstantOfShape", ["s"], ["y"])], {"tensors": (helper.make_tensor("s", 7, [2], [2**60, 1]),)},
     FileError, r"2\^50"),
    ([], {}, FileError, r"no nodes"),
    ([FOO], {"opset": 6}, FileError, r"operator set 6 is older than 7.*version_converter"),
    ([FOO], {"domains": ("com.acme",)}, FileError, r"operator set 1 is older than 7"),
    ([node("Squeeze", ["x"], ["y"], axes="text")], {"opset": 11}, GraphError, r"does not hold numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("nodes", "options", "error", "message"), BAD_GRAPHS)
def test_contradictions_are_named(save, nodes, options, error, message) -> None:
    path = save(nodes, **options)
    with pytest.raises(error, match=message) as caught:
        read(path)
    assert caught.value.where == str(path)
    assert caught.value.todo
    assert "\n" not in str(caught.value)


def test_two_inputs_of_one_name(load) -> None:
    info = helper.make_tensor_value_info("x", 1, [1])
    with pytest.raises(GraphError, match="two inputs are named 'x'"):
        load(helper.make_graph([FOO], "g", [info, info], []))


def test_operator_sets(load) -> None:
    assert load([FOO], domains=("", "com.microsoft"), opset=17).opset == 17
    assert load([FOO], domains=("ai.onnx",), opset=12).opset == 12
    assert load([node("A", ["x"], ["y"], domain="com.acme")], domains=("com.acme",), opset=1).opset == 0
    newer = load([FOO], opset=99)
    assert newer.opset == 99
    assert "newer" in newer.metadata["note"]


@settings(deadline=None)
@given(st.integers(1, 40), st.randoms(use_true_random=False))
def test_shuffled_graphs_come_out_in_order(size: int, chance: random.Random) -> None:
    nodes = [
        node("Foo", chance.sample(["x", *(f"v{i}" for i in range(index))], k=min(2, index + 1)), [f"v{index}"])
        for index in range(size)
    ]
    chance.shuffle(nodes)
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", 1, [1])], [])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.onnx")
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        path.write_bytes(model.SerializeToString())
        found = read(path)
    known = {"x"}
    for each in found.nodes:
        assert known.issuperset(each.inputs)
        known.update(each.outputs)
    assert len(found.nodes) == size


def test_a_long_chain_backwards_needs_no_recursion(load) -> None:
    size = 20_000
    nodes = [node("Relu", ["x" if index == 0 else f"v{index - 1}"], [f"v{index}"]) for index in range(size)]
    graph = load(nodes[::-1], outputs=(f"v{size - 1}",))
    assert [each.outputs[0] for each in graph.nodes] == [f"v{index}" for index in range(size)]
