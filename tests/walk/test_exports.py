"""Real exports against what PyTorch itself counts (tests/exports/truth.json), and the family reading on them.

Run with `-m exports`; the files come from `python tests/exports/make.py`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from scalecalc.frontends.onnx import read
from scalecalc.ir.graph import Graph
from scalecalc.walk import Profile, walk

pytestmark = pytest.mark.exports

ROOT = Path(__file__).parents[2]
TRUTH: dict[str, Any] = json.loads((ROOT / "tests/exports/truth.json").read_text())
EXPORTS = [name for name, entry in TRUTH.items() if "failed" not in entry["export"]]
COUNTS = [(name, index) for name in EXPORTS for index in range(len(TRUTH[name]["counts"]))]
each = pytest.mark.parametrize("name", EXPORTS)


@cache
def loaded(name: str) -> Graph:
    path = ROOT / f"build/exports/{name}.onnx"
    assert path.exists(), f"{path} is missing: python tests/exports/make.py build/exports {name}"
    return read(path)


@cache
def profile(name: str) -> Profile:
    return walk(loaded(name))


def formula(quantity: Any) -> str:
    return str(quantity.formula)


@pytest.mark.parametrize(("name", "index"), COUNTS)
def test_multiply_accumulates_are_pytorch_s(name: str, index: int) -> None:
    row = TRUTH[name]["counts"][index]
    found = profile(name)
    assert found.complete
    assert not found.pending
    assert found.forward["macs"].value(row["sizes"]) == row["forward_macs"]
    assert found.training["backward_matrix_flops"].value(row["sizes"]) == 2 * row["backward_macs"]


@each
def test_parameters_are_pytorch_s(name: str) -> None:
    """Folding a BatchNorm turns its two trainable vectors into one bias: as many elements less as channels."""
    found, truth = profile(name), TRUTH[name]
    folded = truth["buffers"] > 0 and "BatchNormalization" not in truth["export"]["ops"]
    channels = truth["buffers"] // 2  # a mean and a variance each
    assert found.params["trainable"].formula == truth["params"] - folded * channels
    assert found.params["buffers"].formula == (0 if folded else truth["buffers"])
    embedded = found.params["embedding"].formula + found.params["positional"].formula  # type: ignore[operator]
    image = "x" in truth["export"]["inputs"]  # ViT adds its table of positions, PyTorch has no Embedding in it
    assert image or embedded == truth["params_in_embeddings"]


@pytest.mark.parametrize("name", ["gpt2", "gpt2_1x1024"])
def test_gpt2(name: str) -> None:
    """124M: 12 blocks of 12*768^2 weights and 13*768 norms and biases, 2*768 of the last norm, a tied head."""
    found = profile(name)
    params = {role: found.params[role].formula for role in found.params}
    assert params["trainable"] == 124_439_808
    assert params["embedding"] == 38_597_376 == 50_257 * 768
    assert params["positional"] == 786_432 == 1_024 * 768
    assert params["non_embedding"] == 85_056_000 == 12 * (12 * 768**2 + 13 * 768) + 2 * 768
    assert params["head"] == 0
    assert found.facts["tied_head"] is True
    assert found.facts["vocabulary"] == 50_257
    assert found.facts["causal"] is True


def test_gpt2_s_formula() -> None:
    found = profile("gpt2")
    assert formula(found.forward["macs"]) == "18432*batch*seq**2 + 123532032*batch*seq"
    assert 123_532_032 == 12 * 12 * 768**2 + 38_597_376
    assert 18_432 == 12 * 2 * 768  # scores and mixing
    assert str(found.facts["attention_macs"]) == "18432*batch*seq**2"
    assert found.conditions == ("seq <= 1024",)
    assert found.symbols["seq"].bound == 1024
    assert {name: symbol.kind for name, symbol in found.symbols.items()} == {"batch": "batch", "seq": "sequence"}
    assert found.training["backward_matrix_flops"].formula == 2 * found.forward["matrix_flops"].formula  # type: ignore[operator]


@pytest.mark.parametrize("name", ["bert_base", "bert_base_torchscript"])
def test_bert(name: str) -> None:
    """12 blocks of 12*768^2; positions bounded by their table of 512; no head; two tokens types."""
    found = profile(name)
    assert formula(found.forward["macs"]) == "18432*batch*seq**2 + 84934656*batch*seq"
    assert found.conditions == ("seq <= 512",)
    assert found.params["embedding"].formula == (30_522 + 2) * 768
    assert found.params["positional"].formula == 512 * 768
    assert found.facts["causal"] is False


@pytest.mark.parametrize("size", [224, 256, 320, 333])
def test_resnet50_of_any_height_and_width(size: int) -> None:
    sizes = {"batch": 1, "height": size, "width": size}
    dynamic, static = profile("resnet50_hw"), profile(f"resnet50_{size}")
    for group in ("params", "forward", "training", "memory"):
        for name, quantity in getattr(static, group).items():
            assert isinstance(quantity.formula, int)
            assert getattr(dynamic, group)[name].value(sizes) == quantity.formula


def test_published_backward_counts() -> None:
    """Twice the forward less the first convolution's input gradient, at batch 2 (issue 2 of the project)."""
    two = {"batch": 2}
    for name, macs in (("resnet50", 16_120_709_120), ("mobilenet_v2", 1_181_421_056)):
        assert profile(name).training["backward_matrix_flops"].value(two) == 2 * macs
    stem = 112 * 112 * 64 * 3 * 49
    assert formula(profile("resnet50").forward["macs"]) == "4089184256*batch"
    assert 2 * (2 * 4_089_184_256 - stem) == 16_120_709_120


