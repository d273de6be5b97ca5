"""Old forms of operators rewritten to the newest, so that every operator needs one rule.

ONNX changed operators over the years, mostly by turning attributes into inputs. `CHANGES` says below which operator set
version a form is old and what makes it new; each function changes one node in place. Versions 7 and up are
covered: before 7 elementwise operators broadcast by other rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from scalecalc.errors import FileError, GraphError
from scalecalc.ir.graph import Initializer, Node
from scalecalc.ir.patterns import LAYERS

if TYPE_CHECKING:
    from onnx import OperatorSetIdProto

OLDEST, NEWEST = 7, 28
"""Versions of ONNX's operator set whose forms are known."""

_EVER = 1 << 30  # an operator no newer version has


class Values:
    """The values of a body as a rewrite may use them: look a stored tensor up, add one.

    Attributes:
        initializers: the body's stored tensors.
        defined: names the body defines.
        free: names it takes from around it.
        outer: the values of the body around it.
    """

    def __init__(self, initializers: dict[str, Initializer], defined: set[str], outer: Values | None = None) -> None:
        self.initializers, self.defined, self.outer = initializers, defined, outer
        self.free: dict[str, str] = {}

    def find(self, name: str) -> Initializer | None:
        """The stored tensor `name` stands for here or around this body, None for anything else."""
        scope: Values | None = self
        while scope is not None:
            if name in scope.defined:
                return scope.initializers.get(name)
            scope = scope.outer
        return None

    def require(self, outputs: Iterable[str]) -> None:
        """Note which of the body's outputs come from around it."""
        self.free.update({name: "the output list" for name in outputs if name not in self.defined})

    def add(self, name: str, content: Any) -> str:
        """Store an attribute's content (a number or a tuple of them) under a new name like `name`."""
        values = content if isinstance(content, tuple) else (content,)
        if not all(isinstance(value, int | float) for value in values):
            raise GraphError(f"attribute {name!r:.80} does not hold numbers", todo="export the model again")
        dtype = "float32" if any(isinstance(value, float) for value in values) else "int64"
        shape = (len(values),) if isinstance(content, tuple) else ()
        while name in self.defined or name in self.free:
            name += "_"
        self.defined.add(name)
        self.initializers[name] = Initializer(name, dtype, shape, values if len(values) <= 64 else None)
        return name


Change: TypeAlias = Callable[[Node, Values], None]


def version(imports: Iterable[OperatorSetIdProto]) -> int:
    """The version of ONNX's own operators among a file's operator sets, 0 if they are not among them."""
    found = [entry.version for entry in imports if entry.domain in ("", "ai.onnx")]
    return checked(max(found)) if found else 0


def checked(opset: int) -> int:
    """`opset`, unless it is too old.

    Raises:
        FileError: its operators have forms nobody knows here.
    """
    if opset < OLDEST:
        what = f"operator set {opset} is older than {OLDEST}, the oldest known here"
        raise FileError(what, todo="convert the model with onnx.version_converter.convert_version(model, 13)")
    return opset


def changes(opset: int) -> Mapping[str, tuple[Change, ...]]:
    """What to do, in this order, with nodes of each operator in a file of version `opset`."""
    table: dict[str, tuple[Change, ...]] = {}
    for (op_type, below), change in sorted(CHANGES.items(), key=lambda item: item[0]):
        if opset < below:
            table[op_type] = (*table.get(op_type, ()), change)
    return table


def trimmed(inputs: Iterable[str]) -> tuple[str, ...]:
    """Inputs without those left out at the end."""
    names = tuple(inputs)
    while names and not names[-1]:
        names = names[:-1]
    return names


def _inputs(*names: str, **defaults: Any) -> Change:
    """Attributes that became the inputs behind the first, in this order."""

    def change(node: Node, values: Values) -> None:
        attributes = {**defaults, **node.attributes}
        inputs = [*node.inputs, *[""] * (1 + len(names) - len(node.inputs))]
        for slot, name in enumerate(names, 1):
            if name in attributes and not inputs[slot]:
                inputs[slot] = values.add(f"{_label(node)}.{name}", attributes[name])
            attributes.pop(name, None)
        node.inputs, node.attributes = trimmed(inputs), attributes

    return change


def _default(**attributes: Any) -> Change:
    """Attributes whose default was another one: stated where the file leaves them out."""

    def change(node: Node, values: Values) -> None:
        node.attributes = {**attributes, **node.attributes}

    return change


def _unsupported(node: Node, values: Values) -> None:
    """A form its successor cannot express: listed as unknown, under a name of its own."""
    node.op_type += "-old"


def _label(node: Node) -> str:
    return next(filter(None, node.outputs), node.name)


