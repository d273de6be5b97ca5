"""From evaluations to counts: each node's share forward and backward, and the tensors kept between the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from scalecalc.dims import Dim, hint_of, total
from scalecalc.errors import ShapeError
from scalecalc.ir.links import Layer
from scalecalc.ops import OPERATORS, Tensor
from scalecalc.walk.forward import SKIPPED, UNDETERMINED, UNREACHED, UNSUPPORTED, Evaluation, Forward
from scalecalc.walk.gradients import Flow
from scalecalc.walk.kept import Kept, Mask, wants

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
        for count, left, right in cost.contractions if self.matrix else ():
            macs.append((times, count))
            if mask is not None:
                backward_macs.append((times * (wants(left, mask) + wants(right, mask)), count))
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
        self.shares: dict[tuple[Part, ...], Share] = {}
        self.dropped: set[int] = set()
        self.chosen: dict[str, str] = {}
        self._drop_cheaper_branches()
        self.kept = Kept(self).find()

    def total(self) -> Share:
        """The sum over all nodes, linear in the number of different parts."""
        places = range(len(self.forward.evaluations))
        tally = Counter(part for place in places for part in self._parts(place))
        return _sum((times, part) for part, times in tally.items())

    def share(self, place: int) -> Share:
        """What one node costs; a layer's vector FLOPs stand at its last node."""
        parts = self._parts(place)
        if parts not in self.shares:
            self.shares[parts] = _sum((1, part) for part in parts)
        return self.shares[parts]

    def _parts(self, place: int) -> tuple[Part, ...]:
        if place in self.dropped:
            return ()
        node = self.forward.graph.nodes[place]
        repeats = self.forward.repeats(node.times) if node.times else 1
        inside = place in self.in_layer
        part = Part(self.forward.evaluations[place], self.masks[place], True, not inside, repeats)
        if place not in self.layers:
            return (part,)
        _, evaluation, mask = self.layers[place]
        return part, Part(evaluation, mask, False, True, repeats)

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


def _sum(parts: Iterable[tuple[int, Part]]) -> Share:
    """The parts' costs, each so many times; sorted by how often they run, which may be a formula."""
    groups: dict[Dim, list[tuple[int, Part]]] = {}
    for times, part in parts:
        groups.setdefault(part.repeats, []).append((times, part))
    shares = [Share(*[formula * repeats for formula in _of_one_run(group)]) for repeats, group in groups.items()]
    if len(shares) == 1:  # most sums: everything runs once
        return shares[0]
    return Share(*[total([(1, share[figure]) for share in shares]) for figure in range(len(Share._fields))])


def _of_one_run(parts: Sequence[tuple[int, Part]]) -> Iterator[Dim]:
    """The figures of Share for parts that run equally often."""
    columns: Columns = ([], [], [], [])
    moved: dict[Tensor, int] = {}
    for times, part in parts:
        part.terms(times, columns)
        for tensor in part.moved():
            moved[tensor] = moved.get(tensor, 0) + times
    yield from map(total, columns)
    yield total([(often, tensor.bytes) for tensor, often in moved.items()])


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


def status(evaluation: Evaluation) -> str:
    """`known`, `unsupported` or `unreached`."""
    if evaluation is UNSUPPORTED:
        return "unsupported"
    return "unreached" if evaluation in (UNREACHED, UNDETERMINED) else "known"
