"""What the structure shows beside counts: hints for the task, and marks exporters left."""

from __future__ import annotations

from collections.abc import Iterable

from scalecalc.dims import Dim, divide, hint_of, total
from scalecalc.ir.links import Layer
from scalecalc.walk.costs import Costs
from scalecalc.walk.forward import UNSUPPORTED, Forward
from scalecalc.walk.gradients import Flow
from scalecalc.walk.parameters import Weight

COMPARISONS = ("LessOrEqual", "Less", "GreaterOrEqual", "Greater")
RECURRENT = ("LSTM", "GRU", "RNN")
UNCHANGED = ("Cast", "Identity", "Reshape", "Flatten", "Unsqueeze", "Squeeze", "Transpose", "Slice")
MANY_CONVOLUTIONS = 10
SMALLER = 8
"""A second vocabulary is at most that many times smaller than the first."""
Terms = list[tuple[int, Dim]]


def facts_of(forward: Forward, flow: Flow, weights: list[Weight], costs: Costs) -> dict[str, object]:
    """Structural findings by name.

    `vocabulary`: rows of the table tokens are looked up in; `token_inputs`: names of the inputs looked up in it, or
    in one of its kind; `tied_head`: that table is also the last layer's weight; `attention_macs`: multiply-accumulates
    of scores and values, `attention_training_macs`: with those of their backward pass, `causal_macs` and
    `causal_training_macs`: those of as many keys as queries in layers whose mask keeps the past only; `causal`: there
    is such a mask; `convolutions`, `recurrent`: how many such nodes there are; `bidirectional`: how many of these read
    the future.
    """
    graph = forward.graph
    tables = [weight for weight in weights if weight.role == "embedding"]
    table = max(tables, key=lambda weight: hint_of(weight.size), default=None)
    recurrent = [node for node in graph.nodes if node.op_type in RECURRENT]
    return {
        "vocabulary": forward.values[table.name].shape[0] if table is not None else None,
        "token_inputs": _token_inputs(forward, flow, table, tables) if table is not None else (),
        "tied_head": table is not None and table.linear,
        **_attention(forward, flow, costs),
        "convolutions": sum(node.op_type == "Conv" for node in graph.nodes),
        "recurrent": len(recurrent),
        "bidirectional": sum(node.attributes.get("direction", "forward") != "forward" for node in recurrent),
    }


def _attention(forward: Forward, flow: Flow, costs: Costs) -> dict[str, object]:
    """Multiply-accumulates of attention's two products, and of those a causal mask makes half useless."""
    every: tuple[Terms, Terms] = [], []
    square: tuple[Terms, Terms] = [], []
    found: dict[str, bool] = {}
    for layer in {id(layer): layer for layer in costs.in_layer.values()}.values():
        if layer.node.op_type != "ScaledDotProductAttention":
            continue
        masks = _masks(forward, layer)
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
        "causal": any(found.values()),
        "causal_macs": total(square[0]),
        "causal_training_macs": total(square[1]),
    }


def _sum(formulas: Iterable[Dim]) -> Dim:
    return total((1, formula) for formula in formulas)


def _square(forward: Forward, layer: Layer, macs: Dim) -> Dim:
    """Of the scores those of as many keys as queries: the keys of a cache all lie in the past."""
    queries, keys = (forward.values[name].shape[axis] for name, axis in zip(layer.node.inputs, (-2, -1), strict=False))
    part = divide(macs * queries, keys)
    return macs if part is None else part


def _masks(forward: Forward, layer: Layer) -> list[str]:
    """What is laid over a layer's scores: everything its nodes take but queries, keys and values."""
    nodes = [forward.graph.nodes[place] for place in layer.members]
    own = {*layer.node.inputs[:3], *(name for node in nodes for name in node.outputs)}
    return [name for node in nodes for name in node.inputs if name not in own]


def _token_inputs(forward: Forward, flow: Flow, largest: Weight, tables: list[Weight]) -> tuple[str, ...]:
    """Inputs of the graph that index a table of the vocabulary's kind: not one of positions or segments."""
    rows = {weight.name: hint_of(forward.values[weight.name].shape[0]) for weight in tables}
    words = {name for name, count in rows.items() if count * SMALLER >= rows[largest.name]}
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


def _is_causal(forward: Forward, flow: Flow, mask: str) -> bool:
    """Whether some ancestor of a mask keeps a triangle, or compares two sets of positions."""
    stack, seen = [mask], set()
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


def notes_of(forward: Forward, weights: list[Weight], costs: Costs) -> list[str]:
    """Marks of the exporter that show in the counts, and what was chosen in the graph."""
    lost = {place for place, found in enumerate(forward.evaluations) if found is UNSUPPORTED}
    notes = [
        f"If node '{name.rpartition('#')[0]}' counts its {branch}, the dearer one"
        for name, branch in costs.chosen.items()
    ]
    by_name = {weight.name: weight for weight in weights}
    biased: list[tuple[int, Dim]] = []
    normed = False
    for node, evaluation in zip(forward.graph.nodes, forward.evaluations, strict=True):
        if node.op_type == "BatchNormalization":
            normed = True
        if node.op_type == "Conv" and evaluation.cost is not None and len(node.inputs) > 2:
            biased.append((1, forward.values[node.inputs[2]].size))
    trainable = total((1, weight.size) for weight in weights if weight.trainable)
    if len(biased) >= MANY_CONVOLUTIONS and not normed:
        unfolded = trainable + total(biased)
        text = f"{unfolded:,}" if isinstance(unfolded, int) else str(unfolded)
        notes.append(
            f"no norm layer, and every Conv has a bias: if the exporter folded BatchNorm, the model had {text} "
            "trainable parameters, and keeps about twice the activations in training"
        )
    unknown = total((1, weight.size) for weight in weights if weight.trainable and weight.first in lost)
    if not (isinstance(unknown, int) and unknown == 0):
        notes.append(f"{unknown} trainable parameters are inputs of operators without a rule: some may be settings")
    merged = [w for w in by_name.values() if w.role == "norm" and w.uses > 1]
    if merged:
        notes.append(
            f"{len(merged)} norm weight{'s feed' if len(merged) > 1 else ' feeds'} several nodes "
            f"({merged[0].name}: {merged[0].uses}): exporters merge equal tensors and drop zero biases, so an "
            "untrained export holds fewer parameters than the model"
        )
    return notes
