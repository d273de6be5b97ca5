"""Operators that move elements or read shapes: no FLOPs, and small contents are carried along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scalecalc.dims import Dim, broadcast_shapes, fixed, prod, regroup, same, span, split_evenly, split_parts
from scalecalc.dims import total as dim_sum
from scalecalc.errors import ShapeError, UndeterminedError
from scalecalc.ops.reduce import axes_of
from scalecalc.ops.registry import MAX_VALUES, Cost, Out, Shape, Tensor, axis_of, give, op


def shape_values(x: Tensor) -> tuple[Dim, ...]:
    """The entries of a shape input.

    Raises:
        UndeterminedError: they depend on contents the walk does not know.
    """
    value = x.known()
    if value is None:
        raise UndeterminedError("a shape is computed from contents the file does not fix")
    return value


def moved(x: Tensor, out: Shape, value: tuple[Any, ...] | None = None, *, view: bool = True) -> Cost:
    """Same elements in another arrangement; backward moves them back."""
    return give(Out(out, x.dtype, value, x.limit), view=view)


@op("Shape", fixed_inputs=(0,))
def shape(x: Tensor, *, start: int = 0, end: int | None = None) -> Cost:
    """The dimensions, as values."""
    dims = x.shape[start:end]
    return give(Out((len(dims),), "int64", dims), view=True)


@op("Size", fixed_inputs=(0,))
def size(x: Tensor) -> Cost:
    """The number of elements, as a value."""
    return give(Out((), "int64", (x.size,)), view=True)


@op("Identity", passes=True)
def identity(x: Tensor) -> Cost:
    """The input as it is."""
    return moved(x, x.shape, x.value)


@op("Reshape", fixed_inputs=(1,), passes=True)
def reshape(x: Tensor, shape: Tensor, *, allowzero: int = 0) -> Cost:
    """The same elements grouped into other dimensions."""
    target = shape_values(shape)
    if not allowzero:
        target = tuple(x.shape[i] if isinstance(dim, int) and dim == 0 else dim for i, dim in enumerate(target))
    out = regroup(x.shape, target)
    return moved(x, out, x.value if len(out) <= 1 else None)


@op("Flatten")
def flatten(x: Tensor, *, axis: int = 1) -> Cost:
    """Two axes: those before `axis` and the rest."""
    split = axis if axis == x.rank else axis_of(axis, x.rank)
    return moved(x, (prod(x.shape[:split]), prod(x.shape[split:])))


@op("Transpose", passes=True)
def transpose(x: Tensor, *, perm: Sequence[int] | None = None) -> Cost:
    """Axes in another order."""
    order = perm if perm is not None else tuple(reversed(range(x.rank)))
    if sorted(order) != list(range(x.rank)):
        raise ShapeError(f"permutation {tuple(order)} of {x.rank} axes")
    return moved(x, tuple(x.shape[axis] for axis in order), x.value if x.rank <= 1 else None)


@op("Squeeze", fixed_inputs=(1,), passes=True)
def squeeze(x: Tensor, axes: Tensor | None = None) -> Cost:
    """Axes of size 1 dropped: those listed, else those the file shows to be 1."""
    drop = axes_of(axes, x.rank)
    if drop is None:
        drop = tuple(axis for axis, dim in enumerate(x.shape) if isinstance(dim, int) and dim == 1)
    for axis in drop:
        same(x.shape[axis], 1)
    out = tuple(dim for axis, dim in enumerate(x.shape) if axis not in drop)
    return moved(x, out, x.value)


@op("Unsqueeze", fixed_inputs=(1,), passes=True)
def unsqueeze(x: Tensor, axes: Tensor) -> Cost:
    """New axes of size 1."""
    new = axes_of(axes, x.rank + len(axes.value or ())) or ()
    dims = iter(x.shape)
    out = tuple(1 if axis in new else next(dims) for axis in range(x.rank + len(new)))
    return moved(x, out, x.value if len(out) <= 1 else None)


@op("Expand", fixed_inputs=(1,), elementwise=True)
def expand(x: Tensor, shape: Tensor) -> Cost:
    """Broadcast to a shape; backward adds the copies up."""
    out = broadcast_shapes(x.shape, shape_values(shape))
    cost = moved(x, out, _repeated(x, out))
    cost.backward = {0: prod(out) - x.size}
    return cost


def _repeated(x: Tensor, out: Shape) -> tuple[Any, ...] | None:
    if x.value is None or len(x.value) != 1 or len(out) > 1:
        return x.value if x.shape == out else None
    count = out[0] if out else 1
    return x.value * count if isinstance(count, int) and count <= MAX_VALUES else None


@op("Tile", fixed_inputs=(1,), elementwise=True)
def tile(x: Tensor, repeats: Tensor) -> Cost:
    """Copies along each axis; backward adds them up."""
    out = tuple(dim * times for dim, times in zip(x.shape, shape_values(repeats), strict=True))
    return give(Out(out, limit=x.limit), backward={0: prod(out)})


@op("Concat")
def concat(*parts: Tensor, axis: int) -> Cost:
    """Parts behind each other along one axis, equal along the others."""
    place = axis_of(axis, parts[0].rank)
    out = list(parts[0].shape)
    for part in parts[1:]:
        for i, (dim, own) in enumerate(zip(out, part.shape, strict=True)):
            if i != place:
                out[i] = same(dim, own)
    out[place] = dim_sum((1, part.shape[place]) for part in parts)
    value: tuple[Any, ...] | None = None
    if len(out) == 1 and isinstance(out[0], int) and out[0] <= MAX_VALUES and any(part.value for part in parts):
        value = tuple(v for part in parts for v in part.value or (None,) * fixed(part.shape[0]))
    return give(Out(tuple(out), value=value))


@op("Split", fixed_inputs=(1,))
def split(x: Tensor, sizes: Tensor | None = None, *, axis: int = 0, num_outputs: int = 0, n_outputs: int = 1) -> Cost:
    """Consecutive parts along one axis: of the listed sizes, else equal."""
    place = axis_of(axis, x.rank)
    dim = x.shape[place]
    same(num_outputs or n_outputs, n_outputs)
    parts = split_parts(dim, shape_values(sizes)) if sizes is not None else split_evenly(dim, n_outputs)
    outs, first = [], 0
    for part in parts:
        value = None
        if x.rank == 1 and x.value is not None and isinstance(part, int):
            value = x.value[first : first + part]
            first += part
        outs.append(Out((*x.shape[:place], part, *x.shape[place + 1 :]), x.dtype, value, x.limit))
    return give(*outs, view=True)


@op("Slice", fixed_inputs=(1, 2, 3, 4))
def slice_(x: Tensor, starts: Tensor, ends: Tensor, axes: Tensor | None = None, steps: Tensor | None = None) -> Cost:
    """A range of entries along each listed axis."""
    first, last = shape_values(starts), shape_values(ends)
    over = axes_of(axes, x.rank) or tuple(range(len(first)))
    strides = tuple(fixed(step) for step in shape_values(steps)) if steps is not None else (1,) * len(first)
    out, value = list(x.shape), x.value
    for axis, start, stop, step in zip(over, first, last, strides, strict=True):
        out[axis] = span(x.shape[axis], start, stop, step, key=axis)
        if value is not None and x.rank == 1:
            value = value[_slice(start, stop, step)] if isinstance(start, int) and isinstance(stop, int) else None
    return moved(x, tuple(out), value if x.rank == 1 else None)


def _slice(start: int, stop: int, step: int) -> slice:
    return slice(start if abs(start) < 2**62 else None, stop if abs(stop) < 2**62 else None, step)


@op("Pad", fixed_inputs=(1, 2, 3))
def pad(x: Tensor, pads: Tensor, constant: Tensor | None = None, axes: Tensor | None = None) -> Cost:
    """Entries added (or cut, if negative) before and behind each axis."""
    amounts = shape_values(pads)
    over = axes_of(axes, x.rank) or tuple(range(x.rank))
    out = list(x.shape)
    for i, axis in enumerate(over):
        out[axis] = out[axis] + amounts[i] + amounts[i + len(over)]
    return give(tuple(out))


@op("DepthToSpace")
def depth_to_space(x: Tensor, *, blocksize: int, mode: str = "DCR") -> Cost:
    """Channels moved into blocksize x blocksize pixels."""
    n, c, h, w = x.shape
    return moved(x, (n, regroup((c,), (-1, blocksize**2))[0], h * blocksize, w * blocksize), view=False)


@op("SpaceToDepth")
def space_to_depth(x: Tensor, *, blocksize: int) -> Cost:
    """Pixels of blocksize x blocksize moved into channels."""
    n, c, h, w = x.shape
    rows, columns = (regroup((dim,), (-1, blocksize), key=axis)[0] for axis, dim in enumerate((h, w)))
    return moved(x, (n, c * blocksize**2, rows, columns), view=False)


@op("Trilu", fixed_inputs=(1,))
def trilu(x: Tensor, k: Tensor | None = None, *, upper: int = 1) -> Cost:
    """One triangle, the rest 0."""
    return moved(x, x.shape, view=False)
