"""Stored tensors that are fixed by construction: inner numbers of layers, and tables of sines and cosines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scalecalc.ir.graph import Node
from scalecalc.ir.links import Layer
from scalecalc.ops import is_float
from scalecalc.walk.forward import Forward
from scalecalc.walk.gradients import Flow

Uses = list[tuple[int, int]]
"""(node, slot) pairs."""

SINES = ("Sin", "Cos")
ANGLES = ("Mul", "MatMul", "Gemm", "Einsum", "Concat", "Expand", "Slice", "Tile", "Gather", "Div")
"""What angles are made with, beside operators that hand a value on."""


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
    done: set[str] = set()
    starts = [node.inputs[0] for node in graph.nodes if node.op_type in SINES and not node.domain]
    starts += [name for layer in layers if layer.node.op_type == "RotaryEmbedding" for name in layer.node.inputs[1:3]]
    for start in starts:
        if start not in done:
            done.add(start)
            found |= _tables(forward, flow, start, uses, source)
    return found


def _tables(forward: Forward, flow: Flow, start: str, uses: Mapping[str, Uses], source: Mapping[str, str]) -> set[str]:
    """The stored tensors an angle is made of; none where it is made of contents too."""
    tables: set[str] = set()
    places: set[int] = set()
    stack, seen = [start], set()
    while stack:
        name = stack.pop()
        if name in seen or not name:
            continue
        seen.add(name)
        value, place = forward.values.get(name), flow.maker.get(name)
        if name in source:
            tables.add(source[name])
        elif value is None or not is_float(value.dtype):
            continue
        elif place is None:
            if value.rank > 1:
                return set()  # an input's contents, unless it is one number for each example, as a time step is
        else:
            node = forward.graph.nodes[place]
            if not _makes_angles(forward, place, node):
                if name in flow.shaped:
                    continue
                return set()
            places.add(place)
            stack += node.inputs
    return {
        name
        for name in tables
        if is_float(forward.values[name].dtype)
        and all(place in places or forward.graph.nodes[place].op_type in SINES for place, _ in uses.get(name, ()))
    }


def _makes_angles(forward: Forward, place: int, node: Node) -> bool:
    operator = forward.evaluations[place].operator
    passes = operator is not None and operator.passes
    return not node.domain and (passes or node.op_type in (*SINES, *ANGLES))
