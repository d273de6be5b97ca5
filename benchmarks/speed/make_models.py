"""Models whose size is known: big ones made of holes, and long chains of small nodes.

    python benchmarks/speed/make_models.py [DIRECTORY]      (default: build/speed)

Weight bytes are holes of a sparse file, so gigabytes cost neither disk nor time; the files are valid ONNX all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import partial
from math import prod
from pathlib import Path

import onnx
from onnx import TensorProto, helper

OPSET = 21
GRAPH, INITIALIZER, RAW_DATA = 7, 5, 9  # field numbers of onnx.proto
Weights = Iterable[tuple[str, Sequence[int]]]


def prefix(field: int, length: int) -> bytes:
    """The key and the length of a protobuf field that holds `length` bytes.

    >>> prefix(7, 300).hex()
    '3aac02'
    """
    parts = [field << 3 | 2]
    while length > 127:
        parts.append(length & 127 | 128)
        length >>= 7
    return bytes([*parts, length])


def save(path: Path, graph: onnx.GraphProto, weights: Weights) -> None:
    """Write a model whose float32 weights are holes: each message's length is known before its bytes."""
    heads = []
    for name, shape in weights:
        size = 4 * prod(shape)
        head = TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT).SerializeToString()
        heads.append((head + prefix(RAW_DATA, size), size))
    length = sum(len(prefix(INITIALIZER, len(head) + size)) + len(head) + size for head, size in heads)
    body = graph.SerializeToString()
    model = onnx.ModelProto(ir_version=10, producer_name="scalecalc", opset_import=[helper.make_opsetid("", OPSET)])
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        file.write(model.SerializeToString() + prefix(GRAPH, len(body) + length) + body)
        for head, size in heads:
            file.write(prefix(INITIALIZER, len(head) + size) + head)
            file.seek(size, 1)
        file.truncate()
    unfinished.rename(path)


def graph(
    name: str, nodes: Sequence[onnx.NodeProto], into: Sequence[int | str], out: Sequence[int | str]
) -> onnx.GraphProto:
    """A graph from `x` to the last node's output."""
    return helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, into)],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, out)],
    )


def mlp(path: Path, layers: int, width: int = 2500) -> None:
    """Layers of MatMul and Relu, 25 MB of weights each at the default width."""
    nodes, value = [], "x"
    for i in range(layers):
        nodes += [helper.make_node("MatMul", [value, f"w{i}"], [f"h{i}"], name=f"layer{i}/matmul")]
        nodes += [helper.make_node("Relu", [f"h{i}"], [f"a{i}"], name=f"layer{i}/relu")]
        value = f"a{i}"
    weights = ((f"w{i}", (width, width)) for i in range(layers))
    save(path, graph("mlp", nodes, ("batch", width), ("batch", width)), weights)


def chain(path: Path, length: int, width: int = 8, *, distinct: bool = False, block: int = 0) -> None:
    """A chain of MatMul, Add and Relu with a symbolic batch, every layer with weights of its own.

    Where shapes shall be `distinct`, each layer first appends a row: no two layers have the same shapes. Where a
    `block` has a size, names tell that so many nodes are one.
    """
    nodes: list[onnx.NodeProto] = []
    weights: list[tuple[str, Sequence[int]]] = []
    layer: list[tuple[str, Sequence[int]]] = [("MatMul", (width, width)), ("Add", (width,)), ("Relu", ())]
    if distinct:
        layer = [("Concat", (1, width)), *layer]
    rows, value = 0, "x"
    for i in range(length):
        op, shape = layer[i % len(layer)]
        weight = [f"w{i}"] if shape else []
        attributes = {"axis": 0} if op == "Concat" else {}
        name = f"/h.{i // block}/layer{i % block // len(layer)}/{op}" if block else f"n{i}"
        nodes.append(helper.make_node(op, [value, *weight], [f"v{i}"], name=name, **attributes))
        weights += [(name, shape) for name in weight]
        rows, value = rows + (op == "Concat"), f"v{i}"
    save(path, graph("chain", nodes, ("batch", width), (f"batch + {rows}" if rows else "batch", width)), weights)


MODELS = {
    "weights_100MB": partial(mlp, layers=4),
    "weights_1500MB": partial(mlp, layers=60),
    "blocks_5k_shared": partial(chain, length=5_000, block=30),
    "blocks_5k_distinct": partial(chain, length=5_000, block=40, distinct=True),
    **{f"chain_{n // 1000}k_shared": partial(chain, length=n) for n in (10_000, 30_000, 100_000)},
    **{f"chain_{n // 1000}k_distinct": partial(chain, length=n, distinct=True) for n in (10_000, 30_000, 100_000)},
}


LAYERS_100K = """\
name: layers-100k
task: language-modeling
symbols: {n_layer: 100000, d_model: 1024, vocab: 50257, batch: , seq: {kind: sequence, max: 1024}}
inputs:
  tokens: {shape: [batch, seq], dtype: int64}
layers:
  - {embedding: vocab, output_dim: d_model}
  - repeat: n_layer
    layers:
      - residual: [layer_normalization, {dense: 4*d_model, activation: gelu}, {dense: d_model}]
  - {unembedding: vocab}
"""


def make(directory: Path) -> None:
    """Write every model that is not there yet."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, write in MODELS.items():
        if not (path := directory / f"{name}.onnx").exists():
            write(path)
    (directory / "layers_100k.yaml").write_text(LAYERS_100K)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "build" / "speed")
