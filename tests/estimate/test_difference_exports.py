"""Differences of real exports (tests/exports/make.py writes them; run with `-m exports`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from scalecalc import profile
from scalecalc.dims import total
from scalecalc.estimate.difference import Difference, difference

pytestmark = pytest.mark.exports

EXPORTS = Path(__file__).parents[2] / "build/exports"


def compared(old: str, new: str) -> Difference:
    return difference(profile(EXPORTS / f"{old}.onnx"), profile(EXPORTS / f"{new}.onnx"))


def test_gpt2_with_and_without_sizes_of_its_own() -> None:
    """The same model: nothing that is trained or multiplied differs, by node neither."""
    found = compared("gpt2", "gpt2_1x1024")
    for path in ("params.trainable", "forward.macs", "training.matrix_flops"):
        assert found.totals[path].value == 0
        assert all(delta.value == 0 for delta in found.by_node(path))
    assert found.totals["params.trainable"].after == 124_439_808


def test_resnet50_folded_and_not() -> None:
    """What folding took away: 53 norms with weight, bias, mean and deviation; it left a bias at each convolution."""
    found = compared("resnet50", "resnet50_torchscript_training")
    groups = {group.op_type: group for group in found.by_op}
    assert (groups["BatchNormalization"].before, groups["BatchNormalization"].after) == (0, 53)
    assert groups["BatchNormalization"].deltas["params.trainable"].value == 53_120
    assert groups["Conv"].deltas["params.trainable"].value == -26_560
    assert found.totals["params.buffers"].value == 53_120
    added = [change.node for change in found.changes if change.kind == "added" and change.node is not None]
    assert sum(node.op_type == "BatchNormalization" for node in added) == 53
    convolutions = [change for change in found.changes if change.node is not None and change.node.op_type == "Conv"]
    assert [change.kind for change in convolutions] == ["changed"] * 53
    assert found.totals["forward.macs"].formula == 0
    for path, whole in found.totals.items():
        assert total((1, delta.formula) for delta in found.by_node(path)) == whole.formula
