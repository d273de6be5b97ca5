"""Random damage to the structure of a model."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper

from scalecalc.ops import OPERATORS

NUMBERS = (0, 1, -1, 2, 3, 7, -7, 64, 65, 1000, 2**31 - 1, 2**31, 2**53, 2**62, 2**63 - 1, -(2**63))
TEXTS = ("", "SAME_UPPER", "VALID", "linear", "ij,jk->ik", "...ij->", "->", "a" * 300, "\n\r\x00", "1", "ü")
NAMES = ("n", "s", "", "?", "unk__7", "a b", "n*2", "n/0", "n//2", "2**99", "s-9", "-n", "floor(n/3)", "x.y", "é", "0x")
SIZES = (0, 1, 2, 3, 5, 6, 64, 1 << 20, 2**40, 2**62, -1, -5)


def damage(proto: ModelProto, rng: random.Random) -> ModelProto:
    """A copy with one to four random wrongs."""
    broken = ModelProto()
    broken.CopyFrom(proto)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        rng.choice(WRONGS)(broken.graph, rng)
        if rng.random() < 0.02:
            broken.opset_import[0].version = rng.choice((0, 6, 7, 9, 11, 12, 13, 17, 18, 23, 99, -1, 2**40))
    return broken


def _node(graph: GraphProto, rng: random.Random) -> NodeProto:
    return rng.choice(graph.node) if graph.node else graph.node.add(op_type="Relu")


def _value(graph: GraphProto, rng: random.Random) -> str:
    names = [name for node in graph.node for name in (*node.input, *node.output)]
    return rng.choice([*names, *(i.name for i in graph.input), *(i.name for i in graph.initializer), "", "nothing"])


def _content(rng: random.Random) -> Any:
    return rng.choice((
        lambda: rng.choice(NUMBERS),
        lambda: [rng.choice(NUMBERS) for _ in range(rng.randrange(6))] or helper.make_tensor("t", 7, [0], []),
        lambda: [rng.randrange(-2, 4) for _ in range(rng.randrange(1, 6))],
        lambda: rng.choice((0.0, -1.5, float("nan"), float("inf"), 1e300)),
        lambda: [rng.choice((0.5, float("nan"), -float("inf")))] * rng.randrange(1, 4),
        lambda: rng.choice(TEXTS),
        lambda: [rng.choice(TEXTS)] * rng.randrange(1, 3),
        lambda: _tensor(rng),
        lambda: helper.make_graph([], "body", [], []),
    ))()  # fmt: skip


def _tensor(rng: random.Random, name: str = "t") -> TensorProto:
    kind = rng.choice((1, 1, 6, 7, 7, 7, 9, 10, 11, 16, 3))
    shape = [rng.choice((0, 1, 1, 2, 3, 4)) for _ in range(rng.randrange(4))]
    count = 1
    for size in shape:
        count *= size
    pool = (0, 1) if kind == 9 else (0, 1, 2, 127) if kind == 3 else (0, 1, -1, 2, 3, 5, 2**31 - 1)
    if kind == 7:
        pool = NUMBERS
    if kind in (1, 11) and rng.random() < 0.2:
        pool = (float("nan"), float("inf"), -float("inf"))
    if kind in (10, 16):
        pool = (0, 1, 2)
    return helper.make_tensor(name, kind, shape, [rng.choice(pool) for _ in range(count)])


def _set_attribute(graph: GraphProto, rng: random.Random) -> None:
    node = _node(graph, rng)
    own = [attribute.name for attribute in node.attribute]
    operator = OPERATORS.get((node.domain, node.op_type))
    known = sorted(operator.attributes) if operator else []
    name = rng.choice([*own, *known, "axis", "axes"])
    _drop(node, name)
    node.attribute.append(helper.make_attribute(name, _content(rng)))
    if rng.random() < 0.1:
        node.attribute[-1].type = rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14))


def _drop(node: NodeProto, name: str) -> None:
    kept = [attribute for attribute in node.attribute if attribute.name != name]
    del node.attribute[:]
    node.attribute.extend(kept)


def _drop_attribute(graph: GraphProto, rng: random.Random) -> None:
    node = _node(graph, rng)
    if node.attribute:
        _drop(node, rng.choice(node.attribute).name)


def _change_inputs(graph: GraphProto, rng: random.Random) -> None:
    node = _node(graph, rng)
    inputs = list(node.input)
    match rng.randrange(5):
        case 0 if inputs:
            inputs.pop(rng.randrange(len(inputs)))
        case 1 if inputs:
            inputs[rng.randrange(len(inputs))] = _value(graph, rng)
        case 2:
            inputs.insert(rng.randrange(len(inputs) + 1), _value(graph, rng))
        case 3:
            rng.shuffle(inputs)
        case _:
            inputs = []
    del node.input[:]
    node.input.extend(inputs)


def _change_outputs(graph: GraphProto, rng: random.Random) -> None:
    node = _node(graph, rng)
    outputs = list(node.output)
    match rng.randrange(4):
        case 0 if outputs:
            outputs.pop()
        case 1:
            outputs += [f"extra{i}" for i in range(rng.choice((1, 2, 5)))]
        case 2 if outputs:
            outputs[0] = rng.choice(("", _value(graph, rng)))
        case _:
            outputs = []
    del node.output[:]
    node.output.extend(outputs)


def _change_operator(graph: GraphProto, rng: random.Random) -> None:
    node = _node(graph, rng)
    domain, name = rng.choice([*sorted(OPERATORS), ("", "LSTM"), ("", "If"), ("", "Loop"), ("com.acme", "Swish")])
    node.op_type = name
    node.domain = domain if rng.random() < 0.9 else rng.choice(("com.acme", "ai.onnx.ml"))


def _change_tensor(graph: GraphProto, rng: random.Random) -> None:
    if not graph.initializer:
        return
    tensor = rng.choice(graph.initializer)
    match rng.randrange(5):
        case 0:
            tensor.CopyFrom(_tensor(rng, tensor.name))
        case 1:
            tensor.data_type = rng.choice((0, 1, 2, 6, 7, 8, 9, 10, 14, 16, 22, 99))
        case 2:
            dims = list(tensor.dims)
            rng.shuffle(dims)
            del tensor.dims[:]
            tensor.dims.extend([*dims[: rng.randrange(len(dims) + 1)], *[rng.choice(SIZES)] * rng.randrange(3)])
        case 3 if tensor.dims:
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(SIZES)
        case _:
            tensor.raw_data = tensor.raw_data[: rng.randrange(len(tensor.raw_data) + 1)]


def _change_constant(graph: GraphProto, rng: random.Random) -> None:
    nodes = [node for node in graph.node if node.op_type == "Constant"]
    if nodes:
        node = rng.choice(nodes)
        del node.attribute[:]
        form = rng.choice(("value", "value", "value_ints", "value_int", "value_float", "value_strings", "other"))
        content = _tensor(rng) if form == "value" else _content(rng)
        node.attribute.append(helper.make_attribute(form, content))


def _change_type(graph: GraphProto, rng: random.Random) -> None:
    infos = [*graph.input, *graph.output, *graph.value_info]
    if not infos:
        return
    kind = rng.choice(infos).type
    dims = kind.tensor_type.shape.dim
    match rng.randrange(5):
        case 0:
            kind.tensor_type.elem_type = rng.choice((0, 1, 7, 8, 9, 16, 99))
        case 1 if dims:
            dims[rng.randrange(len(dims))].dim_value = rng.choice(SIZES)
        case 2 if dims:
            dims[rng.randrange(len(dims))].dim_param = rng.choice(NAMES)
        case 3:
            dims.add().dim_param = rng.choice(NAMES)
        case _:
            kind.tensor_type.ClearField("shape")


def _change_nodes(graph: GraphProto, rng: random.Random) -> None:
    nodes = list(graph.node)
    match rng.randrange(4):
        case 0 if nodes:
            nodes.pop(rng.randrange(len(nodes)))
        case 1:
            rng.shuffle(nodes)
        case 2:
            nodes.append(helper.make_node(rng.choice(sorted(OPERATORS))[1], [_value(graph, rng)], ["new"]))
            graph.output.add().name = "new"
        case _:
            nodes = nodes[: rng.randrange(len(nodes) + 1)]
    kept = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)


def _bare_attribute(graph: GraphProto, rng: random.Random) -> None:
    """An attribute whose stated kind holds nothing."""
    node = _node(graph, rng)
    operator = OPERATORS.get((node.domain, node.op_type))
    name = rng.choice(sorted(operator.attributes) if operator and operator.attributes else ["axis"])
    _drop(node, name)
    node.attribute.append(AttributeProto(name=name, type=rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13))))


WRONGS: tuple[Callable[[GraphProto, random.Random], None], ...] = (
    _set_attribute, _set_attribute, _set_attribute, _bare_attribute, _drop_attribute, _change_inputs, _change_inputs,
    _change_outputs, _change_operator, _change_operator, _change_tensor, _change_tensor, _change_constant,
    _change_constant, _change_type, _change_type, _change_nodes,
)  # fmt: skip
