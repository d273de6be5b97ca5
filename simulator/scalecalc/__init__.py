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

    from scalecalc.ir import Graph
    from scalecalc.walk import Profile
    from scalecalc.walk.symbols import Shapes

__version__ = "0.1.0"

__all__ = ["__version__", "profile"]


def profile(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    joins: Sequence[tuple[str, str]] = (),
    family: bool = False,
    sizes: Mapping[str, int] | None = None,
    shapes: Mapping[str, Sequence[int | str | None]] | None = None,
    values: Mapping[str, int] | None = None,
) -> Profile:
    """The formulas of a model: `scalecalc.walk.walk` on what its front end reads.

    Args:
        path: a file, `FILE.yaml:VARIANT`, or the name of a model that comes with this package (`gpt2:xl`); or several
            files that are one model, those first whose outputs others need.
        joins: (output, input) pairs between several files, where `scalecalc.frontends.join` cannot tell.
        family, sizes, shapes: as for `walk`.
        values: of symbols a specification declares, instead of its own: formulas keep the symbols.

    Raises:
        ScalecalcError: the file cannot be read, or its graph contradicts itself.
    """
    from scalecalc.errors import ScalecalcError
    from scalecalc.walk import walk

    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    graph = _read(paths, joins, shapes, values)
    graph.metadata["source"] = " ".join(os.fspath(path) for path in paths)
    try:
        return walk(graph, family=family, sizes=sizes, shapes=None if graph.symbols else shapes)
    except ScalecalcError as error:
        error.where = " + ".join(os.fspath(path) for path in paths) if error.where in ("", graph.name) else error.where
        raise


def _read(
    paths: Sequence[str | os.PathLike[str]],
    joins: Sequence[tuple[str, str]],
    shapes: Shapes | None,
    values: Mapping[str, int] | None,
) -> Graph:
    from scalecalc.errors import UsageError

    if len(paths) == 1 and not joins:
        from scalecalc.frontends.opening import read

        return read(paths[0], shapes=shapes, values=values)
    if len(paths) < 2:
        raise UsageError("there is nothing to join in one file", where="--join", todo="give the files of the model")
    from scalecalc.frontends.join import read_joined

    return read_joined(paths, joins)
