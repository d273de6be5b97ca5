"""Small ONNX models on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from scalecalc.frontends.onnx import read
from scalecalc.ir.graph import Graph
from tests.walk.graphs import model

Files = Callable[..., list[Path]]
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write nodes (or a ready graph) as a model file: `save(nodes, opset=13, inputs={"x": (1, 4)}, outputs=("y",))`."""

    def write(
        nodes: list[onnx.NodeProto] | onnx.GraphProto,
        *,
        opset: int = 17,
        inputs: dict[str, Any] | None = None,
        outputs: tuple[str, ...] = ("y",),
        tensors: tuple[onnx.TensorProto, ...] = (),
        functions: tuple[onnx.FunctionProto, ...] = (),
        domains: tuple[str, ...] = ("",),
    ) -> Path:
        graph = nodes
        if not isinstance(graph, onnx.GraphProto):
            taken = {"x": (1, 4, 6, 6)} if inputs is None else inputs
            graph = helper.make_graph(
                nodes,
                "graph",
                [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in taken.items()],
                [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
                list(tensors),
            )
        imports = [helper.make_opsetid(domain, opset) for domain in domains]
        model = helper.make_model(graph, opset_imports=imports, functions=functions, ir_version=10)
        path = tmp_path / "model.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return write


@pytest.fixture
def load(save: Save) -> Callable[..., Graph]:
    """`save`, then `read`."""
    return lambda *args, **options: read(save(*args, **options))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """`files(encoder=..., decoder=...)`: models in text form or as they are, written as <name>.onnx."""

    def write(**models: str | onnx.ModelProto) -> list[Path]:
        paths = []
        for name, content in models.items():
            proto = model(content) if isinstance(content, str) else content
            paths.append(tmp_path / f"{name}.onnx")
            paths[-1].write_bytes(proto.SerializeToString())
        return paths

    return write


def with_weight(text: str, name: str, fill: float) -> onnx.ModelProto:
    """A model whose weight `name` holds one number everywhere."""
    proto = model(text)
    for tensor in proto.graph.initializer:
        if tensor.name == name:
            array = numpy_helper.to_array(tensor) * 0 + fill
            tensor.CopyFrom(numpy_helper.from_array(array.astype("float32"), name))
    return proto
