"""ONNX files: `read` returns a model's graph without loading its weights or opening any other file."""

from __future__ import annotations

import os
from pathlib import Path

from google.protobuf.message import DecodeError

from scalecalc.errors import FileError, GraphError, ScalecalcError
from scalecalc.frontends.functions import Functions
from scalecalc.frontends.messages import ModelProto
from scalecalc.frontends.nodes import Reader
from scalecalc.frontends.opsets import NEWEST, checked, version
from scalecalc.frontends.wire import EXPORT, damaged, skeleton, text
from scalecalc.ir.graph import Graph


def read(path: str | os.PathLike[str]) -> Graph:
    """The graph in the ONNX file at `path`.

    Operators come in their newest form, nodes in topological order, constants as initializers, contents only of
    tensors of at most 64 elements. A sidecar of weights is neither needed nor opened. `metadata` holds the producer,
    the IR version, the number of nodes in the file (`nodes`, constants included) and perhaps a `note`.

    Raises:
        FileError: the file is missing, damaged, too old, or no ONNX model.
        GraphError: its graph contradicts itself.
    """
    try:
        graph = _graph(_model(path))
    except ScalecalcError as error:
        error.where = error.where or os.fspath(path)
        raise
    graph.name = Path(path).stem
    return graph


def _model(path: str | os.PathLike[str]) -> ModelProto:
    model = ModelProto()
    try:
        model.ParseFromString(skeleton(path))
    except (DecodeError, UnicodeDecodeError):
        raise damaged("it does not follow protobuf's format") from None
    if not model.HasField("graph"):
        raise FileError("there is no graph in it: this is not an ONNX model", todo=EXPORT)
    return model


def _graph(model: ModelProto) -> Graph:
    proto = model.graph
    if not proto.node:
        raise FileError("the graph has no nodes", todo=EXPORT)
    opset = version(model.opset_import) or _implied(model)
    functions = Functions(model.functions, opset or NEWEST)
    graph, undefined = Reader(opset or NEWEST, functions if model.functions else None).graph(proto)
    for name, user in undefined.items():
        raise GraphError(f"nothing defines {name!r:.80}, which {user:.80} uses", todo="export the model again")
    graph.functions = functions.read()
    graph.opset = opset
    graph.metadata = {
        "producer_name": text(model.producer_name),
        "producer_version": text(model.producer_version),
        "ir_version": str(model.ir_version),
        "nodes": str(len(proto.node)),
    }
    if opset > NEWEST:
        graph.metadata["note"] = f"operator set {opset} is newer than {NEWEST}, the newest known here: rules may differ"
    return graph


def _implied(model: ModelProto) -> int:
    """Without an entry for ONNX's own operators: 0 where none is used, else a version too old to be read."""
    ours = any(node.domain in ("", "ai.onnx") for node in model.graph.node)
    return checked(1) if ours else 0
