"""How many entries a slice takes of an axis, and how many windows fit on it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from scalecalc.dims.bounds import is_positive
from scalecalc.dims.poly import Dim
from scalecalc.dims.primitives import larger, smaller, system_of
from scalecalc.dims.values import hint_of, is_family
from scalecalc.errors import ShapeError, UndeterminedError

INFINITE = 2**31 - 1
"""Slices write "to the end" as some number of at least this."""


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
