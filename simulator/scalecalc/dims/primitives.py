"""What a rule may say about dimensions. No rule compares a dimension with `==` or turns it into a number itself.

Each primitive takes ints, symbols, or polynomials of them, and raises ShapeError where what it states cannot hold.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from scalecalc.dims.atoms import FAMILY
from scalecalc.dims.bounds import is_nonnegative
from scalecalc.dims.poly import Dim, Poly, divide, prod, total
from scalecalc.dims.regroup import align
from scalecalc.dims.system import System
from scalecalc.dims.values import hint_of, is_family, symbols_of
from scalecalc.errors import ShapeError


def system_of(*dims: Dim) -> System | None:
    """The system the symbols among the dimensions belong to, None if all are numbers."""
    for dim in dims:
        if isinstance(dim, Poly):
            return dim.system
    return None


def same(a: Dim, b: Dim) -> Dim:
    """State that two dimensions are equal.

    >>> same(3, 3)
    3
    """
    if isinstance(a, Poly):
        return a.system.equate(a, b)
    if isinstance(b, Poly):
        return b.system.equate(a, b)
    if a != b:
        raise ShapeError(f"{a} must equal {b}")
    return a


def broadcast(a: Dim, b: Dim) -> Dim:
    """The dimension of an elementwise result: 1 yields; two unknowns are assumed equal, and that is recorded."""
    if isinstance(a, int) and a == 1:
        return b
    if (isinstance(b, int) and b == 1) or a == b:
        return a
    system = system_of(a, b)
    if system is None:
        raise ShapeError(f"{a} does not broadcast with {b}")
    a, b = system.resolve(a), system.resolve(b)
    result = system.equate(a, b)
    if a != b and not (is_family(a) and is_family(b)):
        system.assume(a, b)
    return result


def broadcast_shapes(*shapes: Sequence[Dim]) -> tuple[Dim, ...]:
    """Elementwise result shape, axes aligned at the end.

    >>> broadcast_shapes((8, 1, 3), (5, 1), ())
    (8, 5, 3)
    """
    result: list[Dim] = [1] * max(map(len, shapes), default=0)
    for shape in shapes:
        for axis, dim in enumerate(shape, len(result) - len(shape)):
            if (before := result[axis]) is not dim:
                result[axis] = broadcast(before, dim)
    return tuple(result)


def fixed(dim: Dim) -> int:
    """The number a rule cannot do without (a kernel, an axis); in a family the symbol is pinned to the file's."""
    if isinstance(dim, int):
        return dim
    dim = dim.system.resolve(dim)
    if isinstance(dim, int):
        return dim
    symbols = symbols_of(dim)
    if any(dim.system.info(atom).kind != FAMILY for atom in symbols):
        raise ShapeError(f"{dim} must be a number here")
    number = hint_of(dim)
    dim.system.equate(dim, number)
    return number


def bound(dim: Dim, most: Dim) -> Dim:
    """State that a dimension is at most `most`.

    >>> bound(7, 1024)
    7
    """
    if (system := system_of(dim, most)) is not None:
        system.limit(dim, most)
    elif dim > most:  # type: ignore[operator]
        raise ShapeError(f"{dim} is more than {most}")
    return dim


def smaller(regular: Dim, other: Dim, *, bounds: bool = True) -> Dim:
    """min(regular, other): where the sign is uncertain `regular`, and the condition is recorded.

    `bounds` says that the file gives no other meaning to a larger size, so that a symbol is bounded by it.

    >>> smaller(5, 3)
    3
    """
    system = system_of(regular, other)
    if isinstance(regular, int) and isinstance(other, int):
        return min(regular, other)
    assert system is not None
    if regular == other or is_nonnegative(other - regular):
        return regular
    if is_nonnegative(regular - other):
        return other
    if bounds:
        system.limit(regular, other)
    else:
        system.require(regular, "<=", other)
    return regular


