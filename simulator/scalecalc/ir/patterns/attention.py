"""Scaled-dot-product attention and rotary positions, written out."""

from __future__ import annotations

from scalecalc.ir.graph import LAYERS, Node
from scalecalc.ir.links import MOST_STEPS, Layer, Links

PRODUCTS = ("MatMul", "Einsum")
REGROUPED = ("Reshape", "Unsqueeze", "Squeeze")
MOVES = ("Cast", "Identity", *REGROUPED)
"""What changes neither scores nor their number."""


def attention(links: Links, anchor: Node) -> Layer | None:
    """softmax(q k * scale + masks) v: around the softmax only scalings, masks, moves, dropout and NaNs made 0.

    Inputs of the layer: what the softmax is of, v, and the masks. Where scores are multiplied by a learned scale, the
    layer starts behind it.
    """
    if not links.is_last(anchor.attributes.get("axis", -1), anchor.inputs[0]):
        return None
    found = _scores(links, anchor.inputs[0])
    after = _mixed(links, anchor)
    if found is None or after is None:
        return None
    product, inside, masks, scalings = found
    end, outside = after
    place = 0 if end.inputs[0] in outside else 1
    equation = str(end.attributes.get("equation", ""))
    if place and end.op_type == "MatMul":
        return None
    if place:
        terms, arrow, result = equation.partition("->")
        equation = ",".join(reversed(terms.split(","))) + arrow + result
    regrouped = any(links.node(name, *REGROUPED) is not None for name in outside)
    scores = end.inputs[place] if regrouped else anchor.inputs[0]  # as many, in the shape the values meet
    inputs = (scores, end.inputs[1 - place], *masks)
    attributes = {"equation": equation, "scalings": scalings}
    members = {anchor.outputs[0]} | inside | outside
    return links.layer("ScaledDotProductAttention", LAYERS, inputs, end, members, attributes, also=product.outputs)


def _scores(links: Links, name: str) -> tuple[Node, set[str], list[str], int] | None:
    """From what a softmax is of back to the product of queries and keys: it, the values in between, masks, scalings."""
    inside: set[str] = set()
    masks: list[str] = []
    scalings, learned, steps = 0, False, 0
    while (node := links.node(name)) is not None and node.op_type not in PRODUCTS and steps < MOST_STEPS:
        steps += 1
        if not learned:
            inside.add(name)
        scaled = links.scaled(node)
        if scaled is not None:
            name, scalings = scaled[0], scalings + 1 - learned
        elif node.op_type in MOVES:
            name = node.inputs[0]
        elif node.op_type == "Where" and not learned:
            values = [n for n in node.inputs[1:] if links.number(n) is None]
            masks.append(node.inputs[0])
            name = values[0] if len(values) == 1 else ""
        elif node.op_type == "Add" and not learned:
            side = 0 if _leads_to_product(links, node.inputs[0]) else 1
            name = node.inputs[side]
            masks.append(node.inputs[1 - side])
        elif node.op_type in ("Mul", "Div"):
            side = 0 if _leads_to_product(links, node.inputs[0]) else 1
            name, factor = node.inputs[side], node.inputs[1 - side]
            if links.rank(factor) == 0:
                scalings += 1 - learned
            elif links.weight(factor):
                inside.discard(node.outputs[0])
                learned = True
            else:
                return None
        else:
            return None
    if (
        node is None
        or node.op_type not in PRODUCTS
        or len(node.inputs) != 2
        or any(links.weight(operand) for operand in node.inputs)
    ):
        return None
    return node, inside | (set() if learned else {name}), masks, scalings


def _leads_to_product(links: Links, name: str) -> bool:
    """Whether a value is a product of two others, scaled, moved or masked."""
    for _ in range(6):
        node = links.node(name, *PRODUCTS, *MOVES, "Mul", "Div", "Add", "Where")
        if node is None:
            return False
        if node.op_type in PRODUCTS:
            return not any(links.weight(operand) for operand in node.inputs)
        made = [n for n in node.inputs if links.node(n, *PRODUCTS, *MOVES, "Mul", "Div", "Add", "Where") is not None]
        name = made[0] if made else ""
    return False


def _mixed(links: Links, anchor: Node) -> tuple[Node, set[str]] | None:
    """From a softmax to the product with the values: it, and the probabilities on the way."""
    name, outside = anchor.outputs[0], {anchor.outputs[0]}
    while (node := _next(links, name)) is not None and node.op_type not in PRODUCTS:
        if len(outside) > MOST_STEPS:
            return None
        if node.op_type == "Where":
            outside.add(node.inputs[0])
        name = node.outputs[0]
        outside.add(name)
    return (node, outside) if node is not None and len(node.inputs) == 2 else None


def _next(links: Links, name: str) -> Node | None:
    """What uses probabilities: a product, a move or dropout, or a Where that makes NaNs of them 0."""
    node = links.user(name, *PRODUCTS, *MOVES, "Dropout")
    if node is None and len(users := links.users.get(name, [])) == 2:
        first, second = (links.graph.nodes[place] for place in users)
        is_nan, where = (first, second) if first.op_type == "IsNaN" else (second, first)
        if is_nan.op_type == "IsNaN" and where.op_type == "Where" and where.inputs[0] == is_nan.outputs[0]:
            return where
    return node


def rotary(links: Links, anchor: Node) -> Layer | None:
    """x * cos + (-second half of x, first half) * sin."""
    halves = links.user(anchor.outputs[0], "Concat")
    if halves is None or len(halves.inputs) != 2 or halves.inputs[0] != anchor.outputs[0]:
        return None
    second, first = links.node(anchor.inputs[0], "Slice", "Split"), links.node(halves.inputs[1], "Slice", "Split")
    if second is None or first is None or second.inputs[0] != first.inputs[0]:
        return None
    turned = links.user(halves.outputs[0], "Mul")
    root = links.user(turned.outputs[0], "Add") if turned is not None else None
    if turned is None or root is None:
        return None
    straight = links.node(links.other(root, turned.outputs[0]), "Mul")
    x = second.inputs[0]
    if straight is None or x not in straight.inputs:
        return None
    members = {*anchor.outputs, *second.outputs, *first.outputs, *halves.outputs, *turned.outputs, *straight.outputs}
    inputs = (x, links.other(straight, x), links.other(turned, halves.outputs[0]))
    return links.layer("RotaryEmbedding", LAYERS, inputs, root, members)
