"""The forward sweep: every value's shape and every node's cost, repeated until no new equality is found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

from scalecalc.dims import Dim, Poly, bound, prod, symbols_of
from scalecalc.errors import GraphError, ShapeError, UndeterminedError
from scalecalc.ir.graph import Graph, Node, Size
from scalecalc.ops import Cost, Operator, Out, Tensor, find, misfit
from scalecalc.walk.symbols import Declarations

MAX_SWEEPS = 100
MOST_AXES = 64


class Evaluation:
    """One operator applied to one signature: shared by all nodes that have it."""

    __slots__ = ("cost", "inputs", "operator", "outputs", "takes_floats")

    def __init__(
        self, operator: Operator | None, inputs: Sequence[Tensor | None], cost: Cost | None, outputs: Sequence[Tensor]
    ) -> None:
        self.operator, self.inputs, self.cost, self.outputs = operator, inputs, cost, outputs
        self.takes_floats = True in [x is not None and x.is_float for x in inputs]


UNSUPPORTED = Evaluation(None, (), None, ())
"""Stands for a node without a rule."""

UNREACHED = Evaluation(None, (), None, ())
"""Stands for a node behind one, whose inputs' shapes nobody knows."""

UNDETERMINED = Evaluation(None, (), None, ())
"""Stands for a node whose result's shape depends on contents the file does not fix."""

DECLARED = Evaluation(None, (), None, ())
"""Stands for such a node where the file declares the shape: nodes that move elements cost nothing else."""

SKIPPED = Evaluation(None, (), None, ())
"""Stands for a node of a branch that never runs."""


