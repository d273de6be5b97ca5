"""Exports of the usual zoo: costs, parameters, shapes and symbols are those PyTorch, Keras or JAX count.

Run with `-m exports`; the files come from `python tests/exports/make.py`.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from scalecalc.dims import evaluate
from tests.walk.exports import COUNTS, EXPORTS, TRUTH, profile

pytestmark = pytest.mark.exports
each = pytest.mark.parametrize("name", EXPORTS)
PUBLISHED = [name for name in EXPORTS if "published" in TRUTH[name]]
STATIC = [(name, entry) for name in EXPORTS for entry in TRUTH[name].get("static", ())]


def altered(name: str, what: str) -> int:
    """What the export itself changed: the sidecar says why."""
    number: int = TRUTH[name].get("altered", {}).get(what, 0)
    return number


def folded(name: str) -> int:
    """Trainable elements lost by folding BatchNorm: a scale and an offset became a bias, or joined what there was."""
    norms = TRUTH[name]["batch_norm_channels"]
    left: int = TRUTH[name]["export"]["batch_norm_channels"]
    channels: int = norms["all"] - left
    return channels + (norms["after_biased_convolution"] if channels else 0)


@pytest.mark.parametrize(("name", "index"), COUNTS)
def test_multiply_accumulates(name: str, index: int) -> None:
    row, found = TRUTH[name]["counts"][index], profile(name)
    assert found.complete
    assert not found.pending
    assert found.forward["macs"].value(row["sizes"]) == row["forward_macs"] + altered(name, "forward_macs")
    backward = row["backward_macs"] + altered(name, "backward_macs") + row.get("altered", {}).get("backward_macs", 0)
    assert found.training["backward_matrix_flops"].value(row["sizes"]) == 2 * backward


@each
def test_parameters(name: str) -> None:
    found, truth = profile(name), TRUTH[name]
    expected = truth["params"] - truth["params_unused"] - folded(name) + altered(name, "params")
    assert found.params["trainable"].formula == expected
    assert found.params["buffers"].formula == 2 * truth["export"]["batch_norm_channels"]


OWN_BIASES = {
    "maxvit_t": 3648,  # of convolutions no norm follows
    "unet_bilinear": 112,
    "unet_bilinear_torchscript": 112,
    "vgg11_bn": -2752,  # of convolutions a norm follows: three vectors became one
    "deeplabv3_mobilenet_v3_large": -256,  # a norm behind a single position
}
"""How far the unfolded size in the note is off, where convolutions had biases of their own."""


FEW = ("keras_cnn", "wav2vec2_conformer_small")
"""Two convolutions are not enough to speak of."""


@pytest.mark.parametrize("name", [name for name in EXPORTS if folded(name) and name not in FEW])
def test_folded_norms_are_named(name: str) -> None:
    (note,) = [note for note in profile(name).notes if "folded BatchNorm" in note]
    (unfolded,) = re.findall(r"the model had ([\d,]+) trainable parameters", note)
    size = TRUTH[name]["params"] - TRUTH[name]["params_unused"]
    stored = {"maxvit_t": altered(name, "params")}.get(name, 0)  # tables written out
    assert int(unfolded.replace(",", "")) == size + stored + OWN_BIASES.get(name, 0)


ALTERED = {
    "swin_t": "12 stored tensors of 331338 elements",  # 138 heads of 49^2 pairs
    "swin_t_hw": "12 stored tensors of 331338 elements",
    "swin_t_256": "12 stored tensors of 331338 elements",
    "swin_t_288": "12 stored tensors of 331338 elements",
    "swin_v2_t": "12 stored tensors of 1382400 elements",  # 12 tables of 15^2 offsets and 512 hidden units
    "maxvit_t": "22 stored tensors of 403368 elements",  # 168 heads of 49^2 pairs
    "llama_small_torchscript": "96000 of the trainable parameters are counted twice",
    "keras_mobilenet_v2": "folded BatchNorm",
    "keras_lstm": "224 fewer trainable parameters",  # one bias for each of 4 gates of 56; ONNX stores two
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_an_export_altered_is_named(name: str) -> None:
    assert altered(name, "params") > 0
    assert [note for note in profile(name).notes if ALTERED[name] in note]


def test_every_alteration_is_known() -> None:
    """CLIP's scale of similarities, one number, stands among the constants; a fixed table of sines is positional.

    An RNN that is written out step by step has a copy of its matrix in each.
    """
    others = {"clip_small", "wav2vec2_conformer_small", "rnn"}
    assert {name for name in EXPORTS if altered(name, "params")} == {*ALTERED, *others}
    conformer = profile("wav2vec2_conformer_small")
    assert conformer.params["positional"].formula == 9_999 * 96
    trained = TRUTH["wav2vec2_conformer_small"]["params"] - TRUTH["wav2vec2_conformer_small"]["params_unused"]
    trained -= folded("wav2vec2_conformer_small")
    assert [note for note in conformer.notes if "959904 of the" in note and note.endswith(f"trains {trained}")]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_figures(name: str) -> None:
    """Billions of MACs of one image, to the digits torchvision prints, and its number of parameters."""
    found, published = profile(name), TRUTH[name]["published"]
    macs = (found.forward["macs"].value({"batch": 1}) or 0) - altered(name, "forward_macs")
    assert round(macs / 1e9, 3) == published["gmacs"]
    size: Any = found.params["trainable"].formula
    absent = TRUTH[name]["params_unused"] if name == "inception_v3" else 0  # its published size has the second head
    assert size + folded(name) - altered(name, "params") + absent == published["params"]


@each
def test_symbols_are_the_file_s(name: str) -> None:
    """Only those its inputs name."""
    declared = {dim for dims in TRUTH[name]["export"]["inputs"].values() for dim in dims if isinstance(dim, str)}
    assert set(profile(name).symbols) <= declared


@each
def test_outputs_have_the_shapes_the_file_gives_when_it_runs(name: str) -> None:
    """One file does not run: alexnet_hw, whose adaptive pooling the exporter wrote for one size."""
    for row in TRUTH[name].get("executed", ()):
        for output, dims in row.get("outputs", {}).items():
            found = profile(name).outputs[output]
            assert found is not None
            assert [evaluate(dim, row["sizes"]) for dim in found] == dims


@pytest.mark.parametrize(("name", "entry"), STATIC, ids=[entry["file"] for _, entry in STATIC])
def test_formulas_hold_for_exports_of_other_sizes(name: str, entry: dict[str, Any]) -> None:
    """Exported again with all sizes fixed: every cost is the formula's, and what PyTorch counts; so are the parameters.

    Two kinds of weights depend on the sizes an export fixes: T5's biases are written out, and of CLIP's table of
    positions only the rows used are stored.
    """
    found, fixed, sizes = profile(name), profile(entry["file"].removesuffix(".onnx")), entry["sizes"]
    assert not fixed.symbols
    changed = entry.get("altered", {})
    assert found.forward["macs"].value(sizes) == fixed.forward["macs"].formula
    assert fixed.forward["macs"].formula == entry["forward_macs"]
    backward = "backward_matrix_flops"
    assert found.training[backward].value(sizes) == fixed.training[backward].formula
    assert fixed.training[backward].formula == 2 * (entry["backward_macs"] + changed.get("backward_macs", 0))
    for role in ("embedding", "norm", "head"):
        assert found.params[role].formula == fixed.params[role].formula
    if changed.get("params", 0) == altered(name, "params"):
        assert found.params["trainable"].formula == fixed.params["trainable"].formula
    if name.startswith("t5"):
        assert [note for note in fixed.notes if "are biases of attention scores" in note]


CONDITIONS = {
    "gpt2": ("seq <= 1024",),
    "bert_base": ("seq <= 512",),
    "roberta_small": ("seq <= 158",),  # two of its 160 positions are for padding
    "distilbert_small": ("seq <= 160",),
    "clip_small": ("seq <= 77",),
    "llama_small": (),  # rotary positions have no table
    "t5_small": (),
    "resnet18_hw": (),
    "swin_t_hw": ("height >= 4", "width >= 4"),  # windows of 7 and pairs of patches are padded
    "ssd300_maps": ("height >= 268", "width >= 268"),
    "unet": ("height >= 8", "width >= 8", "height % 8 == 0", "width % 8 == 0"),
    "unet_bilinear": ("height >= 8", "width >= 8", "height % 8 == 0", "width % 8 == 0"),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions(name: str) -> None:
    assert profile(name).conditions == CONDITIONS[name]


def test_a_detector_s_two_upsamplings_need_even_maps() -> None:
    """Maps of a 32nd are doubled and joined with those of a 16th, then of an 8th: multiples of 32 fulfil it."""
    found = profile("detector")
    checks = [check for check in found.checks if check.op == "%"]
    assert len(checks) == 4
    for size in range(32, 700, 32):
        values = [evaluate(check.left, {"height": size, "width": size}) for check in checks]
        assert all(value is not None and value % check.right == 0 for value, check in zip(values, checks, strict=True))
