"""Files Keras wrote, against what Keras, TensorFlow (tests/exports/keras_files.py) and their ONNX exports count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scalecalc import profile
from scalecalc.frontends.keras import parse
from scalecalc.walk.profile import Profile

HERE = Path(__file__).parent
TRUTH = json.loads((HERE / "truth.json").read_text())

OPEN = 64
"""What keras_files.py takes for open axes other than the batch."""

BY_HAND = {
    # 2 layers: 4 projections of 16 tokens, 2 products of 16x16, 2 matrices of 64x256; then scores of 1,000 words
    "transformer": 2 * (4 * 16 * 64 * 64 + 2 * 16 * 16 * 64 + 2 * 16 * 64 * 256) + 16 * 64 * 1000,
    # every gate of every unit takes the input and the state, 9 times: LSTM, LSTM, GRU, GRU; two SimpleRNN, two LSTM;
    # cells of LSTM, GRU and SimpleRNN
    "recurrents": 9 * (4 * 7 * (5 + 7) + 4 * 7 * (7 + 7) + 3 * 6 * (7 + 6) + 3 * 4 * (6 + 4))
    + 9 * (2 * 3 * (4 + 3) + 2 * 4 * 3 * (6 + 3) + 4 * 4 * (5 + 4) + 3 * 3 * (4 + 3) + 2 * (5 + 2)),
    # 12 windows of 3x3 over 6/3 channels at 62x62 places
    "grouped": 62 * 62 * 12 * 3 * 3 * 2,
    # torchvision publishes 4.456 GFLOPs (of a multiply-accumulate each); its ONNX export has these
    "convnexttiny": 4_455_531_264,
}  # fmt: skip
EXPORTED = {
    # MACs of the ONNX files tf2onnx 1.17.0 made of the same models, at seq=7 and seq_2=5 where those are open
    "seed_cnn": 2_440_960,
    "resnet50": 3_857_973_248,
    "transformer": 2_662_400,
    "translator": 22_852,
    "arrangements": 33_016,
    "convolutions": 1_348_416,
    "merges": 22_400,
    "shared": 1_420,
    "signals": 6_404,
    "attentions": 840,
}


def opened(name: str, **options: Any) -> Profile:
    """The profile of a file."""
    return profile(HERE / "files" / f"{name}.keras", **options)


def macs(model: Profile, **sizes: int) -> int | None:
    """Multiply-accumulates of one example."""
    return model.forward["macs"].value({**dict.fromkeys(model.symbols, OPEN), "batch": 1, **sizes})


@pytest.mark.parametrize("name", TRUTH)
def test_counts_are_those_of_keras(name):
    model, truth = opened(name), TRUTH[name]
    assert not model.unsupported
    assert model.params["total"].formula == truth["total"]
    assert model.params["trainable"].formula == truth["trainable"]
    if truth["macs"] is not None:
        assert macs(model) == truth["macs"]


@pytest.mark.parametrize("name", BY_HAND)
def test_macs_where_the_profiler_is_blind(name):
    assert TRUTH[name]["macs"] is None
    assert macs(opened(name)) == BY_HAND[name]


@pytest.mark.parametrize("name", EXPORTED)
def test_macs_are_those_of_the_onnx_export(name):
    model = opened(name)
    sizes = {"seq": 7, "seq_2": 5} if name == "translator" else {}
    assert macs(model, **sizes) == EXPORTED[name]
    assert not model.forward["macs"].lower_bound


def test_keras_own_resnet_has_the_parameters_keras_documents():
    """https://keras.io/api/applications: 25.6M, 25,636,712 by model.summary()."""
    assert opened("resnet50").params["total"].formula == 25_636_712


def test_what_is_kept_is_what_the_export_keeps():
    """Turned axes are views: the seed network keeps what its ONNX export keeps."""
    exported = profile(HERE.parents[2] / "models/vision/seed_cnn.onnx")
    sizes = {"batch": 1}
    own = opened("seed_cnn").memory["activations"].value(sizes)
    assert own == exported.memory["activations"].value(dict.fromkeys(exported.symbols, 1))


def test_an_image_network_turns_its_input_once():
    graph = parse((HERE / "files/resnet50.keras").read_bytes(), "resnet50.keras")
    assert [node.op_type for node in graph.nodes].count("Transpose") == 1


def test_statistics_are_buffers_and_frozen_weights_are_not_trained():
    model = opened("frozen")
    assert model.params["buffers"].formula == 2 * 8
    assert model.params["constants"].formula == 8 * (3 * 3 * 3 + 1) + 2 * 8


def test_names_and_symbols():
    model = opened("translator")
    assert list(model.inputs) == ["source", "target"]
    assert [str(dim) for dim in model.inputs["source"]] == ["batch", "seq", "24"]
    assert [str(dim) for dim in model.inputs["target"]] == ["batch", "seq_2", "24"]
    assert {name: symbol.kind for name, symbol in model.symbols.items()} == {
        "batch": "batch", "seq": "sequence", "seq_2": "sequence"
    }  # fmt: skip
    assert list(opened("shared").outputs) == ["first", "second"]


def test_weights_shared_by_several_calls_count_once_and_their_products_each_time():
    """tower is called 4 times, dense 4, twice 2, of 10x10 each; first has 10x2."""
    model = opened("shared")
    assert model.params["total"].formula == 2 * 110 + 110 + 110 + 22
    assert macs(model) == 4 * 2 * 100 + 4 * 100 + 2 * 100 + 20


def test_widths_are_symbols_in_a_family():
    model = opened("seed_cnn", family=True)
    total = model.params["total"].formula
    hints = {name: symbol.hint or 1 for name, symbol in model.symbols.items()}
    assert not isinstance(total, int)
    assert model.params["total"].value(hints) == 34_826
