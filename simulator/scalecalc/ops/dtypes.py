"""Element types in numpy's spelling: which are floats, and what they take in memory."""

from __future__ import annotations

import re
from functools import cache

from scalecalc.dims import Dim

FLOATS = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "complex64": 8, "complex128": 16}


@cache
def is_float(dtype: str) -> bool:
    """Whether a dtype is a floating-point one."""
    return dtype in FLOATS or dtype.startswith("float")


@cache
def itemsize(dtype: str) -> int:
    """Bytes of one element in memory; types below a byte count as one."""
    return max(1, bits_of(dtype) // 8)


@cache
def bits_of(dtype: str) -> int:
    """Bits of one element."""
    if dtype in FLOATS:
        return 8 * FLOATS[dtype]
    bits = re.search(r"\d+", dtype)
    return int(bits[0]) if bits else 8


def bytes_of(size: Dim, dtype: str) -> Dim:
    """What that many elements take in memory, types below a byte packed."""
    bits = bits_of(dtype)
    return size * (bits // 8) if bits % 8 == 0 else (size * bits + 7) // 8
