"""What finds objects in feature maps (batch, channels, height, width)."""

from __future__ import annotations

from scalecalc.dims import Dim
from scalecalc.errors import ShapeError
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.convolution import convolve
from scalecalc.frontends.layers.registry import Ints, layer


@layer("unit_normalization")
def unit_normalization(b: Builder, x: Value, axis: int = -1) -> Value:
    """Divided by the root of the sum of squares along an axis."""
    return b.node("Div", x, b.node("ReduceL2", x, b.constant([axis])))


@layer("detection_heads")
def detection_heads(
    b: Builder, *xs: Value, anchors: Ints, entries: Dim, kernel_size: Ints = (3,), use_bias: bool = True
) -> Value:
    """Scores or corners of every anchor at every place of several maps: (batch, anchors of all maps, entries).

    Args:
        b, xs: the builder, and the maps.
        anchors: how many each place of a map has: a number for each map, or one for all.
        entries: numbers for each anchor, such as a score for each class.
        kernel_size, use_bias: of the convolution that each map has for itself; it keeps height and width.
    """
    if not xs or any(x.rank != 4 for x in xs):
        raise ShapeError("it takes maps of (batch, channels, height, width)")
    if len(anchors) not in (1, len(xs)):
        raise ShapeError(f"anchors has {len(anchors)} numbers for {len(xs)} maps")
    found = []
    for place, x in enumerate(xs):
        count = anchors[place % len(anchors)]
        y = convolve(b, x, count * entries, kernel_size, padding="same", use_bias=use_bias, label=f"map_{place}")
        y = b.node("Transpose", y, perm=(0, 2, 3, 1))
        found.append(b.node("Reshape", y, b.constant([x.shape[0], y.shape[1] * y.shape[2] * count, entries])))
    return b.node("Concat", *found, axis=1) if len(found) > 1 else found[0]
