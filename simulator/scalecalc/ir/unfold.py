"""Function calls, loops and branches unfolded, so that the walk sees one list of nodes.

A loop's body stands once, its nodes marked with what says how often they run; both branches of an If stand, their
nodes marked with the condition they run under. Small nodes of our own (`CONTROL` domain) join bodies to the outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from scalecalc.errors import GraphError
from scalecalc.ir.counting import counters
from scalecalc.ir.graph import Function, Given, Graph, Initializer, Node

CONTROL = "scalecalc.control"
"""Operator domain of the nodes that join bodies to the outside (`ops/control.py`)."""

STATE_OUT = (CONTROL, "StateOut")
"""Joins what a loop's body hands to its next run: (after, before, at first) -> what is left in the end."""

MOST_STEPS = 300_000
"""Functions that call functions can unfold to any size; beyond so many calls and nodes of theirs a graph is refused."""


@dataclass(slots=True)
class Scope:
    """A body being unfolded.

    Attributes:
        nodes: those still to come.
        outer: where names this body does not define come from; None for a function, which sees none.
        prefix: what its values and nodes are called after.
        names: new names of the values it defines.
        times: values that say how often it runs.
        given: what must be true for it to run.
        namespace: the modules around it, for nodes that have none of their own.
        closing: nodes behind it.
    """

    nodes: Iterator[Node]
    outer: Scope | None
    prefix: str
    names: dict[str, str]
    times: tuple[str, ...] = ()
    given: tuple[Given, ...] = ()
    namespace: str = ""
    closing: list[Node] = field(default_factory=list)

    def name(self, name: str) -> str:
        """The new name of a value."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return name

    def node(self, op_type: str, name: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> Node:
        """A joining node that runs as often as this body."""
        context = self.times, self.given, self.namespace
        return Node(op_type, CONTROL, name, tuple(inputs), tuple(outputs), attributes, *context)


def unfolded(graph: Graph, is_operator: Callable[[str, str], bool]) -> Graph:
    """The graph without calls and bodies. A body's own tensors are stored once, however often it runs.

    Args:
        graph: with its functions.
        is_operator: whether (domain, op_type) has a rule of its own, which then describes a call better.

    Raises:
        GraphError: the functions unfold to more than MOST_STEPS calls and nodes.
    """
    if not graph.functions and not any(node.op_type in BODIES for node in graph.nodes):
        return graph
    return _Unfolding(graph, is_operator).run()


class _Unfolding:
    def __init__(self, graph: Graph, is_operator: Callable[[str, str], bool]) -> None:
        self.graph, self.is_operator = graph, is_operator
        self.nodes: list[Node] = []
        self.initializers = dict(graph.initializers)
        self.value_info = dict(graph.value_info)
        self.numbers = count(1)

    def run(self) -> Graph:
        stack = [Scope(iter(self.graph.nodes), None, "", {})]
        steps = 0
        while stack:
            scope = stack[-1]
            node = next(scope.nodes, None)
            if node is None:
                self.nodes += stack.pop().closing
            else:
                stack += self.step(scope, node)
            steps += len(stack) > 1
            if steps > MOST_STEPS:
                raise GraphError(
                    f"its functions unfold to more than {MOST_STEPS:,} nodes",
                    where=self.graph.name,
                    todo="inline them with onnx.inliner, or export without functions",
                )
        return replace(
            self.graph, nodes=self.nodes, initializers=self.initializers, value_info=self.value_info, functions={}
        )

    def step(self, scope: Scope, node: Node) -> list[Scope]:
        """Emit a node under its new names, or give the bodies that stand for it, the last one first."""
        inputs, outputs = tuple(map(scope.name, node.inputs)), tuple(map(scope.name, node.outputs))
        call = Node(
            node.op_type,
            node.domain,
            scope.prefix + node.name,
            inputs,
            outputs,
            node.attributes,
            scope.times,
            scope.given,
            node.namespace or scope.namespace,
        )
        function = self.graph.functions.get((node.domain, node.op_type))
        if function is not None and not self.is_operator(node.domain, node.op_type):
            return [self.call(scope, function, call)]
        if node.is_a(*BODIES):
            try:
                return BODIES[node.op_type](self, scope, call)
            except (IndexError, TypeError, ValueError) as error:
                what = f"the body of {call.op_type} node '{call.name}' does not fit its inputs and outputs"
                raise GraphError(what, todo="export the model again") from error
        self.nodes.append(call)
        return []

    def call(self, scope: Scope, function: Function, call: Node) -> Scope:
        """A function's body under names of this call."""
        prefix = f"{call.name}#{next(self.numbers)}/"
        names: dict[str, str] = {}
        made: set[str] = set()
        nodes: list[Node] = []
        for node in function.nodes:
            value = node.attributes.get("value")
            if node.op_type == "Constant" and isinstance(value, Initializer):
                names[node.outputs[0]] = stored = f"{function.domain}/{function.name}/{node.outputs[0]}"
                self.initializers[stored] = value._replace(name=stored)
            else:
                nodes.append(node)
                made.update(filter(None, node.outputs))
        names.update((name, prefix + name) for name in made)
        names.update(
            (inner, outer) for inner, outer in zip(function.outputs, call.outputs, strict=False) if inner in made
        )
        names.update(zip(function.inputs, (*call.inputs, *[""] * len(function.inputs)), strict=False))
        body = Scope(iter(nodes), None, f"{call.name}/", names, scope.times, scope.given, call.namespace)
        for inner, outer in zip(function.outputs, call.outputs, strict=False):
            if outer and names[inner] != outer:  # an input or a constant handed out
                same = Node("Identity", "", call.name, (names[inner],), (outer,), {}, scope.times, scope.given)
                body.closing.append(same)
        return body

    def body(self, scope: Scope, call: Node, graph: Graph) -> Scope:
        """A graph attribute's body, its tensors and names made the whole graph's."""
        prefix = f"{call.name}#{next(self.numbers)}/"
        made = (*graph.inputs, *graph.initializers, *(name for node in graph.nodes for name in node.outputs if name))
        names = {name: prefix + name for name in made}
        for name, tensor in graph.initializers.items():
            self.initializers[names[name]] = tensor._replace(name=names[name])
        self.value_info.update((names[name], kind) for name, kind in graph.value_info.items() if name in names)
        return Scope(iter(graph.nodes), scope, f"{call.name}/", names, scope.times, scope.given, call.namespace)

    def loop(self, scope: Scope, call: Node) -> list[Scope]:
        """Loop(count, condition, state...) with a body of (index, condition, state...)."""
        graph = _graph(call, "body")
        body = self.body(scope, call, graph)
        for name, last, value in zip([*graph.inputs][2:], [*graph.outputs][1:], call.inputs[2:], strict=False):
            if value and _origin(graph, last, "Identity") == name:
                body.names[name] = value  # no run changes it: what the loop was given
        limit, condition = [*call.inputs, "", ""][:2]
        index, inner, *state = [body.name(name) for name in graph.inputs]
        results = [body.name(name) for name in graph.outputs][1:]
        trips = self._unique(f"{call.name}/trips")
        always = _handed_on(graph, next(iter(graph.outputs)), [*graph.inputs][1])
        counted = None if always else counters(graph, lambda name: self._is_one(body.name(name)))
        outer = dict(zip([*graph.inputs][2:], call.inputs[2:], strict=False))
        ends = [(c.state and outer[c.state], outer.get(c.below, body.name(c.below))) for c in counted or ()]
        late = tuple(counter.late for counter in counted or ())
        free = int(not always and counted is None)
        inputs = (limit, condition, *(name for pair in ends for name in pair))
        self.nodes.append(scope.node("LoopCount", call.name, inputs, (index, trips, inner), at_most=free, late=late))
        self._join(scope, body, call, call.inputs[2:], state, results, trips, [0] * len(results))
        return [body]

    def _is_one(self, name: str) -> bool:
        stored = self.initializers.get(name)
        return stored is not None and stored.value == (1,)

    def scan(self, scope: Scope, call: Node) -> list[Scope]:
        """Scan(state..., sequences...) with a body of (state..., one entry of each sequence)."""
        graph = _graph(call, "body")
        body = self.body(scope, call, graph)
        many = int(call.attributes.get("num_scan_inputs", 1))
        few = len(call.inputs) - many
        if few < 0 or many < 1:
            raise ValueError(f"{many} sequences of {len(call.inputs)} inputs")
        axes = tuple(call.attributes.get("scan_input_axes", ())) or (0,) * many
        trips = self._unique(f"{call.name}/trips")
        inner = [body.name(name) for name in graph.inputs]
        for place, (sequence, entry) in enumerate(zip(call.inputs[few:], inner[few:], strict=True)):
            outputs = (entry, trips) if place == 0 else (entry,)
            one = scope.node("Entry", call.name, (sequence,), outputs, axis=axes[place])
            one.times = (*scope.times, trips)
            self.nodes.append(one)
        results = [body.name(name) for name in graph.outputs]
        out_axes = tuple(call.attributes.get("scan_output_axes", ())) or (0,) * (len(results) - few)
        self._join(scope, body, call, call.inputs[:few], inner[:few], results, trips, [*[0] * few, *out_axes])
        return [body]

    def _join(
        self, scope: Scope, body: Scope, call: Node, initial: Sequence[str], state: Sequence[str],
        results: Sequence[str], trips: str, axes: Sequence[int],
    ) -> None:  # fmt: skip
        """Hand state in and out of a body that runs `trips` times, and stack what it gives every time."""
        for value, inner in zip(initial, state, strict=False):
            if inner != value:
                self.nodes.append(scope.node("StateIn", call.name, (value,), (inner,)))
        body.times = (*scope.times, trips)
        outputs = (*call.outputs, *[""] * len(results))
        for place, (result, output) in enumerate(zip(results, outputs, strict=False)):
            if place < len(initial):  # also where nobody asks for the last one: the next run does
                left = output or self._unique(f"{call.name}/state")
                before, first = state[place], initial[place]
                if before == first:  # no run changes it
                    last = Node("Identity", "", call.name, (first,), (left,), {}, scope.times, scope.given)
                else:
                    last = scope.node("StateOut", call.name, (result, before, first), (left,))
                body.closing.append(last)
            elif output:
                body.closing.append(scope.node("Stack", call.name, (result, trips), (output,), axis=axes[place]))

    def _unique(self, name: str) -> str:
        """A value's name that no other has: nodes need not have names of their own."""
        return f"{name}#{next(self.numbers)}"

    def branch(self, scope: Scope, call: Node) -> list[Scope]:
        """If(condition): both branches, each under its condition."""
        scopes, results = [], []
        choice = self._unique(call.name)
        for name, wanted in (("else_branch", False), ("then_branch", True)):
            graph = _graph(call, name)
            body = self.body(scope, call, graph)
            body.given = (*scope.given, Given(choice, call.inputs[0], wanted))
            results.append([body.name(output) for output in graph.outputs])
            scopes.append(body)
        for output, other, first in zip(call.outputs, *results, strict=False):
            scopes[0].closing.append(scope.node("Either", call.name, (first, other), (output,)))
        return scopes


BODIES: Mapping[str, Callable[[_Unfolding, Scope, Node], list[Scope]]] = {
    "If": _Unfolding.branch,
    "Loop": _Unfolding.loop,
    "Scan": _Unfolding.scan,
}
"""Operators that hold graphs, and what unfolds them."""


def _graph(call: Node, name: str) -> Graph:
    graph = call.attributes.get(name)
    if not isinstance(graph, Graph) or not call.inputs:
        raise GraphError(f"{call.op_type} node '{call.name}' has no {name} or no inputs", todo="export the model again")
    return graph


def _handed_on(graph: Graph, output: str, name: str) -> bool:
    """Whether an output is only ever that input, or a stored constant: a condition that decides nothing."""
    origin = _origin(graph, output, "Identity", "Cast")
    return origin == name or origin in graph.initializers


def _origin(graph: Graph, output: str, *through: str) -> str:
    """Where an output comes from, seen through those operators."""
    maker = {made: node for node in graph.nodes for made in node.outputs}
    while output in maker and maker[output].is_a(*through):
        output = maker[output].inputs[0]
    return output