def _split(node: Node, values: Values) -> None:
    """Without sizes the parts are equal, as many as outputs: since 18 that number is stated."""
    if len(node.inputs) < 2 and "num_outputs" not in node.attributes:
        node.attributes = {**node.attributes, "num_outputs": len(node.outputs)}


def _top_k(node: Node, values: Values) -> None:
    if isinstance(k := node.attributes.get("k"), int):
        node.attributes = {**node.attributes, "k": (k,)}
    _inputs("k")(node, values)


def _upsample(node: Node, values: Values) -> None:
    _inputs("scales")(node, values)
    node.op_type = "Resize"
    _resize_10(node, values)


def _resize_10(node: Node, values: Values) -> None:
    """(X, scales) became (X, roi, scales, sizes); coordinates were scaled without a shift."""
    if len(node.inputs) == 2:
        node.inputs = (node.inputs[0], "", node.inputs[1])
    old = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    node.attributes = {**old, **node.attributes}
    if node.attributes.get("mode") == "bilinear":
        node.attributes = {**node.attributes, "mode": "linear"}


def _resize(node: Node, values: Values) -> None:
    """Before 13 an input left out was an empty tensor; exporters kept writing these."""
    inputs = [name if (tensor := values.find(name)) is None or tensor.shape != (0,) else "" for name in node.inputs]
    node.inputs = trimmed(inputs)


def _scatter(node: Node, values: Values) -> None:
    node.op_type = "ScatterElements"


def _batch_normalization(node: Node, values: Values) -> None:
    """More than one output meant training; the saved statistics behind the third are gone."""
    training = {"training_mode": 1} if any(node.outputs[1:]) else {}
    node.attributes, node.outputs = {**training, **node.attributes}, node.outputs[:3]


def _batch_normalization_7(node: Node, values: Values) -> None:
    """spatial=0 kept statistics per element instead of per channel."""
    attributes = dict(node.attributes)
    if not attributes.pop("spatial", 1):
        _unsupported(node, values)
    node.attributes = attributes


def _group_normalization(node: Node, values: Values) -> None:
    """A scale for every group of channels, which became one for every channel: an operator of its own."""
    node.op_type, node.domain = "GroupNormalization18", LAYERS


def _simplified_layer_normalization(node: Node, values: Values) -> None:
    """What ONNX Runtime called RMSNormalization before ONNX had it; its second output is only for training."""
    if not any(node.outputs[1:]):
        node.op_type, node.outputs = "RMSNormalization", node.outputs[:1]


def _grid_sample(node: Node, values: Values) -> None:
    new = {"bilinear": "linear", "bicubic": "cubic"}
    mode = node.attributes.get("mode", "linear")
    node.attributes = {**node.attributes, "mode": new.get(mode, mode)}


def _dft(node: Node, values: Values) -> None:
    axis = node.attributes.get("axis", 1)
    node.attributes = {key: value for key, value in node.attributes.items() if key != "axis"}
    if len(node.inputs) < 3:
        node.inputs = (*node.inputs, *[""] * (2 - len(node.inputs)), values.add(f"{_label(node)}.axis", axis))


_REDUCTIONS = ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare")

CHANGES: dict[tuple[str, int], Change] = {
    ("BatchNormalization", 9): _batch_normalization_7,
    ("BatchNormalization", 14): _batch_normalization,
    ("Clip", 11): _inputs("min", "max"),
    ("DFT", 20): _dft,
    ("Dropout", 12): _inputs("ratio", ratio=0.5),
    ("GridSample", 20): _grid_sample,
    ("GroupNormalization", 21): _group_normalization,
    ("Hardmax", 13): _default(axis=1),
    ("LogSoftmax", 13): _default(axis=1),
    ("Pad", 11): _inputs("pads", "value"),
    ("ReduceSum", 13): _inputs("axes"),
    ("Resize", 11): _resize_10,
    ("Resize", _EVER): _resize,
    ("RoiAlign", 16): _default(coordinate_transformation_mode="output_half_pixel"),
    ("Scan", 9): _unsupported,  # it ran its body once per example of a batch
    ("Scatter", _EVER): _scatter,
    ("SimplifiedLayerNormalization", _EVER): _simplified_layer_normalization,
    ("Slice", 10): _inputs("starts", "ends", "axes"),
    ("Softmax", 13): _default(axis=1),  # normalised all axes from this one on: as many elements, the same cost
    ("Split", 13): _inputs("split"),
    ("Split", 18): _split,
    ("Squeeze", 13): _inputs("axes"),
    ("TopK", 10): _top_k,
    ("Unsqueeze", 13): _inputs("axes"),
    ("Upsample", _EVER): _upsample,
    **{(f"Reduce{name}", 18): _inputs("axes") for name in _REDUCTIONS},
}
