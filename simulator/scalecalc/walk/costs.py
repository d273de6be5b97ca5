"""From evaluations to counts: each node's share forward and backward, and the tensors kept between the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from scalecalc.dims import Dim, total
from scalecalc.errors import ShapeError
from scalecalc.ir.links import Layer
from scalecalc.ops import OPERATORS
from scalecalc.walk.forward import UNREACHED, UNSUPPORTED, Evaluation, Forward
from scalecalc.walk.gradients import Flow

Mask = tuple[bool, ...] | None


class Share(NamedTuple):
    """What one node adds to the totals."""

    macs: Dim = 0
    backward_macs: Dim = 0
    vector_flops: Dim = 0
    backward_vector_flops: Dim = 0
    bytes: Dim = 0


class Costs:
    """Shares of all nodes, and of the layers recognised among them.

    Attributes:
        shares: by node.
        kept: bytes kept for the backward pass, by the node that keeps them first.
        layers: the recognised layers whose rule fits, by the index of their last node.
        in_layer: which layer a node belongs to, by its index.
    """

    def __init__(self, forward: Forward, flow: Flow, layers: Sequence[Layer], trainable: set[str]) -> None:
        self.forward, self.flow = forward, flow
        needs, self.masks = flow.needing(trainable)
        self._shares: dict[tuple[int, Mask, bool], Share] = {}
        self.layers: dict[int, tuple[Layer, Evaluation, Mask]] = {}
        self.in_layer: dict[int, Layer] = {}
        for layer in layers:
            evaluation = _evaluated(forward, layer)
            if evaluation is not None:
                mask = tuple(name in needs for name in layer.node.inputs)
                alive = not flow.wanted.isdisjoint(layer.node.outputs)
                self.layers[layer.members[-1]] = layer, evaluation, mask if alive and True in mask else None
                self.in_layer.update(dict.fromkeys(layer.members, layer))
        self.shares = [self._share(place) for place in range(len(forward.graph.nodes))]
        self.kept = self._kept()

    def total(self) -> Share:
        """The sum over all nodes, linear in the number of different shares."""
        tally = Counter(map(id, self.shares))
        distinct = {id(share): share for share in self.shares}
        return Share(*(
            total((count, distinct[key][column]) for key, count in tally.items())
            for column in range(len(Share._fields))
        ))  # fmt: skip

    def _share(self, place: int) -> Share:
        evaluation, mask = self.forward.evaluations[place], self.masks[place]
        inside = place in self.in_layer
        key = id(evaluation), mask, inside
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = share_of(evaluation, mask, vector=not inside)
        if place in self.layers:
            _, layer, layer_mask = self.layers[place]
            extra = self._shares.get((id(layer), layer_mask, True))
            if extra is None:
                extra = self._shares[id(layer), layer_mask, True] = share_of(layer, layer_mask)
            both = (id(share), layer_mask, True)
            if both not in self._shares:
                self._shares[both] = share._replace(
                    vector_flops=share.vector_flops + extra.vector_flops,
                    backward_vector_flops=share.backward_vector_flops + extra.backward_vector_flops,
                )
            share = self._shares[both]
        return share

    def _kept(self) -> dict[int, Dim]:
        """Each tensor once, at the node that needs it first; views are the tensor they show."""
        graph, values, static = self.forward.graph, self.forward.values, self.flow.static
        shown: dict[str, str] = {}
        seen: set[str] = set()
        kept: dict[int, Dim] = {}
        for place, (node, evaluation) in enumerate(zip(graph.nodes, self.forward.evaluations, strict=True)):
            cost = evaluation.cost
            if cost is None:
                continue
            if cost.view and node.inputs and node.op_type not in ("Shape", "Size"):
                shown.update((name, shown.get(node.inputs[0], node.inputs[0])) for name in node.outputs)
            needed: list[tuple[str, Dim]] = []
            if self.masks[place] is not None:
                needed = _needed(node.inputs, node.outputs, evaluation, self.masks[place], place in self.in_layer)
            if place in self.layers:
                layer, layer_evaluation, mask = self.layers[place]
                if mask is not None:
                    needed += _needed(layer.node.inputs, layer.node.outputs, layer_evaluation, mask, False)
            sizes: list[tuple[int, Dim]] = []
            for name, extra in needed:
                root = shown.get(name, name)
                if not name:
                    sizes.append((1, extra))
                elif root not in seen and name not in static and (value := values.get(root)) is not None:
                    seen.add(root)
                    sizes.append((1, value.bytes))
            if sizes:
                kept[place] = total(sizes)
        return kept


def _evaluated(forward: Forward, layer: Layer) -> Evaluation | None:
    """A layer's own rule on its inputs; None where they do not fit it, so that the nodes count as they are."""
    operator = OPERATORS.get((layer.node.domain, layer.node.op_type))
    inputs = [forward.values.get(name) for name in layer.node.inputs]
    try:
        evaluation = forward.evaluate(layer.node, operator, inputs)
    except ShapeError:
        return None
    made = forward.values.get(layer.node.outputs[0])
    fits = evaluation.outputs and made is not None and evaluation.outputs[0].shape == made.shape
    return evaluation if fits else None


def share_of(evaluation: Evaluation, mask: Mask, *, vector: bool = True) -> Share:
    """The counts of one evaluation when the inputs in `mask` need gradients."""
    cost = evaluation.cost
    if cost is None:
        return Share()
    macs: Dim = 0
    backward: Dim = 0
    if cost.contraction is not None:
        macs, left, right = cost.contraction
        backward = macs * (mask[left.index] + mask[right.index]) if mask else 0
    floats = any(x is not None and x.is_float for x in evaluation.inputs)
    counted = vector and floats
    gradients: Dim = 0
    if mask is not None:
        gradients = total((1, flops) for slot, flops in cost.backward.items() if slot < len(mask) and mask[slot])
    moved = 0 if cost.view else total(
        (1, x.bytes) for x in (*evaluation.inputs, *evaluation.outputs) if x is not None
    )  # fmt: skip
    return Share(macs, backward, cost.vector if counted else 0, gradients if counted else 0, moved)


def _needed(
    inputs: Sequence[str], outputs: Sequence[str], evaluation: Evaluation, mask: Mask, inside: bool
) -> list[tuple[str, Dim]]:
    """(value name, 0) or ("", bytes) of what the backward pass of a node needs."""
    cost = evaluation.cost
    if cost is None or mask is None:
        return []
    needed: list[tuple[str, Dim]] = []
    if cost.contraction is not None:
        _, left, right = cost.contraction
        needed += [(inputs[x.index], 0) for x, other in ((left, right), (right, left)) if mask[other.index]]
    for keep in () if inside else cost.keeps:
        if keep.when is None or (keep.when < len(mask) and mask[keep.when]):
            if not (isinstance(keep.bytes, int) and keep.bytes == 0):
                needed.append(("", keep.bytes))
            else:
                names, slot = (inputs, keep.what) if keep.what >= 0 else (outputs, ~keep.what)
                if slot < len(names) and names[slot]:
                    needed.append((names[slot], 0))
    return needed


def status(evaluation: Evaluation) -> str:
    """`known`, `unsupported` or `unreached`."""
    return "unsupported" if evaluation is UNSUPPORTED else "unreached" if evaluation is UNREACHED else "known"
