"""Keras files: `.keras` archives and JSON configurations, read without importing Keras."""

from __future__ import annotations

import os

from scalecalc.errors import FileError
from scalecalc.ir.graph import Graph


def read(path: str | os.PathLike[str]) -> Graph:
    """The graph of a `.keras` file or a JSON configuration."""
    raise FileError("Keras files are not read yet", where=os.fspath(path), todo="export it to ONNX")


def parse(raw: bytes, file: str) -> Graph:
    """The same from bytes."""
    raise FileError("Keras files are not read yet", where=file, todo="export it to ONNX")
