"""Keras files: `.keras` archives and JSON configurations, read without importing Keras.

A configuration names its layers and how they are joined; each becomes the layers of `scalecalc.frontends.layers`, so
that costs are counted once. Weights are never read, and code a file carries (Lambda, custom objects) is never run:
what it would do is an unsupported node, and every figure that misses it a lower bound.
"""

from __future__ import annotations

import os

from scalecalc.ir.graph import Graph


def read(path: str | os.PathLike[str]) -> Graph:
    """The graph of a `.keras` file, or of what `model.to_json()` gives.

    Raises:
        FileError: it cannot be read, is neither, or its layers do not fit each other.
    """
    from scalecalc.frontends.keras.archive import open_document
    from scalecalc.frontends.keras.model import build

    file = os.fspath(path)
    return build(open_document(file), file, os.path.splitext(os.path.basename(file))[0])


def parse(raw: bytes, file: str) -> Graph:
    """The same from the bytes of either.

    Args:
        raw: an archive, or JSON.
        file: what to call it in errors.

    Raises:
        FileError: as for `read`.
    """
    from scalecalc.frontends.keras.archive import document
    from scalecalc.frontends.keras.model import build

    return build(document(raw, file), file)
