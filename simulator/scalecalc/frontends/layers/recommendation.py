"""Layers of recommendation models."""

from __future__ import annotations

from scalecalc.errors import ShapeError
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.registry import layer

MOST_VECTORS = 1000
"""Their pairs are listed."""


@layer("dot_interaction")
def dot_interaction(b: Builder, x: Value) -> Value:
    """Products of every pair of vectors: (batch, vectors, features) -> (batch, vectors * (vectors - 1) / 2)."""
    if x.rank != 3:
        raise ShapeError(f"it takes (batch, vectors, features), not {x.rank} axes")
    count = b.number(x.shape[1])
    if count > MOST_VECTORS:
        raise ShapeError(f"{count:,} vectors: at most {MOST_VECTORS:,} are paired")
    products = b.node("MatMul", x, b.node("Transpose", x, perm=(0, 2, 1)))
    products = b.node("Reshape", products, b.constant([0, count * count]))
    pairs = b.constant([row * count + column for row in range(count) for column in range(row)])
    return b.node("Gather", products, pairs, axis=1)
