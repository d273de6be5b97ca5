"""Matrix products: the contractions that make most of a network's FLOPs."""

from __future__ import annotations

from scalecalc.dims import Dim, broadcast, broadcast_shapes, prod, same
from scalecalc.errors import ShapeError
from scalecalc.ops.dtypes import itemsize
from scalecalc.ops.registry import Contraction, Cost, Inner, Keep, Shape, Tensor, give, inner, op


def bias(out: Shape, b: Tensor | None) -> tuple[Dim, dict[int, Dim]]:
    """(vector FLOPs, backward): adding a bias to every output, and summing its gradient."""
    return (prod(out), {b.index: prod(out)}) if b is not None else (0, {})


@op("MatMul")
def matmul(a: Tensor, b: Tensor) -> Cost:
    """For every output element one dot product over the shared axis."""
    if not a.rank or not b.rank:
        raise ShapeError("MatMul of a scalar")
    shared = same(a.shape[-1], b.shape[-1] if b.rank == 1 else b.shape[-2])
    rows = a.shape[-2:-1]
    columns = b.shape[-1:] if b.rank > 1 else ()
    out = (*broadcast_shapes(a.shape[:-2], b.shape[:-2]), *rows, *columns)
    return give(out, contraction=(prod(out) * shared, a, b))


@op("Gemm")
def gemm(
    a: Tensor, b: Tensor, c: Tensor | None = None,
    *, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0,
) -> Cost:  # fmt: skip
    """alpha * A' B' + beta * C: one dot product per output element; C is broadcast to the output."""
    m, k = a.shape[::-1] if transA else a.shape
    k2, n = b.shape[::-1] if transB else b.shape
    shared = same(k, k2)
    out = (m, n)
    if c is not None:
        for dim, axis in zip(reversed(c.shape), reversed(out), strict=False):
            broadcast(axis, dim)
    vector, backward = bias(out, c)
    return give(out, contraction=(m * n * shared, a, b), vector=vector, backward=backward)


Indices = dict[str, Dim]
"""The sizes of the indices of an einsum operand; the axes of an ellipsis are numbered from the right."""


@op("Einsum")
def einsum(*operands: Tensor, equation: str) -> Cost:
    """One multiply-accumulate for every combination of the index values of two operands; more from left to right.

    Where two operands are multiplied and nothing is summed, it is a product entry by entry: vector FLOPs.
    That is how torch.einsum goes without a path optimiser: an index of one operand that nothing behind needs is summed
    before (vector FLOPs), and what two operands make is an operand of the next.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ShapeError(f"einsum '{equation}' of {len(operands)} operands")
    indices = [_indices(term, x) for term, x in zip(terms, operands, strict=True)]
    sizes = _joined(*indices)
    if not arrow:
        right = ("..." if "..." in left else "") + "".join(sorted(x for x in sizes if left.count(x) == 1))
    named = _spelled(right, len(right.replace("...", "")) + sum(index.isdigit() for index in sizes))
    vector: Dim = 0
    backward: dict[int, Dim] = {}
    keeps: list[Keep] = []
    contractions: list[Contraction] = []
    made = indices[0]
    operand: Tensor | Inner = operands[0]
    for place, (own, x) in enumerate(zip(indices[1:], operands[1:], strict=True), 2):
        later = {*named, *(index for others in indices[place:] for index in others)}
        for mine, other in ((made, own), (own, made)):
            if alone := mine.keys() - other.keys() - later:
                vector += prod(mine.values())
                for index in alone:
                    del mine[index]
        joined = _joined(made, own)
        if joined.keys() <= later:  # nothing is summed: a product entry by entry
            vector += prod(joined.values())
            for slot in (*operand.slots, x.index):
                backward[slot] = backward.get(slot, 0) + prod(joined.values())
            keeps += [Keep(x.index, when=slot) for slot in operand.slots]
            keeps.append(operand.keep._replace(when=x.index))
        else:
            contractions.append((prod(joined.values()), operand, x))
        made = {index: dim for index, dim in joined.items() if index in later}
        operand = inner(operand, x, keep=Keep(bytes=prod(made.values()) * itemsize(x.dtype)))
    if len(operands) == 1 and len(sizes) > len(named):
        vector = prod(sizes.values())
    out = tuple(sizes[index] for index in named)
    return give(out, contractions=contractions, vector=vector, backward=backward, keeps=keeps)


def _spelled(term: str, rank: int) -> list[str]:
    """The indices of a term, one for each axis."""
    before, dots, behind = term.partition("...")
    hidden = rank - len(before) - len(behind)
    if hidden < 0 or (hidden and not dots):
        raise ShapeError(f"einsum term '{term}' for {rank} axes")
    return [*before, *map(str, reversed(range(hidden))), *behind]


def _indices(term: str, x: Tensor) -> Indices:
    sizes: Indices = {}
    for index, dim in zip(_spelled(term, x.rank), x.shape, strict=True):
        sizes[index] = same(sizes.get(index, dim), dim)
    return sizes


def _joined(*operands: Indices) -> Indices:
    """The sizes of all indices: axes of an ellipsis broadcast, named ones are equal."""
    sizes: Indices = {}
    for operand in operands:
        for index, dim in operand.items():
            meet = broadcast if index.isdigit() else same
            sizes[index] = meet(sizes.get(index, dim), dim)
    return sizes
