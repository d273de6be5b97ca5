"""Look-ups by index, ranges and filled tensors."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from scalecalc.dims import Dim, Poly, bound, fixed, is_family, prod, same
from scalecalc.errors import ShapeError, UndeterminedError
from scalecalc.ops.registry import MAX_VALUES, Cost, Keep, Out, Tensor, axis_of, give, op
from scalecalc.ops.shape import moved, shape_values


@op("Gather", fixed_inputs=(1,), roles={0: "embedding"})
def gather(x: Tensor, indices: Tensor, *, axis: int = 0) -> Cost:
    """Rows by number; backward adds each gradient to its row. Positions made by Range are bounded by the table."""
    place = axis_of(axis, x.rank)
    if indices.limit is not None:
        bound(indices.limit, x.shape[place])
    out = (*x.shape[:place], *indices.shape, *x.shape[place + 1 :])
    chosen = indices.known()
    value: tuple[Any, ...] | None = None
    if chosen is not None and all(isinstance(i, int) for i in chosen):
        rows = x.shape[place]
        if isinstance(rows, Poly) and x.rank > 1 and not indices.rank:
            rows = fixed(rows) if is_family(rows) else rows  # a part picked by its number: the file's own
        if isinstance(rows, int) and not all(-rows <= i < rows for i in chosen):
            raise ShapeError(f"index {chosen} in {rows} rows")
        if x.value is not None and x.rank == 1:
            value = tuple(x.value[i] for i in chosen)
    if chosen is not None and not indices.rank:
        return moved(x, out, value)  # one row by its number: a view, as every framework has it
    return give(Out(out, x.dtype, value, x.limit), backward={0: prod(out)}, keeps=(Keep(1),))


@op("GatherElements", fixed_inputs=(1,))
def gather_elements(x: Tensor, indices: Tensor, *, axis: int = 0) -> Cost:
    """One entry per index; backward scatters."""
    return give(indices.shape, backward={0: indices.size}, keeps=(Keep(1),))


@op("GatherND", fixed_inputs=(1,))
def gather_nd(x: Tensor, indices: Tensor, *, batch_dims: int = 0) -> Cost:
    """Slices by the index tuples in the last axis; backward scatters."""
    for a, b in zip(x.shape[:batch_dims], indices.shape[:batch_dims], strict=True):
        same(a, b)
    depth = fixed(indices.shape[-1])
    out = (*indices.shape[:-1], *x.shape[batch_dims + depth :])
    return give(Out(out, limit=x.limit), backward={0: prod(out)}, keeps=(Keep(1),))


@op("ScatterND", "ScatterElements", fixed_inputs=(1,))
def scatter(x: Tensor, indices: Tensor, updates: Tensor, *, axis: int = 0) -> Cost:
    """A copy with some entries replaced; backward gathers."""
    return give(x.shape, backward={0: x.size, 2: updates.size}, keeps=(Keep(1),))


@op("Range", fixed_inputs=(0, 1, 2))
def range_(start: Tensor, limit: Tensor, delta: Tensor) -> Cost:
    """start, start + delta, ... below limit."""
    first, last, step = (_whole(shape_values(x)[0]) for x in (start, limit, delta))
    if isinstance(step, Poly) or not step:
        raise ShapeError(f"Range with step {step}")
    if any(isinstance(x, float) for x in (first, last, step)):
        if isinstance(first, Poly) or isinstance(last, Poly):
            raise UndeterminedError(f"Range from {first} to {last} by {step}")
        return give(Out((max(0, ceil((last - first) / step)),), start.dtype))
    length = (last - first) if step > 0 else (first - last)
    count: Dim = length if abs(step) == 1 else (length + (abs(step) - 1)) // abs(step)
    value = None
    if isinstance(count, int):
        count = max(0, count)
        if count <= MAX_VALUES:
            value = tuple(first + step * i for i in range(count))
    return give(Out((count,), start.dtype, value, last if step > 0 else first + 1))


def _whole(number: Any) -> Any:
    """A float that is a whole number, as that."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


@op("ConstantOfShape", fixed_inputs=(0,))
def constant_of_shape(shape: Tensor, *, value: Any = None) -> Cost:
    """One value everywhere: 0 in float32 unless stated."""
    out = shape_values(shape)
    dtype = value.dtype if value is not None else "float32"
    fill = value.value[0] if value is not None and value.value else 0
    count = prod(out)
    entries = (fill,) * count if isinstance(count, int) and len(out) <= 1 and count <= MAX_VALUES else None
    return give(Out(out, dtype, entries))


@op("OneHot", fixed_inputs=(0, 1, 2))
def one_hot(indices: Tensor, depth: Tensor, values: Tensor, *, axis: int = -1) -> Cost:
    """A row of `depth` entries for every index."""
    place = axis_of(axis, indices.rank + 1)
    out = (*indices.shape[:place], shape_values(depth)[0], *indices.shape[place:])
    return give(Out(out, values.dtype))


@op("EyeLike", fixed_inputs=(0,))
def eye_like(x: Tensor, *, dtype: str | None = None, k: int = 0) -> Cost:
    """Ones on a diagonal."""
    same(x.rank, 2)
    return give(Out(x.shape, dtype or x.dtype))


@op("RandomNormal", "RandomUniform")
def random(*, shape: Sequence[int], dtype: str = "float32") -> Cost:
    """Drawn numbers: not counted."""
    return give(Out(tuple(shape), dtype))


@op("RandomNormalLike", "RandomUniformLike", "Bernoulli", fixed_inputs=(0,))
def random_like(x: Tensor, *, dtype: str | None = None) -> Cost:
    """Drawn numbers: not counted."""
    return give(Out(x.shape, dtype or x.dtype))
