"""Language models, families of sizes and recognised layers of real exports, in detail."""

from __future__ import annotations

import pytest

from tests.walk.exports import formula, profile

pytestmark = pytest.mark.exports


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
