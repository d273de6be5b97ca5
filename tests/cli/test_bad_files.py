"""Files that are no models, and models that contradict themselves: one line on stderr, exit 2, nothing on stdout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from onnx import GraphProto, ModelProto, TensorProto, helper

from tests.cli.conftest import Answer, Cli

COMMANDS = pytest.mark.parametrize("command", ["inspect", "estimate", "formula"])


def refused(cli: Cli, path: Path | str, command: str = "inspect", *rest: str) -> Answer:
    """Exit 2 with one line that names the file."""
    budget = ("--budget", "1e15") if command == "estimate" else ()
    answer = cli(command, path, *budget, *rest)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"scalecalc: {path}: "), answer.err
    assert answer.err.endswith("\n")
    assert answer.err.count("\n") == 1
    assert "; " in answer.err, "what to do"
    assert len(answer.err) < 400 + len(str(path))
    return answer


NOT_MODELS = [
    # content, what stderr says
    (b"", "the file is empty"),
    (b"PK\x03\x04" + bytes(40), "a zip archive"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"GGUF\x03\0\0\0", "a GGUF file"),
    (b"hello, world\n" * 50, "a text file"),
    ("Grüße\n".encode() * 9, "a text file"),
    (b"{}", "a text file"),
    (b"\0" * 1000, "cut short or damaged"),
    (b"\xff" * 1000, "cut short or damaged"),
    (bytes(range(256)) * 20, "cut short or damaged"),
    (b"\x08\x0a", "there is no graph in it"),
    (b"\x08\x0a\x3a\x00", "the graph has no nodes"),
]


@COMMANDS
@pytest.mark.parametrize(("content", "says"), NOT_MODELS, ids=[says for _, says in NOT_MODELS])
def test_what_is_no_model(cli: Cli, save, command: str, content: bytes, says: str) -> None:
    assert says in refused(cli, save(content), command).err


@COMMANDS
def test_what_is_no_file(cli: Cli, tmp_path: Path, command: str) -> None:
    assert "no such file or directory" in refused(cli, tmp_path / "missing.onnx", command).err
    assert "is a directory" in refused(cli, tmp_path, command).err
    assert "not a directory" in refused(cli, __file__ + "/x", command).err
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refused(cli, tmp_path / "pipe", command).err


@pytest.mark.parametrize("part", [0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_truncated(cli: Cli, save, seed_cnn: Path, part: float) -> None:
    content = seed_cnn.read_bytes()
    refused(cli, save(content[: int(len(content) * part)]))


def x(*dims: int | str, name: str = "x", kind: int = TensorProto.FLOAT) -> GraphProto:
    return helper.make_tensor_value_info(name, kind, dims)


def proto(*nodes: object, inputs: list[object] | None = None, outputs: str = "y", **weights: tuple[int, ...]) -> bytes:
    """A model of nodes whose weights are given by shape."""
    tensors = [
        TensorProto(name=name, data_type=1, dims=shape, raw_data=b"") for name, shape in weights.items()
    ]  # their contents do not matter
    types = [x(1, 4, 6, 6)] if inputs is None else inputs
    ends = [helper.make_empty_tensor_value_info(name) for name in outputs.split()]
    graph = helper.make_graph(list(nodes), "g", types, ends, tensors)
    model: ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return model.SerializeToString()


def node(op: str, inputs: str = "x", outputs: str = "y", **attributes: object) -> object:
    return helper.make_node(op, inputs.replace("_", "").split(" "), outputs.split(), name=f"the {op}", **attributes)


def shape(*values: int) -> object:
    return helper.make_node("Constant", [], ["s"], value_ints=values)


BROKEN = {
    # what is wrong: model, what stderr says
    "undefined input": (proto(node("Relu", "z")), "nothing defines 'z', which node 'the Relu' uses"),
    "undefined output": (proto(node("Relu"), outputs="z"), "nothing defines 'z', which the output list uses"),
    "cycle": (proto(node("Add", "x b", "a"), node("Relu", "a", "b"), outputs="b"), "depends on itself"),
    "own output": (proto(node("Add", "x y")), "node 'the Add' depends on itself"),
    "defined twice": (proto(node("Relu"), node("Tanh")), "'y' is defined twice, the second time by node 'the Tanh'"),
    "two inputs of a name": (proto(node("Relu"), inputs=[x(1), x(2)]), "two inputs are named 'x'"),
    "MatMul": (proto(node("MatMul", "x w"), w=(5, 2)), "6 must equal 5, in MatMul node 'the MatMul'"),
    "MatMul of a scalar": (proto(node("MatMul", "x w"), w=()), "MatMul of a scalar"),
    "Conv channels": (proto(node("Conv", "x w"), w=(8, 3, 3, 3)), "4 must equal 3, in Conv node 'the Conv'"),
    "Conv groups": (proto(node("Conv", "x w", group=3), w=(8, 1, 3, 3)), "4 is not a multiple of 3"),
    "Conv outputs of groups": (proto(node("Conv", "x w", group=2), w=(3, 2, 3, 3)), "3 is not a multiple of 2"),
    "Conv bias": (proto(node("Conv", "x w b"), w=(8, 4, 3, 3), b=(7,)), "7 must equal 8"),
    "Conv kernel": (proto(node("Conv", "x w"), w=(8, 4, 7, 7)), "a window of 7 does not fit into 6"),
    "Conv rank": (proto(node("Conv", "x w"), w=(8, 4, 3)), "a kernel of 1 axes on 2 spatial axes"),
    "Conv of a vector": (proto(node("Conv", "x w"), inputs=[x(4)], w=(8, 4, 3)), "inputs 4, 8x4x3"),
    "Conv kernel_shape": (proto(node("Conv", "x w", kernel_shape=[2, 2]), w=(8, 4, 3, 3)), "2 must equal 3"),
    "Conv strides as text": (proto(node("Conv", "x w", strides="2"), w=(8, 4, 3, 3)),
                             "attribute 'strides' must be a list of whole numbers"),
    "Conv strides of 0": (proto(node("Conv", "x w", strides=[0, 1]), w=(8, 4, 3, 3)), "stride or dilation below 1"),
    "Conv strides of floats": (proto(node("Conv", "x w", strides=[1.0, 1.0]), w=(8, 4, 3, 3)), "whole numbers"),
    "Conv dilations below 0": (proto(node("Conv", "x w", dilations=[-1, 1]), w=(8, 4, 3, 3)), "dilation below 1"),
    "Conv pads of another rank": (proto(node("Conv", "x w", pads=[1, 1]), w=(8, 4, 3, 3)), "of another rank"),
    "Conv group of 0": (proto(node("Conv", "x w", group=0), w=(8, 4, 3, 3)), "in Conv node"),
    "Concat": (proto(node("Concat", "x w", axis=1), w=(1, 4, 6, 5)), "6 must equal 5, in Concat node"),
    "Concat of ranks": (proto(node("Concat", "x w", axis=1), w=(1, 4, 6)), "in Concat node"),
    "Concat without axis": (proto(node("Concat", "x w"), w=(1, 4, 6, 6)), "in Concat node"),
    "Concat axis": (proto(node("Concat", "x w", axis=4), w=(1, 4, 6, 6)), "axis 4 of 4 axes, in Concat node"),
    "Reshape": (proto(shape(5, 5), node("Reshape", "x s")), "144 must equal 25, in Reshape node 'the Reshape'"),
    "Reshape by -1": (proto(shape(5, -1), node("Reshape", "x s")), "144 is not a multiple of 5"),
    "Reshape by two -1": (proto(shape(-1, -1), node("Reshape", "x s")), "more than one -1 in a shape"),
    "Reshape to a zero beyond": (proto(shape(1, 4, 6, 6, 0), node("Reshape", "x s")), "in Reshape node"),
    "Reshape without a shape": (proto(node("Reshape")), "Reshape needs 2 inputs"),
    "Gemm": (proto(node("Gemm", "x w"), inputs=[x(2, 3)], w=(4, 5)), "3 must equal 4, in Gemm node 'the Gemm'"),
    "Gemm bias": (proto(node("Gemm", "x w b"), inputs=[x(2, 3)], w=(3, 5), b=(4,)), "5 does not broadcast with 4"),
    "Gemm rank": (proto(node("Gemm", "x w"), w=(6, 2)), "in Gemm node"),
    "Add": (proto(node("Add", "x w"), w=(5,)), "6 does not broadcast with 5, in Add node 'the Add'"),
    "no inputs": (proto(helper.make_node("Relu", [], ["y"], name="r")), "Relu needs 1 inputs, in Relu node 'r'"),
    "too many inputs": (proto(node("Relu", "x x x")), "in Relu node 'the Relu'"),
    "no outputs": (proto(helper.make_node("Erf", ["x"], [], name="e"), node("Relu")), "node 'e' has no outputs"),
    "too few inputs behind an unknown operator": (
        proto(helper.make_node("Foo", ["x"], ["a"]), node("Add", "a")), "Add needs 2 inputs"),
    "an input left out": (proto(node("MatMul", "x _"), w=(6, 2)), "MatMul needs 2 inputs"),
    "Transpose perm": (proto(node("Transpose", perm=[0, 1])), "permutation (0, 1) of 4 axes"),
    "Transpose perm twice": (proto(node("Transpose", perm=[0, 1, 1, 2])), "permutation (0, 1, 1, 2) of 4 axes"),
    "Transpose perm as text": (proto(node("Transpose", perm="0123")), "'perm' must be a list of whole numbers"),
    "Softmax axis as text": (proto(node("ArgMax", axis="x")), "'axis' must be a whole number, in ArgMax node"),
    "axis of a float": (proto(node("ArgMax", axis=1.0)), "attribute 'axis' must be a whole number"),
    "ArgMax axis": (proto(node("ArgMax", axis=-5)), "axis -5 of 4 axes, in ArgMax node"),
    "Gather axis": (proto(shape(0), node("Gather", "x s", axis=7)), "axis 7 of 4 axes"),
    "Gather index": (proto(shape(9), node("Gather", "x s", axis=1)), "10 is more than 4, in Gather node"),
    "ReduceSum axes": (proto(shape(4), node("ReduceSum", "x s")), "axis 4 of 4 axes"),
    "Squeeze": (proto(shape(1), node("Squeeze", "x s")), "4 must equal 1, in Squeeze node"),
    "Unsqueeze axes": (proto(shape(9), node("Unsqueeze", "x s")), "axis 9 of 5 axes"),
    "Flatten axis": (proto(node("Flatten", axis=5)), "axis 5 of 4 axes"),
    "axis of a scalar": (proto(node("ArgMax", axis=0), inputs=[x()]), "axis 0 of 0 axes"),
    "MaxPool kernel_shape": (proto(node("MaxPool")), "in MaxPool node 'the MaxPool'"),
    "MaxPool kernel of 0": (proto(node("MaxPool", kernel_shape=[0, 0])), "below 1, in MaxPool node"),
    "MaxPool rank": (proto(node("MaxPool", kernel_shape=[2])), "a kernel of 1 axes on 2 spatial axes"),
    "LRN size": (proto(node("LRN", size=-5)), "a negative number of operations, in LRN node"),
    "Split": (proto(shape(3, 2), node("Split", "x s", "y z", axis=1)), "4 must equal 5, in Split node"),
    "Split into 0": (proto(node("Split", "x", "y z", num_outputs=2**62)), "in Split node"),
    "Constant without a value": (proto(helper.make_node("Constant", [], ["y"], name="c")), "without a value"),
    "Tile": (proto(shape(1, 2), node("Tile", "x s")), "in Tile node"),
    "Expand": (proto(shape(5), node("Expand", "x s")), "6 does not broadcast with 5"),
    "Range": (proto(shape(0), node("Range", "s s s")), "Range with step 0"),
    "Einsum": (proto(node("Einsum", "x x", equation="ij->i")), "einsum 'ij->i' of 2 operands"),
    "BatchNormalization": (proto(node("BatchNormalization", "x w w w w"), w=(3,)), "3 must equal 4"),
    "LayerNormalization": (proto(node("LayerNormalization", "x w"), w=(5,)), "5 must equal 6"),
    "negative dimension": (proto(node("Relu"), w=(-3, 2)), "tensor 'w' has a negative dimension"),
    "absurd dimension": (proto(node("Relu"), w=(2**62,)), "more than 2^50 elements"),
    "absurd product": (proto(node("Relu"), w=(2**31, 2**31)), "more than 2^50 elements"),
    "absurd rank": (proto(node("Relu"), w=(1,) * 65), "64 axes"),
    "an old operator set": (
        helper.make_model(
            helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x(1)], [x(1, name="y")]),
            opset_imports=[helper.make_opsetid("", 6)], ir_version=3,
        ).SerializeToString(), "operator set 6 is older than 7",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
@COMMANDS
def test_contradictions(cli: Cli, save, command: str, what: str) -> None:
    content, says = BROKEN[what]
    assert says in refused(cli, save(content), command).err


@pytest.mark.parametrize("dims", [(2**62, 2**62, 2**62), (2**62,) * 40])
@COMMANDS
def test_absurd_inputs(cli: Cli, save, command: str, dims: tuple[int, ...]) -> None:
    path = save(proto(node("Relu"), inputs=[x(*dims)]))
    assert "2^63 elements" in refused(cli, path, command).err


def test_names_from_the_file_stay_on_the_line(cli: Cli, save) -> None:
    wild = helper.make_node("MatMul", ["x", "w"], ["y"], name="a\nb\r\x1b[31m" + "c" * 900)
    err = cli("inspect", save(proto(wild, w=(5, 2)))).err
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert len(err) < 600
