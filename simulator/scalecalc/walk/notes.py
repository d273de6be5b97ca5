"""Marks exporters left that show in the counts, in words."""

from __future__ import annotations

import re

from scalecalc.dims import Dim, hint_of, total
from scalecalc.ir.graph import Node
from scalecalc.walk.costs import Costs
from scalecalc.walk.facts import RECURRENT, token_table
from scalecalc.walk.forward import UNSUPPORTED, Forward
from scalecalc.walk.profile import Weight

MANY_CONVOLUTIONS = 5
LARGE_PART = 2
"""Positions that are more than a half of all parameters are worth a word."""
EXPORTERS = re.compile(r"onnx::\w+|val_\d+|_v_\d+|\d+")
"""Names exporters give to stored tensors they made."""
FOLDED = re.compile(r"batch_?norm|\.weight_bias$|^onnx::Conv_\d+$", re.IGNORECASE)
"""Names of biases that exporters made by folding a norm."""
CONVOLUTIONS = ("Conv", "ConvTranspose")
POOLING = ("GlobalAveragePool", "GlobalMaxPool", "ReduceMean")


def notes_of(forward: Forward, weights: list[Weight], costs: Costs) -> list[str]:
    """Marks of the exporter that show in the counts, and what was chosen in the graph."""
    lost = {place for place, found in enumerate(forward.evaluations) if found is UNSUPPORTED}
    notes = [
        f"If node '{name.rpartition('#')[0]}' counts its {branch}, the dearer one"
        for name, branch in costs.chosen.items()
    ]
    experts = [weight for weight in weights if weight.trainable and weight.active != weight.size]
    if experts:
        notes.append(
            f"{len(experts)} stored tensors ({experts[0].name} first) hold experts, of which one sample meets a part: "
            "`active` counts that part alone, laws of dense models do not hold"
        )
    if forward.graph.format != "onnx":
        return notes  # nothing was exported
    trainable = total((1, weight.size) for weight in weights if weight.trainable)
    biased = _foldable(forward, weights)
    marked = any(FOLDED.search(node.inputs[2]) for node in forward.nodes(*CONVOLUTIONS) if _biased(node))
    if biased and (marked or len(biased) >= MANY_CONVOLUTIONS):
        unfolded = trainable + total((1, size) for size in biased)
        text = f"{unfolded:,}" if isinstance(unfolded, int) else str(unfolded)
        notes.append(
            f"{len(biased)} convolutions have a bias and no norm behind them: if the exporter folded BatchNorm into "
            f"all of these, the model had {text} trainable parameters (more if they had biases of their own), and "
            "keeps more activations in training"
        )
    made = [weight for weight in weights if weight.written_out and weight.trainable]
    if made:
        notes.append(
            f"{_listed(made)} are biases of attention "
            "scores or sums of stored tensors: exporters write such out, the model may hold smaller weights for them"
        )
    if (copy := _copied_head(forward, weights)) is not None:
        notes.append(
            f"the head's weight {copy.name} is the token table's shape turned round: if the model ties the two, the "
            f"exporter stored a copy, and {copy.size} of the trainable parameters are counted twice"
        )
    places = total((1, weight.size) for weight in weights if weight.role == "positional" and not weight.written_out)
    if hint_of(places) * LARGE_PART > hint_of(trainable):
        notes.append(
            f"{places} of the trainable parameters are tables of positions: if they are fixed, as tables of sines are, "
            f"the model trains {trainable - places}"
        )
    picked = [weight for weight in weights if weight.trainable and weight.picked]
    if picked:
        notes.append(
            f"{_listed(picked)} are looked up by data "
            "and multiplied, as in a mixture of experts: `active` counts all of them, laws of dense models do not hold"
        )
    doubled = [
        forward.values[node.inputs[3]].size
        for node in forward.nodes(*RECURRENT)
        if len(node.inputs) > 3 and node.inputs[3] in forward.values
    ]
    if doubled:
        notes.append(
            f"{len(doubled)} recurrent layers store two biases for every gate, as PyTorch trains them: a framework "
            f"with one, as Keras, has {total((1, size) for size in doubled) // 2} fewer trainable parameters"
        )
    unknown = total((1, weight.size) for weight in weights if weight.trainable and weight.first in lost)
    if not (isinstance(unknown, int) and unknown == 0):
        notes.append(f"{unknown} trainable parameters are inputs of operators without a rule: some may be settings")
    merged = [w for w in weights if w.role == "norm" and w.uses > 1]
    if merged:
        notes.append(
            f"{len(merged)} norm weight{'s feed' if len(merged) > 1 else ' feeds'} several nodes "
            f"({merged[0].name}: {merged[0].uses}): exporters merge equal tensors and drop zero biases, so an "
            "untrained export holds fewer parameters than the model"
        )
    return notes


def _listed(weights: list[Weight]) -> str:
    """How many they are, and how large."""
    size, several = total((1, weight.size) for weight in weights), "s" * (len(weights) != 1)
    return f"{len(weights)} stored tensor{several} of {size} elements in all ({weights[0].name} first)"


def _copied_head(forward: Forward, weights: list[Weight]) -> Weight | None:
    """The last layer's weight, where an exporter named it and it may be the table of tokens, transposed."""
    table = token_table(weights)
    if table is None:
        return None
    shape = forward.values[table.name].shape
    heads = [w for w in weights if w.role == "head" and forward.values[w.name].shape == tuple(reversed(shape))]
    return next((weight for weight in heads if EXPORTERS.fullmatch(weight.name)), None)


def _foldable(forward: Forward, weights: list[Weight]) -> list[Dim]:
    """Sizes of the biases of convolutions a BatchNorm may have stood behind.

    None stands behind the last layer, or one of pooled values or that cuts patches, or has a norm of its own.
    """
    graph, sizes = forward.graph, []
    if not any(map(_biased, forward.nodes(*CONVOLUTIONS))):
        return []
    heads = {weight.name for weight in weights if weight.role == "head"}
    normed: set[str] = set()
    for node in reversed(graph.nodes):
        moved = node.op_type in ("Transpose", "Reshape") and not normed.isdisjoint(node.outputs)
        if moved or "Normalization" in node.op_type:
            normed.update(node.inputs[:1])
    pooled: set[str] = set()
    for node, evaluation in zip(graph.nodes, forward.evaluations, strict=True):
        values = [name for name in node.inputs if name not in graph.initializers]
        if node.op_type in POOLING or (values and pooled.issuperset(values)):
            pooled.update(node.outputs)
        elif _biased(node) and evaluation.cost is not None:
            kernel, strides = node.attributes.get("kernel_shape"), node.attributes.get("strides")
            patches = kernel == strides and max(kernel or (1,)) > 1
            if not patches and node.inputs[2] not in heads and normed.isdisjoint(node.outputs):
                sizes.append(forward.values[node.inputs[2]].size)
    return sizes


def _biased(node: Node) -> bool:
    return node.op_type in CONVOLUTIONS and not node.domain and len(node.inputs) > 2 and bool(node.inputs[2])
