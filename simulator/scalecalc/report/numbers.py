"""Numbers for people: counts exact, costs to four digits, always with a unit."""

from __future__ import annotations

from collections.abc import Iterable

from scalecalc.dims import Poly
from scalecalc.laws.conventions import UNKNOWN

PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def cost(number: float, unit: str) -> str:
    """Four digits with a prefix.

    >>> cost(8178368512, "FLOP"), cost(12, "MAC"), cost(9.374464e21, "FLOP")
    ('8.178 GFLOP', '12 MAC', '9.374e+21 FLOP')
    """
    value = float(number)
    if abs(value) >= 1e21:
        return f"{value:.3e} {unit}"
    for size, prefix in PREFIXES:
        if abs(value) >= size * 0.99995:
            scaled = float(f"{value / size:.4g}")
            digits = max(0, 3 - len(str(int(abs(scaled)))) + 1)
            text = f"{scaled:.{digits}f}"
            return f"{text.rstrip('0').rstrip('.') if size == 1 else text} {prefix}{unit}"
    return f"{value:.4g} {unit}"


def size(number: float) -> str:
    """Bytes, in powers of 1000.

    >>> size(408487552)
    '408.5 MB'
    """
    return cost(number, "B")


def count(number: float) -> str:
    """An exact count with separators; a quotient rounded down, as nobody sees a part of a sample.

    >>> count(34826), count(70144014.3)
    ('34,826', '70,144,014')
    """
    return scientific(float(number), 3) if number >= 1e12 and not isinstance(number, int) else f"{int(number):,}"


def scientific(number: float, digits: int = 2) -> str:
    """Digits behind the point, and an exponent without padding.

    >>> scientific(1e15)
    '1.00e15'
    """
    mantissa, exponent = f"{number:.{digits}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def dims(shape: Iterable[object] | None) -> str:
    """A shape as text, sums in brackets.

    >>> dims(("batch", 3, 224))
    'batch x 3 x 224'
    """
    if shape is None:
        return "?"
    factors = (f"({dim})" if isinstance(dim, Poly) and len(dim.terms) > 1 else str(dim) for dim in shape)
    return " x ".join(factors) or "scalar"


def percent(part: float) -> str:
    """A share: 5.5 %, below .1 % more digits."""
    return f"{100 * part:.1f} %" if part >= 0.001 or not part else f"{100 * part:.2g} %"


def unit(name: str) -> str:
    """The unit behind a performance, nothing where there is none or nobody knows it.

    >>> unit("nat/token"), unit("1"), unit("unknown")
    (' nat/token', '', '')
    """
    return "" if name in ("", "1", UNKNOWN) else f" {name}"
