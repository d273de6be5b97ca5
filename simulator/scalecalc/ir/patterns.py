"""Layers that exporters decompose, recognised in the nodes they left. The nodes stay; a Layer names what they are.

Each recogniser starts at the one operator its layer cannot do without, follows the graph both ways, and gives
nothing unless every step is what the layer demands and no inner value is used elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isclose, sqrt

from scalecalc.ir.graph import Graph, Node

LAYERS = "scalecalc"
"""Operator domain of layers that ONNX has no operator for."""


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

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.maker: dict[str, int] = {}
        self.users: dict[str, list[int]] = {}
        for place, node in enumerate(graph.nodes):
            for name in node.outputs:
                self.maker[name] = place
            for name in node.inputs:
                self.users.setdefault(name, []).append(place)

    def node(self, name: str, *op_types: str) -> Node | None:
        """The node that makes a value, if its operator is one of those."""
        place = self.maker.get(name)
        node = self.graph.nodes[place] if place is not None else None
        return node if node is not None and (not op_types or node.op_type in op_types) else None

    def user(self, name: str, *op_types: str) -> Node | None:
        """The only node that uses a value, if its operator is one of those."""
        places = self.users.get(name, [])
        if len(set(places)) != 1 or name in self.graph.outputs:
            return None
        node = self.graph.nodes[places[0]]
        return node if not op_types or node.op_type in op_types else None

    def number(self, name: str) -> float | None:
        """The value of a one-element constant."""
        init = self.graph.initializers.get(name)
        return float(init.value[0]) if init is not None and init.value is not None and len(init.value) == 1 else None

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

    def layer(self, op_type: str, domain: str, inputs: tuple[str, ...], root: Node, members: set[str]) -> Layer | None:
        """The layer whose inner nodes make `members`; None where an inner value is used outside."""
        places = {self.maker[name] for name in members} | {self.maker[root.outputs[0]]}
        for place in places:
            for name in self.graph.nodes[place].outputs:
                inner = name != root.outputs[0]
                if inner and (name in self.graph.outputs or not places.issuperset(self.users.get(name, ()))):
                    return None
        node = Node(op_type, domain, root.name, inputs, root.outputs[:1], {})
        return Layer(node, tuple(sorted(places)))


def _gelu(links: Links, anchor: Node) -> Layer | None:
    """x * 0.5 * (1 + erf(x / sqrt 2)), or the tanh form, its products in any order."""
    one = links.user(anchor.outputs[0], "Add")
    if one is None or links.number(links.other(one, anchor.outputs[0])) != 1:
        return None
    root, x = one, ""
    while not x and (product := links.user(root.outputs[0], "Mul")) is not None:
        root = product
        factors = _factors(links, root)
        names = {name for name in factors if links.number(name) is None} - set(one.outputs)
        if len(factors) == 3 and len(names) == 1 and 0.5 in map(links.number, factors):
            (x,) = names
    if not x:
        return None
    members = _region(links, root, x, {"Mul", "Div", "Add", "Pow", anchor.op_type})
    inside = links.node(anchor.inputs[0])
    if members is None or inside is None:
        return None
    scaled = links.scaled(inside)
    if anchor.op_type == "Erf" and (
        scaled is None or scaled[0] != x or not isclose(scaled[1], sqrt(0.5), rel_tol=1e-3)
    ):
        return None
    if anchor.op_type == "Tanh" and (scaled is None or not isclose(scaled[1], 0.7978845608, rel_tol=1e-3)):
        return None
    return links.layer("Gelu", "", (x,), root, members)


def _factors(links: Links, root: Node) -> list[str]:
    """What a product of at most three factors multiplies, however its Muls are nested."""
    factors: list[str] = []
    for name in root.inputs:
        inner = links.node(name, "Mul")
        nested = inner is not None and links.user(name) is root
        factors += inner.inputs if nested and inner is not None else [name]
    return factors


def _region(links: Links, root: Node, x: str, allowed: set[str]) -> set[str] | None:
    """Values between x and the root's output, if only allowed operators of x and numbers make them."""
    members: set[str] = set()
    stack = list(root.inputs)
    while stack:
        name = stack.pop()
        if name == x or name in members or links.number(name) is not None:
            continue
        node = links.node(name)
        if node is None or node.op_type not in allowed or len(members) > 16:
            return None
        members.add(name)
        stack += node.inputs
    return members


