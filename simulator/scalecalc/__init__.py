"""Exact formulas for the cost of a neural-network file, and what scaling laws say about training it.

>>> import scalecalc
>>> model = scalecalc.profile("models/vision/seed_cnn.onnx")
>>> model.forward["macs"].formula, model.params["trainable"].formula
(2440960*batch, 34826)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scalecalc.walk import Profile

__version__ = "0.1.0"

__all__ = ["__version__", "profile"]


def profile(
    path: str | os.PathLike[str],
    *,
    family: bool = False,
    sizes: Mapping[str, int] | None = None,
    shapes: Mapping[str, Sequence[int | str | None]] | None = None,
) -> Profile:
    """The formulas of a model file: `scalecalc.walk.walk` on what the file's front end reads.

    Raises:
        ScalecalcError: the file cannot be read, or its graph contradicts itself.
    """
    from scalecalc.errors import ScalecalcError
    from scalecalc.frontends.onnx import read
    from scalecalc.walk import walk

    graph = read(path)
    try:
        return walk(graph, family=family, sizes=sizes, shapes=shapes)
    except ScalecalcError as error:
        error.where = os.fspath(path) if error.where in ("", graph.name) else error.where
        raise
