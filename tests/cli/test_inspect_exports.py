"""`inspect` on real exports: their modules are PyTorch's, and the tree of them holds exactly the whole.

Run with `-m exports`; the files come from `python tests/exports/make.py`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from scalecalc import profile
from scalecalc.estimate.block import Block
from scalecalc.estimate.tree import tree
from scalecalc.walk import Profile
from tests.cli.conftest import EXPORTS, Cli
from tests.cli.test_inspect import tree_of
from tests.estimate.test_tree import check_sums
from tests.walk.test_exports import EXPORTS as NAMES

pytestmark = pytest.mark.exports


def path(name: str) -> Path:
    return EXPORTS / f"{name}.onnx"


@cache
def loaded(name: str) -> Profile:
    return profile(path(name))


def at(root: Block, *names: str) -> Block:
    """The block behind these names."""
    for name in names:
        root = next(child for child in root.children if child.name == name)
    return root


@pytest.mark.parametrize("name", NAMES)
def test_trees_sum_to_the_totals(name: str) -> None:
    check_sums(loaded(name))


@pytest.mark.parametrize("name", NAMES)
def test_about_a_screen(cli: Cli, name: str) -> None:
    answer = cli("inspect", path(name))
    assert answer.code == 0
    assert 1 <= len(tree_of(answer.out)) <= 45


REPEATED = [
    # file, layers, class, trainable parameters of one: 12 d^2 + 13 d with d = 768; query, key and value biases count
    ("gpt2", ("model", "transformer", "h.0-11"), "GPT2Block"),
    ("gpt2_1x1024", ("model", "transformer", "h.0-11"), "GPT2Block"),
    ("bert_base", ("model", "encoder.layer.0-11"), "BertLayer"),
    ("bert_base_torchscript", ("model", "encoder.layer.0-11"), ""),
    ("vit_b_16", ("encoder", "layers.encoder_layer_0-11"), "EncoderBlock"),
    ("vit_b_16_torchscript", ("encoder", "layers.encoder_layer_0-11"), ""),
]


@pytest.mark.parametrize(("name", "names", "kind"), REPEATED, ids=[name for name, _, _ in REPEATED])
def test_a_transformer_s_layers_are_one_row(cli: Cli, name: str, names: tuple[str, ...], kind: str) -> None:
    layers = at(tree(loaded(name)), *names)
    assert (layers.repeats, layers.kind) == (12, kind)
    assert layers.each(12)["params"] == 12 * 768**2 + 13 * 768
    rows = [line for line in tree_of(cli("inspect", path(name)).out) if "  x12" in line]
    assert len(rows) == 1
    assert names[-1] in rows[0]


RESNETS = [name for name in NAMES if name.startswith("resnet50")]


@pytest.mark.parametrize("name", RESNETS)
def test_resnet50_s_stages(cli: Cli, name: str) -> None:
    """The first block of a stage has a shortcut of its own; the others are equal."""
    root = tree(loaded(name))
    lines = tree_of(cli("inspect", path(name)).out)
    for stage, blocks in (("layer1", 3), ("layer2", 4), ("layer3", 6), ("layer4", 3)):
        first, others = (child for child in at(root, stage).children if child.name != "(own)")
        assert (first.name, first.repeats) == ("0", 1)
        assert (others.name, others.repeats) == (f"1-{blocks - 1}", blocks - 1)
        assert any(child.name.startswith("downsample") for child in first.children)
        assert not any(child.name.startswith("downsample") for child in others.children)
        assert sum(line.startswith(stage) for line in lines) == 1
    assert {child.name for child in root.children} >= {"conv1", "maxpool", "avgpool", "fc"}


def test_folded_norms_are_convolutions() -> None:
    block = at(tree(loaded("resnet50")), "layer1", "0")
    assert [child.name for child in block.children] == ["conv1", "relu", "conv2", "conv3", "downsample.0", "(own)"]
    assert (block.kind, at(block, "relu").kind, at(block, "conv1").kind) == ("Bottleneck", "ReLU", "Conv")
