"""Selections whose size is data: a symbol of its own, bounded by what there is to select from."""

from __future__ import annotations

from scalecalc.dims import Dim, System, bound, prod, same
from scalecalc.ops.registry import Cost, Keep, Out, Tensor, axis_of, give, op
from scalecalc.ops.shape import moved


def _some(of: Dim, stem: str, system: System) -> Dim:
    """A number nobody knows before the data are there."""
    count = system.fresh(stem, kind="data")
    bound(count, of)
    return count


@op("NonZero", fixed_inputs=(0,))
def non_zero(x: Tensor, *, system: System) -> Cost:
    """Positions of what is not 0: how many is data."""
    entries = x.known()
    known = entries is not None and all(isinstance(entry, int | float) for entry in entries)
    count = sum(map(bool, entries or ())) if known else _some(x.size, "nonzero", system)
    limit = x.shape[0] if x.rank == 1 else None
    return give(Out((x.rank, count), "int64", limit=limit), vector=x.size)


@op("Unique", fixed_inputs=(0,))
def unique(x: Tensor, *, axis: int | None = None, system: System) -> Cost:
    """Different entries, or slices along an axis: how many is data. The comparisons of its sort are not counted."""
    place = axis_of(axis, x.rank) if axis is not None else 0
    of = x.size if axis is None else x.shape[place]
    count = _some(of, "unique", system)
    kept = (count,) if axis is None else (*x.shape[:place], count, *x.shape[place + 1 :])
    return give(Out(kept), Out((count,), "int64"), Out((of,), "int64", limit=count), Out((count,), "int64"))


@op("Compress", fixed_inputs=(1,))
def compress(x: Tensor, condition: Tensor, *, axis: int | None = None, system: System) -> Cost:
    """Entries, or slices along an axis, where the condition holds: how many is data; backward puts them back."""
    chosen = condition.known()
    count = sum(map(bool, chosen)) if chosen is not None else _some(condition.size, "chosen", system)
    if axis is None:
        return give((count,), backward={0: count}, keeps=(Keep(1),))
    place = axis_of(axis, x.rank)
    out = (*x.shape[:place], count, *x.shape[place + 1 :])
    return give(out, backward={0: prod(out)}, keeps=(Keep(1),))


@op("ReverseSequence", fixed_inputs=(1,))
def reverse_sequence(x: Tensor, lengths: Tensor, *, batch_axis: int = 1, time_axis: int = 0) -> Cost:
    """The first entries of every sequence in reverse."""
    same(lengths.shape[0], x.shape[axis_of(batch_axis, x.rank)])
    return moved(x, x.shape, view=False)


@op("TensorScatter", fixed_inputs=(2,))
def tensor_scatter(past: Tensor, update: Tensor, indices: Tensor | None = None, *, axis: int = -2) -> Cost:
    """A cache with the newest entries written into it; backward takes them out again."""
    place = axis_of(axis, past.rank)
    for i, (dim, own) in enumerate(zip(past.shape, update.shape, strict=True)):
        if i == place:
            bound(own, dim)
        else:
            same(dim, own)
    return give(past.shape, backward={0: past.size, 1: update.size})


@op("Multinomial", fixed_inputs=(0,))
def multinomial(x: Tensor, *, dtype: str = "int32", sample_size: int = 1) -> Cost:
    """Classes drawn by their log-probabilities: exp and running sum of each, and a comparison for every draw."""
    rows, classes = x.shape
    out = (rows, sample_size)
    return give(Out(out, dtype, limit=classes), vector=2 * x.size + prod(out))
