"""Where gradients flow: from the float outputs back to the weights, through the inputs rules call differentiable."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from scalecalc.ir.unfold import STATE_OUT
from scalecalc.ops import OPERATORS, Tensor
from scalecalc.walk.forward import Forward


class Flow:
    """Which values a training step needs gradients of.

    Attributes:
        wanted: values an output depends on differentiably: a gradient could reach them.
        rounded: quantised values: training passes gradients through the rounding as if it were none.
        ends: where that starts if no output is a floating-point one: what they are made of.
        static: values that hold only stored tensors and what is made of them.
        shaped: values that depend on the inputs' shapes at most, never on their contents.
        maker: index of the node that makes a value.
        states: (after a run of a loop's body, before it) of every value it carries.
    """

    def __init__(self, forward: Forward) -> None:
        self.forward = forward
        graph, values = forward.graph, forward.values
        self.wanted: set[str] = {name for name in graph.outputs if _may_be_float(values.get(name))}
        self.rounded = {name for node in graph.nodes if node.op_type == "QuantizeLinear" for name in node.outputs}
        self.ends: tuple[str, ...] = ()
        if not self.wanted:
            self.ends = self._last_floats()
            self.wanted.update(self.ends)
        self.states = [
            (node.inputs[0], node.inputs[1])
            for node in graph.nodes
            if (node.domain, node.op_type) == STATE_OUT and len(node.inputs) > 1
        ]
        self._reach_back()
        while carried := [after for after, before in self.states if before in self.wanted and after not in self.wanted]:
            self.wanted.update(carried)  # what the next run starts from
            self._reach_back()
        self.static: set[str] = set(graph.initializers)
        self.shaped: set[str] = set(graph.initializers)
        self.maker: dict[str, int] = {}
        measures = set(forward.places("Shape", "Size"))
        for place, node in enumerate(graph.nodes):
            for name in node.outputs:
                if name:
                    self.maker[name] = place
            if place in measures or self.shaped.issuperset(filter(None, node.inputs)):
                self.shaped.update(node.outputs)
                if self.static.issuperset(filter(None, node.inputs)) and node.inputs:
                    self.static.update(node.outputs)

    def _reach_back(self) -> None:
        """From the wanted values to all they are made of differentiably; rounding to integers passes gradients on."""
        graph, values = self.forward.graph, self.forward.values
        for node, evaluation in zip(reversed(graph.nodes), reversed(self.forward.evaluations), strict=True):
            if not self.wanted.isdisjoint(node.outputs):
                operator = evaluation.operator or OPERATORS.get((node.domain, node.op_type))
                closed = operator.fixed_inputs if operator else ()
                for slot, name in enumerate(node.inputs):
                    if name and slot not in closed and (name in self.rounded or _may_be_float(values.get(name))):
                        self.wanted.add(name)

    def _last_floats(self) -> tuple[str, ...]:
        """The floating-point values that outputs of other types are made of: training starts from these."""
        leading = set(self.forward.graph.outputs)
        found: dict[str, None] = {}
        for node in reversed(self.forward.graph.nodes):
            if not leading.isdisjoint(node.outputs):
                for name in filter(None, node.inputs):
                    if name in self.forward.graph.initializers:
                        continue
                    if _may_be_float(self.forward.values.get(name)):
                        found[name] = None
                    else:
                        leading.add(name)
        return tuple(found)

    def needing(self, trainable: AbstractSet[str]) -> tuple[set[str], list[tuple[bool, ...] | None]]:
        """The values that need a gradient, and for every node which of its inputs do; None where none does.

        What a loop's body hands to its next run needs one in every run if it needs one in any.
        """
        known = set(trainable)
        while True:
            needs, masks = self._spread(known)
            carried = {before for last, before in self.states if last in needs and before not in needs}
            if not carried:
                return needs, masks
            known |= carried

    def _spread(self, known: AbstractSet[str]) -> tuple[set[str], list[tuple[bool, ...] | None]]:
        needs = set(known)
        masks: list[tuple[bool, ...] | None] = []
        wanted, values = self.wanted, self.forward.values
        for node, evaluation in zip(self.forward.graph.nodes, self.forward.evaluations, strict=True):
            mask = None
            if not needs.isdisjoint(node.inputs) and not wanted.isdisjoint(node.outputs):
                closed = evaluation.operator.fixed_inputs if evaluation.operator else ()
                mask = tuple([name in needs and slot not in closed for slot, name in enumerate(node.inputs)])
                if True in mask:
                    needs.update([n for n in node.outputs if n and (n in self.rounded or _may_be_float(values.get(n)))])
                else:
                    mask = None
            masks.append(mask)
        return needs, masks


def _may_be_float(value: Tensor | None) -> bool:
    """Whether gradients can flow through a value; behind unknown operators nobody knows its type."""
    return value is None or value.is_float