def _normalization(links: Links, anchor: Node) -> Layer | None:
    """(x - mean) / sqrt(mean of squares + eps) * gamma + beta; without the mean it is an RMSNormalization."""
    shifted = links.node(anchor.inputs[0], "Add")
    if shifted is None:
        return None
    mean_name = next((name for name in shifted.inputs if links.number(name) is None), "")
    mean = links.node(mean_name, "ReduceMean")
    square = links.node(mean.inputs[0], "Pow", "Mul") if mean is not None else None
    if mean is None or square is None:
        return None
    d = square.inputs[0]
    if (square.op_type == "Pow" and links.number(square.inputs[1]) != 2) or (
        square.op_type == "Mul" and square.inputs[1] != d
    ):
        return None
    members = {anchor.outputs[0], anchor.inputs[0], mean_name, mean.inputs[0]}
    kind, x = "RMSNormalization", d
    centred = links.node(d, "Sub")
    average = links.node(centred.inputs[1], "ReduceMean") if centred is not None else None
    if centred is not None and average is not None and average.inputs[0] == centred.inputs[0]:
        kind, x = "LayerNormalization", centred.inputs[0]
        members |= {d, centred.inputs[1]}
    root = links.user(anchor.outputs[0], "Div", "Reciprocal", "Mul")
    if (root is not None and root.op_type == "Reciprocal") or (
        root is not None and root.op_type == "Div" and root.inputs[0] != d and links.number(root.inputs[0]) == 1
    ):
        members.add(root.outputs[0])
        root = links.user(root.outputs[0], "Mul")
    if root is None or d not in root.inputs:
        return None
    inputs = [x]
    for op_type in ("Mul", "Add") if kind == "LayerNormalization" else ("Mul",):
        following = links.user(root.outputs[0], op_type)
        weight = links.other(following, root.outputs[0]) if following is not None else ""
        if (
            following is None
            or weight not in links.graph.initializers
            or len(links.graph.initializers[weight].shape) != 1
        ):
            break
        members.add(root.outputs[0])
        inputs.append(weight)
        root = following
    return links.layer(kind, "", tuple(inputs), root, members) if len(inputs) > 1 else None


def _attention(links: Links, anchor: Node) -> Layer | None:
    """softmax(q k * scale + mask) v: between the two products only scalings, masks, casts and dropout."""
    members = {anchor.outputs[0]}
    mask, name = "", anchor.inputs[0]
    while (node := links.node(name)) is not None and node.op_type != "MatMul":
        members.add(name)
        if node.op_type == "Where":
            mask, name = mask or node.inputs[0], next((n for n in node.inputs[1:] if links.number(n) is None), "")
        elif node.op_type == "Cast" or links.scaled(node) is not None:
            scaled = links.scaled(node)
            name = scaled[0] if scaled is not None else node.inputs[0]
        elif node.op_type == "Add":
            first = links.node(node.inputs[0], "MatMul", "Mul", "Div", "Where", "Add")
            scores = first is not None and _leads_to_product(links, first)
            name, mask = (node.inputs[0], node.inputs[1]) if scores else (node.inputs[1], node.inputs[0])
        else:
            return None
    product = links.node(name, "MatMul")
    end = links.user(anchor.outputs[0], "MatMul", "Dropout", "Cast")
    while end is not None and end.op_type != "MatMul":
        members.add(end.outputs[0])
        end = links.user(end.outputs[0], "MatMul", "Dropout", "Cast")
    if product is None or end is None or end.inputs[0] not in members:
        return None
    inputs = (*product.inputs, end.inputs[1], *((mask,) if mask else ()))
    return links.layer("ScaledDotProductAttention", LAYERS, inputs, end, members | {name})


def _leads_to_product(links: Links, node: Node) -> bool:
    """Whether scores, scaled or masked, come from a MatMul of two values."""
    for _ in range(4):
        if node.op_type == "MatMul":
            return True
        following = next((made for name in node.inputs if (made := links.node(name)) is not None), None)
        if following is None:
            return False
        node = following
    return False


RECOGNISERS: dict[str, Callable[[Links, Node], Layer | None]] = {
    "Erf": _gelu,
    "Tanh": _gelu,
    "Sqrt": _normalization,
    "Softmax": _attention,
}
"""The operator each recogniser starts from."""


def recognise(graph: Graph) -> Iterator[Layer]:
    """The layers in a graph, none sharing a node with another."""
    anchors = [node for node in graph.nodes if node.op_type in RECOGNISERS and not node.domain]
    if not anchors:
        return
    links = Links(graph)
    taken: set[int] = set()
    for node in anchors:
        layer = RECOGNISERS[node.op_type](links, node)
        if layer is not None and taken.isdisjoint(layer.members):
            taken.update(layer.members)
            yield layer
