"""What a rule may say about dimensions. No rule compares a dimension with `==` or turns it into a number itself.

Each primitive takes ints, symbols, or polynomials of them, and raises ShapeError where what it states cannot hold.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from scalecalc.dims.atoms import FAMILY
from scalecalc.dims.bounds import is_nonnegative, is_positive
from scalecalc.dims.poly import Dim, Poly, divide, prod, total
from scalecalc.dims.regroup import align
from scalecalc.dims.system import System
from scalecalc.dims.values import hint_of, is_family, symbols_of
from scalecalc.errors import ShapeError, UndeterminedError

INFINITE = 2**31 - 1
"""Slices write "to the end" as some number of at least this."""


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
    if (system := system_of(a, b)) is not None:
        return system.equate(a, b)
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
        offset = len(result) - len(shape)
        for axis, dim in enumerate(shape):
            result[offset + axis] = broadcast(result[offset + axis], dim)
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


def span(dim: Dim, start: Dim, stop: Dim, step: int = 1, *, key: Hashable = 0) -> Dim:
    """How many entries the slice start:stop:step of an axis takes, by Python's rules for negative numbers.

    `key` tells the axes of one node apart.

    >>> span(10, 2, 2**63 - 1), span(10, -3, 10), span(10, 9, -(2**63), -2)
    (8, 3, 5)
    """
    system = system_of(dim, start, stop)
    if system is None:
        return len(range(int_(dim))[int_(start) : int_(stop) : step])
    if step < 0:
        if (
            isinstance(start, int)
            and (start >= INFINITE or start == -1)
            and isinstance(stop, int)
            and stop <= -INFINITE
        ):
            return (dim + (-step - 1)) // -step
        raise UndeterminedError(f"slice {start}:{stop}:{step} of {dim}")
    first = larger(smaller(_place(dim, start), dim), 0)
    last = dim if isinstance(stop, int) and stop >= INFINITE else smaller(_place(dim, stop), dim)
    if is_family(dim) and isinstance(first, int) and isinstance(last, int) and hint_of(dim) != last - first:
        return system.fresh("part", hint=last - first, key=key) if last - first > 1 else last - first
    if is_family(dim) and isinstance(last, int) and first == 0:
        return dim
    size = last - first if last == dim else larger(last - first, 0)
    return size if step == 1 else (size + (step - 1)) // step


def _place(dim: Dim, index: Dim) -> Dim:
    if isinstance(index, int):
        return 0 if index <= -INFINITE else dim + index if index < 0 else index
    return dim + index if is_positive(-index) else index


def int_(dim: Dim) -> int:
    """A dimension that is known to be a number."""
    assert isinstance(dim, int)
    return dim


def windows(
    size: Sequence[Dim],
    kernel: Sequence[int],
    strides: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    auto_pad: str = "NOTSET",
    *,
    ceil_mode: int = 0,
) -> tuple[Dim, ...]:
    """How many windows fit along each axis (convolutions and pooling; ONNX's formulas).

    >>> windows((224, 224), (7, 7), (2, 2), (3, 3, 3, 3))
    (112, 112)
    >>> windows((7,), (2,), (2,), ceil_mode=1)
    (4,)
    """
    rank = len(kernel)
    if len(size) != rank:
        raise ShapeError(f"a kernel of {rank} axes on {len(size)} spatial axes")
    strides, dilations = strides or (1,) * rank, dilations or (1,) * rank
    pads = pads or (0,) * (2 * rank)
    if (len(strides), len(dilations), len(pads)) != (rank, rank, 2 * rank):
        raise ShapeError(f"strides, dilations or pads of another rank than the kernel's {rank}")
    if min((*kernel, *strides, *dilations), default=1) < 1:
        raise ShapeError("a kernel, stride or dilation below 1")
    result = []
    for axis, (dim, stride) in enumerate(zip(size, strides, strict=True)):
        reach = dilations[axis] * (kernel[axis] - 1) + 1
        if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            out = (dim + (stride - 1)) // stride
        else:
            start, end = (0, 0) if auto_pad == "VALID" else (pads[axis], pads[axis + rank])
            room = end - reach
            if ceil_mode:  # the last window may stick out, but not start in the padding behind
                room = min(room + stride - 1, -1)
            out = (dim + (start + room)) // stride + 1
        if isinstance(out, int) and out < 1:
            raise ShapeError(f"a window of {reach} does not fit into {dim} with padding")
        result.append(larger(out, 1))
    return tuple(result)


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
