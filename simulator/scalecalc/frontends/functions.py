"""Operators an ONNX file defines itself, one body for every set of attributes they are called with."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from scalecalc.errors import FileError, GraphError
from scalecalc.frontends.nodes import Reader
from scalecalc.frontends.opsets import Values, version
from scalecalc.frontends.order import depth_first
from scalecalc.ir.graph import Function, Node

if TYPE_CHECKING:
    from onnx import FunctionProto

_MOST = 10_000  # bodies: functions that call each other with ever new attributes


class Functions:
    """Gives calls the name of a body, and reads the bodies called.

    A function is known by (domain, name). Called with other attributes, or as another overload, it becomes
    another function, `name#2`, whose body holds the attributes' values: no body refers to attributes.
    """

    def __init__(self, protos: Iterable[FunctionProto], opset: int) -> None:
        self.opset = opset
        self.protos = {(_domain(proto.domain), proto.name, proto.overload): proto for proto in protos}
        self.names: dict[tuple[Any, ...], str] = {}
        self.variants: dict[tuple[str, str], int] = {}
        self.waiting: deque[tuple[tuple[str, str], FunctionProto, dict[str, Any]]] = deque()
        self.callees: list[str] = []

    def resolve(self, node: Node, overload: str) -> None:
        """Give `node` the name of the function it calls, if it calls one."""
        proto = self.protos.get((node.domain, node.op_type, overload))
        if proto is None:
            return
        bound = self._bound(proto, node.attributes)
        key = (node.domain, node.op_type, overload, *sorted(bound.items(), key=lambda item: item[0]))
        if key not in self.names:
            number = self.variants[node.domain, node.op_type] = self.variants.get((node.domain, node.op_type), 0) + 1
            self.names[key] = f"{node.op_type}#{number}" if number > 1 else node.op_type
            self.waiting.append(((node.domain, self.names[key]), proto, bound))
            if len(self.names) > _MOST:
                raise FileError(f"functions are called in more than {_MOST:,} ways", todo="inline them (onnx.inliner)")
        node.op_type = self.names[key]
        self.callees.append(f"{node.domain}\0{node.op_type}")

    def read(self) -> dict[tuple[str, str], Function]:
        """The body of every function called, from the graph or from one another.

        Raises:
            GraphError: a function calls itself, or uses values it does not define.
        """
        found: dict[tuple[str, str], Function] = {}
        calls: list[list[str]] = []
        while self.waiting:
            key, proto, bound = self.waiting.popleft()
            self.callees = []
            found[key] = self._function(key, proto, bound)
            calls.append(self.callees)
        index = {f"{domain}\0{name}": number for number, (domain, name) in enumerate(found)}
        labels = [f"function {name!r:.80}" for _, name in found]
        depth_first([[index[name] for name in names] for names in calls], labels.__getitem__)
        return found

    def _function(self, key: tuple[str, str], proto: FunctionProto, bound: Mapping[str, Any]) -> Function:
        opset = version(proto.opset_import) or self.opset
        inputs, outputs = tuple(proto.input), tuple(proto.output)
        values = Values({}, set(inputs))
        nodes = Reader(opset, self, bound).body(proto.node, values)
        values.require(outputs)
        for name, user in values.free.items():
            what = f"nothing in function {proto.name!r:.80} defines {name!r:.80}, which {user:.80} uses"
            raise GraphError(what, todo="export the model again")
        constants = [
            Node("Constant", "", name, (), (name,), {"value": tensor}) for name, tensor in values.initializers.items()
        ]
        return Function(key[1], key[0], inputs, outputs, constants + nodes)

    def _bound(self, proto: FunctionProto, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Values of the function's attributes at a call: the call's, else their defaults."""
        defaults = Reader(self.opset, self).attributes(proto.attribute_proto, Values({}, set()), {})
        given = {name: attributes[name] for name in proto.attribute if name in attributes}
        return {**defaults, **{name: attributes[name] for name in defaults if name in attributes}, **given}


def _domain(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain
