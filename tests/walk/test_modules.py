"""Which module a node belongs to, for every way exporters have of telling."""

from __future__ import annotations

import onnx
import pytest

from scalecalc.walk import walk
from scalecalc.walk.modules import DEEPEST
from tests.estimate.test_tree import chain
from tests.walk.graphs import load, model

Naming = tuple[tuple[str, str], ...]


def modules(proto: onnx.ModelProto) -> list[str]:
    return [node.module for node in walk(load(proto)).nodes]


def convolutions(*weights: str) -> onnx.ModelProto:
    """Conv and Relu for each weight, so named, and nodes without names."""
    stored, lines, value = [], [], "x"
    for index, _ in enumerate(weights):
        stored.append(f"float[4,4,1,1] w{index}")
        lines.append(f"c{index} = Conv({value}, w{index}) r{index} = Relu(c{index})")
        value = f"r{index}"
    text = f"(float[n,4,8,8] x) => (float[n,4,8,8] {value}) <{', '.join(stored)}> {{ {' '.join(lines)} }}"
    proto = model(text)
    for index, name in enumerate(weights):
        proto.graph.initializer[index].name = name
        proto.graph.node[2 * index].input[1] = name
    return proto


NAMES: tuple[Naming, ...] = (
    # node's name, module: what TorchScript writes, each module's name under those around it
    (("/conv1/Conv", "conv1"), ("/layer1/layer1.0/relu_1/Relu", "layer1.0.relu_1"),
     ("/layer1/layer1.0/Add", "layer1.0"), ("/features/features.2/conv/conv.0/conv.0.1/Clip", "features.2.conv.0.1"),
     ("/h.5/attn/Split_3", "h.5.attn"), ("/Flatten", "")),
    # Keras
    (("model/conv2d_1/BiasAdd__6", "model.conv2d_1"), ("model/conv2d_1/Relu", "model.conv2d_1"),
     ("Transpose__34", "model"), ("model/dense/MatMul;model/dense/Softmax", "model.dense.MatMul;model.dense")),
    # nothing
    (("", ""), ("a", ""), ("Relu_3", "")),
    # names that are none
    (("/", ""), ("//a//b/", "a.b"), (".../x", ""), ("a.b./c", "a.b")),
)  # fmt: skip


@pytest.mark.parametrize("naming", NAMES)
def test_by_the_nodes_names(naming: Naming) -> None:
    proto = chain(len(naming))
    for node, (name, _) in zip(proto.graph.node, naming, strict=True):
        node.name = name
    assert modules(proto) == [module for _, module in naming]


SCOPES: Naming = (
    # what PyTorch's exporter notes, module
    ("_empty_nn_module_stack_from_metadata_hook: _empty_nn_module_stack_from_metadata_hook/sym_size: aten.sym", ""),
    (": pkg.Net/embed: torch.nn.modules.sparse.Embedding/embedding: aten.embedding.default", "embed"),
    (": pkg.Net/layers.0: pkg.Layer/layers.0.fc: torch.nn.modules.linear.Linear/linear: aten.linear", "layers.0.fc"),
    (": pkg.Net/layers.0: pkg.Layer/add: aten.add.Tensor", "layers.0"),
    ("", "layers.0"),
    (": pkg.Net/layers.0: pkg.Layer/layers.0.act: torch.nn.modules.activation.ReLU/relu: aten.relu", "layers.0.act"),
    ("", "layers.0"),  # the end of that block
    (": pkg.Net/layers.1: pkg.Layer/add_1: aten.add.Tensor", "layers.1"),
    (": pkg.Net/view: aten.view", ""),
)


def noted(scopes: Naming) -> onnx.ModelProto:
    proto = chain(len(scopes))
    for index, (node, (scope, _)) in enumerate(zip(proto.graph.node, scopes, strict=True)):
        node.name = f"node_relu_{index}"
        for key, value in (("pkg.torch.onnx.stack_trace", "File ..."), ("namespace", scope)):
            if scope:
                entry = node.metadata_props.add()
                entry.key, entry.value = key, value
    return proto


def test_by_what_pytorch_notes() -> None:
    nodes = walk(load(noted(SCOPES))).nodes
    assert [node.module for node in nodes] == [module for _, module in SCOPES]
    assert nodes[2].classes == ("Net", "", "Layer", "Linear")  # `layers` is a list, which is never called
    assert nodes[5].classes == ("Net", "", "Layer", "ReLU")
    assert nodes[4].classes == nodes[6].classes == ("Net", "", "Layer")
    assert nodes[0].classes == ("Net",)


