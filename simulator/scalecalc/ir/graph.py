"""A neural network as plain data: nodes in topological order, typed inputs, weights without contents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

Unknown = None
"""A dimension the file does not name: two of them need not be equal."""


class Size(str):
    """A dimension as an expression of the graph's symbols (`4*d_model`), in a weight's shape, its contents, or an
    attribute."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """A symbol the file declares.

    Attributes:
        kind: `weight` for a size of the model; `batch`, `sequence`, `spatial` or `free` for one of its data.
        value: its usual size, None for one that has none.
        tie: what that follows from as long as nobody sets it, an expression of other symbols; "" for nothing.
        most: the largest size allowed, a number or an expression.
        fixed: some layer needs it as a number: it is its value.
    """

    kind: str
    value: int | None = None
    tie: str = ""
    most: int | Size | None = None
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class TensorType:
    """Type of a value as the file declares it.

    Attributes:
        dtype: element type in numpy's spelling (`float32`, `bfloat16`, `int64`, `bool`, `string`), "" if unknown.
        shape: one entry per axis: an int, the file's own text for it (a name or an
            expression such as `past + seq`), or None where the file says nothing;
            None instead of a tuple when not even the rank is known.
    """

    dtype: str
    shape: tuple[int | str | None, ...] | None


class Initializer(NamedTuple):
    """A tensor the file stores. Its contents are only kept when it is small.

    Attributes:
        name: its name in the graph.
        dtype: element type in numpy's spelling.
        shape: its dimensions.
        value: up to 64 entries, flat, where the file holds at most that many; else None.
        stored_bytes: bytes the file (or its sidecar) spends on it; 0 for one made by the front end.
        times: values whose product says how many such tensors there are: a repeated layer has its own each time.
        frozen: training leaves it as it is.
        learned: training changes it, which the front end knows: a single number may be a weight then.
    """

    name: str
    dtype: str
    shape: tuple[int | Size, ...]
    value: tuple[int | float | Size, ...] | None = None
    stored_bytes: int = 0
    times: tuple[str, ...] = ()
    frozen: bool = False
    learned: bool = False

    @property
    def numbers(self) -> tuple[int, ...]:
        """Its shape, in a graph that declares no symbols."""
        return cast("tuple[int, ...]", self.shape)


class Given(NamedTuple):
    """A condition a node runs under: it belongs to a branch of an If.

    Attributes:
        node: the If, by its name and a number that makes it unique.
        value: what it decides by.
        wanted: which way.
    """

    node: str
    value: str
    wanted: bool


@dataclass(slots=True, eq=False)
class Node:
    """One operation, in the newest form of its operator.

    Attributes:
        op_type: operator name, e.g. `Conv`.
        domain: operator set; "" is ONNX's own.
        name: the file's name for it, or `<op_type>_<index>`.
        inputs: value names by slot; "" for an optional input left out.
        outputs: value names by slot; "" for an output nobody asked for.
        attributes: by name; ints, floats, str, tuples of them, a Size, an Initializer for a tensor
            (as `value` of Constant), or a Graph for a body.
        times: values whose product says how often it runs, for a node of a loop's body or of repeated layers.
        given: branches it belongs to.
        namespace: the modules around it with their classes, where the exporter noted them
            (`: pkg.Model/encoder: pkg.Encoder`), else "".
    """

    op_type: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    times: tuple[str, ...] = ()
    given: tuple[Given, ...] = ()
    namespace: str = ""

    def is_a(self, *op_types: str) -> bool:
        """Whether it is one of these operators of ONNX's own: in another domain a name says nothing."""
        return self.op_type in op_types and not self.domain


LAYERS = "scalecalc"
"""Operator domain of layers that ONNX has no operator for."""


@dataclass(slots=True, eq=False)
class Function:
    """An operator defined by the file itself as a body of other nodes."""

    name: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: list[Node]


@dataclass(slots=True, eq=False)
class Graph:
    """A graph, or the body of a Loop, If or Scan.

    Attributes:
        name: what to call it in output.
        nodes: in topological order (front ends guarantee it).
        inputs: values fed from outside, without the initializers old files repeat here.
        outputs: values handed out, with the types the file declares for them.
        initializers: stored tensors by name.
        value_info: types the file declares for inner values.
        functions: local functions by (domain, name).
        opset: version of ONNX's own operator set in the file, 0 where that means nothing.
        format: `onnx`, `spec`, ...
        metadata: the file's own notes (producer, version).
        symbols: those the file declares, by name.
        unlisted: nodes without a rule may have weights of their own, which are not among the initializers.
    """

    name: str
    nodes: list[Node]
    inputs: dict[str, TensorType]
    outputs: dict[str, TensorType]
    initializers: dict[str, Initializer]
    value_info: dict[str, TensorType] = field(default_factory=dict)
    functions: dict[tuple[str, str], Function] = field(default_factory=dict)
    opset: int = 0
    format: str = "onnx"
    metadata: dict[str, str] = field(default_factory=dict)
    symbols: dict[str, Declared] = field(default_factory=dict)
    unlisted: bool = False
