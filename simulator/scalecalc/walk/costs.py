"""From evaluations to counts: each node's share forward and backward, and the tensors kept between the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from scalecalc.dims import Dim, hint_of, total
from scalecalc.errors import ShapeError
from scalecalc.ir.graph import Node
from scalecalc.ir.links import Layer
from scalecalc.ir.unfold import CONTROL
from scalecalc.ops import OPERATORS, Inner, Tensor
from scalecalc.walk.forward import SKIPPED, UNDETERMINED, UNREACHED, UNSUPPORTED, Evaluation, Forward
from scalecalc.walk.gradients import Flow
from scalecalc.walk.kept import Kept, Needed

Mask = tuple[bool, ...] | None
Terms = list[tuple[int, Dim]]
Columns = tuple[Terms, Terms, Terms, Terms]
Fitted = tuple[Layer, Evaluation]
"""A recognised layer with its rule's answer."""


class Share(NamedTuple):
    """What a node, or all of them, costs."""

    macs: Dim
    backward_macs: Dim
    vector_flops: Dim
    backward_vector_flops: Dim
    bytes: Dim


class Part(NamedTuple):
    """An evaluation as it counts: nodes with equal parts cost the same.

    Attributes:
        evaluation: of a node, or of the layer it ends.
        mask: which of its inputs need gradients.
        matrix, vector: whether its contraction and bytes count, and its vector FLOPs.
        repeats: how often it runs.
    """

    evaluation: Evaluation
    mask: Mask
    matrix: bool
    vector: bool
    repeats: Dim

    def terms(self, times: int, columns: Columns) -> None:
        """Append (how often, formula) to each column of Share."""
        evaluation, mask = self.evaluation, self.mask
        cost = evaluation.cost
        if cost is None:
            return
        macs, backward_macs, vector, backward = columns
        for count, *operands in cost.contractions if self.matrix else ():
            macs.append((times, count))
            if mask is not None:
                backward_macs.append((times * sum(wants(x, mask) for x in operands), count))
        if self.vector and evaluation.takes_floats:
            vector.append((times, cost.vector))
            if mask is not None:
                for slot, flops in cost.backward.items():
                    if slot < len(mask) and mask[slot]:
                        backward.append((times, flops))

    def moved(self) -> list[Tensor]:
        """What the nodes read and write; a view moves nothing."""
        evaluation = self.evaluation
        if not self.matrix or evaluation.cost is None or evaluation.cost.view:
            return []
        return [x for x in (*evaluation.inputs, *evaluation.outputs) if x is not None]


