"""Matrix products: the contractions that make most of a network's FLOPs."""

from __future__ import annotations

from scalecalc.dims import Dim, broadcast, broadcast_shapes, prod, same
from scalecalc.errors import ShapeError, UndeterminedError
from scalecalc.ops.registry import Cost, Shape, Tensor, give, op


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


@op("MatMulInteger")
def matmul_integer(a: Tensor, b: Tensor, a_zero: Tensor | None = None, b_zero: Tensor | None = None) -> Cost:
    """MatMul of 8-bit integers into int32."""
    cost = matmul(a, b)
    cost.outputs[0].dtype = "int32"
    return cost


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


@op("Einsum")
def einsum(*operands: Tensor, equation: str) -> Cost:
    """One multiply-accumulate for every combination of index values of one or two operands."""
    left, _, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ShapeError(f"einsum '{equation}' of {len(operands)} operands")
    if len(operands) > 2:
        raise UndeterminedError("an einsum of several operands costs what its order decides", costs=True)
    sizes: dict[str, Dim] = {}
    batch: Shape = ()
    for term, x in zip(terms, operands, strict=True):
        letters = term.replace("...", "")
        extra = x.rank - len(letters)
        if extra < 0 or (extra and "..." not in term):
            raise ShapeError(f"einsum term '{term}' for {x.rank} axes")
        start = term.index("...") if "..." in term else 0
        if "..." in term:
            batch = broadcast_shapes(batch, x.shape[start : start + extra])
        for letter, dim in zip(letters, (*x.shape[:start], *x.shape[start + extra :]), strict=True):
            sizes[letter] = same(sizes.get(letter, dim), dim)
    if "->" not in equation:
        letters = left.replace(",", "").replace("...", "")
        right = ("..." if "..." in left else "") + "".join(sorted(x for x in sizes if letters.count(x) == 1))
    place = right.index("...") if "..." in right else 0
    named = [sizes[letter] for letter in right.replace("...", "")]
    out = (*named[:place], *(batch if "..." in right else ()), *named[place:])
    work = prod((*batch, *sizes.values()))
    if len(operands) == 1:
        return give(out, vector=work if len(sizes) > len(named) else 0)
    return give(out, contraction=(work, *operands))
