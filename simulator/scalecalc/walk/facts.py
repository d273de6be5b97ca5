"""What the structure shows beside counts: hints for the task, and marks exporters left."""

from __future__ import annotations

from scalecalc.dims import Dim, hint_of, total
from scalecalc.walk.costs import Costs
from scalecalc.walk.forward import UNSUPPORTED, Forward
from scalecalc.walk.gradients import Flow
from scalecalc.walk.profile import Weight

COMPARISONS = ("LessOrEqual", "Less", "GreaterOrEqual", "Greater")
MANY_CONVOLUTIONS = 10


def facts_of(forward: Forward, flow: Flow, weights: list[Weight], costs: Costs) -> dict[str, object]:
    """Structural findings by name.

    `vocabulary`: rows of the table tokens are looked up in; `tied_head`: that table is also the last layer's
    weight; `attention_macs`: multiply-accumulates of scores and values; `causal`: an attention mask compares
    positions with each other; `convolutions`, `recurrent`: how many such nodes there are.
    """
    graph = forward.graph
    tables = [weight for weight in weights if weight.role == "embedding"]
    table = max(tables, key=lambda weight: hint_of(weight.size), default=None)
    attention: list[tuple[int, Dim]] = []
    masks: set[str] = set()
    for layer in {id(layer): layer for layer in costs.in_layer.values()}.values():
        if layer.node.op_type == "ScaledDotProductAttention":
            attention += [(1, costs.share(place).macs) for place in layer.members]
            masks.update(layer.node.inputs[3:])
    return {
        "vocabulary": forward.values[table.name].shape[0] if table is not None else None,
        "tied_head": table is not None and table.linear,
        "attention_macs": total(attention),
        "causal": any(_is_causal(forward, flow, mask) for mask in masks),
        "convolutions": sum(node.op_type == "Conv" for node in graph.nodes),
        "recurrent": sum(node.op_type in ("LSTM", "GRU", "RNN") for node in graph.nodes),
    }


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
