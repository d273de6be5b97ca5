"""Contents of small tensors under elementwise operators: the arithmetic by which graphs compute shapes.

Entries are numbers or dimensions; None stands for an entry nobody knows.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from scalecalc.dims import (
    Dim,
    Poly,
    Ratio,
    divide,
    hint_of,
    is_family,
    is_nonnegative,
    is_positive,
    larger,
    ratio,
    smaller,
    split_evenly,
)
from scalecalc.errors import ShapeError, UndeterminedError
from scalecalc.ops.registry import MAX_VALUES, Shape, Tensor

MOST_TERMS, MOST_FACTORS, BIGGEST = 256, 32, 2**64
"""Larger contents are no dimension of anything: they are forgotten, so that no chain of products grows without end."""


SIMPLE = 1000
"""Scales are stored as float32: the simplest fraction up to this denominator that is stored so is what was meant."""


def fraction(value: Any) -> Fraction:
    """A number of the file as it was meant.

    >>> fraction(1.5), fraction(0.3333333432674408)
    (Fraction(3, 2), Fraction(1, 3))

    Raises:
        UndeterminedError: it is no number but a size.
    """
    if isinstance(value, Poly):
        raise UndeterminedError(f"a scale of {value}")
    exact = Fraction(value)
    meant = exact.limit_denominator(SIMPLE)
    return meant if struct.pack("f", float(meant)) == struct.pack("f", value) else exact


def _parts(a: Any) -> tuple[Dim, Dim]:
    """(numerator, denominator)."""
    if isinstance(a, int | Poly):
        return a, 1
    return (a.num, a.den) if isinstance(a, Ratio) else fraction(a).as_integer_ratio()


def _mul(a: Any, b: Any) -> Any:
    """The product; of a dimension and a float the fraction that a later rounding makes a dimension."""
    pair = (a, b)
    if all(isinstance(x, int | Poly) for x in pair) or not any(isinstance(x, Poly | Ratio) for x in pair):
        return a * b
    (num, den), (num_b, den_b) = _parts(a), _parts(b)
    return ratio(num * num_b, den * den_b)


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
    if not any(isinstance(x, Poly | Ratio) for x in (a, b)):
        return a / b if b else None
    (num, den), (num_b, den_b) = _parts(a), _parts(b)
    return ratio(num * den_b, den * num_b)


def _floor(a: Any) -> Any:
    return a.num // a.den if isinstance(a, Ratio) else a if isinstance(a, int | Poly) else a // 1


def _ceil(a: Any) -> Any:
    return (a.num + (a.den - 1)) // a.den if isinstance(a, Ratio) else a if isinstance(a, int | Poly) else -(-a // 1)


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
    "Mul": _mul,
    "Div": _div,
    "TrueDiv": _true_div,
    "Mod": lambda a, b: a % b if isinstance(a, int | Poly) and isinstance(b, int | Poly) and b != 0 else None,
    "Max": _max,
    "Min": _min,
    "Neg": operator.neg,
    "Floor": _floor,
    "Ceil": _ceil,
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
    if isinstance(result, Ratio):
        return result if _safely(_div, (result.num, 1)) is not None else None
    terms = result.terms if isinstance(result, Poly) else {(): result} if isinstance(result, int) else {}
    small = len(terms) <= MOST_TERMS and all(len(t) <= MOST_FACTORS and abs(c) <= BIGGEST for t, c in terms.items())
    return result if small else None


def cast_values(x: Tensor, to: str) -> tuple[Any, ...] | None:
    """Entries in another type: floats cut to integers, numbers to whether they are not 0."""
    if x.value is not None and to == "bool":
        return tuple(None if v is None or isinstance(v, Ratio) else _negation(_zero(v)) for v in x.value)
    if x.value is None or not to.startswith(("int", "uint")):
        return x.value
    return tuple(_whole(v) for v in x.value)


def _whole(v: Any) -> Any:
    """An entry without its fraction; one of dimensions is not negative."""
    if isinstance(v, Ratio):
        return _safely(_floor, (v,))
    return int(v) if isinstance(v, bool) or (isinstance(v, float) and v == v and abs(v) < 2**63) else v
