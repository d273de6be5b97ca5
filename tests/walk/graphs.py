"""Small graphs, written in ONNX's own text form, as the front end reads them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper, parser

from scalecalc.frontends.onnx import read
from scalecalc.ir.graph import Graph

OPSET = 23


def model(text: str, opset: int = OPSET) -> onnx.ModelProto:
    """A model from `(inputs) => (outputs) <weights> { nodes }`.

    Entries of <...> that no node makes and no value is given for become weights of random numbers.
    """
    domains = f'"" : {opset}, "com.acme" : 1'
    proto: onnx.ModelProto = parser.parse_model(f"<ir_version: 10, opset_import: [{domains}]> g {text}")
    made = {name for node in proto.graph.node for name in node.output}
    generator = np.random.default_rng(0)
    for info in [info for info in proto.graph.value_info if info.name not in made]:
        proto.graph.value_info.remove(info)
        kind = info.type.tensor_type
        shape = [d.dim_value for d in kind.shape.dim]
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
        values = generator.integers(1, 100, shape) if dtype.kind in "iu" else generator.normal(size=shape)
        proto.graph.initializer.append(numpy_helper.from_array(np.asarray(values).astype(dtype), info.name))
    return proto


def load(proto: onnx.ModelProto) -> Graph:
    """What the front end makes of it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "g.onnx"
        path.write_bytes(proto.SerializeToString())
        return read(path)


def graph(text: str, opset: int = OPSET) -> Graph:
    """`load(model(text))`."""
    return load(model(text, opset))
