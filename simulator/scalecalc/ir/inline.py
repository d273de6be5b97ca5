"""Local functions put in place of their calls, so that the walk sees one list of nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

from scalecalc.errors import GraphError
from scalecalc.ir.graph import Function, Graph, Initializer, Node

MOST_NODES = 5_000_000
"""Functions that call functions can unfold to any size; beyond this a graph is refused."""


def inlined(graph: Graph, is_operator: Callable[[str, str], bool]) -> Graph:
    """The graph without calls. A function's own constants are stored once, however often it is called.

    Args:
        graph: with its functions.
        is_operator: whether (domain, op_type) has a rule of its own, which then describes the call better.

    Raises:
        GraphError: the functions unfold to more than MOST_NODES nodes.
    """
    if not graph.functions:
        return graph
    initializers = dict(graph.initializers)
    nodes: list[Node] = []
    numbers = count(1)
    stack: list[Iterator[Node]] = [iter(graph.nodes)]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
            continue
        function = graph.functions.get((node.domain, node.op_type))
        if function is None or is_operator(node.domain, node.op_type):
            nodes.append(node)
        else:
            stack.append(_body(function, node, next(numbers), initializers))
        if len(nodes) > MOST_NODES:
            raise GraphError(f"its functions unfold to more than {MOST_NODES:,} nodes", where=graph.name)
    return replace(graph, nodes=nodes, initializers=initializers, functions={})


def _body(function: Function, call: Node, number: int, initializers: dict[str, Initializer]) -> Iterator[Node]:
    """The function's nodes under names of this call."""
    made = {name for node in function.nodes if node.op_type != "Constant" for name in node.outputs}
    names = {
        inner: outer for inner, outer in zip(function.outputs, call.outputs, strict=False) if outer and inner in made
    }
    names.update(zip(function.inputs, (*call.inputs, *[""] * len(function.inputs)), strict=False))
    for node in function.nodes:
        value = node.attributes.get("value")
        if node.op_type == "Constant" and isinstance(value, Initializer):
            stored = f"{function.domain}/{function.name}/{node.outputs[0]}"
            initializers[stored] = replace(value, name=stored)
            names[node.outputs[0]] = stored

    def renamed(name: str) -> str:
        return names.setdefault(name, f"{call.name}#{number}/{name}") if name else ""

    for node in function.nodes:
        if node.op_type != "Constant":
            inputs, outputs = tuple(map(renamed, node.inputs)), tuple(map(renamed, node.outputs))
            yield Node(node.op_type, node.domain, f"{call.name}/{node.name}", inputs, outputs, node.attributes)
    for inner, outer in zip(function.outputs, call.outputs, strict=False):
        if outer and names[inner] != outer:  # an input or a constant handed out
            yield Node("Identity", "", f"{call.name}/{inner}", (names[inner],), (outer,), {})
