"""Bodies of an ONNX file (the graph, those of Loop, If and Scan, functions) as lists of nodes.

Nothing of a file's form survives here: constants are stored tensors, operators have their newest form, nodes
stand in topological order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from scalecalc.errors import GraphError
from scalecalc.frontends.messages import AttributeProto
from scalecalc.frontends.opsets import Values, changes, trimmed
from scalecalc.frontends.order import arrange, twice
from scalecalc.frontends.tensors import SMALL, dtype_name, elements, initializer, sparse_initializer, tensor_type
from scalecalc.frontends.wire import not_text, text
from scalecalc.ir.graph import Graph, Initializer, Node, TensorType

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, StringStringEntryProto, ValueInfoProto

TYPE_ATTRIBUTES = frozenset({"to", "dtype", "output_dtype", "output_datatype", "precision", "softmax_precision"})
"""Attributes that hold the number of an element type."""

_REPAIR = "export the model again"
_CONSTANTS = {  # attribute of Constant: what it holds, element type, bytes of one
    "value_int": (int, "int64", 8),
    "value_ints": (int, "int64", 8),
    "value_float": (float, "float32", 4),
    "value_floats": (float, "float32", 4),
    "value_string": (str, "string", 0),
    "value_strings": (str, "string", 0),
}


class Calls(Protocol):
    """The file's own operators: given a node, which function it calls."""

    def resolve(self, node: Node, overload: str) -> None:
        """Give `node` the name of the function it calls, if it calls one."""


class Reader:
    """Reads bodies written in one operator set version.

    Args:
        opset: version of ONNX's own operators.
        calls: the file's functions, None when it has none.
        bound: in a function, the values of its attributes at the call; None outside of functions.
    """

    def __init__(self, opset: int, calls: Calls | None, bound: Mapping[str, Any] | None = None) -> None:
        self.opset, self.calls, self.bound = opset, calls, bound
        self.changes = changes(opset)
        self.namespaces: dict[str, str] = {}

    def graph(self, proto: GraphProto, outer: Values | None = None) -> tuple[Graph, dict[str, str]]:
        """A graph, and the outer values it uses, each with who uses it."""
        stored: dict[str, Initializer] = {}
        tensors = [initializer(tensor, tensor.name) for tensor in proto.initializer]
        tensors += [sparse_initializer(tensor, tensor.values.name) for tensor in proto.sparse_initializer]
        for tensor in tensors:
            _store(stored, tensor)
        inputs: dict[str, TensorType] = {}
        for info in proto.input:
            if info.name in inputs:
                raise GraphError(f"two inputs are named {info.name!r:.80}", todo=_REPAIR)
            inputs[info.name] = tensor_type(info.type)
        values = Values(stored, {*stored, *inputs}, outer)
        for name in stored:
            inputs.pop(name, None)
        nodes = self.body(proto.node, values)
        outputs = _types(proto.output)
        values.require(outputs)
        graph = Graph(proto.name, nodes, inputs, outputs, stored, _types(proto.value_info), opset=self.opset)
        return graph, values.free

    def body(self, protos: Iterable[NodeProto], values: Values) -> list[Node]:
        """Nodes in order and in their newest form; `values` gets the constants and learns what is defined."""
        nodes: list[Node] = []
        captures: dict[Node, dict[str, str]] = {}
        for index, proto in enumerate(protos):
            op_type, domain = proto.op_type, proto.domain
            if domain and (domain := text(domain)) == "ai.onnx":
                domain = ""
            elif domain.startswith("scalecalc"):  # that name is kept for operators of our own making
                domain = f"file.{domain}"
            free: dict[str, str] = {}
            attributes = self.attributes(held, values, free) if (held := proto.attribute) else {}
            name = proto.name or f"{op_type}_{index}"
            outputs = tuple(proto.output)
            if op_type == "Constant" and not domain:
                tensor = _constant(outputs[0] if outputs else "", name, attributes)
                if tensor.name in values.defined:
                    raise twice(tensor.name, name)
                _store(values.initializers, tensor)
                values.defined.add(tensor.name)
                continue
            inputs = tuple(proto.input)
            if inputs and not inputs[-1]:
                inputs = trimmed(inputs)
            node = Node(op_type, domain, name, inputs, outputs, attributes)
            if notes := proto.metadata_props:
                node.namespace = self._namespace(notes)
            if free:
                captures[node] = free
            if self.calls is not None:
                self.calls.resolve(node, proto.overload)
            nodes.append(node)
        nodes, values.defined, values.free = arrange(nodes, values.defined, captures)
        kinds = {type(name) for node in nodes for name in (node.name, node.op_type, node.domain, *node.attributes)}
        if bytes in kinds.union(map(type, values.defined), map(type, values.free)):
            raise not_text()
        if useless := next((node for node in nodes if not node.outputs), None):
            raise GraphError(f"node {useless.name!r:.80} has no outputs", todo=_REPAIR)
        return self._renewed(nodes, values)

    def attributes(self, protos: Iterable[AttributeProto], values: Values, free: dict[str, str]) -> dict[str, Any]:
        """Attributes by name; what their graphs take from around them is added to `free`."""
        found: dict[str, Any] = {}
        for proto in protos:
            if self.bound is not None and (reference := proto.ref_attr_name):
                if reference in self.bound:
                    found[proto.name] = self.bound[reference]
            else:
                found[proto.name] = self._content(proto, values, free)
        return found

    def _namespace(self, notes: Iterable[StringStringEntryProto]) -> str:
        """The modules around a node, which PyTorch notes before the operation's name; equal ones are stored once."""
        for note in notes:
            if note.key == "namespace" and isinstance(note.value, str):
                modules = note.value.rpartition("/")[0]
                return self.namespaces.setdefault(modules, modules)
        return ""

    def _content(self, proto: AttributeProto, values: Values, free: dict[str, str]) -> Any:
        def graph(inner: GraphProto) -> Graph:
            body, names = self.graph(inner, values)
            free.update(names)
            return body

        kind = proto.type or _guess(proto)
        match kind:
            case AttributeProto.INTS:
                return tuple(proto.ints)
            case AttributeProto.INT:
                return dtype_name(proto.i) if proto.name in TYPE_ATTRIBUTES else proto.i
            case AttributeProto.FLOAT:
                return proto.f
            case AttributeProto.STRING:
                return _string(proto.s)
            case AttributeProto.TENSOR:
                return initializer(proto.t, proto.t.name)
            case AttributeProto.GRAPH:
                return graph(proto.g)
            case AttributeProto.FLOATS:
                return tuple(proto.floats)
            case AttributeProto.STRINGS:
                return tuple(map(_string, proto.strings))
            case AttributeProto.TENSORS:
                return tuple(initializer(tensor, tensor.name) for tensor in proto.tensors)
            case AttributeProto.GRAPHS:
                return tuple(map(graph, proto.graphs))
            case AttributeProto.SPARSE_TENSOR:
                return sparse_initializer(proto.sparse_tensor, proto.sparse_tensor.values.name)
            case AttributeProto.SPARSE_TENSORS:
                return tuple(sparse_initializer(tensor, tensor.values.name) for tensor in proto.sparse_tensors)
        return None  # types of values: nothing counts them

    def _renewed(self, nodes: list[Node], values: Values) -> list[Node]:
        kept: list[Node] = []
        for node in nodes:
            if not node.domain:
                if node.op_type == "ConstantOfShape" and (tensor := _filled(node, values)) is not None:
                    values.initializers[tensor.name] = tensor
                    continue
                for change in self.changes.get(node.op_type, ()):
                    change(node, values)
            kept.append(node)
        return kept


