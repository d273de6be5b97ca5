"""Building a graph node by node: every node is evaluated by its rule at once, so that layers know their inputs' shapes.

What comes out is the same plain `Graph` an ONNX file gives; its dimensions are texts, and the walk starts afresh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from scalecalc.dims import Dim, Poly, hint_of, same, symbols_of
from scalecalc.errors import GraphError, ShapeError
from scalecalc.expressions import Number, parse
from scalecalc.ir.graph import Declared, Graph, Initializer, Node, Size, TensorType
from scalecalc.ir.unfold import CONTROL
from scalecalc.ops import Tensor, find, is_float
from scalecalc.walk.forward import Forward
from scalecalc.walk.symbols import Declarations

MOST_NODES = 200_000
"""Nodes one file may ask for: more are refused, since layers may be written out in a few words."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the graph being built.

    Attributes:
        name: in the graph.
        tensor: its shape and type.
    """

    name: str
    tensor: Tensor

    @property
    def shape(self) -> tuple[Dim, ...]:
        """One dimension per axis."""
        return self.tensor.shape

    @property
    def rank(self) -> int:
        """How many axes it has."""
        return self.tensor.rank


@dataclass(frozen=True, slots=True)
class Scope:
    """Where nodes are being made.

    Attributes:
        path: names of the layers around them.
        times: values whose product says how often they run.
        copies: the same for their weights: fewer where several runs share one.
        frozen: training leaves their weights as they are.
        owner: path of the layer whose weights they use; None for their own.
    """

    path: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    frozen: bool = False
    owner: tuple[str, ...] | None = None


@dataclass(slots=True)
class Builder:
    """A graph that grows.

    Args:
        name, format: of the graph.
        symbols: those its sizes are made of.
        inputs: what is fed from outside.
    """

    name: str
    format: str
    symbols: Mapping[str, Declared]
    inputs: Mapping[str, TensorType]
    graph: Graph = field(init=False)
    scope: Scope = field(init=False, default_factory=Scope)
    _forward: Forward = field(init=False)
    _weights: dict[str, Value] = field(init=False, default_factory=dict)
    _trained: set[str] = field(init=False, default_factory=set)
    _taken: dict[str, int] = field(init=False, default_factory=dict)
    _shared: dict[object, Any] = field(init=False, default_factory=dict)
    _makers: dict[str, tuple[str, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.graph = Graph(self.name, [], dict(self.inputs), {}, {}, format=self.format, symbols=dict(self.symbols))
        self._forward = Forward(self.graph, Declarations(self.graph))

    # -- values -----------------------------------------------------------------------------------------------------

    def size(self, text: str) -> Dim:
        """A dimension from an expression of the symbols.

        Raises:
            ExpressionError: it is none.
            ShapeError: it is below 0.
        """
        return self._forward.declarations.size(Size(text), least=0)

    def number(self, dim: Dim) -> int:
        """The number a layer cannot do without, such as a kernel; symbols in it stay what the file says.

        Raises:
            ShapeError: they have no values.
        """
        if isinstance(dim, int):
            return dim
        for atom in symbols_of(dim):
            name = dim.system.info(atom).name
            symbol = self.graph.symbols.get(name)
            if symbol is None or symbol.value is None:
                raise ShapeError(f"it needs a number, and {name} has no value")
            self.graph.symbols[name] = replace(symbol, fixed=True)
        return hint_of(dim)

    def input(self, name: str) -> Value:
        """One of the inputs."""
        shape = self._forward.declarations.input_shape(name)
        if shape is None:
            raise GraphError(f"input {name} has no shape", todo="give it one")
        return Value(name, Tensor(shape, self.inputs[name].dtype))

    def weight(self, label: str, *shape: Dim, frozen: bool = False, dtype: str = "float32") -> Value:
        """A stored tensor of the layer being made, or of the one whose weights it uses.

        Raises:
            ShapeError: that one has another shape, or this one a size below 1.
        """
        if any(isinstance(dim, int) and dim < 1 for dim in shape):
            raise ShapeError(f"its {label} would be ({', '.join(map(str, shape))})")
        path = self.scope.path if self.scope.owner is None else self.scope.owner
        name = ".".join((*path, label))
        found = self._weights.get(name)
        if found is not None and self.scope.owner is not None:
            if found.rank != len(shape):
                raise ShapeError(f"its {label} has {len(shape)} axes, that of {'/'.join(path)} {found.rank}")
            for dim, own in zip(shape, found.shape, strict=True):
                same(dim, own)
            return found
        name = self._unique(name)
        tensor = Tensor(shape, dtype)
        stored = 1  # its bytes follow from its shape; 1 says that the file means it to be there
        texts, frozen = tuple(map(_text, shape)), frozen or self.scope.frozen
        learned = is_float(dtype) and not frozen
        stated = Initializer(name, dtype, texts, None, stored, self.scope.copies, frozen, learned)
        self.graph.initializers[name] = stated
        value = self._weights[name] = Value(name, tensor)
        if learned:
            self._trained.add(name)
        return value

    def constant(self, entries: Sequence[Dim | float], *, dtype: str = "int64", scalar: bool = False) -> Value:
        """A few numbers or dimensions, such as the target of a Reshape."""
        key = (tuple(map(str, entries)), dtype, scalar)
        if key not in self._shared:
            name = self._unique("constant")
            texts = tuple(_text(entry) if isinstance(entry, Poly) else entry for entry in entries)
            shape = () if scalar else (len(entries),)
            self.graph.initializers[name] = Initializer(name, dtype, shape, texts)
            self._shared[key] = Value(name, Tensor(shape, dtype, tuple(entries)))
        found: Value = self._shared[key]
        return found

    def filler(self, *shape: Dim) -> Value:
        """A tensor no file stores: the ones or zeros an operator needs where its layer does without a weight."""
        name = f"filler ({', '.join(map(str, shape))})"
        self.graph.initializers[name] = Initializer(name, "float32", tuple(map(_text, shape)), frozen=True)
        return Value(name, Tensor(shape, "float32"))

    def once(self, key: object, make: Callable[[], Value]) -> Value:
        """What several layers use and none of them changes, such as a table of angles: made once, outside of all."""
        if key not in self._shared:
            before, self.scope = self.scope, Scope()
            try:
                self._shared[key] = make()
            finally:
                self.scope = before
        found: Value = self._shared[key]
        return found

    def weight_of(self, value: Value, label: str) -> Value:
        """A weight of the layer that made a value.

        Raises:
            GraphError: it has none of that name.
        """
        path = self._makers.get(value.name, ())
        found = self._weights.get(".".join((*path, label)))
        if found is None:
            raise GraphError(f"{'/'.join(path) or value.name} has no {label}", todo="name a layer that has")
        return found

    def made(self, value: Value, path: tuple[str, ...]) -> None:
        """Remember which layer made a value, for those that share its weights."""
        self._makers[value.name] = path

    def maker(self, value: Value) -> tuple[str, ...]:
        """Path of the layer that made a value; () for an input."""
        return self._makers.get(value.name, ())

    def range(self, count: Dim) -> Value:
        """0, 1, ... below a size."""
        start, limit, step = (self.constant([entry], scalar=True) for entry in (0, count, 1))
        return self.once(("range", count), lambda: self.node("Range", start, limit, step))

    # -- nodes ------------------------------------------------------------------------------------------------------

    def node(self, op_type: str, *inputs: Value | None, domain: str = "", **attributes: Any) -> Value:
        """A node's first output."""
        return self.nodes(op_type, *inputs, domain=domain, outputs=1, **attributes)[0]

    def nodes(
        self, op_type: str, *inputs: Value | None, outputs: int, domain: str = "", **attributes: Any
    ) -> tuple[Value, ...]:
        """A node, evaluated by its rule; its outputs.

        Raises:
            ShapeError: the inputs do not fit.
            GraphError: there are too many nodes.
        """
        if len(self.graph.nodes) >= MOST_NODES:
            raise GraphError(f"more than {MOST_NODES:,} nodes", todo="repeat equal layers with `repeat`")
        name = self._unique("/".join((*self.scope.path, op_type)))
        names = (name, *(f"{name}:{i}" for i in range(1, outputs)))
        texts = {key: _text(value) if isinstance(value, Poly) else value for key, value in attributes.items()}
        feeds = tuple(x.name if x is not None else "" for x in inputs)
        node = Node(op_type, domain, name, feeds, names, texts, self.scope.times)
        self._forward.system.where = name
        tensors = [None if x is None else x.tensor for x in inputs]
        evaluation = self._forward.evaluate(node, find(domain, op_type), tensors)
        self.graph.nodes.append(node)
        if not self._trained.isdisjoint(feeds):
            self._trained.update(names)
        return tuple(Value(n, tensor) for n, tensor in zip(names, evaluation.outputs, strict=False))

    def opaque(
        self, op_type: str, inputs: Sequence[Value], types: Sequence[TensorType], *, domain: str
    ) -> tuple[Value, ...]:
        """A node no rule counts, with what is known of its outputs: where that is no shape, nobody may read theirs."""
        name = self._unique("/".join((*self.scope.path, op_type)))
        names = (name, *(f"{name}:{i}" for i in range(1, len(types))))
        feeds = tuple(x.name for x in inputs)
        self.graph.nodes.append(Node(op_type, domain, name, feeds, names, {}, self.scope.times))
        if not self._trained.isdisjoint(feeds):
            self._trained.update(names)
        self.graph.unlisted = True
        self.graph.value_info.update(zip(names, types, strict=True))
        dims = map(self._forward.declarations.declared, names, types)
        return tuple(Value(n, Tensor(d or (), t.dtype)) for n, d, t in zip(names, dims, types, strict=True))

    def repeat(self, x: Value, count: Dim, body: Callable[[Value], Value], *, shared: bool = False) -> Value:
        """A body applied `count` times, each time with weights of its own unless they are `shared`.

        It stands once in the graph, and says how often it runs. Where nothing before it is trained, its first run
        stands apart: that one needs no gradient of what it is given.

        Raises:
            ShapeError: what the body gives has not the shape of what it takes.
        """
        if isinstance(count, int) and count < 2:
            return body(x) if count else x
        if x.name not in self._trained and not shared:
            with self.inside("first"):
                x = body(x)
            count = count - 1
        trips = self.constant([count], scalar=True).name
        state = self.node("StateIn", x, domain=CONTROL)
        self._trained.add(state.name)  # what a run leaves is, whatever the first one got
        outer = self.scope
        times, copies = (*outer.times, trips), outer.copies if shared else (*outer.copies, trips)
        self.scope = replace(outer, times=times, copies=copies)
        try:
            last = body(state)
        finally:
            self.scope = outer
        if last.rank != state.rank:
            raise ShapeError(f"it turns {shape_text(state)} into {shape_text(last)}: it cannot be repeated")
        for dim, own in zip(last.shape, state.shape, strict=True):
            try:
                same(dim, own)
            except ShapeError:
                changed = f"it turns {shape_text(state)} into {shape_text(last)}"
                raise ShapeError(f"{changed}: it cannot be repeated (unroll: true writes each time out)") from None
        return x if last == state else self.node("StateOut", last, state, x, domain=CONTROL)

    def finish(self, outputs: Mapping[str, Value]) -> Graph:
        """The graph with its outputs, by the names they are to have."""
        names = {value.name: name for name, value in outputs.items() if value.name not in self.graph.inputs}
        for node in self.graph.nodes:
            node.inputs = tuple(names.get(name, name) for name in node.inputs)
            node.outputs = tuple(names.get(name, name) for name in node.outputs)
        for value in outputs.values():
            self.graph.outputs[names.get(value.name, value.name)] = TensorType(value.tensor.dtype, None)
        symbols = self.graph.symbols
        fixed = {name: Number(own.value) for name, own in symbols.items() if own.fixed and own.value is not None}
        for name, own in symbols.items():
            if own.tie and fixed:  # what follows from a number no longer names it
                symbols[name] = replace(own, tie=str(parse(own.tie).substitute(fixed)))
        return self.graph

    # -- scopes -----------------------------------------------------------------------------------------------------

    @contextmanager
    def inside(self, name: str, **changes: Any) -> Iterator[tuple[str, ...]]:
        """Nodes of the layer of that name; gives its path, which no other layer has."""
        outer = self.scope
        path = tuple(self._unique("/".join((*outer.path, name))).split("/"))
        owner = (*outer.owner, name) if outer.owner is not None else None
        self.scope = replace(outer, path=path, **{"owner": owner, **changes})
        try:
            yield path
        finally:
            self.scope = outer

    def _unique(self, name: str) -> str:
        """The name, numbered from its second use on."""
        count = self._taken[name] = self._taken.get(name, 0) + 1
        return name if count == 1 else self._unique(f"{name}_{count}")


def shape_text(value: Value) -> str:
    """A shape for people.

    >>> shape_text(Value("x", Tensor((2, 3), "float32")))
    '(2, 3)'
    """
    return f"({', '.join(map(str, value.shape))})"


def _text(dim: Dim | float) -> Any:
    return Size(dim) if isinstance(dim, Poly) else dim
