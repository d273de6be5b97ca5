"""Old forms of operators against ONNX's own converter and schemas."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import onnx
import pytest
from onnx import TensorProto, defs, helper, version_converter

from scalecalc.frontends.onnx import read
from scalecalc.frontends.opsets import CHANGES, NEWEST, OLDEST
from scalecalc.ir.graph import Graph, Node

node = helper.make_node
HISTORY: dict[str, list[Any]] = {}
for _schema in sorted(defs.get_all_schemas_with_history(), key=lambda schema: schema.since_version):
    if not _schema.domain:
        HISTORY.setdefault(_schema.name, []).append(_schema)


def resolved(graph: Graph, found: Node) -> tuple[Any, ...]:
    """A node with its inputs' contents for their names, and the attributes its schema's defaults imply."""
    schema = defs.get_schema(found.op_type)
    implied = {
        name: helper.get_attribute_value(attribute.default_value)
        for name, attribute in schema.attributes.items()
        if attribute.default_value.name
    }
    plain = {name: value.decode() if isinstance(value, bytes) else value for name, value in implied.items()}
    inputs = [tensor.value if (tensor := graph.initializers.get(name)) is not None else name for name in found.inputs]
    return found.op_type, tuple(inputs), {**plain, **found.attributes}


def fits_schema(found: Node) -> None:
    schema = defs.get_schema(found.op_type)
    assert set(found.attributes) <= set(schema.attributes)
    assert schema.min_input <= len(found.inputs) <= schema.max_input
    assert schema.min_output <= len(found.outputs) <= schema.max_output
    for name, slot in zip(found.inputs, schema.inputs, strict=False):
        assert name or slot.option == defs.OpSchema.FormalParameterOption.Optional, slot.name


CONVERTED = [
    # op, file's version, version of the newest form, attributes, outputs
    ("Squeeze", 7, 13, {"axes": [0]}, 1),
    ("Squeeze", 11, 13, {}, 1),
    ("Unsqueeze", 9, 13, {"axes": [0, 3]}, 1),
    ("Split", 7, 13, {"split": [1, 3], "axis": 1}, 2),
    ("Split", 7, 18, {"axis": 1}, 2),
    ("Split", 13, 18, {"axis": 1}, 2),
    ("Slice", 7, 13, {"starts": [1], "ends": [3], "axes": [2]}, 1),
    ("Slice", 9, 13, {"starts": [0], "ends": [1]}, 1),
    ("Clip", 7, 13, {"min": 0.0, "max": 6.0}, 1),
    ("Clip", 10, 13, {"min": 0.0}, 1),
    ("Dropout", 7, 13, {"ratio": 0.25}, 1),
    ("Dropout", 10, 13, {}, 1),
    ("Pad", 7, 13, {"pads": [0, 0, 1, 1, 0, 0, 1, 1], "value": 2.0, "mode": "constant"}, 1),
    ("TopK", 7, 13, {"k": 2, "axis": 1}, 2),
    ("ReduceSum", 11, 13, {"axes": [1], "keepdims": 0}, 1),
    *((f"Reduce{name}", 11, 18, {"axes": [1, 2], "keepdims": 0}, 1)
      for name in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare")),
    ("ReduceMean", 13, 18, {}, 1),
]  # fmt: skip


@pytest.mark.parametrize(("op_type", "old", "new", "attributes", "outputs"), CONVERTED)
def test_as_the_official_converter(save, tmp_path, op_type, old, new, attributes, outputs) -> None:
    made = node(op_type, ["x"], ["y", "z"][:outputs], **attributes)
    path = save([made], opset=old)
    mine = read(path)
    other = tmp_path / "converted.onnx"
    other.write_bytes(version_converter.convert_version(onnx.load(path), new).SerializeToString())
    theirs = read(other)
    fits_schema(mine.nodes[-1])
    assert resolved(mine, mine.nodes[-1]) == resolved(theirs, theirs.nodes[-1])
    synthetic = mine.initializers.values()
    assert all(tensor.stored_bytes == 0 for tensor in synthetic)


ONE = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
SCALES = helper.make_tensor("s", TensorProto.FLOAT, [4], [1, 1, 2, 2])
EMPTY = helper.make_tensor("e", TensorProto.FLOAT, [0], [])
REWRITTEN = [
    # old form, version, operator, inputs, attributes, number of outputs
    (node("Upsample", ["x"], ["y"], mode="nearest", scales=[1.0, 1.0, 2.0, 2.0]), 7,
     "Resize", ("x", "", (1, 1, 2, 2)), ONE, 1),
    (node("Upsample", ["x", "s"], ["y"], mode="nearest"), 9, "Resize", ("x", "", (1, 1, 2, 2)), ONE, 1),
    (node("Resize", ["x", "s"], ["y"], mode="nearest"), 10, "Resize", ("x", "", (1, 1, 2, 2)), ONE, 1),
    (node("Resize", ["x", "e", "e", "s"], ["y"]), 11, "Resize", ("x", "", "", (1, 1, 2, 2)), {}, 1),
    (node("Resize", ["x", "e", "s"], ["y"]), 13, "Resize", ("x", "", (1, 1, 2, 2)), {}, 1),
    (node("Softmax", ["x"], ["y"]), 11, "Softmax", ("x",), {"axis": 1}, 1),
    (node("LogSoftmax", ["x"], ["y"], axis=2), 11, "LogSoftmax", ("x",), {"axis": 2}, 1),
    (node("Hardmax", ["x"], ["y"]), 12, "Hardmax", ("x",), {"axis": 1}, 1),
    (node("Softmax", ["x"], ["y"]), 13, "Softmax", ("x",), {}, 1),
    (node("Scatter", ["x", "s", "s"], ["y"]), 9, "ScatterElements", ("x", (1, 1, 2, 2), (1, 1, 2, 2)), {}, 1),
    (node("BatchNormalization", ["x", *"ssss"], ["y"], spatial=1), 7,
     "BatchNormalization", ("x", *[(1, 1, 2, 2)] * 4), {}, 1),
    (node("BatchNormalization", ["x", *"ssss"], ["y", "m", "v", "a", "b"]), 9,
     "BatchNormalization", ("x", *[(1, 1, 2, 2)] * 4), {"training_mode": 1}, 3),
    (node("GridSample", ["x", "x"], ["y"], mode="bicubic"), 16, "GridSample", ("x", "x"), {"mode": "cubic"}, 1),
    (node("GridSample", ["x", "x"], ["y"]), 16, "GridSample", ("x", "x"), {"mode": "linear"}, 1),
    (node("DFT", ["x"], ["y"], axis=2, onesided=1), 17, "DFT", ("x", "", (2,)), {"onesided": 1}, 1),
    (node("RoiAlign", ["x", "s", "s"], ["y"]), 10, "RoiAlign", ("x", (1, 1, 2, 2), (1, 1, 2, 2)),
     {"coordinate_transformation_mode": "output_half_pixel"}, 1),
]  # fmt: skip


@pytest.mark.parametrize(("old", "opset", "op_type", "inputs", "attributes", "outputs"), REWRITTEN)
def test_where_the_converter_gives_up(load, old, opset, op_type, inputs, attributes, outputs) -> None:
    graph = load([old], opset=opset, tensors=(SCALES, EMPTY))
    (found,) = graph.nodes
    contents = [tensor.value if (tensor := graph.initializers.get(name)) else name for name in found.inputs]
    assert (found.op_type, tuple(contents), found.attributes) == (op_type, inputs, attributes)
    assert len(found.outputs) == outputs
    fits_schema(found)


@pytest.mark.parametrize(
    ("old", "opset", "name"),
    [
        (node("BatchNormalization", ["x", *"ssss"], ["y"], spatial=0), 7, "BatchNormalization-old"),
        (node("Scan", ["", "x"], ["y"]), 8, "Scan-old"),
    ],
)
def test_forms_without_a_successor_are_listed_as_unknown(load, old, opset, name) -> None:
    assert load([old], opset=opset, tensors=(SCALES,)).nodes[0].op_type == name


def test_a_scale_for_every_group(load) -> None:
    (found,) = load(
        [node("GroupNormalization", ["x", "s", "s"], ["y"], num_groups=4)], opset=18, tensors=(SCALES,)
    ).nodes
    assert (found.domain, found.op_type) == ("scalecalc", "GroupNormalization18")


def test_the_old_name_of_rms_normalization(load) -> None:
    old = node("SimplifiedLayerNormalization", ["x", "s"], ["y"], axis=-1, epsilon=1e-5)
    (found,) = load([old], opset=17, tensors=(SCALES,)).nodes
    assert (found.op_type, found.attributes["axis"]) == ("RMSNormalization", -1)
    fits_schema(found)


def test_every_change_of_onnx_is_in_the_table() -> None:
    """An attribute that went, or a default that changed, between two versions from 7 to the newest known."""
    harmless = {("Constant", 11), ("Upsample", 9)}  # folded away; becomes Resize whatever its version
    for name, schemas in HISTORY.items():
        for before, after in pairwise(schemas):
            if not OLDEST < after.since_version <= NEWEST or after.deprecated:
                continue
            old, new = before.attributes, after.attributes
            gone = set(old) - set(new)
            changed = [key for key in old if key in new and str(old[key].default_value) != str(new[key].default_value)]
            if (gone or changed) and (name, after.since_version) not in harmless:
                assert (name, after.since_version) in CHANGES, (name, after.since_version, gone, changed)


def test_forms_of_every_version_are_reached_only_below_it(load) -> None:
    for opset, count in ((12, 2), (13, 1)):
        found = load([node("Squeeze", ["x"], ["y"], axes=[0])], opset=opset).nodes[0]
        assert len(found.inputs) == count


def test_new_names_do_not_clash(load) -> None:
    nodes = [node("Relu", ["x"], ["y.axes"]), node("Squeeze", ["y.axes"], ["y"], axes=[0])]
    graph = load(nodes, opset=11)
    assert graph.nodes[1].inputs == ("y.axes", "y.axes_")


def test_contributed_operators_stay_as_they_are(load) -> None:
    (found,) = load(
        [node("Squeeze", ["x"], ["y"], domain="com.acme", axes=[0])], opset=11, domains=("", "com.acme")
    ).nodes
    assert found.attributes == {"axes": (0,)}
    assert found.inputs == ("x",)
