"""Layers that move elements and change nothing else; patches and tokens of images."""

from __future__ import annotations

from scalecalc.dims import Dim, prod
from scalecalc.errors import ShapeError
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.convolution import convolve, spread
from scalecalc.frontends.layers.registry import CHOICES, Dims, Ints, layer
from scalecalc.frontends.wording import shape_text
from scalecalc.ops.registry import axis_of

CHOICES["Reduction"] = ("mean", "sum", "max")
Reduction = str
"""What is made of the entries of an axis."""


@layer("flatten")
def flatten(b: Builder, x: Value, axis: int = 1) -> Value:
    """All axes from `axis` on as one."""
    place = _place(x, axis)
    return b.node("Reshape", x, b.constant([*x.shape[:place], prod(x.shape[place:])]))


@layer("reshape")
def reshape(b: Builder, x: Value, target_shape: Dims, *, axis: int = 1) -> Value:
    """Another shape of the axes from `axis` on; -1 is the rest."""
    return b.node("Reshape", x, b.constant([*x.shape[: _place(x, axis)], *target_shape]))


def _place(x: Value, axis: int) -> int:
    """Before which axis, from 0; behind the last one is a place too."""
    return axis if axis == x.rank else axis_of(axis, x.rank)


@layer("permute")
def permute(b: Builder, x: Value, dims: Ints) -> Value:
    """Axes in another order: all of them, counted from 0, or without the batch, counted from 1."""
    return b.node("Transpose", x, perm=dims if len(dims) == x.rank else (0, *dims))


@layer("slice")
def slice_(b: Builder, x: Value, *, axis: int, start: Dim = 0, end: Dim) -> Value:
    """The entries from `start` up to `end` of an axis."""
    y = b.node("Slice", x, b.constant([start]), b.constant([end]), b.constant([axis]))
    if y.shape[axis] == 0:
        raise ShapeError(f"nothing from {start} up to {end} of axis {axis} of {shape_text(x)}")
    return y


@layer("take")
def take(b: Builder, x: Value, index: Ints = (0,), *, axis: int = 1) -> Value:
    """One entry of an axis, which disappears, such as the first token of a sequence; or several, in their order."""
    if not index:
        raise ShapeError("no index")
    return b.node("Gather", x, b.constant(index, scalar=len(index) == 1), axis=axis)


@layer("reduce")
def reduce(b: Builder, x: Value, reduction: Reduction = "mean", *, axes: Ints = (1,), keepdims: bool = False) -> Value:
    """The mean, sum or largest of the entries of some axes."""
    return b.node(f"Reduce{reduction.capitalize()}", x, b.constant(axes), keepdims=int(keepdims))


@layer("patch_embedding")
def patch_embedding(b: Builder, x: Value, units: Dim, *, patch_size: Ints, use_bias: bool = True) -> Value:
    """Patches of an image, each as a vector: (batch, channels, h, w) -> (batch, patches, units)."""
    if x.rank < 3:
        raise ShapeError(f"it takes an image, not {x.rank} axes")
    patch = spread(patch_size, x.rank - 2, "patch_size")
    x = convolve(b, x, units, patch, strides=patch, use_bias=use_bias)
    x = b.node("Reshape", x, b.constant([0, 0, prod(x.shape[2:])]))
    return b.node("Transpose", x, perm=(0, 2, 1))


@layer("class_token")
def class_token(b: Builder, x: Value) -> Value:
    """A learned vector put in front of a sequence: (batch, seq, features) -> (batch, seq + 1, features)."""
    if x.rank != 3:
        raise ShapeError(f"it takes (batch, sequence, features), not {x.rank} axes")
    token = b.weight("token", 1, 1, x.shape[2])
    token = b.node("Expand", token, b.constant([x.shape[0], 1, x.shape[2]]))
    return b.node("Concat", token, x, axis=1)


@layer("parameter")
def parameter(b: Builder, x: Value, shape: Dims) -> Value:
    """A learned tensor added to every example: one more offset, such as a table of positions."""
    if len(shape) > x.rank:
        raise ShapeError(f"{len(shape)} axes are more than those of {shape_text(x)}")
    return b.node("Add", x, b.weight("value", *shape))


@layer("scale")
def scale(b: Builder, x: Value, *, axis: int = -1) -> Value:
    """A learned factor for every entry of an axis (layer scale)."""
    place = axis_of(axis, x.rank)
    return b.node("Mul", x, b.weight("gamma", x.shape[place], *(1,) * (x.rank - 1 - place)))
