"""Which front end reads a model: by its file's name, by its contents for `-`, or one that comes with this package."""

from __future__ import annotations

import os
import sys
import tempfile

from scalecalc.errors import FileError, ScalecalcError, nearest
from scalecalc.ir.graph import Graph

SPECS = (".yaml", ".yml")
STDIN = "-"
MOST_STDIN = 4_000_000_000
"""Bytes read from a pipe."""


def read(source: str | os.PathLike[str]) -> Graph:
    """The graph of a file, of `FILE.yaml:VARIANT`, of a shipped model's name, or of what `-` reads from stdin.

    Raises:
        FileError: nothing is called that, or it cannot be read.
    """
    name = os.fspath(source)
    if name == STDIN:
        return _read_stdin()
    file, _, variant = name.rpartition(":")
    if not os.path.exists(name) and file.lower().endswith(SPECS) and os.path.exists(file):
        from scalecalc.frontends.spec import read as read_spec

        return read_spec(file, variant)
    if not os.path.exists(name) and os.path.basename(name) == name and not os.path.splitext(name)[1]:
        return _read_shipped(name)
    return _read_file(name)


def _read_file(path: str) -> Graph:
    lower = path.lower()
    if lower.endswith(SPECS):
        from scalecalc.frontends.spec import read as read_spec

        return read_spec(path)
    if lower.endswith((".keras", ".json")):
        from scalecalc.frontends.keras import read as read_keras

        return read_keras(path)
    from scalecalc.frontends.onnx import read as read_onnx

    return read_onnx(path)


def _read_shipped(name: str) -> Graph:
    from scalecalc.frontends import zoo

    found = zoo.find(name)
    if found is None:
        todo = nearest(name, zoo.known(), "give the path of a file, or a name that `scalecalc models` lists")
        raise FileError("there is no such file, and no model of that name", where=name, todo=todo)
    graph = zoo.load(found).graph()
    graph.metadata["shipped"] = "yes"
    return graph


def _read_stdin() -> Graph:
    """What a pipe holds, told by its first bytes: text is a specification or Keras's JSON, anything else ONNX."""
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise FileError("stdin is closed", where=STDIN, todo="give a file")
    raw = stream.read(MOST_STDIN)
    head = raw[:4096]
    if head.lstrip()[:1] == b"{" or head[:4] == b"PK\x03\x04":
        from scalecalc.frontends.keras import parse as parse_keras

        return parse_keras(raw, "stdin")
    if b"\0" not in head and all(byte >= 32 or byte in b"\t\r\n" for byte in head):
        from scalecalc.frontends.spec import parse as parse_spec

        return parse_spec(raw, "stdin").graph()
    from scalecalc.frontends.onnx import read as read_onnx

    with tempfile.TemporaryDirectory(prefix="scalecalc-") as folder:
        path = os.path.join(folder, "stdin.onnx")
        with open(path, "wb") as file:
            file.write(raw)
        try:
            return read_onnx(path)
        except ScalecalcError as error:
            error.where = error.where.replace(path, "stdin")
            raise
