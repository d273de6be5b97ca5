"""Scaled-dot-product attention and rotary positions, written out."""

from __future__ import annotations

from scalecalc.ir.graph import LAYERS, Node
from scalecalc.ir.links import Layer, Links


def attention(links: Links, anchor: Node) -> Layer | None:
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