def larger(regular: Dim, other: Dim) -> Dim:
    """max(regular, other): where the sign is uncertain `regular`, and the condition is recorded."""
    system = system_of(regular, other)
    if isinstance(regular, int) and isinstance(other, int):
        return max(regular, other)
    assert system is not None
    if is_nonnegative(other - regular):
        return other
    if not is_nonnegative(regular - other):
        system.require(other, "<=", regular)
    return regular


def either(a: Dim, b: Dim, system: System, key: int = 0) -> Dim:
    """The dimension of a value made one way or another: theirs where they are equal, else a symbol of its own."""
    if system.resolve(a) == system.resolve(b):
        return a
    return system.fresh("either", kind="data", key=key)


def exact_quotient(a: Dim, b: Dim) -> Dim:
    """a / b for a count that must divide: a condition is recorded where the symbols do not show that it does."""
    quotient = divide(a, b)
    if quotient is not None:
        return quotient
    system = system_of(a, b)
    if system is None:
        raise ShapeError(f"{a} is not a multiple of {b}")
    system.require(a, "%", b)
    return a // b


def split_evenly(dim: Dim, parts: int, *, key: Hashable = 0) -> tuple[Dim, ...]:
    """Equal parts; the last one is smaller where a number does not divide.

    >>> split_evenly(7, 3)
    (3, 3, 1)
    """
    if isinstance(dim, int):
        size = -(-dim // parts)
        sizes: list[Dim] = [max(0, min(size, dim - size * i)) for i in range(parts)]
        return tuple(sizes)
    part = divide(dim, parts)
    if part is None and is_family(dim) and hint_of(dim) % parts == 0:
        part = dim.system.fresh("part", hint=hint_of(dim) // parts, key=key)
        dim.system.equate(dim, parts * part)
    return (exact_quotient(dim, parts) if part is None else part,) * parts


def split_parts(dim: Dim, sizes: Sequence[Dim]) -> tuple[Dim, ...]:
    """Parts of the stated sizes, which the file writes as numbers even where the dimension is a family's."""
    system = system_of(dim, *sizes)
    if system is None or not is_family(dim):
        same(dim, total((1, size) for size in sizes))
        return tuple(sizes)
    if hint_of(dim) != sum(map(hint_of, sizes)):
        raise ShapeError(f"parts {', '.join(map(str, sizes))} of {hint_of(dim)}")
    if len(set(sizes)) == 1:
        return split_evenly(dim, len(sizes))
    parts = tuple(
        system.fresh("part", hint=size, key=i) if isinstance(size, int) and size > 1 else size
        for i, size in enumerate(sizes)
    )
    same(dim, total((1, part) for part in parts))
    return parts


def regroup(dims: Sequence[Dim], target: Sequence[Dim], *, key: Hashable = 0) -> tuple[Dim, ...]:
    """Shape after a Reshape: `target` may hold one -1 (the rest). Zeros are replaced by the caller.

    In a family the file's numbers in `target` are absorbed: aligned with the dimensions by their hints, so
    that 768 becomes the symbol it stands for, in this use alone. `key` tells several uses in one node apart.

    >>> regroup((2, 6, 768), (-1, 12, 64))
    (12, 12, 64)
    """
    system = system_of(*dims, *target)
    dims = [system.resolve(dim) for dim in dims] if system else list(dims)
    target = [system.resolve(dim) for dim in target] if system else list(target)
    unknown = [axis for axis, dim in enumerate(target) if isinstance(dim, int) and dim == -1]
    if len(unknown) > 1:
        raise ShapeError("more than one -1 in a shape")
    if system is not None and any(is_family(dim) for dim in dims):
        aligned = align(system, dims, target, key)
        if aligned is not None:
            return aligned
    if not unknown:
        same(prod(dims), prod(target))
        return tuple(target)
    (axis,) = unknown
    rest = prod(dim for i, dim in enumerate(target) if i != axis)
    if isinstance(rest, int) and rest == 0:
        raise ShapeError("cannot infer -1 beside a 0")
    return (*target[:axis], exact_quotient(prod(dims), rest), *target[axis + 1 :])
