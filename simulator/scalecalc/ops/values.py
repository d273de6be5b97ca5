"""Contents of small tensors under elementwise operators: the arithmetic by which graphs compute shapes.

Entries are numbers or dimensions; None stands for an entry nobody knows.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from scalecalc.dims import (
    Dim,
    Poly,
    divide,
    hint_of,
    is_family,
    is_nonnegative,
    is_positive,
    larger,
    smaller,
    split_evenly,
)
from scalecalc.errors import ShapeError
from scalecalc.ops.registry import MAX_VALUES, Shape, Tensor

MOST_TERMS, MOST_FACTORS, BIGGEST = 256, 32, 2**64
"""Larger contents are no dimension of anything: they are forgotten, so that no chain of products grows without end."""


def _div(a: Any, b: Any) -> Any:
    """The quotient of integers, toward zero as ONNX defines it."""
    exact = divide(a, b)
    if exact is not None or not b:
        return exact
    if isinstance(b, int) and b < 0:
        return -_div(a, -b)
    if is_nonnegative(-a):
        return -(-a // b)
    if isinstance(a, Poly) and isinstance(b, int) and is_family(a) and hint_of(a) % b == 0:
        return split_evenly(a, b, key=a)[0]
    return a // b


def _true_div(a: Any, b: Any) -> Any:
    """The quotient of floats, whose whole values stay exact."""
    if isinstance(a, int | Poly) and isinstance(b, int | Poly) and (exact := divide(a, b)) is not None:
        return exact
    return a / b if b else None


def _max(a: Any, b: Any) -> Any:
    return larger(*_regular_first(a, b)) if isinstance(a, Poly) or isinstance(b, Poly) else max(a, b)


def _min(a: Any, b: Any) -> Any:
    return smaller(*_regular_first(a, b), bounds=False) if isinstance(a, Poly) or isinstance(b, Poly) else min(a, b)


def _regular_first(a: Any, b: Any) -> tuple[Any, Any]:
    """The operand a formula goes on with where sizes decide: the dimension, not the number it is clipped to."""
    return (a, b) if isinstance(a, Poly) else (b, a)


def _compare(sure: Callable[[Dim], bool | None]) -> Callable[[Any, Any], Any]:
    def decide(a: Any, b: Any) -> Any:
        return sure(a - b)

    return decide


def _positive(d: Any) -> bool | None:
    """Whether d > 0, None where the symbols do not decide it."""
    if not isinstance(d, Poly):
        return bool(d > 0)
    if is_positive(d):
        return True
    return False if is_nonnegative(-d) else None


def _negation(x: bool | None) -> bool | None:
    return None if x is None else not x


def _zero(d: Any) -> bool | None:
    up, down = _positive(d), _positive(-d)
    return False if up or down else True if up is False and down is False else None


VALUES: dict[str, Callable[..., Any]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": _div,
    "TrueDiv": _true_div,
    "Mod": lambda a, b: a % b if isinstance(a, int | Poly) and isinstance(b, int | Poly) and b != 0 else None,
    "Max": _max,
    "Min": _min,
    "Neg": operator.neg,
    "Floor": lambda a: a if isinstance(a, int | Poly) else a // 1,
    "Ceil": lambda a: a if isinstance(a, int | Poly) else -(-a // 1),
    "Abs": lambda a: a if isinstance(a, Poly) else abs(a),
    "Sqrt": lambda a: a**0.5 if isinstance(a, int | float) and a >= 0 else None,
    "Equal": _compare(_zero),
    "Greater": _compare(_positive),
    "Less": _compare(lambda d: _positive(-d)),
    "LessOrEqual": _compare(lambda d: _negation(_positive(d))),
    "GreaterOrEqual": _compare(lambda d: _negation(_positive(-d))),
    "And": lambda a, b: bool(a and b),
    "Or": lambda a, b: bool(a or b),
    "Not": lambda a: not a,
}
"""What an operator makes of entries, by its name; TrueDiv is Div of floats."""


def apply(function: Callable[..., Any] | None, out: Shape, *operands: Tensor) -> tuple[Any, ...] | None:
    """Entries of a small result whose operands' entries are known: rank at most 1, None where one is not."""
    if function is None or len(out) > 1 or any(t.value is None for t in operands):
        return None
    count = out[0] if out else 1
    if not isinstance(count, int) or count > MAX_VALUES:
        return None
    columns = [list(t.value or ()) * (count if len(t.value or ()) == 1 else 1) for t in operands]
    if any(len(column) != count for column in columns):
        return None
    return tuple(None if None in row else _safely(function, row) for row in zip(*columns, strict=True))


def _safely(function: Callable[..., Any], row: tuple[Any, ...]) -> Any:
    try:
        result = function(*row)
    except (ArithmeticError, TypeError, ShapeError):  # a float beside a symbol: no value, the shapes remain
        return None
    terms = result.terms if isinstance(result, Poly) else {(): result} if isinstance(result, int) else {}
    small = len(terms) <= MOST_TERMS and all(len(t) <= MOST_FACTORS and abs(c) <= BIGGEST for t, c in terms.items())
    return result if small else None


def cast_values(x: Tensor, to: str) -> tuple[Any, ...] | None:
    """Entries in another type: floats cut to integers, numbers to whether they are not 0."""
    if x.value is not None and to == "bool":
        return tuple(None if v is None else _negation(_zero(v)) for v in x.value)
    if x.value is None or not to.startswith(("int", "uint")):
        return x.value
    return tuple(
        int(v) if isinstance(v, bool) or (isinstance(v, float) and v == v and abs(v) < 2**63) else v for v in x.value
    )
