"""One layer on an image or a sequence of known size, and what it counts: once of numbers, once of symbols."""

from __future__ import annotations

from collections.abc import Sequence

from scalecalc.dims import evaluate
from scalecalc.frontends.spec import parse
from scalecalc.walk import walk

SEQUENCE, IMAGE, VOLUME = (2, 3, 9), (2, 3, 9, 8), (2, 3, 5, 9, 8)
"""Inputs of the tables: batch 2, 3 channels."""
NAMES = ("batch", "channels", "depth", "height", "width")

Counted = tuple[tuple[int | None, ...], int | None, int | None]


def counted(layer: str, size: Sequence[int], *, symbolic: bool) -> Counted:
    """(output's shape, trainable parameters, multiply-accumulates) of a layer on an input of that size.

    With `symbolic` every size but that of the channels is a symbol, and the formulas are evaluated at the sizes.
    """
    names = (*NAMES[:2], *NAMES[7 - len(size) :]) if len(size) > 2 else NAMES[: len(size)]
    free = {name: dim for name, dim in zip(names, size, strict=True) if name != "channels"} if symbolic else {}
    shape = [name if name in free else str(dim) for name, dim in zip(names, size, strict=True)]
    symbols = ", ".join(f"{name}: " for name in free)
    profile = walk(parse(specification(layer, ", ".join(shape), symbols), "test.yaml").graph())
    assert profile.complete
    (dims,) = profile.outputs.values()
    figures = profile.params["trainable"], profile.forward["macs"]
    params, macs = (quantity.value(free) for quantity in figures)
    return tuple(evaluate(dim, free) for dim in dims or ()), params, macs


def specification(layer: str, shape: str, symbols: str = "") -> str:
    """The text of a model of one layer."""
    return f"symbols: {{{symbols}}}\ninputs: {{x: [{shape}]}}\nlayers:\n  - {layer}\n"
