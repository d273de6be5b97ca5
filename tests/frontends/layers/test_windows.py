"""Attention within windows and merged patches, against torchvision's modules of the same sizes.

Each count was made once from the module on inputs that need no gradient: its parameters, half of FlopCounterMode's
FLOPs, and its FLOPs of a backward pass, attention counted by its two products.
"""

from __future__ import annotations

import pytest

from scalecalc.errors import FileError
from tests.frontends.layers.grids import counts, made, shape

GRID = "x: [batch, height, width, 24]"
SIDES = "batch: , height: , width: "
WINDOWS = [
    # height, width   shift   macs     backward
    (8, 12, 0, 589_824, 1_695_744),  # ShiftedWindowAttention(24, [4, 4], [0, 0], 3)
    (10, 13, 2, 1_179_648, 3_391_488),  # ShiftedWindowAttention(24, [4, 4], [2, 2], 3), which pads to 12 x 16
]


@pytest.mark.parametrize(("height", "width", "shift", "macs", "backward"), WINDOWS)
def test_window_attention(height: int, width: int, shift: int, macs: int, backward: int) -> None:
    layer = f"- {{window_attention: 3, window_size: 4, shift: {shift}}}"
    for found in (made(layer, GRID, SIDES), made(layer, f"x: [batch, {height}, {width}, 24]")):
        sizes = {"batch": 2, "height": height, "width": width}
        assert counts(found, **sizes) == (2_547, macs, backward)
        assert shape(found, **sizes) == (2, height, width, 24)
        assert found.params["constants"].value({}) == 256  # the module's buffer: which offset each of 16 x 16 pairs has
        assert found.params["positional"].value({}) == 7 * 7 * 3  # offsets of -3 to 3 in both directions, 3 heads
        assert found.complete
        assert not found.conditions


def test_only_shifted_windows_need_a_mask() -> None:
    """An addition to every score: heads * windows * 16 * 16 of them."""
    plain, shifted = (made(f"- {{window_attention: 3, window_size: 4, shift: {n}}}", GRID, SIDES) for n in (0, 1))
    more = shifted.forward["vector_flops"].formula - plain.forward["vector_flops"].formula
    assert str(more) == "768*batch*((height + 3)//4)*((width + 3)//4)"


def test_heads_of_their_own_size() -> None:
    """Three heads of 5: projections 24 x 15 with 15 offsets each, and 15 x 24 with 24; a table of 49 x 3."""
    found = made("- {window_attention: 3, window_size: 4, key_dim: 5}", GRID, SIDES)
    assert found.params["trainable"].value({}) == 3 * (24 * 15 + 15) + 15 * 24 + 24 + 49 * 3


def test_patch_merging() -> None:
    """PatchMerging(24) on 9 x 13."""
    layers = "- patch_merging\n- layer_normalization\n- {dense: 48, use_bias: false}"
    found = made(layers, GRID, SIDES)
    sizes = {"batch": 2, "height": 9, "width": 13}
    assert counts(found, **sizes) == (4_800, 322_560, 1_290_240)
    assert shape(found, **sizes) == (2, 5, 7, 48)
    assert not found.conditions


def test_merging_larger_squares() -> None:
    assert shape(made("- patch_merging: 3", "x: [2, 6, 7, 5]")) == (2, 2, 3, 45)


@pytest.mark.parametrize(
    ("layer", "shape_of_x", "what"),
    [
        ("window_attention: 3, window_size: 4", "batch, 16, 24", r"it takes \(batch, height, width, features\)"),
        ("window_attention: 3, window_size: 0", "batch, 8, 8, 24", "squares of 0 x 0"),
        ("window_attention: 3, window_size: 4, shift: 4", "batch, 8, 8, 24", "windows of 4 are shifted by 0 to 3"),
        ("window_attention: 5, window_size: 4", "batch, 8, 8, 24", "24 is not a multiple of 5"),
        ("patch_merging: 2", "batch", r"it takes \(batch, height, width, features\)"),
        ("patch_merging: 0", "batch, 8, 8, 24", "squares of 0 x 0"),
    ],
)
def test_what_does_not_fit(layer: str, shape_of_x: str, what: str) -> None:
    with pytest.raises(FileError, match=rf"test.yaml:4: layers\[0\]\.\w+: {what}"):
        made(f"- {{{layer}}}", f"x: [{shape_of_x}]")