class Costs:
    """Shares of all nodes, and of the layers recognised among them.

    Attributes:
        dropped: nodes of branches that do not count, being cheaper than the other one.
        chosen: which branch counts, by the name of the If, where nothing in the file decides.
        kept: what is kept for the backward pass, by the node that keeps it first: the value's name, "" for masks and
            statistics, with its bytes.
        layers: the recognised layers whose rule fits, by the index of their last node.
        in_layer: which layer a node belongs to, by its index.
    """

    def __init__(self, forward: Forward, flow: Flow, layers: Sequence[Fitted], trainable: set[str]) -> None:
        self.forward, self.flow = forward, flow
        needs, self.masks = flow.needing(trainable)
        self.layers: dict[int, tuple[Layer, Evaluation, Mask]] = {}
        self.in_layer: dict[int, Layer] = {}
        for layer, evaluation in layers:
            mask = tuple(name in needs for name in layer.node.inputs)
            alive = not flow.wanted.isdisjoint(layer.node.outputs)
            self.layers[layer.members[-1]] = layer, evaluation, mask if alive and True in mask else None
            self.in_layer.update(dict.fromkeys(layer.members, layer))
        self.shares: dict[tuple[tuple[object, ...], ...], Share] = {}
        self.dropped: set[int] = set()
        self.chosen: dict[str, str] = {}
        self._drop_cheaper_branches()
        self.kept = self._kept()

    def total(self) -> Share:
        """The sum over all nodes, linear in the number of different parts."""
        tally: Counter[tuple[object, ...]] = Counter()
        parts: dict[tuple[object, ...], Part] = {}
        for place in range(len(self.forward.evaluations)):
            for part in self._parts(place):
                key = (id(part.evaluation), *part[1:])
                tally[key] += 1
                parts[key] = part
        return _sum((tally[key], part) for key, part in parts.items())

    def share(self, place: int) -> Share:
        """What one node costs; a layer's vector FLOPs stand at its last node."""
        parts = self._parts(place)
        key = tuple((id(part.evaluation), *part[1:]) for part in parts)
        if key not in self.shares:
            self.shares[key] = _sum((1, part) for part in parts)
        return self.shares[key]

    def _parts(self, place: int) -> list[Part]:
        if place in self.dropped:
            return []
        node = self.forward.graph.nodes[place]
        repeats = self.forward.repeats(node.times) if node.times else 1
        inside = place in self.in_layer
        parts = [Part(self.forward.evaluations[place], self.masks[place], True, not inside, repeats)]
        if place in self.layers:
            _, evaluation, mask = self.layers[place]
            parts.append(Part(evaluation, mask, False, True, repeats))
        return parts

    def _drop_cheaper_branches(self) -> None:
        """Of an If nobody can decide keep the dearer branch: more MACs, else more vector FLOPs, else `then`."""
        branches: dict[tuple[int, str], tuple[set[int], set[int]]] = {}
        for place, node in enumerate(self.forward.graph.nodes):
            if self.forward.evaluations[place] is not SKIPPED:
                for depth, given in enumerate(node.given):
                    branches.setdefault((-depth, given.node), (set(), set()))[given.wanted].add(place)
        for (_, name), sides in sorted(branches.items()):  # inner ones first
            if all(sides):
                prices = [self._price(side - self.dropped) for side in sides]
                taken = prices[True] >= prices[False]
                self.dropped |= sides[not taken]
                self.chosen[name] = "then_branch" if taken else "else_branch"

    def _price(self, places: set[int]) -> tuple[int, int]:
        share = _sum((1, part) for place in places for part in self._parts(place))
        return hint_of(share.macs + share.backward_macs), hint_of(share.vector_flops)

    def _kept(self) -> dict[int, Needed]:
        """What each node is the first to need (`Kept`)."""
        tensors = Kept(self.forward, self.flow, self._source)
        kept: dict[int, Needed] = {}
        for place, (node, evaluation) in enumerate(
            zip(self.forward.graph.nodes, self.forward.evaluations, strict=True)
        ):
            if evaluation.cost is None or place in self.dropped:
                continue
            needed: Needed = []
            if self.masks[place] is not None:
                needed = _needed(node.inputs, node.outputs, evaluation, self.masks[place], place in self.in_layer)
            if place in self.layers:
                layer, layer_evaluation, mask = self.layers[place]
                if mask is not None:
                    needed += _needed(layer.node.inputs, layer.node.outputs, layer_evaluation, mask, False)
            if needed and (found := tensors.keep(node, needed)):
                kept[place] = found
        return kept

    def _source(self, node: Node) -> str:
        """What a view shows; "" for the nodes that join bodies to the outside, but for the branch that counts."""
        if node.domain != CONTROL:
            return node.inputs[0] if node.inputs else ""
        if node.op_type != "Either":
            return ""
        alive = [name for name in node.inputs if name in self.forward.values]
        return next((name for name in alive if self.flow.maker.get(name) not in self.dropped), "")


def _sum(parts: Iterable[tuple[int, Part]]) -> Share:
    """The parts' costs, each so many times; sorted by how often they run, which may be a formula."""
    columns: dict[Dim, Columns] = {}
    uses: dict[Dim, dict[Tensor, int]] = {}
    for times, part in parts:
        if part.repeats not in columns:
            columns[part.repeats], uses[part.repeats] = ([], [], [], []), {}
        part.terms(times, columns[part.repeats])
        tally = uses[part.repeats]
        for tensor in part.moved():
            tally[tensor] = tally.get(tensor, 0) + times
    sums: tuple[Terms, ...] = ([], [], [], [], [])
    for repeats, lists in columns.items():
        moved = [(often, tensor.bytes) for tensor, often in uses[repeats].items()]
        found = [total(terms) * repeats for terms in (*lists, moved)]
        if len(columns) == 1:  # most sums: everything runs once
            return Share(*found)
        for whole, formula in zip(sums, found, strict=True):
            whole.append((1, formula))
    return Share(*map(total, sums))


def fitted(forward: Forward, layers: Iterable[Layer]) -> Iterator[Fitted]:
    """The layers whose own rule gives what their nodes give; those of the others count as they are."""
    for layer in layers:
        operator = OPERATORS.get((layer.node.domain, layer.node.op_type))
        inputs = [forward.values.get(name) for name in layer.node.inputs]
        try:
            evaluation = forward.evaluate(layer.node, operator, inputs)
        except ShapeError:
            continue
        made = forward.values.get(layer.node.outputs[0])
        if evaluation.outputs and made is not None and evaluation.outputs[0].shape == made.shape:
            yield layer, evaluation


def wants(operand: Tensor | Inner, mask: tuple[bool, ...]) -> bool:
    """Whether a contraction's operand needs a gradient."""
    slots = operand.slots
    return mask[slots[0]] if len(slots) == 1 else any(mask[slot] for slot in slots)


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


def status(evaluation: Evaluation) -> str:
    """`known`, `unsupported` or `unreached`."""
    if evaluation is UNSUPPORTED:
        return "unsupported"
    return "unreached" if evaluation in (UNREACHED, UNDETERMINED) else "known"
