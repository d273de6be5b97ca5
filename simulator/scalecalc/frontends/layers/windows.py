"""Images as grids of vectors, (batch, height, width, features): attention within windows, neighbours as one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from scalecalc.dims import Dim
from scalecalc.errors import ShapeError
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.attention import multi_head_attention
from scalecalc.frontends.layers.registry import layer

SIDES = (1, 2)
"""The axes of height and width."""


@layer("window_attention")
def window_attention(
    b: Builder, x: Value, num_heads: Dim,
    *, window_size: int, shift: int = 0, key_dim: Dim | None = None, use_bias: bool = True,
) -> Value:  # fmt: skip
    """Attention within square windows of (batch, height, width, features), with a learned score for every offset.

    Args:
        b, x: the builder, and a grid of vectors.
        num_heads: of queries, keys and values.
        window_size: side of a window; height and width are padded to multiples of it.
        shift: how far windows are moved, over the edge to the other side; a mask keeps apart what meets there.
        key_dim: entries of a query, key or value of one head; features / heads unless given.
        use_bias: of the projections.
    """
    batch, *sides, features = _grid(x, window_size)
    if not 0 <= shift < window_size:
        raise ShapeError(f"windows of {window_size} are shifted by 0 to {window_size - 1}, not {shift}")
    counts = _ceiling(sides, window_size)
    full = [count * window_size for count in counts]
    y = blocked(b, rolled(b, padded(b, x, full), [shift, shift]), window_size)
    windows, places = batch * counts[0] * counts[1], window_size**2
    y = b.node("Reshape", y, b.constant([windows, places, features]))
    scores = offset_scores(b, window_size, num_heads)
    if shift:
        mask = b.node("ConstantOfShape", b.constant([windows, 1, places, places]))
        scores = b.node("Add", scores, mask)
    y = multi_head_attention(b, y, num_heads, key_dim=key_dim, use_bias=use_bias, bias=scores)
    y = b.node("Reshape", y, b.constant([batch, *counts, window_size, window_size, features]))
    y = b.node("Transpose", y, perm=(0, 1, 3, 2, 4, 5))
    y = b.node("Reshape", y, b.constant([batch, *full, features]))
    y = rolled(b, y, [side - shift for side in full] if shift else [0, 0])
    return y if full == sides else b.node("Slice", y, b.constant([0, 0]), b.constant(sides), b.constant(SIDES))


def offset_scores(b: Builder, window_size: int, num_heads: Dim) -> Value:
    """What each head adds to the score of two places of a window, by the offset between them: (heads, places, places).

    A table of (2 * window_size - 1)**2 offsets, looked up by a stored index that training leaves alone.
    """
    places = window_size**2
    table = b.weight("offset_scores", (2 * window_size - 1) ** 2, num_heads)
    index = b.weight("offset_index", places, places, frozen=True, dtype="int64")
    return b.node("Transpose", b.node("Gather", table, index), perm=(2, 0, 1))


@layer("patch_merging")
def patch_merging(b: Builder, x: Value, size: int = 2) -> Value:
    """Squares of neighbours as one vector: (batch, h, w, c) -> (batch, h/size, w/size, c*size**2), rounded up."""
    batch, *sides, features = _grid(x, size)
    counts = _ceiling(sides, size)
    y = blocked(b, padded(b, x, [count * size for count in counts]), size)
    return b.node("Reshape", y, b.constant([batch, *counts, features * size**2]))


def blocked(b: Builder, x: Value, size: int) -> Value:
    """Squares of a grid whose sides are multiples of theirs: (batch, rows, columns, size, size, features)."""
    batch, *sides, features = x.shape
    rows, columns = _ceiling(sides, size)
    x = b.node("Reshape", x, b.constant([batch, rows, size, columns, size, features]))
    return b.node("Transpose", x, perm=(0, 1, 3, 2, 4, 5))


def rolled(b: Builder, x: Value, cuts: Sequence[Dim]) -> Value:
    """Height and width each cut in two, the second part in front of the first; a cut at 0 leaves them as they are."""
    for axis, cut in zip(SIDES, cuts, strict=True):
        if cut != 0:
            ends = [b.constant([end]) for end in (0, cut, x.shape[axis])]
            first, last = (b.node("Slice", x, *pair, b.constant([axis])) for pair in pairwise(ends))
            x = b.node("Concat", last, first, axis=axis)
    return x


def padded(b: Builder, x: Value, sides: Sequence[Dim]) -> Value:
    """Zeros added behind height and width, up to these sides."""
    more = [side - dim for side, dim in zip(sides, x.shape[1:3], strict=True)]
    return x if more == [0, 0] else b.node("Pad", x, b.constant([0, 0, 0, 0, 0, *more, 0]))


def _ceiling(sides: Sequence[Dim], size: int) -> list[Dim]:
    return [(side + size - 1) // size for side in sides]


def _grid(x: Value, size: int) -> tuple[Dim, ...]:
    """The shape of a grid that is cut into squares of some size."""
    if x.rank != 4:
        raise ShapeError(f"it takes (batch, height, width, features), not {x.rank} axes")
    if size < 1:
        raise ShapeError(f"squares of {size} x {size}")
    return x.shape