class Forward:
    """Values and evaluations of one graph under one reading.

    Args:
        graph: nodes in topological order.
        declarations: how the file's dimensions become symbols or numbers.
    """

    def __init__(self, graph: Graph, declarations: Declarations) -> None:
        self.graph, self.declarations, self.system = graph, declarations, declarations.system
        self.values: dict[str, Tensor] = {}
        self.evaluations: list[Evaluation] = []
        self._interned: dict[object, Tensor] = {}
        numbers: dict[object, int] = {}
        kinds = (
            (node.op_type, node.domain, len(node.outputs), tuple(sorted(node.attributes.items(), key=_name)))
            for node in graph.nodes
        )
        self._keys = [numbers.setdefault(kind, len(numbers)) for kind in kinds]
        self._operators = [find(node.domain, node.op_type) for node in graph.nodes]
        self._places: dict[str, list[int]] = {}
        for place, node in enumerate(graph.nodes):
            if not node.domain:
                self._places.setdefault(node.op_type, []).append(place)

    def places(self, *op_types: str) -> list[int]:
        """Indices of the nodes of some of ONNX's own operators, in order."""
        return sorted(place for op_type in op_types for place in self._places.get(op_type, ()))

    def nodes(self, *op_types: str) -> list[Node]:
        """The nodes of some of ONNX's own operators, in order."""
        return [self.graph.nodes[place] for place in self.places(*op_types)]

    def run(self) -> None:
        """Sweep to a fixed point.

        Raises:
            ShapeError: an operator's inputs contradict each other, with the node's name.
        """
        for sweep in count():
            before = self.system.found
            self._sweep()
            self._meet_outputs()
            self._retry()
            if self.system.found == before:
                self.system.settled = True  # layers are tried behind the walk: they find nothing about its dimensions
                return
            if sweep == MAX_SWEEPS:
                raise GraphError(f"no fixed point of its dimensions after {MAX_SWEEPS} sweeps", where=self.graph.name)

    def _sweep(self) -> None:
        values: dict[str, Tensor] = {}
        self._interned.clear()
        for name, init in self.graph.initializers.items():
            entries = init.value or ()
            limit = max(n for n in entries if type(n) is int) + 1 if int in map(type, entries) else None
            contents = self.declarations.contents(init)
            values[name] = self._intern(self.declarations.weight_shape(init), init.dtype, contents, limit)
        for name, declared in self.graph.inputs.items():
            dims = self.declarations.input_shape(name)
            if dims is not None:
                values[name] = self._intern(dims, declared.dtype)
        memo: dict[tuple[Any, ...], Evaluation] = {}
        evaluations: list[Evaluation] = []
        system = self.system
        self.values, self.evaluations = values, evaluations
        for place, (node, key, operator) in enumerate(zip(self.graph.nodes, self._keys, self._operators, strict=True)):
            if node.given and not self._runs(node):
                evaluations.append(SKIPPED)
                continue
            inputs = [values.get(name) if name else None for name in node.inputs]
            same = (key, *map(id, inputs))
            evaluation = memo.get(same)
            if evaluation is None:
                system.where = place
                created = system.created
                evaluation = self.evaluate(node, operator, inputs)
                if system.created == created and evaluation.operator is not None:
                    memo[same] = evaluation
            evaluations.append(evaluation)
            for name, value in zip(node.outputs, evaluation.outputs, strict=False):
                values[name] = value
            if evaluation.operator is None:
                self._fall_back(node)
                if evaluation is UNDETERMINED and all(name in values for name in node.outputs if name):
                    evaluations[-1] = DECLARED

    def _runs(self, node: Node) -> bool:
        """False for a node of a branch whose condition is known to be the other way."""
        for given in node.given:
            value = self.values.get(given.value)
            known = value.known() if value is not None else None
            if known is not None and bool(known[0]) != given.wanted:
                return False
        return True

    def repeats(self, times: Iterable[str]) -> Dim:
        """The product of values that say how often something runs, or how many of it there are."""
        return prod((value.value or (1,))[0] for name in times if (value := self.values.get(name)) is not None)

    def _intern(
        self, shape: tuple[Dim, ...], dtype: str, value: tuple[Any, ...] | None = None, limit: Dim | None = None
    ) -> Tensor:
        """One object per different value, so that equal signatures are recognised by identity."""
        key = (shape, dtype, value, limit)
        found = self._interned.get(key)
        if found is None:
            found = self._interned[key] = Tensor(shape, dtype, value, limit, 0)
        return found

    def evaluate(self, node: Node, operator: Operator | None, inputs: Sequence[Tensor | None]) -> Evaluation:
        """Apply a rule.

        Raises:
            ShapeError: the inputs do not fit the operator, with the node's name.
        """
        if operator is None:
            return UNSUPPORTED
        if None in inputs or len(inputs) < operator.required:
            given = {slot for slot, name in enumerate(node.inputs) if name} | operator.optional
            if not given.issuperset(range(operator.required)):
                raise self._error(node, f"{node.op_type} needs {operator.required} inputs")
            unknown = any(name and value is None for name, value in zip(node.inputs, inputs, strict=True))
            if unknown and not operator.partial:
                return UNREACHED
        arguments = [value and value.at(slot) for slot, value in enumerate(inputs)]
        attributes = self._attributes(node, operator) if node.attributes or operator.wants else {}
        try:
            cost = operator.rule(*arguments, **attributes)
            if isinstance(cost.vector, int) and cost.vector < 0:
                raise ShapeError("a negative number of operations")
            first = arguments[0].dtype if arguments and arguments[0] is not None else ""
            outputs = [self._intern(_checked(out), out.dtype or first, out.value, out.limit) for out in cost.outputs]
        except UndeterminedError as error:
            return UNREACHED if error.costs else UNDETERMINED
        except ShapeError as error:
            raise self._error(node, error.what, arguments) from error
        except (MemoryError, RecursionError):
            raise
        except Exception as error:  # whatever a rule trips over, the file is to blame: no rule checks all of it
            reason = str(error) if isinstance(error, ValueError) and error.args else "its inputs do not fit it"
            if not (operator.rule.__module__ or "").startswith("scalecalc."):
                reason = f"its rule failed with {type(error).__name__}: {error}"
            raise self._error(node, reason, arguments) from error
        return Evaluation(operator, inputs, cost, outputs)

    def _attributes(self, node: Node, operator: Operator) -> dict[str, Any]:
        """What a rule takes by name."""
        attributes = {name: value for name, value in node.attributes.items() if name in operator.attributes}
        for name, value in attributes.items():
            if isinstance(value, Size):
                attributes[name] = self.declarations.size(value)
            elif wanted := misfit(operator.attributes[name], value):
                raise self._error(node, f"attribute '{name}' must be {wanted}")
        if "n_outputs" in operator.wants:
            attributes["n_outputs"] = len(node.outputs)
        if "system" in operator.wants:
            attributes["system"] = self.system
        return attributes

    def _error(self, node: Node, what: str, arguments: Sequence[Tensor | None] = ()) -> ShapeError:
        of = f" of inputs {_shapes(arguments[:6])}" if arguments else ""
        return ShapeError(
            f"{what}, in {node.op_type:.80} node '{node.name:.80}'{of:.300}",
            where=self.graph.name,
            todo="check the sizes with --shape INPUT=..., or export the model again",
        )

    def _fall_back(self, node: Node) -> None:
        """Behind an unknown operator, take the shapes the file declares."""
        for name in node.outputs:
            declared = self.graph.value_info.get(name) or self.graph.outputs.get(name)
            if declared is not None and (dims := self.declarations.declared(name, declared)) is not None:
                self.values[name] = Tensor(dims, declared.dtype)

    def _meet_outputs(self) -> None:
        """What the file calls its outputs' dimensions, where the walk found symbols of its own."""
        for name, declared in self.graph.outputs.items():
            value = self.values.get(name)
            if value is not None:
                self.system.where = name
                self.declarations.meet(name, value.shape, declared)

    def _retry(self) -> None:
        try:
            self.system.retry()
        except ShapeError as error:
            place = self.system.where
            node = self.graph.nodes[place] if isinstance(place, int) else None
            raise self._error(node, error.what) if node else error from error


def _name(item: tuple[str, Any]) -> str:
    return item[0]


def _checked(out: Out) -> tuple[Dim, ...]:
    """The shape, if it can be one: what could fall below 0 at small sizes must not."""
    if len(out.shape) > MOST_AXES:
        raise ShapeError(f"a value of {len(out.shape)} axes")
    for dim in out.shape:
        if type(dim) is int:
            if dim < 0:
                raise ShapeError(f"a dimension of {dim}")
        elif type(dim) is not Poly:
            raise ShapeError(f"a dimension of {dim!r}")
        elif min(dim.terms.values()) < 0 and dim.atoms == symbols_of(dim):
            bound(0, dim)
    return tuple(out.shape)


def _shapes(arguments: Sequence[Tensor | None]) -> str:
    return ", ".join("-" if x is None else "x".join(map(str, x.shape)) or "scalar" for x in arguments)