def test_a_folded_norm_gives_its_place_to_the_convolution() -> None:
    proto = convolutions("layer1.0.conv1.weight", "layer1.0.downsample.0.weight", "head.weight", "tied.weight")
    stack = ": pkg.Net/layer1: pkg.Seq/layer1.0: pkg.Block"
    norm = "torch.nn.modules.batchnorm.BatchNorm2d"
    scopes = (
        f"{stack}/layer1.0.bn1: {norm}/bn: aten.norm",
        f"{stack}/layer1.0.downsample: pkg.Seq/layer1.0.downsample.1: {norm}/bn: aten.norm",
        ": pkg.Net/conv2d: aten.conv2d",  # a function called with a module's weight
        ": pkg.Net/out: pkg.Linear/linear: aten.linear",  # a weight of another module: this one uses it too
    )
    for node, scope in zip(list(proto.graph.node)[::2], scopes, strict=True):
        entry = node.metadata_props.add()
        entry.key, entry.value = "namespace", scope
    nodes = walk(load(proto)).nodes[::2]
    assert [node.module for node in nodes] == ["layer1.0.conv1", "layer1.0.downsample.0", "head", "out"]
    assert nodes[0].classes == ("Net", "Seq", "Block", "")


def test_by_the_names_of_weights() -> None:
    """Relus stand between convolutions of one block, or end a numbered one."""
    weights = ("stem.weight", "layer1.0.conv1.weight", "layer1.0.conv2.weight", "layer1.1.conv1.weight", "head.weight")
    assert modules(convolutions(*weights)) == [
        "stem", "", "layer1.0.conv1", "layer1.0", "layer1.0.conv2", "layer1.0", "layer1.1.conv1", "layer1.1",
        "head", "",
    ]  # fmt: skip


UNDOTTED = (
    # weights, modules of the convolutions
    (("conv1_1_w_0", "conv1_2_w_0", "conv2_1_w_0"), ["conv1.1", "conv1.2", "conv2.1"]),
    (("net/res2_0_branch2a_w_0", "net/res2_0_branch2b_w_0"), ["net.res2.0.branch2a", "net.res2.0.branch2b"]),
    (("conv_1_w", "dense_1_w", "conv_2_w"), ["conv_1", "dense_1", "conv_2"]),  # split, `conv` would stand apart
    (("fire2/squeeze1x1_w_0", "fire2/expand1x1_w_0"), ["fire2.squeeze1x1", "fire2.expand1x1"]),
    (("vgg/conv_1/kernel:0", "vgg/conv_2/kernel:0"), ["vgg.conv.1", "vgg.conv.2"]),
    (("onnx::Conv_497", "onnx::Conv_500"), ["", ""]),
    (("w", "val_12"), ["", ""]),
)


@pytest.mark.parametrize(("weights", "expected"), UNDOTTED)
def test_by_the_names_of_weights_without_dots(weights: tuple[str, ...], expected: list[str]) -> None:
    assert modules(convolutions(*weights))[::2] == expected


def test_nodes_of_functions_belong_to_their_call() -> None:
    text = """<ir_version: 10, opset_import: ["" : 20, "f" : 1]> g (float[n,4] x) => (float[n,4] y)
      { a = Relu(x) y = f.twice(a) }
      <domain: "f", opset_import: ["" : 20]> twice (a) => (c) { b = Relu(a) c = Tanh(b) }"""
    proto = onnx.parser.parse_model(text)
    proto.graph.node[1].name = "block"
    assert modules(proto) == ["", "block", "block"]
    entry = proto.graph.node[1].metadata_props.add()
    entry.key, entry.value = "namespace", ": pkg.Net/act: pkg.Act/call: aten.call"
    assert modules(proto) == ["", "act", "act"]


def test_bottomless_names_end() -> None:
    proto = noted((("/".join(f"m{level}: pkg.M" for level in range(1000)), ""), ("", ""), ("", "")))
    proto.graph.node[1].name = "a/" * 1000 + "Relu"
    proto.graph.node[2].name = "a." * 1000 + "/Relu"
    nodes = walk(load(proto)).nodes
    assert [node.module.count(".") for node in nodes] == [DEEPEST - 1] * 3
    assert len(nodes[0].classes) == DEEPEST + 1
