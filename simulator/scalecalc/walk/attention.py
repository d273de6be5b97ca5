"""How much of the cost is attention, and how much of that a causal mask makes useless."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from scalecalc.dims import Dim, divide, hint_of, prod, total
from scalecalc.ops import Tensor
from scalecalc.walk.costs import Costs
from scalecalc.walk.forward import Forward
from scalecalc.walk.gradients import Flow
from scalecalc.walk.kept import wants

COMPARISONS = ("LessOrEqual", "Less", "GreaterOrEqual", "Greater")
OPERATORS = ("Attention", "MultiHeadAttention", "GroupQueryAttention")
DECISIONS = ("Equal", "Not", *COMPARISONS)
HANDED_ON = ("Cast", "Identity", "Slice", "Unsqueeze", "Squeeze", "Reshape", "Expand")
"""What decides between two values, and what a mask passes through as it is."""
CAUSAL = ("is_causal", "unidirectional")
"""Attributes that say so."""


class Attention(NamedTuple):
    """One attention.

    Attributes:
        macs, training: of its two products, forward and in a training step.
        queries, keys: how many of them.
        causal: scores of the future are not used.
    """

    macs: Dim
    training: Dim
    queries: Dim
    keys: Dim
    causal: bool

    def square(self, macs: Dim) -> Dim:
        """What as many keys as queries cost: those of a cache all lie in the past."""
        part = divide(macs * self.queries, self.keys)
        return macs if part is None else part


def attention_facts(forward: Forward, flow: Flow, costs: Costs) -> dict[str, object]:
    """Multiply-accumulates of attention's two products, and of those a causal mask makes half useless."""
    attends = any(node.op_type in OPERATORS or node.op_type == "Softmax" for node in forward.graph.nodes)
    made, triangular = _triangular(forward, flow) if attends else (set[str](), set[str]())
    found = [*_layers(forward, costs, made, triangular), *_operators(forward, flow, costs, triangular)]
    causal = [attention for attention in found if attention.causal]
    # where none was recognised, a mask may still stand before a softmax
    softmaxed = () if found else [node.inputs[0] for node in forward.graph.nodes if node.is_a("Softmax")]
    return {
        "attention_macs": total((1, attention.macs) for attention in found),
        "attention_training_macs": total((1, attention.training) for attention in found),
        "causal": bool(causal) or not triangular.isdisjoint(softmaxed),
        "causal_macs": total((1, attention.square(attention.macs)) for attention in causal),
        "causal_training_macs": total((1, attention.square(attention.training)) for attention in causal),
    }


def _layers(forward: Forward, costs: Costs, made: set[str], triangular: set[str]) -> Iterator[Attention]:
    """Those recognised in the nodes exporters write out."""
    for layer in {id(layer): layer for layer in costs.in_layer.values()}.values():
        if layer.node.op_type == "ScaledDotProductAttention":
            scores, _, *masks = layer.node.inputs
            blocks = forward.values[scores].rank > 4  # their masks are of the places in a block
            shares = [costs.share(place) for place in layer.members]
            macs = total((1, share.macs) for share in shares)
            training = macs + total((1, share.backward_macs) for share in shares)
            shape = forward.values[scores].shape
            queries = _queries(shape, layer.node.attributes["equation"])
            yield Attention(macs, training, queries, shape[-1], not (made if blocks else triangular).isdisjoint(masks))


def _queries(scores: tuple[Dim, ...], equation: str) -> Dim:
    """How many queries scores are of; of an Einsum with the values the axes these have none of."""
    if not equation:
        return prod(scores[-2:-1])
    own, _, others = equation.partition("->")[0].replace("...", "").replace(" ", "").partition(",")
    return prod(dim for axis, dim in zip(reversed(own), reversed(scores), strict=False) if axis not in others)


def _operators(forward: Forward, flow: Flow, costs: Costs, triangular: set[str]) -> Iterator[Attention]:
    """Those that come as one operator: of its products the ones without a weight."""
    for place, (node, evaluation) in enumerate(zip(forward.graph.nodes, forward.evaluations, strict=True)):
        if node.op_type not in OPERATORS or evaluation.cost is None or place in costs.dropped:
            continue
        mask, macs, training = costs.masks[place], [], []
        for count, left, right in evaluation.cost.contractions:
            stored = (isinstance(x, Tensor) and node.inputs[x.index] in flow.static for x in (left, right))
            if not any(stored):
                macs.append((1, count))
                training.append((1 + (wants(left, mask) + wants(right, mask) if mask is not None else 0), count))
        q = evaluation.inputs[0]
        queries = q.shape[2 if q.rank == 4 else 1] if q is not None else 1  # heads in front, or behind
        cached = [x.shape[-2] for x in evaluation.outputs[1:2] if x.rank > 3]
        masked = not triangular.isdisjoint(node.inputs[3:])
        causal = node.op_type == "GroupQueryAttention" or any(node.attributes.get(name) for name in CAUSAL)
        repeats = forward.repeats(node.times) if node.times else 1
        keys = cached[0] if cached else queries
        yield Attention(total(macs) * repeats, total(training) * repeats, queries, keys, causal or masked)


def _triangular(forward: Forward, flow: Flow) -> tuple[set[str], set[str]]:
    """Values in whose making a triangle is kept, or two sets of positions are compared; those of stored tables too."""
    made: set[str] = set()
    stored = {name for name in forward.graph.initializers if _is_square(forward, name)}
    tables = {name for name in stored if forward.values[name].dtype == "bool"}
    numbers = stored - tables
    for node in forward.graph.nodes:
        known = [forward.values.get(name) if name in flow.shaped else None for name in node.inputs]
        positions = [value is not None and value.size != 1 for value in known]
        outputs = [name for name in node.outputs if name]
        compares = node.is_a(*COMPARISONS) and all(positions)
        if compares or node.is_a("Trilu") or not made.isdisjoint(node.inputs):
            made.update(outputs)
        if not tables.isdisjoint(node.inputs) or (node.is_a(*DECISIONS) and not numbers.isdisjoint(node.inputs)):
            tables.update(outputs)
        elif node.is_a(*HANDED_ON) and not numbers.isdisjoint(node.inputs[:1]):
            numbers.update(outputs)
    return made, made | tables


def _is_square(forward: Forward, name: str) -> bool:
    """Whether a stored tensor holds something for every query and key, the same for all heads: a triangle written out.

    A mask of padding has one row for all queries. Numbers are such a table only where what they equal decides: added
    to scores they may be a bias, or nothing.
    """
    value = forward.values.get(name)
    if value is None or not 2 <= value.rank <= 4:
        return False
    queries, keys = map(hint_of, value.shape[-2:])
    return 1 < queries <= keys and hint_of(prod(value.shape[:-2])) == 1
