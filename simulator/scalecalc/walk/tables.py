"""Stored tensors an exporter or a layer made: inner numbers of layers, tables of sines, biases written out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scalecalc.dims import hint_of
from scalecalc.ir.graph import Node
from scalecalc.ir.links import Layer
from scalecalc.ops import Tensor, is_float
from scalecalc.walk.forward import Forward
from scalecalc.walk.gradients import Flow

Uses = list[tuple[int, int]]
"""(node, slot) pairs."""

SINES = ("Sin", "Cos")
MOST_STEPS = 200
"""Values an angle is made of; the search starts at every sine, and a chain of sines would make it quadratic."""

ANGLES = ("Mul", "MatMul", "Gemm", "Einsum", "Concat", "Expand", "Slice", "Tile", "Gather", "Div")
"""What angles are made with, beside operators that hand a value on."""

LOOKUPS = ("Gather", "GatherND", "GatherElements")
PIECES = ("Concat", "Slice", "Split")
"""What weights are put together with."""


def inner(layers: Iterable[Layer], uses: Mapping[str, Uses], source: Mapping[str, str]) -> set[str]:
    """Tensors used in recognised layers alone, and not as their weights."""
    members: set[int] = set()
    weights: set[str] = set()
    for layer in layers:
        members.update(layer.members)
        weights.update(source.get(name, name) for name in layer.node.inputs)
    return {name for name, places in uses.items() if name not in weights and members.issuperset(p for p, _ in places)}


def angles(
    forward: Forward, flow: Flow, layers: Iterable[Layer], uses: Mapping[str, Uses], source: Mapping[str, str]
) -> set[str]:
    """Frequencies that positions are multiplied with under a sine or cosine, and tables rotary positions look up."""
    graph = forward.graph
    found: set[str] = set()
    rotary = [layer for layer in layers if layer.node.op_type == "RotaryEmbedding"]
    sines = forward.places(*SINES)
    ends = {*sines, *(place for layer in rotary for place in layer.members)}
    starts = [graph.nodes[place].inputs[0] for place in sines]
    starts += [name for layer in rotary for name in layer.node.inputs[1:3]]
    for start in dict.fromkeys(starts):
        tables, places = _tables(forward, flow, start, source)
        places |= ends
        found.update(name for name in tables if places.issuperset(place for place, _ in uses.get(name, ())))
    return found


def _tables(forward: Forward, flow: Flow, start: str, source: Mapping[str, str]) -> tuple[set[str], set[int]]:
    """The stored tensors an angle is made of, and the nodes it is made by; none where it is made of contents too."""
    tables: set[str] = set()
    places: set[int] = set()
    stack, seen = [start], set()
    while stack:
        name = stack.pop()
        if name in seen or not name:
            continue
        seen.add(name)
        if len(seen) > MOST_STEPS:
            return set(), places
        value, place = forward.values.get(name), flow.maker.get(name)
        if name in source:
            tables.add(source[name])
        elif value is None or not is_float(value.dtype):
            continue
        elif place is None:
            if value.rank > 1:
                return set(), places  # an input's contents, unless it is one number for each example, as a time step is
        else:
            node = forward.graph.nodes[place]
            if not _makes_angles(forward, place, node):
                if name in flow.shaped:
                    continue
                return set(), places
            places.add(place)
            stack += node.inputs
    return {name for name in tables if is_float(forward.values[name].dtype)}, places


def _makes_angles(forward: Forward, place: int, node: Node) -> bool:
    return not node.domain and (_passes(forward, place) or node.op_type in (*SINES, *ANGLES))


def _passes(forward: Forward, place: int) -> bool:
    operator = forward.evaluations[place].operator
    return operator is not None and operator.passes


def states(forward: Forward, flow: Flow, source: Mapping[str, str]) -> set[str]:
    """First states of recurrent layers, stored for each example of a batch: zeros the exporter wrote out.

    One that is expanded to the batch is a learned state and stays one.
    """
    found: set[str] = set()
    seen: set[str] = set()
    for node, evaluation in zip(forward.graph.nodes, forward.evaluations, strict=True):
        for slot, role in evaluation.operator.roles.items() if evaluation.operator is not None else ():
            name = node.inputs[slot] if role == "state" and slot < len(node.inputs) else ""
            while name not in seen and name not in source and (place := flow.maker.get(name)) is not None:
                seen.add(name)
                made, after = forward.graph.nodes[place], forward.values.get(name)
                name = made.inputs[0] if made.is_a("Slice", "Expand") else ""
                before = forward.values.get(name)
                if made.op_type == "Expand" and (before is None or after is None or before.shape != after.shape):
                    name = ""
            if name in source:
                found.add(source[name])
    return found


def compared(forward: Forward, flow: Flow, source: Mapping[str, str]) -> set[str]:
    """Stored tensors whose equality with something decides: pieces of masks."""
    found: set[str] = set()
    stack = [name for node in forward.nodes("Equal") for name in node.inputs if name in flow.static]
    seen: set[str] = set()
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            if name in source and forward.values[name].size != 1:
                found.add(source[name])
            if (place := flow.maker.get(name)) is not None:
                stack += forward.graph.nodes[place].inputs
    return found


def multiplied(forward: Forward, flow: Flow, source: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Stored tensors contractions multiply, as they are or put together of pieces; those data pick a matrix of."""
    stack: list[str] = []
    for node, evaluation in zip(forward.graph.nodes, forward.evaluations, strict=True):
        for _, *operands in evaluation.cost.contractions if evaluation.cost is not None else ():
            stack += [node.inputs[operand.index] for operand in operands if isinstance(operand, Tensor)]
    found: set[str] = set()
    picked: set[str] = set()
    seen: set[str] = set()
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        place = flow.maker.get(name)
        if name in source:
            found.add(source[name])
        elif place is not None:
            made = forward.graph.nodes[place]
            table = forward.values.get(made.inputs[0]) if made.is_a(*LOOKUPS) and made.inputs else None
            if table is not None and table.rank >= 3:
                stack.append(made.inputs[0])
                if made.inputs[1] not in flow.shaped and made.inputs[0] in source:
                    picked.add(source[made.inputs[0]])
            elif name in flow.static and (made.is_a(*PIECES) or _passes(forward, place)):
                stack += filter(None, made.inputs)
    return {name for name in found if forward.values[name].shape}, picked


def attention_biases(forward: Forward, layers: Iterable[Layer], source: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Stored tensors added to the scores of an attention: those with a value for each head, and masks."""
    attentions = (layer.node for layer in layers if layer.node.op_type == "ScaledDotProductAttention")
    added = {mask for node in attentions for mask in node.inputs[2:] if mask in source}
    heads = {mask: forward.values[mask].shape[-3:-2] for mask in added}
    masks = {source[mask] for mask in added if all(isinstance(n, int) and n == 1 for n in heads[mask])}
    return {source[mask] for mask in added} - masks, masks


def sums_of_stored(forward: Forward, flow: Flow, source: Mapping[str, str]) -> set[str]:
    """The larger of two stored tensors that are added up: what a product of weights and constants leaves."""
    found: set[str] = set()
    for node in forward.nodes("Add"):
        if node.outputs[0] in flow.static:
            stored = [source[name] for name in node.inputs if name in source]
            if len(set(stored)) == 2:
                found.add(max(stored, key=lambda name: hint_of(forward.values[name].size)))
    return found
