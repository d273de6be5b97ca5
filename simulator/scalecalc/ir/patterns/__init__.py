"""Layers that exporters decompose, recognised in the nodes they left. The nodes stay; a Layer names what they are.

Each recogniser starts at the one operator its layer cannot do without, follows the graph both ways, and gives
nothing unless every step is what the layer demands and no inner value is used elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scalecalc.ir.graph import LAYERS, Graph, Node
from scalecalc.ir.links import Layer, Links, Rank
from scalecalc.ir.patterns.activations import gelu, swish
from scalecalc.ir.patterns.attention import attention, rotary
from scalecalc.ir.patterns.norms import group_normalization, normalization

__all__ = ["LAYERS", "RECOGNISERS", "recognise"]

RECOGNISERS: dict[str, Callable[[Links, Node], Layer | None]] = {
    "Erf": gelu,
    "Tanh": gelu,
    "Sigmoid": swish,
    "Sqrt": normalization,
    "InstanceNormalization": group_normalization,
    "Softmax": attention,
    "Neg": rotary,
}
"""The operator each recogniser starts from."""


def recognise(graph: Graph, rank: Rank = lambda name: None) -> Iterator[Layer]:
    """The layers in a graph, none sharing a node with another.

    `rank` tells how many axes a value has, so that its last axis is known by number too.
    """
    anchors = [node for node in graph.nodes if node.op_type in RECOGNISERS and not node.domain]
    if not anchors:
        return
    links = Links(graph, rank)
    taken: set[int] = set()
    for node in anchors:
        layer = RECOGNISERS[node.op_type](links, node)
        if layer is not None and taken.isdisjoint(layer.members):
            taken.update(layer.members)
            yield layer
