"""What is wrong with a layer, in the words of a specification: shapes and axes, no nodes."""

from __future__ import annotations

from collections.abc import Sequence

from scalecalc.dims import Dim
from scalecalc.errors import ShapeError
from scalecalc.frontends.values import Value
from scalecalc.ir.graph import Node
from scalecalc.ops import Tensor
from scalecalc.walk.forward import Forward

ENTRYWISE = ("Add", "Mul", "Sub", "Div", "Mean", "Max", "Concat")
"""Operators whose inputs have their axes in common."""


class Layers(Forward):
    """Evaluates the nodes of layers as they are made."""

    def _error(self, node: Node, what: str, arguments: Sequence[Tensor | None] = ()) -> ShapeError:
        shapes = [_shape(x.shape) for x in arguments if x is not None]
        listed = " and ".join((", ".join(shapes[:-1]), shapes[-1])) if len(shapes) > 1 else "".join(shapes)
        of = f", in the {node.op_type:.80} of {listed:.300}" if listed else f", in the {node.op_type:.80}"
        return ShapeError(f"{_axis(node, arguments)}{what}{of}")


def shape_text(value: Tensor | Value) -> str:
    """A shape for people.

    >>> shape_text(Tensor((2, 3), "float32"))
    '(2, 3)'
    """
    return _shape(value.shape)


def _shape(shape: Sequence[Dim]) -> str:
    return f"({', '.join(map(str, shape))})"


def _axis(node: Node, arguments: Sequence[Tensor | None]) -> str:
    """Which axis two inputs of one rank differ along, where it is only one."""
    shapes = [x.shape for x in arguments if x is not None]
    if node.op_type not in ENTRYWISE or len(shapes) < 2 or len(shapes[0]) != len(shapes[1]):
        return ""
    rank = len(shapes[0])
    joined = node.attributes.get("axis", rank)
    along = joined % rank if node.op_type == "Concat" and isinstance(joined, int) and rank else rank
    pairs = enumerate(zip(*shapes[:2], strict=True))
    apart = [axis for axis, (a, b) in pairs if a != b and 1 not in (a, b) and axis != along]
    return f"axis {apart[0]}: " if len(apart) == 1 else ""
