"""Norms that came before those of today."""

from __future__ import annotations

from scalecalc.frontends.spec import parse
from scalecalc.walk import walk
from tests.frontends.layers.images import IMAGE, counted, specification


def test_local_response_normalization() -> None:
    """x / (1 + a * sum of 5 squares)**b: 5 products, 5 additions; a product, an addition, a power, a division."""
    layer = "{local_response_normalization: 5}"
    assert counted(layer, IMAGE, symbolic=True) == (IMAGE, 0, 0)
    profile = walk(parse(specification(layer, "2, 3, 9, 8"), "test.yaml").graph())
    assert profile.forward["vector_flops"].value({}) == 2 * 3 * 9 * 8 * (5 + 5 + 4)
