"""Layers that move elements and change nothing else; patches and tokens of images."""

from __future__ import annotations

from scalecalc.dims import Dim, prod
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.convolution import convolve, spread
from scalecalc.frontends.layers.registry import CHOICES, Dims, Ints, layer

CHOICES["Reduction"] = ("mean", "sum", "max")
Reduction = str
"""What is made of the entries of an axis."""


@layer("flatten")
def flatten(b: Builder, x: Value, axis: int = 1) -> Value:
    """All axes from `axis` on as one."""
    kept = x.shape[:axis]
    return b.node("Reshape", x, b.constant([*kept, prod(x.shape[axis:])]))


@layer("reshape")
def reshape(b: Builder, x: Value, target_shape: Dims) -> Value:
    """Another shape of the axes behind the batch; -1 is the rest."""
    return b.node("Reshape", x, b.constant([x.shape[0], *target_shape]))


@layer("reshape_all")
def reshape_all(b: Builder, x: Value, target_shape: Dims) -> Value:
    """Another shape, the batch included, as windows of images need; -1 is the rest."""
    return b.node("Reshape", x, b.constant(target_shape))


@layer("permute")
def permute(b: Builder, x: Value, dims: Ints) -> Value:
    """Axes in another order, counted from 0, the batch included."""
    return b.node("Transpose", x, perm=dims)


@layer("slice")
def slice_(b: Builder, x: Value, *, axis: int, start: Dim = 0, end: Dim) -> Value:
    """The entries from `start` up to `end` of an axis."""
    return b.node("Slice", x, b.constant([start]), b.constant([end]), b.constant([axis % x.rank]))


@layer("take")
def take(b: Builder, x: Value, index: int = 0, *, axis: int = 1) -> Value:
    """One entry of an axis, which disappears: the first token of a sequence."""
    return b.node("Gather", x, b.constant([index], scalar=True), axis=axis)


@layer("reduce")
def reduce(b: Builder, x: Value, reduction: Reduction = "mean", *, axes: Ints = (1,), keepdims: bool = False) -> Value:
    """The mean, sum or largest of the entries of some axes."""
    listed = b.constant([axis % x.rank for axis in axes])
    return b.node(f"Reduce{reduction.capitalize()}", x, listed, keepdims=int(keepdims))


@layer("patch_embedding")
def patch_embedding(b: Builder, x: Value, units: Dim, *, patch_size: Ints, use_bias: bool = True) -> Value:
    """Patches of an image, each as a vector: (batch, channels, h, w) -> (batch, patches, units)."""
    patch = spread(patch_size, x.rank - 2, "patch_size")
    x = convolve(b, x, units, patch, strides=patch, use_bias=use_bias)
    x = b.node("Reshape", x, b.constant([0, 0, prod(x.shape[2:])]))
    return b.node("Transpose", x, perm=(0, 2, 1))


@layer("class_token")
def class_token(b: Builder, x: Value) -> Value:
    """A learned vector put in front of a sequence."""
    token = b.weight("token", 1, 1, x.shape[2])
    token = b.node("Expand", token, b.constant([x.shape[0], 1, x.shape[2]]))
    return b.node("Concat", token, x, axis=1)


@layer("parameter")
def parameter(b: Builder, x: Value, shape: Dims) -> Value:
    """A learned tensor added to every example: one more offset, such as a table of positions."""
    return b.node("Add", x, b.weight("value", *shape))


@layer("scale")
def scale(b: Builder, x: Value, *, axis: int = -1) -> Value:
    """A learned factor for every entry of an axis (layer scale)."""
    place = axis % x.rank
    return b.node("Mul", x, b.weight("gamma", x.shape[place], *(1,) * (x.rank - 1 - place)))
