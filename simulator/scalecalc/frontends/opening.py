"""Which front end reads a model: by its file's name, by its contents for `-`, or one that comes with this package."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import TYPE_CHECKING

from scalecalc.errors import FileError, ScalecalcError, nearest
from scalecalc.ir.graph import Graph

if TYPE_CHECKING:
    from scalecalc.frontends.declared import Values
    from scalecalc.walk.symbols import Shapes

SPECS = (".yaml", ".yml")
STDIN = "-"
MOST_STDIN = 4_000_000_000
"""Bytes read from a pipe."""


def read(source: str | os.PathLike[str], *, shapes: Shapes | None = None, values: Values | None = None) -> Graph:
    """The graph of a file, of `FILE.yaml:VARIANT`, of a shipped model's name, or of what `-` reads from stdin.

    Args:
        source: which of them.
        shapes: of inputs instead of the file's, for those that are built: of others the walk changes them.
        values: of symbols a specification declares, instead of the file's.

    Raises:
        FileError: nothing is called that, or it cannot be read.
    """
    name = os.fspath(source)
    if name == STDIN:
        return _read_stdin(shapes, values)
    file, _, variant = name.rpartition(":")
    if not os.path.exists(name) and file.lower().endswith(SPECS) and os.path.exists(file):
        from scalecalc.frontends.spec import read as read_spec

        return read_spec(file, variant, shapes=shapes, values=values)
    extension = os.path.splitext(file or name)[1]
    plain = os.path.basename(name) == name and not extension[1:2].isalpha()  # a digit follows in mamba-1.4b
    if not os.path.exists(name) and plain:
        return _read_shipped(name, shapes, values)
    return _read_file(name, shapes, values)


def _read_file(path: str, shapes: Shapes | None, values: Values | None) -> Graph:
    lower = path.lower()
    if lower.endswith(SPECS):
        from scalecalc.frontends.spec import read as read_spec

        return read_spec(path, shapes=shapes, values=values)
    if lower.endswith((".keras", ".json")):
        from scalecalc.frontends.keras import read as read_keras

        return read_keras(path)
    from scalecalc.frontends.onnx import read as read_onnx

    return read_onnx(path)


def _read_shipped(name: str, shapes: Shapes | None, values: Values | None) -> Graph:
    from scalecalc.frontends import zoo

    found = zoo.find(name)
    if found is None:
        todo = nearest(name, zoo.known(), "give the path of a file, or a name that `scalecalc models` lists")
        raise FileError("there is no such file, and no model of that name", where=name, todo=todo)
    graph = zoo.load(found, values).graph(shapes)
    graph.metadata["shipped"] = "yes"
    return graph


def _read_stdin(shapes: Shapes | None, values: Values | None) -> Graph:
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

        return parse_spec(raw, "stdin", values=values).graph(shapes)
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
