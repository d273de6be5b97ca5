"""What hints at a task: attention to the past only, and the inputs that hold tokens."""

from __future__ import annotations

from collections.abc import Iterable

from scalecalc.dims import Dim, divide, hint_of, total
from scalecalc.ir.links import Layer
from scalecalc.walk.costs import Costs
from scalecalc.walk.forward import Forward
from scalecalc.walk.gradients import Flow
from scalecalc.walk.parameters import Weight

COMPARISONS = ("LessOrEqual", "Less", "GreaterOrEqual", "Greater")
UNCHANGED = ("Cast", "Identity", "Reshape", "Flatten", "Unsqueeze", "Squeeze", "Transpose", "Slice")
SMALLER = 8
"""A second vocabulary is at most that many times smaller than the first."""
Terms = list[tuple[int, Dim]]


def attention(forward: Forward, flow: Flow, costs: Costs) -> dict[str, object]:
    """Multiply-accumulates of attention's two products, and of those a causal mask makes half useless."""
    every: tuple[Terms, Terms] = [], []
    square: tuple[Terms, Terms] = [], []
    found: dict[str, bool] = {}
    for layer in {id(layer): layer for layer in costs.in_layer.values()}.values():
        if layer.node.op_type != "ScaledDotProductAttention":
            continue
        masks = layer.node.inputs[2:]
        found.update((mask, _is_causal(forward, flow, mask)) for mask in masks if mask not in found)
        shares = [costs.share(place) for place in layer.members]
        macs, training = _sum(share.macs for share in shares), _sum(share.backward_macs for share in shares)
        every[0].append((1, macs))
        every[1].append((1, macs + training))
        if any(found[mask] for mask in masks):
            square[0].append((1, _square(forward, layer, macs)))
            square[1].append((1, _square(forward, layer, macs + training)))
    return {
        "attention_macs": total(every[0]),
        "attention_training_macs": total(every[1]),
        "causal": any(found.values()) or (not every[0] and _is_causal(forward, flow, *_softmaxed(forward))),
        "causal_macs": total(square[0]),
        "causal_training_macs": total(square[1]),
    }


def _sum(formulas: Iterable[Dim]) -> Dim:
    return total((1, formula) for formula in formulas)


def _square(forward: Forward, layer: Layer, macs: Dim) -> Dim:
    """Of the scores those of as many keys as queries: the keys of a cache all lie in the past."""
    *_, queries, keys = forward.values[layer.node.inputs[0]].shape
    part = divide(macs * queries, keys)
    return macs if part is None else part


def token_tables(weights: list[Weight]) -> list[Weight]:
    """Tables that are looked up by contents, the largest first."""
    tables = [weight for weight in weights if weight.role == "embedding"]
    return sorted(tables, key=lambda weight: -hint_of(weight.size))


def token_inputs(forward: Forward, flow: Flow, tables: list[Weight]) -> tuple[str, ...]:
    """Inputs of the graph that index a table of the vocabulary's kind: not one of positions or segments."""
    rows = {weight.name: hint_of(forward.values[weight.name].shape[0]) for weight in tables}
    words = {name for name, count in rows.items() if count * SMALLER >= rows[tables[0].name]}
    inputs = []
    for node in forward.graph.nodes:
        if node.op_type == "Gather" and node.inputs[0] in words:
            name = node.inputs[1]
            while name not in forward.graph.inputs and name in flow.maker:
                maker = forward.graph.nodes[flow.maker[name]]
                if maker.op_type not in UNCHANGED:
                    break
                name = maker.inputs[0]
            if name in forward.graph.inputs and name not in inputs:
                inputs.append(name)
    return tuple(inputs)


def _softmaxed(forward: Forward) -> list[str]:
    """What softmaxes are of: where no attention was recognised, a mask may still stand before one."""
    return [node.inputs[0] for node in forward.graph.nodes if node.op_type == "Softmax"]


def _is_causal(forward: Forward, flow: Flow, *masks: str) -> bool:
    """Whether some ancestor of masks keeps a triangle, or compares two sets of positions."""
    stack, seen = list(masks), set()
    while stack:
        place = flow.maker.get(stack.pop())
        if place is None or place in seen:
            continue
        seen.add(place)
        node = forward.graph.nodes[place]
        positions = [name in flow.shaped and forward.values[name].size != 1 for name in node.inputs]
        if node.op_type == "Trilu" or (node.op_type in COMPARISONS and all(positions)):
            return True
        stack += node.inputs
    return False
