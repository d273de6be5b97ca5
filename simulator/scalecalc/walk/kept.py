"""The tensors kept between the forward and the backward pass: each once, at the node that needs it first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scalecalc.dims import Dim
from scalecalc.ir.graph import Node
from scalecalc.ir.unfold import CONTROL, STATE_OUT
from scalecalc.ops import Inner, Tensor
from scalecalc.walk.forward import Evaluation

if TYPE_CHECKING:
    from scalecalc.walk.costs import Costs

Mask = tuple[bool, ...] | None
Found = list[tuple[str, Dim]]
"""Names of values with their bytes; "" for masks and statistics."""


@dataclass(slots=True)
class Carried:
    """A value a body hands from run to run: what it starts from, then what each run leaves.

    Attributes:
        state: what a run gets; `first` in the first one, what the run before left in the others.
        last: what a run leaves.
        first: what the first run gets.
        left: what the last run leaves, as the outside knows it.
        outer: how often all of this happens.
        inner, end: whether what all runs but the last leave is kept already, and what the last one does.
    """

    state: str
    last: str
    first: str
    left: str
    outer: tuple[str, ...]
    inner: bool = False
    end: bool = False


@dataclass(slots=True)
class Kept:
    """The search for them.

    Args:
        costs: whose nodes, masks, layers and branches these are.
    """

    costs: Costs
    shown: dict[str, str] = field(init=False, default_factory=dict)
    runs: dict[str, Node] = field(init=False)
    groups: list[Carried] = field(init=False, default_factory=list)
    _seen: set[str] = field(init=False, default_factory=set)
    _roles: dict[str, list[tuple[Carried, str]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        forward = self.costs.forward
        self.runs = {name: node for node in forward.graph.nodes if node.times for name in node.outputs}
        for place, (node, evaluation) in enumerate(zip(forward.graph.nodes, forward.evaluations, strict=True)):
            cost = evaluation.cost
            if cost is None or place in self.costs.dropped:
                continue
            if (node.domain, node.op_type) == STATE_OUT:
                self.groups.append(Carried(node.inputs[1], node.inputs[0], node.inputs[2], node.outputs[0], node.times))
            if cost.view and node.op_type not in ("Shape", "Size") and (source := self._source(node)):
                self.shown.update((name, self.root(source)) for name in node.outputs)
        for group in self.groups:
            for role in ("state", "last", "left"):
                self._roles.setdefault(self.root(getattr(group, role)), []).append((group, role))

    def root(self, name: str) -> str:
        """The tensor a view shows."""
        return self.shown.get(name, name)

    def find(self) -> dict[int, Found]:
        """What is kept, by the index of the node that needs it first."""
        costs, forward, static = self.costs, self.costs.forward, self.costs.flow.static
        kept: dict[int, Found] = {}
        for place, (node, evaluation) in enumerate(zip(forward.graph.nodes, forward.evaluations, strict=True)):
            if evaluation.cost is None or place in costs.dropped:
                continue
            needed: Found = []
            if costs.masks[place] is not None:
                inside = place in costs.in_layer
                needed = _needed(node.inputs, node.outputs, evaluation, costs.masks[place], inside)
            if place in costs.layers:
                layer, layer_evaluation, mask = costs.layers[place]
                if mask is not None:
                    needed += _needed(layer.node.inputs, layer.node.outputs, layer_evaluation, mask, False)
            found: Found = []
            for name, extra in reversed(needed):
                if name and self._roles:
                    found += self.need(name)
                elif name:  # no loops: most graphs
                    root = self.root(name)
                    if name not in static and root not in static and root not in self._seen:
                        self._seen.add(root)
                        found += self._whole(root)
                else:
                    found.append(("", extra * forward.repeats(node.times) if node.times else extra))
            if found:
                kept[place] = found
        return kept

    def need(self, name: str) -> Iterator[tuple[str, Dim]]:
        """What keeping a value adds to what is kept already."""
        root, static = self.root(name), self.costs.flow.static
        if name in static or root in static or root in self._seen:
            return
        self._seen.add(root)
        roles = self._roles.get(root, [])
        for group, role in roles:
            if role == "state":
                yield from self.need(group.first)
                yield from self._cover(group, inner=True)
            elif role == "left":
                yield from self._cover(group, end=True)
        if all(role == "last" for _, role in roles):
            for group, _ in roles[:1]:
                yield from self._cover(group, inner=True, end=True)
            if not roles:
                yield from self._whole(root)
        for group, role in roles:
            if role == "last":
                group.inner = group.end = True

    def _cover(self, group: Carried, *, inner: bool = False, end: bool = False) -> Iterator[tuple[str, Dim]]:
        """What the runs leave: those before the last one, or that."""
        inner, end = inner and not group.inner, end and not group.end
        if not inner and not end:
            return
        root = self.root(group.last)
        value, node = self.costs.forward.values.get(root), self.runs.get(root)
        if value is None or node is None or len(node.times) <= len(group.outer):
            yield from self.need(root)  # made outside, or by a body in this one: all of it
            return
        group.inner, group.end = group.inner or inner, group.end or end
        repeats = self.costs.forward.repeats
        trips = repeats(node.times[len(group.outer) :])
        count = trips if inner and end else trips - 1 if inner else 1
        yield root, value.bytes * repeats(group.outer) * count

    def _whole(self, root: str) -> Found:
        value = self.costs.forward.values.get(root)
        if value is None:
            return []
        runs = self.runs.get(root)
        return [(root, value.bytes if runs is None else value.bytes * self.costs.forward.repeats(runs.times))]

    def _source(self, node: Node) -> str:
        """What a view shows; "" for the nodes that join bodies to the outside, but for the branch that counts."""
        if node.domain != CONTROL:
            return node.inputs[0] if node.inputs else ""
        if node.op_type != "Either":
            return ""
        alive = [name for name in node.inputs if name in self.costs.forward.values]
        return next((name for name in alive if self.costs.flow.maker.get(name) not in self.costs.dropped), "")


def wants(operand: Tensor | Inner, mask: tuple[bool, ...]) -> bool:
    """Whether a contraction's operand needs a gradient."""
    return mask[operand.index] if isinstance(operand, Tensor) else any(mask[slot] for slot in operand.slots)


def _needed(
    inputs: Sequence[str], outputs: Sequence[str], evaluation: Evaluation, mask: Mask, inside: bool
) -> list[tuple[str, Dim]]:
    """(value name, 0) or ("", bytes) of what the backward pass of a node needs."""
    cost = evaluation.cost
    if cost is None or mask is None:
        return []
    needed: list[tuple[str, Dim]] = []
    keeps = [x.keep for _, a, b in cost.contractions for x, other in ((a, b), (b, a)) if wants(other, mask)]
    for keep in keeps if inside else (*keeps, *cost.keeps):
        if keep.when is None or (keep.when < len(mask) and mask[keep.when]):
            names, slot = (inputs, keep.what) if keep.what >= 0 else (outputs, ~keep.what)
            name = names[slot] if slot < len(names) else ""
            if keep.what < 0 and name:
                needed.append((name, 0))
            elif not (isinstance(keep.bytes, int) and keep.bytes == 0):
                needed.append(("", keep.bytes))
            elif name:
                needed.append((name, 0))
    return needed
