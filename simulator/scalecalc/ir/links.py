"""A graph's values as a network to follow both ways, for the recognisers of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scalecalc.ir.graph import Graph, Node

MOST_STEPS = 64
"""Nodes in a row that only move or scale: exporters leave a few, and every recogniser follows them anew."""

Rank = Callable[[str], int | None]


@dataclass(frozen=True, slots=True)
class Layer:
    """A recognised layer.

    Attributes:
        node: the operator it amounts to, with its inputs and output.
        members: indices of the nodes it stands for.
    """

    node: Node
    members: tuple[int, ...]


class Links:
    """Who makes and who uses each value of a graph."""

    def __init__(self, graph: Graph, rank: Rank) -> None:
        self.graph, self.rank = graph, rank
        self.maker: dict[str, int] = {}
        self.users: dict[str, list[int]] = {}
        for place, node in enumerate(graph.nodes):
            for name in filter(None, node.outputs):
                self.maker[name] = place
            for name in filter(None, node.inputs):
                self.users.setdefault(name, []).append(place)

    def node(self, name: str, *op_types: str) -> Node | None:
        """The node that makes a value, if its operator is one of those (any of ONNX's own where none is named)."""
        place = self.maker.get(name)
        return self._if(place, op_types) if place is not None else None

    def user(self, name: str, *op_types: str) -> Node | None:
        """The only node that uses a value, if its operator is one of those, or any as above."""
        places = self.users.get(name, [])
        if len(set(places)) != 1 or name in self.graph.outputs:
            return None
        return self._if(places[0], op_types)

    def _if(self, place: int, op_types: tuple[str, ...]) -> Node | None:
        node = self.graph.nodes[place]
        return node if node.is_a(*op_types or (node.op_type,)) else None

    def number(self, name: str) -> float | None:
        """The value of a one-element constant."""
        init = self.graph.initializers.get(name)
        return float(init.value[0]) if init is not None and init.value is not None and len(init.value) == 1 else None

    def filled(self, name: str, number: float) -> bool | None:
        """Whether a stored tensor holds nothing but that number; None where its contents are not at hand."""
        init = self.graph.initializers.get(name)
        return None if init is None or init.value is None else all(entry == number for entry in init.value)

    def weight(self, name: str) -> str:
        """The stored tensor of several elements a value is, seen through new and dropped axes; "" for no such."""
        for _ in range(MOST_STEPS):
            if (node := self.node(name, "Unsqueeze", "Squeeze", "Reshape", "Identity", "Cast")) is None:
                break
            name = node.inputs[0]
        init = self.graph.initializers.get(name)
        return name if init is not None and init.shape else ""

    def other(self, node: Node, name: str) -> str:
        """The operand of a binary node that is not `name` (twice `name`: `name`)."""
        return node.inputs[1] if node.inputs[0] == name else node.inputs[0]

    def scaled(self, node: Node) -> tuple[str, float] | None:
        """(x, factor) where the node multiplies or divides x by a constant."""
        if node.op_type in ("Mul", "Div") and len(node.inputs) == 2:
            a, b = node.inputs
            if (factor := self.number(b)) is not None and (node.op_type == "Mul" or factor):
                return a, (factor if node.op_type == "Mul" else 1 / factor)
            if node.op_type == "Mul" and (factor := self.number(a)) is not None:
                return b, factor
        return None

    def is_last(self, axis: object, name: str) -> bool:
        """Whether an axis of a value is its last one."""
        rank = self.rank(name)
        return axis == -1 or (rank is not None and axis == rank - 1)

    def row_mean(self, name: str) -> Node | None:
        """The ReduceMean over the last axis, which it keeps, that makes a value."""
        node = self.node(name, "ReduceMean")
        if node is None or len(node.inputs) != 2 or not node.attributes.get("keepdims", 1):
            return None
        axes = self.graph.initializers.get(node.inputs[1])
        over = axes.value if axes is not None else None
        return node if over is not None and len(over) == 1 and self.is_last(over[0], node.inputs[0]) else None

    def layer(
        self,
        op_type: str,
        domain: str,
        inputs: tuple[str, ...],
        root: Node,
        members: set[str],
        attributes: Mapping[str, Any] | None = None,
        also: Iterable[str] = (),
    ) -> Layer | None:
        """The layer whose inner nodes make `members`; None where an inner value is used outside.

        `also` names values its first nodes make, whether or not what follows them belongs to it.
        """
        places = {self.maker[name] for name in members} | {self.maker[root.outputs[0]]}
        for place in places:
            for name in self.graph.nodes[place].outputs:
                inner = name != root.outputs[0]
                if inner and (name in self.graph.outputs or not places.issuperset(self.users.get(name, ()))):
                    return None
        places.update(self.maker[name] for name in also)
        node = Node(op_type, domain, root.name, inputs, root.outputs[:1], attributes or {})
        return Layer(node, tuple(sorted(places)))