SAVED = ["resnet50_torchscript_training", "vgg16", "vgg19"]


@pytest.mark.parametrize(("name", "index"), [(n, i) for n, i in COUNTS if n in SAVED])
def test_kept_activations_are_those_autograd_saves(name: str, index: int) -> None:
    """BatchNorm keeps a mean and a deviation per channel in training; Dropout's masks are in no export."""
    row = TRUTH[name]["counts"][index]
    kept = profile(name).memory["activations"].value(row["sizes"])
    assert kept == row["saved_bytes_eval"]["total"] + 4 * TRUTH[name]["buffers"]
    assert name.startswith("vgg") or kept == row["saved_bytes_train"]["total"]


def test_layers_are_recognised() -> None:
    def layers(name: str) -> dict[str, int]:
        found: dict[str, set[int]] = {}
        nodes = profile(name).nodes
        groups = [node.layer for node in nodes if node.layer]
        for kind in set(groups):
            anchor = {"Gelu": ("Tanh", "Erf"), "ScaledDotProductAttention": ("Softmax",)}[kind]
            found[kind] = {i for i, node in enumerate(nodes) if node.layer == kind and node.op_type in anchor}
        return {kind: len(places) for kind, places in found.items()}

    assert layers("gpt2") == {"Gelu": 12, "ScaledDotProductAttention": 12}
    assert layers("bert_base") == {"ScaledDotProductAttention": 12}
    assert layers("vit_b_16") == {"ScaledDotProductAttention": 12}


# The family reading

SYMBOLS = {"gpt2": 41, "resnet50": 39, "resnet50_torchscript_training": 39, "vit_b_16": 39}


@cache
def family(name: str) -> Profile:
    return walk(loaded(name), family=True)


@each
def test_families_leave_nothing_open(name: str) -> None:
    found = family(name)
    assert not found.pending
    assert found.complete
    assert len(found.symbols) == SYMBOLS.get(name, len(found.symbols))
    assert len(found.symbols) <= 60


@each
def test_families_at_their_hints_are_the_numbers(name: str) -> None:
    found = family(name)
    hints = {symbol.name: symbol.hint for symbol in found.symbols.values() if symbol.hint is not None}
    for row in TRUTH[name]["counts"][:2]:
        free = {symbol: size for symbol, size in row["sizes"].items() if symbol in found.symbols}
        numbers = walk(loaded(name), sizes=free)
        assert not numbers.symbols
        for group in ("params", "forward", "training", "memory"):
            for label, quantity in getattr(numbers, group).items():
                assert getattr(found, group)[label].value({**hints, **free}) == quantity.formula


def test_gpt2_s_family_is_gpt2_at_any_width() -> None:
    """Symbols: d_model, vocabulary, context, and n_head, d_head, d_ff of each block; by hand at twice the width."""
    found = family("gpt2")
    hints = [symbol.hint for symbol in found.symbols.values() if symbol.hint is not None]
    assert sorted(set(hints)) == [12, 64, 768, 1024, 3072, 50_257]
    assert [hints.count(n) for n in (768, 1024, 50_257)] == [1, 1, 1]
    assert [hints.count(n) for n in (12, 64, 3072)] == [12, 12, 12]
    doubled = {s.name: 2 * s.hint if s.hint in (768, 3072, 12) else s.hint for s in found.symbols.values() if s.hint}
    d, ff, vocabulary, context = 1536, 6144, 50_257, 1024
    block = 4 * d * d + 4 * d + 2 * d * ff + ff + d + 4 * d
    assert found.params["trainable"].value(doubled) == 12 * block + 2 * d + (vocabulary + context) * d
    macs = found.forward["macs"].value({**doubled, "batch": 2, "seq": 64})
    assert macs == 2 * 64 * (12 * (4 * d * d + 2 * d * ff) + vocabulary * d) + 2 * 12 * 2 * 64 * 64 * d
