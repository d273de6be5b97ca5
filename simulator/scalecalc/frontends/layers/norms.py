"""Norms that came before those of today."""

from __future__ import annotations

from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.registry import layer


@layer("local_response_normalization")
def local_response_normalization(b: Builder, x: Value, size: int = 5) -> Value:
    """Divided by a power of the sum of squares of `size` neighbouring channels at the same place."""
    return b.node("LRN", x, size=size)
