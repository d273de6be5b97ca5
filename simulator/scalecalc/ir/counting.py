"""Loops that only count: a condition that compares counters with bounds says how often its body runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from scalecalc.ir.graph import Graph, Node

MOST_COMPARISONS = 8


class Counter(NamedTuple):
    """What grows by 1 every run, and what it must stay below: names the body knows.

    Attributes:
        state: a state; "" for the index of the run.
        below: what it is compared with.
        late: runs more than their difference: 1 if the value before the run is compared, not the one after it.
    """

    state: str
    below: str
    late: int


def counters(graph: Graph, is_one: Callable[[str], bool]) -> list[Counter] | None:
    """What a body's condition compares; None where it depends on anything else.

    Args:
        graph: of inputs (index, condition, state...) and outputs (condition, state..., ...).
        is_one: whether a name is that of a stored 1.
    """
    maker = {name: node for node in graph.nodes for name in node.outputs}
    index, _, *inner = [*graph.inputs, "", ""]
    states = dict(zip(filter(None, inner), [*graph.outputs][1:], strict=False))
    found: list[Counter] = []
    stack = [next(iter(graph.outputs), "")]
    while stack:
        node = _made(maker, stack.pop())
        if node is None or node.domain or len(node.inputs) != 2 or len(found) > MOST_COMPARISONS:
            return None
        if node.op_type == "And":
            stack += node.inputs
            continue
        small, large = node.inputs if node.op_type == "Less" else node.inputs[::-1]
        below = _named(maker, large)
        state, late = _counted(maker, states, index, small, is_one)
        if node.op_type not in ("Less", "Greater") or state is None or below in maker:
            return None
        if below in states and _named(maker, states[below]) != below:
            return None  # a bound that changes
        found.append(Counter(state, below, late))
    return found


def _counted(
    maker: dict[str, Node], states: dict[str, str], index: str, name: str, is_one: Callable[[str], bool]
) -> tuple[str | None, int]:
    """The state, or "" for the index, that a value is before (1) or after (0) a run; None where it counts nothing."""
    name = _named(maker, name)
    late, grown = 1, maker.get(name)
    if grown is not None and grown.is_a("Add") and len(grown.inputs) == 2:
        steps = [n for n in grown.inputs if is_one(_named(maker, n))]
        late, name = 0, next((_named(maker, n) for n in grown.inputs if n not in steps), "")
        if len(steps) != 1:
            return None, 0
    if name == index:
        return "", late
    following = _made(maker, states.get(name, ""))
    if following is None or not following.is_a("Add") or len(following.inputs) != 2:
        return None, 0
    before, step = following.inputs if _named(maker, following.inputs[0]) == name else following.inputs[::-1]
    return (name, late) if _named(maker, before) == name and is_one(_named(maker, step)) else (None, 0)


def _named(maker: dict[str, Node], name: str) -> str:
    """Where a value comes from, seen through nodes that hand numbers on."""
    while name in maker and maker[name].is_a("Identity", "Cast"):
        name = maker[name].inputs[0]
    return name


def _made(maker: dict[str, Node], name: str) -> Node | None:
    return maker.get(_named(maker, name))
