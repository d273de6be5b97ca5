"""Files: large ones are not loaded, other ones are told apart, damaged ones never crash."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper

from scalecalc.errors import FileError, ScalecalcError
from scalecalc.frontends import wire
from scalecalc.frontends.onnx import read

node = helper.make_node


def varint(value: int) -> bytes:
    text = bytearray()
    while value > 127:
        text.append(value & 127 | 128)
        value >>= 7
    return bytes((*text, value))


def everywhere(rows: int = 30) -> ModelProto:
    """Tensors of `rows` x 70 elements in every place a model may hold them."""
    size = rows * 70
    large = {
        kind: helper.make_tensor(f"w{kind}", kind, [rows, 70], np.zeros(size).tolist())
        for kind in (TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64, TensorProto.DOUBLE, TensorProto.UINT64)
    }
    raw = numpy_helper.from_array(np.zeros((rows, 70), np.float32), "raw")
    text = helper.make_tensor("text", TensorProto.STRING, [2], [b"x" * size * 5, b"y"])
    inner = helper.make_tensor("inner", TensorProto.FLOAT, [size], np.zeros(size).tolist())
    body = helper.make_graph(
        [node("Constant", [], ["k"], value=raw), node("Add", ["k", "inner"], ["t"])],
        "body", [], [helper.make_tensor_value_info("t", 1, None)], [inner],
    )  # fmt: skip
    indices = helper.make_tensor("i", TensorProto.INT64, [size], list(range(size)))
    values = helper.make_tensor("sparse", TensorProto.FLOAT, [size], np.zeros(size).tolist())
    sparse = helper.make_sparse_tensor(values, indices, [90, 90])
    tensors = {f"w{kind}": tensor for kind, tensor in large.items()} | {"raw": raw, "text": text}
    graph = helper.make_graph(
        [
            node("Constant", [], ["c"], value=raw),
            node("Constant", [], ["d"], sparse_value=sparse),
            node("If", ["x"], ["h"], then_branch=body, else_branch=body),
            node("Foo", ["h", "c", "d", "sparse", *tensors], ["g"], tensors=[raw, raw]),
            node("F", ["g"], ["y"], domain="local"),
        ],
        "g",
        [helper.make_tensor_value_info("x", 1, ["batch", 4])],
        [helper.make_tensor_value_info("y", 1, None)],
        list(tensors.values()),
        doc_string="long " * 2000,
        sparse_initializer=[sparse],
    )
    inside = [node("Constant", [], ["w"], value=raw), node("Add", ["a", "w"], ["b"])]
    imports = [helper.make_opsetid("", 17)]
    function = helper.make_function("local", "F", ["a"], ["b"], inside, imports)
    return helper.make_model(graph, opset_imports=[*imports, helper.make_opsetid("local", 1)], functions=[function])


def picture(graph) -> str:
    """A graph as text, bodies included."""
    return repr(graph).replace("Graph(", "\nGraph(")


def test_pruned_files_read_as_whole_ones(tmp_path, monkeypatch) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(everywhere().SerializeToString())
    whole = read(path)
    monkeypatch.setattr(wire, "_DIRECT", 0)
    assert len(wire.skeleton(path)) < path.stat().st_size / 9
    pruned = read(path)
    pruned.initializers["text"] = whole.initializers["text"]  # lengths of strings go with their contents
    assert picture(pruned) == picture(whole)


def test_small_fields_are_copied_as_they_are(monkeypatch, save) -> None:
    path = save([node("Relu", ["x"], ["y"])])
    monkeypatch.setattr(wire, "_DIRECT", 0)
    assert wire.skeleton(path) == path.read_bytes()


@pytest.mark.parametrize("direct", [0, 1 << 25])
def test_every_cut_is_noticed(tmp_path, monkeypatch, direct) -> None:
    """Inside a payload too. Only a cut between two fields of the model itself can leave a model."""
    monkeypatch.setattr(wire, "_DIRECT", direct)
    whole = everywhere()
    content = whole.SerializeToString()
    path = tmp_path / "cut.onnx"
    rest = ModelProto(opset_import=whole.opset_import, functions=whole.functions).SerializeToString()
    assert content.endswith(rest)
    for length in (*range(1, 60), *range(60, len(content) - len(rest), 997)):
        path.write_bytes(content[:length])
        with pytest.raises(FileError, match=r"cut short|no graph"):
            read(path)


def holes(path: Path, tensors: int, size: int) -> None:
    """A model whose weights are `tensors` holes of `size` bytes."""
    names = [f"w{index}" for index in range(tensors)]
    graph = helper.make_graph(
        [node("MatMul", [f"v{i}" if i else "x", name], [f"v{i + 1}"]) for i, name in enumerate(names)],
        "g",
        [helper.make_tensor_value_info("x", 1, ["batch", 1000])],
        [helper.make_tensor_value_info(f"v{tensors}", 1, None)],
    ).SerializeToString()
    heads = []
    for name in names:
        head = (
            TensorProto(dims=[1000, size // 4000], data_type=1, name=name).SerializeToString() + b"\x4a" + varint(size)
        )
        heads.append(b"\x2a" + varint(len(head) + size) + head)
    length = len(graph) + sum(map(len, heads)) + size * tensors
    imports = ModelProto(ir_version=8, opset_import=[helper.make_opsetid("", 17)]).SerializeToString()
    with open(path, "wb") as file:
        file.write(imports + b"\x3a" + varint(length) + graph)
        for head in heads:
            file.write(head)
            file.seek(size, os.SEEK_CUR)
        file.truncate(file.tell())


def test_weights_stay_on_disk(tmp_path) -> None:
    path = tmp_path / "huge.onnx"
    holes(path, 375, 4_000_000)
    assert path.stat().st_size > 1_500_000_000
    code = (
        "import sys; from pathlib import Path; from scalecalc.frontends.onnx import read; graph = read(sys.argv[1]);"
        # the peak of this program alone: ru_maxrss would begin at that of the process that started it
        "peak = Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0];"
        "print(len(graph.nodes), sum(t.stored_bytes for t in graph.initializers.values()), peak)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, env=environment, check=True
    )
    nodes, stored, peak = map(int, done.stdout.split())
    assert (nodes, stored) == (375, 1_500_000_000)
    assert peak < 200_000  # KiB, the interpreter and onnx included
    os.truncate(path, 1_400_000_123)  # inside a payload
    with pytest.raises(FileError, match=r"cut short or damaged \(the field at byte .* are left"):
        read(path)


def _text(kind: str) -> bytes:
    return {"readme": b"# A model\n\nIt does things.\n" * 40, "json": b'{"a": [1, 2, 3]}', "yaml": b"name: x\n"}[kind]


OTHERS = [
    (b"", "the file is empty"),
    (_text("readme"), "this is a text file"),
    (_text("json"), "this is a text file"),
    (_text("yaml"), "this is a text file"),
    (b"PK\x03\x04" + bytes(60), "a zip archive"),
    (b"\x89HDF\r\n\x1a\n" + bytes(60), "an HDF5 file"),
    (b"\x80\x02}q\x00." + bytes(60), "a Python pickle"),
    (b"\x10\x00\x00\x00\x00\x00\x00\x00" + b'{"a":{"dtype":1}}', "a safetensors file"),
    (b"GGUF\x03\x00\x00\x00" + bytes(60), "a GGUF file"),
    (b"\x1c\x00\x00\x00TFL3" + bytes(60), "a TensorFlow Lite model"),
    (bytes(range(7, 250)), "cut short or damaged"),
    (bytes(5000), "cut short or damaged"),
    (b"\xff" * 5000, "cut short or damaged"),
    (ModelProto(ir_version=8).SerializeToString(), "no graph in it"),
    (b"\x3a\x00\x42\x04\x0a\x00\x10\x11", "no nodes"),
    (b"\x3a\x07\x0a\x05\x0a\x03\xff\xfe\xfd\x42\x04\x0a\x00\x10\x11", "not UTF-8"),
    (b"\x3a\x07\x0a\x05\x22\x03\xff\xfe\xfd\x42\x04\x0a\x00\x10\x11", "not UTF-8"),
    (b"\x3a" * 2 + b"\x0a\x01" * 4000, "cut short or damaged"),
]


@pytest.mark.parametrize("direct", [0, 1 << 25])
@pytest.mark.parametrize(("content", "message"), OTHERS)
def test_other_files(tmp_path, monkeypatch, content, message, direct) -> None:
    monkeypatch.setattr(wire, "_DIRECT", direct)
    path = tmp_path / "file.onnx"
    path.write_bytes(content)
    with pytest.raises(FileError, match=message) as caught:
        read(path)
    assert caught.value.where == str(path)
    assert caught.value.todo
    assert "\n" not in str(caught.value)


def test_no_file(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, message in (("", "directory"), ("missing", "no such file"), ("pipe", "not a regular"), ("a\0b", "null")):
        with pytest.raises(FileError, match=message):
            read(tmp_path / name)


@pytest.mark.parametrize("direct", [0, 1 << 25])
def test_deep_nesting(tmp_path, monkeypatch, direct) -> None:
    monkeypatch.setattr(wire, "_DIRECT", direct)
    content = bytes(9000)
    for _ in range(2000):
        content = b"\x32" + varint(len(content)) + content  # attribute.g
        content = b"\x2a" + varint(len(content)) + content  # node.attribute
        content = b"\x0a" + varint(len(content)) + content  # graph.node
    path = tmp_path / "deep.onnx"
    path.write_bytes(b"\x3a" + varint(len(content)) + content)
    with pytest.raises(FileError, match="damaged"):
        read(path)


CONTENT = everywhere(1).SerializeToString()


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=8),
    st.integers(0, len(CONTENT)),
    st.booleans(),
)
@example([], 0, True)
def test_damage_never_crashes(flips, length, cut) -> None:
    content = bytearray(CONTENT)
    for place, byte in flips:
        content[place * 7919 % len(content)] = byte
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder, "damaged.onnx")
        path.write_bytes(content[:length] if cut else content)
        for direct in (0, 1 << 25):
            patch.setattr(wire, "_DIRECT", direct)
            try:
                read(path)
            except ScalecalcError as failure:
                told = failure
            else:
                continue
            assert told.where
            assert "\n" not in str(told)
