"""Topological order of nodes, and what a body takes from the graph around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from scalecalc.errors import GraphError
from scalecalc.ir.graph import Node

Captures = Mapping[Node, Mapping[str, str]]
"""Outer values the bodies of a node use, each with the name of an inner node that does."""


def arrange(
    nodes: list[Node], sources: Iterable[str], captures: Captures
) -> tuple[list[Node], set[str], dict[str, str]]:
    """Put nodes behind those they need, keeping the file's order where it allows.

    Args:
        nodes: in any order.
        sources: values that exist before any node runs.
        captures: outer values used by the nodes' bodies.

    Returns:
        The nodes in order, every value that exists once they ran, and the values used but not
        defined here, each with the name of a node that uses it.

    Raises:
        GraphError: two nodes define one value, or a node needs its own output.
    """
    known, in_order = {"", *sources}, not captures
    for node in nodes:
        in_order = in_order and known.issuperset(node.inputs)
        for output in node.outputs:
            if output in known and output:
                raise twice(output, node.name)
            known.add(output)
    if in_order:
        return nodes, known, {}

    def needs(node: Node) -> dict[str, str]:
        return {**dict.fromkeys(node.inputs, f"node {node.name!r}"), **captures.get(node, {})}

    free = {name: user for node in nodes for name, user in needs(node).items() if name not in known}
    producer = {output: index for index, node in enumerate(nodes) for output in node.outputs if output}
    dependencies = [[producer[name] for name in needs(node) if name in producer] for node in nodes]
    if any(before >= index for index, others in enumerate(dependencies) for before in others):
        nodes = [nodes[index] for index in depth_first(dependencies, lambda index: f"node {nodes[index].name!r:.80}")]
    return nodes, known, free


def twice(name: str, node: str) -> GraphError:
    """The error for a second definition of a value."""
    what = f"value {name!r:.80} is defined twice, the second time by node {node!r:.80}"
    return GraphError(what, todo="export the model again")


def depth_first(dependencies: Sequence[Iterable[int]], label: Callable[[int], str]) -> list[int]:
    """Indices so that each comes behind its dependencies, near their own order; linear time.

    Raises:
        GraphError: something depends on itself; `label` names it.
    """
    new, opened, done = 0, 1, 2
    state = bytearray(len(dependencies))
    order: list[int] = []
    for root in range(len(dependencies)):
        if state[root] != new:
            continue
        state[root] = opened
        stack = [(root, iter(dependencies[root]))]
        while stack:
            index, remaining = stack[-1]
            for other in remaining:
                if state[other] == opened:
                    raise GraphError(f"{label(other)} depends on itself", todo="export the model again")
                if state[other] == new:
                    state[other] = opened
                    stack.append((other, iter(dependencies[other])))
                    break
            else:
                state[index] = done
                order.append(index)
                stack.pop()
    return order
