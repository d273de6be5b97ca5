"""LayerNormalization, RMSNormalization and GroupNormalization, written out."""

from __future__ import annotations

from scalecalc.ir.graph import Node
from scalecalc.ir.links import Layer, Links


def normalization(links: Links, anchor: Node) -> Layer | None:
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


def group_normalization(links: Links, anchor: Node) -> Layer | None:
    """Groups made rows by a Reshape, normalised as channels with scales of 1, reshaped back, then gamma and beta."""
    before, ones = links.node(anchor.inputs[0], "Reshape"), links.graph.initializers.get(anchor.inputs[1])
    back = links.user(anchor.outputs[0], "Reshape")
    scaled = links.user(back.outputs[0], "Mul") if back is not None else None
    root = links.user(scaled.outputs[0], "Add") if scaled is not None else None
    if before is None or ones is None or back is None or scaled is None or root is None or len(ones.shape) != 1:
        return None
    if any(links.filled(name, value) is False for name, value in zip(anchor.inputs[1:3], (1, 0), strict=True)):
        return None
    gamma, beta = links.other(scaled, back.outputs[0]), links.other(root, scaled.outputs[0])
    if not all(links.weight(name) for name in (gamma, beta)):
        return None
    members = {anchor.inputs[0], anchor.outputs[0], back.outputs[0], scaled.outputs[0]}
    inputs = (before.inputs[0], gamma, beta)
    return links.layer("GroupNormalization", "", inputs, root, members, {"num_groups": ones.shape[0]})