def _types(infos: Iterable[ValueInfoProto]) -> dict[str, TensorType]:
    seen: dict[bytes, TensorType] = {}  # most values of a model have one of few types
    types: dict[str, TensorType] = {}
    for info in infos:
        key = info.type.SerializeToString()
        if (known := seen.get(key)) is None:
            known = seen[key] = tensor_type(info.type)
        types[text(info.name)] = known
    return types


def _store(stored: dict[str, Initializer], tensor: Initializer) -> None:
    if tensor.name in stored:
        raise GraphError(f"two stored tensors are named {tensor.name!r:.80}", todo=_REPAIR)
    stored[tensor.name] = tensor


def _constant(output: str, node: str, attributes: Mapping[str, Any]) -> Initializer:
    """What a Constant node stands for, under the name of its output."""
    for key, content in attributes.items():
        if key in ("value", "sparse_value") and isinstance(content, Initializer):
            return content._replace(name=output)
        values = content if isinstance(content, tuple) else (content,)
        kind, dtype, size = _CONSTANTS.get(key, (None, "", 0))
        if kind is not None and all(isinstance(value, kind) for value in values):
            shape = (len(values),) if isinstance(content, tuple) else ()
            stored = sum(map(len, values)) if kind is str else size * len(values)
            return Initializer(output, dtype, shape, values if size and len(values) <= SMALL else None, stored)
    raise GraphError(f"node {node!r:.80} is a Constant without a value", todo=_REPAIR)


def _filled(node: Node, values: Values) -> Initializer | None:
    """The tensor a ConstantOfShape makes, None unless its shape stands in the file."""
    shape = values.find(node.inputs[0]) if node.inputs else None
    fill = node.attributes.get("value", Initializer("", "float32", (1,), (0.0,)))
    if shape is None or shape.value is None or shape.dtype != "int64" or not node.outputs:
        return None
    if not isinstance(fill, Initializer) or fill.shape not in ((), (1,)):
        return None
    dims, name = tuple(map(int, shape.value)), node.outputs[0]
    count = elements(dims, name)
    contents = fill.value * count if fill.value is not None and count <= SMALL else None
    return Initializer(name, fill.dtype, dims, contents)


def _guess(proto: AttributeProto) -> int:
    """The kind of an attribute whose writer did not say."""
    kinds = {
        "t": AttributeProto.TENSOR, "g": AttributeProto.GRAPH, "s": AttributeProto.STRING, "f": AttributeProto.FLOAT,
        "i": AttributeProto.INT, "ints": AttributeProto.INTS, "floats": AttributeProto.FLOATS,
        "strings": AttributeProto.STRINGS, "tensors": AttributeProto.TENSORS, "graphs": AttributeProto.GRAPHS,
    }  # fmt: skip
    present = (kinds[field.name] for field, _ in proto.ListFields() if field.name in kinds)
    return next(present, AttributeProto.INTS)


def _string(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")
