"""Layers that exporters decompose, recognised in the nodes they left. The nodes stay; a Layer names what they are.

Each recogniser starts at the one operator its layer cannot do without, follows the graph both ways, and gives
nothing unless every step is what the layer demands and no inner value is used elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import erf, isclose, pi, sqrt, tanh

from scalecalc.ir.graph import Graph, Node
from scalecalc.ir.links import Layer, Links, Rank

LAYERS = "scalecalc"
"""Operator domain of layers that ONNX has no operator for."""


def _gelu(links: Links, anchor: Node) -> Layer | None:
    """x * 0.5 * (1 + erf(x / sqrt 2)), or the tanh form, its products in any order."""
    one = links.user(anchor.outputs[0], "Add")
    if one is None or links.number(links.other(one, anchor.outputs[0])) != 1:
        return None
    root, x = one, ""
    for _ in range(3):  # x, one half, and the bracket are two products; a nested one makes three
        product = links.user(root.outputs[0], "Mul") if not x else None
        if product is None:
            break
        root = product
        factors = _factors(links, root)
        names = {name for name in factors if links.number(name) is None} - set(one.outputs)
        if len(factors) == 3 and len(names) == 1 and 0.5 in map(links.number, factors):
            (x,) = names
    if not x:
        return None
    members = _region(links, root, x, {"Mul", "Div", "Add", "Pow", anchor.op_type})
    if members is None or not all(
        isclose(_number(links, root, x, at), GELU[anchor.op_type](at), abs_tol=2e-4) for at in (-1.5, 0.5, 2.0)
    ):
        return None
    return links.layer("Gelu", "", (x,), root, members)


GELU: dict[str, Callable[[float], float]] = {
    "Erf": lambda x: x / 2 * (1 + erf(x / sqrt(2))),
    "Tanh": lambda x: x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))),
}
ARITHMETIC: dict[str, Callable[..., float]] = {
    "Mul": lambda a, b: a * b,
    "Div": lambda a, b: a / b,
    "Add": lambda a, b: a + b,
    "Pow": lambda a, b: a**b,
    "Erf": erf,
    "Tanh": tanh,
}


def _number(links: Links, node: Node, x: str, at: float) -> float:
    """What nodes of `x` and constants make of a number; nan where they make nothing of it."""
    operands = []
    for name in node.inputs:
        made, number = links.node(name), links.number(name)
        if name == x:
            number = at
        elif number is None and made is not None:
            number = _number(links, made, x, at)
        operands.append(float("nan") if number is None else number)
    try:
        result = ARITHMETIC[node.op_type](*operands)
    except (ArithmeticError, TypeError):
        return float("nan")
    return result if isinstance(result, float) else float("nan")


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
    if links.number(links.other(shifted, mean_name)) is None:
        return None
    mean = links.row_mean(mean_name)
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
    average = links.row_mean(centred.inputs[1]) if centred is not None else None
    if centred is not None and average is not None and average.inputs[0] == centred.inputs[0]:
        kind, x = "LayerNormalization", centred.inputs[0]
        members |= {d, centred.inputs[1]}
    root = links.user(anchor.outputs[0], "Div", "Reciprocal")
    if root is not None and (root.op_type == "Reciprocal" or links.number(root.inputs[0]) == 1):
        members.add(root.outputs[0])
        root = links.user(root.outputs[0], "Mul")
        if root is None or d not in root.inputs:
            return None
    elif root is None or root.inputs[0] != d:
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
    if not links.is_last(anchor.attributes.get("axis", -1), anchor.inputs[0]):
        return None
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
