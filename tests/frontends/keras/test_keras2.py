"""Configurations as Keras 2 wrote them: calls as lists, input shapes in the layers, no modules."""

from __future__ import annotations


def entry(kind, name, inbound, **config):
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": inbound}


def test_functional(opened):
    """Two towers of one shared layer, added, and an LSTM that starts from given states."""
    layers = [
        entry("InputLayer", "a", [], batch_input_shape=[None, 6], dtype="float32"),
        entry("InputLayer", "b", [], batch_input_shape=[None, 6], dtype="float32"),
        entry("InputLayer", "s", [], batch_input_shape=[None, None, 3], dtype="float32"),
        entry("Dense", "shared", [[["a", 0, 0, {}]], [["b", 0, 0, {}]]], units=5, activation="relu"),
        entry("Add", "sum", [[["shared", 0, 0, {}], ["shared", 1, 0, {}]]]),
        entry("LSTM", "r", [[["s", 0, 0, {"initial_state": [["sum", 0, 0], ["shared", 1, 0]]}]]], units=5),
    ]
    ends = {"input_layers": [["a", 0, 0], ["b", 0, 0], ["s", 0, 0]], "output_layers": [["r", 0, 0]]}
    model = opened({"class_name": "Model", "config": {"name": "m", "layers": layers, **ends}})
    assert not model.unsupported
    assert model.params["total"].formula == (6 * 5 + 5) + 4 * 5 * (3 + 5 + 1)
    assert model.forward["macs"].value({"batch": 1, "seq": 7}) == 2 * 6 * 5 + 7 * 4 * 5 * (3 + 5)


def test_sequential_of_a_list(opened):
    conv = {"filters": 8, "kernel_size": [3, 3], "batch_input_shape": [None, 28, 28, 1], "data_format": "channels_last"}
    layers = [
        {"class_name": "Conv2D", "config": {"name": "c", **conv}},
        {"class_name": "BatchNormalization", "config": {"name": "n", "axis": [3]}},
        {"class_name": "Flatten", "config": {"name": "f"}},
        {"class_name": "Dense", "config": {"name": "d", "units": 10, "activation": "softmax"}},
    ]
    for config in (layers, {"name": "m", "layers": layers}):
        model = opened({"class_name": "Sequential", "config": config})
        assert model.params["total"].formula == (9 * 8 + 8) + 4 * 8 + (26 * 26 * 8 * 10 + 10)
        assert model.params["buffers"].formula == 16
        assert model.forward["macs"].value({"batch": 1}) == 26 * 26 * 8 * 9 + 26 * 26 * 8 * 10


def test_a_functional_model_of_one_input_and_output(opened):
    """Newer files have [layer, call, output] itself where there is one."""
    layers = [
        entry("InputLayer", "a", [], batch_shape=[None, 6]),
        entry("Dense", "d", [[["a", 0, 0, {}]]], units=5),
    ]
    ends = {"input_layers": ["a", 0, 0], "output_layers": ["d", 0, 0]}
    assert opened({"class_name": "Functional", "config": {"layers": layers, **ends}}).params["total"].formula == 35


def test_both_ways_of_one_recurrent_layer(opened):
    """Bidirectional, called twice: the way back has weights of its own, and both calls the same."""
    inner = {"class_name": "GRU", "config": {"name": "g", "units": 4, "reset_after": False}}
    layers = [
        entry("InputLayer", "a", [], batch_input_shape=[None, 9, 3]),
        entry("InputLayer", "b", [], batch_input_shape=[None, 9, 3]),
        entry("Bidirectional", "both", [[["a", 0, 0, {}]], [["b", 0, 0, {}]]], layer=inner),
        entry("Concatenate", "c", [[["both", 0, 0, {}], ["both", 1, 0, {}]]]),
    ]
    ends = {"input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["c", 0, 0]]}
    model = opened({"class_name": "Functional", "config": {"layers": layers, **ends}})
    assert model.params["total"].formula == 2 * 3 * 4 * (3 + 4 + 1)
    assert model.forward["macs"].value({"batch": 1}) == 2 * 2 * 9 * 3 * 4 * (3 + 4)
    assert [str(dim) for dim in model.outputs["c"]] == ["batch", "16"]


def test_functions_of_tensorflow(opened):
    """What Keras 2 wrote for `a + a`, `2 * x` and tf.matmul; a function nobody knows is not counted."""
    layers = [
        entry("InputLayer", "a", [], batch_input_shape=[None, 6, 6]),
        entry("TFOpLambda", "plus", [["a", 0, 0, {"y": ["a", 0, 0]}]], function="__operators__.add"),
        entry("TFOpLambda", "twice", [["plus", 0, 0, {"y": 2.0, "name": None}]], function="math.multiply"),
        entry("TFOpLambda", "times", [["twice", 0, 0, {"b": ["a", 0, 0]}]], function="linalg.matmul"),
        entry("TFOpLambda", "odd", [["times", 0, 0, {}]], function="math.lgamma"),
    ]
    ends = {"input_layers": [["a", 0, 0]], "output_layers": [["odd", 0, 0]]}
    model = opened({"class_name": "Functional", "config": {"layers": layers, **ends}})
    assert dict(model.unsupported) == {("keras", "TFOpLambda"): 1}
    assert model.forward["macs"].value({"batch": 1}) == 6**3
    assert model.forward["vector_flops"].value({"batch": 1}) == 2 * 36
    assert model.forward["vector_flops"].lower_bound
