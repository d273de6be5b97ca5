"""Small ONNX models on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from scalecalc.frontends.onnx import read
from scalecalc.ir.graph import Graph

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
