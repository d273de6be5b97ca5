"""Dimensions: ints, or exact integer polynomials over named symbols, and what rules may state about them."""

from scalecalc.dims.atoms import DECLARED, FAMILY, FILE, FRESH, ROLE, Condition, Symbol
from scalecalc.dims.bounds import is_nonnegative, is_positive
from scalecalc.dims.conditions import gathered, simplified
from scalecalc.dims.poly import Dim, Poly, Ratio, divide, prod, ratio, total
from scalecalc.dims.primitives import (
    bound,
    broadcast,
    broadcast_shapes,
    either,
    exact_quotient,
    fixed,
    larger,
    regroup,
    same,
    smaller,
    split_evenly,
    split_parts,
    system_of,
)
from scalecalc.dims.spans import INFINITE, span, windows
from scalecalc.dims.system import System
from scalecalc.dims.transfer import Transfer
from scalecalc.dims.values import evaluate, fulfilled, hint_of, is_family, lone, put_in, symbols_of

__all__ = [
    "DECLARED", "FAMILY", "FILE", "FRESH", "INFINITE", "ROLE", "Condition", "Dim", "Poly", "Ratio", "Symbol",
    "System", "Transfer", "bound", "broadcast", "broadcast_shapes", "divide", "either", "evaluate", "exact_quotient",
    "fixed", "fulfilled", "gathered", "hint_of", "is_family", "is_nonnegative", "is_positive", "larger", "lone", "prod",
    "put_in",
    "ratio", "regroup", "same", "simplified", "smaller", "span", "split_evenly", "split_parts", "symbols_of",
    "system_of", "total", "windows",
]  # fmt: skip
