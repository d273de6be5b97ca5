"""Layers of detectors, against torchvision's modules of the same sizes and by hand."""

from __future__ import annotations

import pytest

from scalecalc.errors import FileError
from tests.frontends.layers.grids import counts, made, shape

MAPS = "a: [batch, 16, 5, 7], b: [batch, 8, 3, 4]"


def test_detection_heads() -> None:
    """SSDHead([16, 8], [4, 6], 5): parameters, FlopCounterMode over 2, its backward pass, 5*7*4 + 3*4*6 anchors."""
    boxes, scores = (made(f"- {{detection_heads: [a, b], anchors: [4, 6], entries: {n}}}", MAPS) for n in (4, 5))
    both = zip(counts(boxes, batch=2), counts(scores, batch=2), strict=True)
    assert [a + b for a, b in both] == [9_162, 456_192, 912_384]
    assert shape(boxes, batch=2) == (2, 212, 4)
    assert shape(scores, batch=2) == (2, 212, 5)


def test_one_map_and_one_number_of_anchors() -> None:
    """A convolution of 3 x 3 from 8 to 2*3 channels with offsets."""
    found = made("- {detection_heads: b, anchors: 2, entries: 3}", MAPS)
    assert counts(found, batch=1) == (9 * 8 * 6 + 6, 12 * 9 * 8 * 6, 2 * 12 * 9 * 8 * 6)
    assert shape(found, batch=1) == (1, 24, 3)


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        ("detection_heads: [a, b], anchors: [1, 2, 3], entries: 4", "anchors has 3 numbers for 2 maps"),
        ("detection_heads: [a, c], anchors: 1, entries: 4", r"it takes maps of \(batch, channels, height, width\)"),
        ("detection_heads: [], anchors: 1, entries: 4", "it takes maps of"),
        ("unit_normalization: 4, from: a", "axis 4 of 4 axes"),
    ],
)
def test_what_does_not_fit(layer: str, what: str) -> None:
    with pytest.raises(FileError, match=rf"test.yaml:4: layers\[0\]\.\w+: {what}"):
        made(f"- {{{layer}}}", f"{MAPS}, c: [batch, 3, 4]")


def test_unit_normalization() -> None:
    """Per element a square, an addition and a division; no parameters."""
    found = made("- unit_normalization: 1", "x: [batch, 16, 5, 7]")
    assert counts(found, batch=2) == (0, 0, 0)
    assert found.forward["vector_flops"].value({"batch": 2}) == 3 * 2 * 16 * 5 * 7
    assert shape(found, batch=2) == (2, 16, 5, 7)
