"""Activations the backward pass needs: each tensor once, at the node that needs it first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from scalecalc.dims import Dim
from scalecalc.ir.graph import Node
from scalecalc.ir.unfold import STATE_OUT
from scalecalc.walk.forward import Forward
from scalecalc.walk.gradients import Flow

Needed = list[tuple[str, Dim]]
"""(value name, 0), or ("", bytes) of masks and statistics."""

ALL, LAST, OTHERS = "all", "last", "others"
"""Runs of a loop a tensor of its body is kept for."""
PARTS = {ALL: (LAST, OTHERS), LAST: (LAST,), OTHERS: (OTHERS,)}


class State(NamedTuple):
    """What a loop hands from run to run.

    Attributes:
        after: what a run hands on.
        before: what a run is given.
        first: what the first one is given.
        left: what the loop gives.
        varies: each run makes `after` anew.
    """

    after: str
    before: str
    first: str
    left: str
    varies: bool

    def part(self, part: str) -> str:
        """Which runs' `after` some of its runs are."""
        return part if self.varies else ALL


class Kept:
    """The tensors kept so far.

    A tensor of a loop's body is kept for every run. What a run is given is what the run before left, and at first what
    the loop was given; what the loop gives is what its last run left: states between n runs are n + 1 tensors.

    Args:
        forward, flow: of the walk.
        source: what a view shows, "" for a node that shows nothing.
    """

    def __init__(self, forward: Forward, flow: Flow, source: Callable[[Node], str]) -> None:
        self.forward, self.static = forward, flow.static
        nodes = forward.graph.nodes
        self.runs = {name: node.times for node in nodes if node.times for name in node.outputs}
        self.shown: dict[str, str] = {}
        for node, evaluation in zip(nodes, forward.evaluations, strict=True):
            if evaluation.cost is not None and evaluation.cost.view and node.op_type not in ("Shape", "Size"):
                shown = source(node)
                self.shown.update((name, self.shown.get(shown, shown)) for name in node.outputs if shown)
        states = [self._state(node) for node in nodes if (node.domain, node.op_type) == STATE_OUT]
        self.given = {state.before: state for state in states}
        self.left = {state.left: state for state in states}
        self.seen: set[tuple[str, str]] = set()

    def _state(self, node: Node) -> State:
        after = self.shown.get(node.inputs[0], node.inputs[0])
        varies = len(self.runs.get(after, ())) > len(node.times)
        return State(after, node.inputs[1], node.inputs[2], node.outputs[0], varies)

    def keep(self, node: Node, needed: Iterable[tuple[str, Dim]]) -> list[tuple[str, Dim]]:
        """What a node needs and none before it: the value's name, "" for masks and statistics, with its bytes."""
        found: list[tuple[str, Dim]] = []
        stack = [(name, extra, ALL) for name, extra in needed]
        while stack:
            name, extra, part = stack.pop()
            root = self.shown.get(name, name)
            if not name:
                found.append(("", extra * self.forward.repeats(node.times) if node.times else extra))
            elif state := self.given.get(root):
                if (root, ALL) not in self.seen:
                    self.seen.add((root, ALL))
                    stack += [(state.after, 0, state.part(OTHERS)), (state.first, 0, ALL)]
            elif part == ALL and (state := self.left.get(root)):
                stack.append((state.after, 0, state.part(LAST)))
            elif name not in self.static and root not in self.static and (size := self._bytes(root, part)) is not None:
                found.append((root, size))
        return found

    def _bytes(self, root: str, part: str) -> Dim | None:
        """Bytes of a tensor's runs that are not kept already; None where there is nothing new."""
        value = self.forward.values.get(root)
        wanted = [each for each in PARTS[part] if (root, each) not in self.seen]
        if value is None or not wanted:
            return None
        self.seen.update((root, each) for each in wanted)
        *outer, inner = self.runs.get(root, ()) or ("",)
        around = self.forward.repeats(outer)
        trips = self.forward.repeats([inner]) if inner else 1
        often = {ALL: trips, LAST: 1, OTHERS: trips - 1}[wanted[0] if len(wanted) == 1 else ALL]
        return value.bytes * around * often
