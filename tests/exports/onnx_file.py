"""What stands in an ONNX file, without its weights' values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import onnx


def nodes_of(nodes: Any) -> Iterator[onnx.NodeProto]:
    """These nodes and all nodes of the graphs in their attributes."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from nodes_of(graph.node)


def shape_of(value: onnx.ValueInfoProto) -> list[int | str]:
    """Dimensions of an input or output: numbers, or names."""
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def histogram(path: Path) -> dict[str, Any]:
    """Opsets, interface and operator counts of an ONNX file, functions included."""
    model = onnx.load(path, load_external_data=False)
    every = [node for part in (model.graph, *model.functions) for node in nodes_of(part.node)]
    ops = Counter(".".join(filter(None, (node.domain, node.op_type))) for node in every)
    weights = {tensor.name: prod(tensor.dims) for tensor in model.graph.initializer}
    return {
        "opset": {imported.domain or "ai.onnx": imported.version for imported in model.opset_import},
        "producer": f"{model.producer_name} {model.producer_version}".strip(),
        "inputs": {v.name: shape_of(v) for v in model.graph.input if v.name not in weights},
        "outputs": {v.name: shape_of(v) for v in model.graph.output},
        "nodes": len(every),
        "functions": len(model.functions),
        "initializers": len(weights),
        "initializer_elements": sum(weights.values()),
        "batch_norm_channels": sum(weights.get(n.input[3], 0) for n in every if n.op_type == "BatchNormalization"),
        "ops": dict(sorted(ops.items())),
    }
