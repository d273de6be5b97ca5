"""Reductions along axes, running sums, and selections by rank."""

from __future__ import annotations

from collections.abc import Sequence

from scalecalc.dims import Dim, System, prod, same, smaller
from scalecalc.errors import UndeterminedError
from scalecalc.ops.registry import Cost, Keep, Out, Shape, Tensor, axis_of, give, op

PER_ELEMENT = {
    "ReduceSum": 1, "ReduceMean": 1, "ReduceMax": 1, "ReduceMin": 1, "ReduceProd": 1, "ReduceL1": 2,
    "ReduceL2": 2, "ReduceSumSquare": 2, "ReduceLogSum": 1, "ReduceLogSumExp": 3,
}  # fmt: skip
"""FLOPs per input element; functions of the result alone (the mean's division, the root) are not counted."""


def axes_of(axes: Tensor | None, rank: int, *, costs: bool = False) -> tuple[int, ...] | None:
    """The axes an input lists, from 0; None where it lists none.

    Raises:
        UndeterminedError: their numbers are not in the file.
    """
    if axes is None:
        return None
    listed = axes.known()
    if listed is None:
        raise UndeterminedError("axes are computed, not given", costs=costs)
    return tuple(axis_of(int(axis), max(rank, 1)) for axis in listed)


def reduced(shape: Shape, axes: Sequence[int], keepdims: int) -> Shape:
    """The shape with axes made 1, or dropped."""
    if keepdims:
        return tuple(1 if axis in axes else dim for axis, dim in enumerate(shape))
    return tuple(dim for axis, dim in enumerate(shape) if axis not in axes)


def _reduction(name: str, flops: int) -> None:
    @op(name, fixed_inputs=(1,), summary=f"{flops} FLOPs per input element; backward 1")
    def rule(x: Tensor, axes: Tensor | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Cost:
        over = axes_of(axes, x.rank, costs=True)
        if not over:
            over = () if noop_with_empty_axes else tuple(range(x.rank))
        out = reduced(x.shape, over, keepdims)
        value = x.known()
        if value is not None and x.rank == 1 and over and name in ("ReduceProd", "ReduceSum"):
            value = (prod(value) if name == "ReduceProd" else sum(value),)
        else:
            value = None
        keeps = () if name in ("ReduceSum", "ReduceMean") else (Keep(0), Keep(~0))
        return give(Out(out, value=value), vector=flops * x.size, backward={0: x.size}, keeps=keeps)


for _name, _flops in PER_ELEMENT.items():
    _reduction(_name, _flops)


@op("ArgMax", "ArgMin", fixed_inputs=(0,))
def arg_max(x: Tensor, *, axis: int = 0, keepdims: int = 1) -> Cost:
    """A comparison per element; its index has no gradient."""
    place = axis_of(axis, x.rank)
    return give(Out(reduced(x.shape, (place,), keepdims), "int64", limit=x.shape[place]), vector=x.size)


@op("CumSum", fixed_inputs=(1,))
def cum_sum(x: Tensor, axis: Tensor) -> Cost:
    """An addition per element, backward again; sums of numbers below a limit are below as many of them."""
    over = axes_of(axis, x.rank)
    limit = None if x.limit is None or not over else x.shape[over[0]] * (x.limit - 1) + 1
    return give(Out(x.shape, limit=limit), vector=x.size, backward={0: x.size})


@op("CumProd", fixed_inputs=(1,))
def cum_prod(x: Tensor, axis: Tensor) -> Cost:
    """A multiplication per element; backward a product, a running sum and a division."""
    return give(x.shape, vector=x.size, backward={0: 3 * x.size}, keeps=(Keep(0), Keep(~0)))


@op("Det")
def det(x: Tensor) -> Cost:
    """An LU decomposition, (4n^3 - 3n^2 - n) / 6, and the product of its diagonal; backward an inverse, 2n^3."""
    n = same(x.shape[-1], x.shape[-2])
    count = prod(x.shape[:-2])
    flops = (4 * n * n * n - 3 * n * n - n) // 6 + n - 1
    return give(x.shape[:-2], vector=count * flops, backward={0: 2 * x.size * n}, keeps=(Keep(0), Keep(~0)))


@op("TopK", fixed_inputs=(1,))
def top_k(x: Tensor, k: Tensor, *, axis: int = -1, system: System) -> Cost:
    """A comparison per element (a selection's lower bound); backward scatters."""
    place = axis_of(axis, x.rank)
    known = k.known()
    count: Dim = known[0] if known else system.fresh("k", kind="data")
    out = (*x.shape[:place], smaller(count, x.shape[place]), *x.shape[place + 1 :])
    indices = Out(out, "int64", limit=x.shape[place])
    return give(Out(out), indices, vector=x.size, backward={0: prod(out)}, keeps=(Keep(~1),))
