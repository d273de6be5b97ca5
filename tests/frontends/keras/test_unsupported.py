"""Code in a file is never run: it becomes a node that no rule counts, and shapes go on where the file has them."""

from __future__ import annotations

import base64
import marshal

from tests.frontends.keras.configurations import called, functional, image, layer, sequential, tensor

DENSE = (10 * 4 + 4) + (4 * 3 + 3)


def listed(model):
    return sorted((key[0], key[1], count) for key, count in dict(model.unsupported).items())


def test_shapes_go_on_behind_a_layer_of_somebody_else(opened):
    middle = layer("Mystery", "odd", module="mine")
    last = layer("Dense", units=3, build=[None, 4])
    model = opened(sequential(image(10), layer("Dense", "a", units=4), middle, last))
    assert listed(model) == [("keras", "Mystery", 1)]
    assert model.params["total"].formula == DENSE
    assert model.params["total"].lower_bound
    assert model.forward["macs"].lower_bound
    assert model.forward["macs"].value({"batch": 1}) == 10 * 4 + 4 * 3


def test_nothing_is_zero_silently_where_the_shape_is_unknown(opened):
    middle = layer("Mystery", "odd", module="mine")
    model = opened(sequential(image(10), layer("Dense", "a", units=4), middle, layer("Dense", "b", units=3)))
    assert listed(model) == [("keras", "Dense", 1), ("keras", "Mystery", 1)]
    assert model.params["total"].formula == 44
    assert model.params["total"].lower_bound


def test_calls_state_shapes(opened):
    model = opened(
        functional(
            ["x"], ["b"],
            called(image(None, 10)), called(layer("Mystery", "odd", module="mine"), [tensor("x", [None, None, 10])]),
            called(layer("Dense", "b", units=3), [tensor("odd", [None, None, 7])]),
        )
    )  # fmt: skip
    assert model.params["total"].formula == 7 * 3 + 3
    assert model.forward["macs"].value({"batch": 1, "seq": 5, "seq_2": 6}) == 6 * 7 * 3


def test_a_lambda_is_not_run(opened, tmp_path):
    trap = tmp_path / "ran"
    code = compile(f"open({str(trap)!r}, 'w')", "trap", "exec")
    function = {"class_name": "__lambda__", "config": {"code": base64.b64encode(marshal.dumps(code)).decode()}}
    model = opened(sequential(image(10), layer("Lambda", function=function), layer("Dense", units=3, build=[None, 10])))
    assert listed(model) == [("keras", "Lambda", 1)]
    assert model.params["total"].formula == 33
    assert not trap.exists()


def test_a_class_of_a_known_name_from_elsewhere_is_not_ours(opened):
    custom = {**layer("Dense", "a", units=4), "registered_name": "mine>Dense"}
    assert listed(opened(sequential(image(10), custom))) == [("keras", "Dense", 1)]
    assert listed(opened(sequential(image(10), layer("Dense", "a", module="mine.layers", units=4))))


def test_an_activation_of_somebody_else_keeps_the_shape(opened):
    function = {"module": "mine", "class_name": "function", "config": "bend", "registered_name": "bend"}
    model = opened(sequential(image(10), layer("Dense", "a", units=4, activation=function), layer("Dense", units=3)))
    assert listed(model) == [("keras", "custom bend", 1)]
    assert model.params["total"].formula == DENSE
    assert model.forward["vector_flops"].lower_bound


def test_options_without_a_lowering_are_unsupported_too(opened):
    model = opened(sequential(image(8, 8, 3), layer("BatchNormalization", renorm=True), layer("ConvLSTM2D", filters=2)))
    assert listed(model) == [("keras", "BatchNormalization", 1), ("keras", "ConvLSTM2D", 1)]


def test_mixed_precision_is_noted(opened):
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
    model = opened(sequential(image(10), layer("Dense", units=3, dtype=policy)))
    assert "the file computes in mixed_float16: bytes are those of float32" in model.notes
