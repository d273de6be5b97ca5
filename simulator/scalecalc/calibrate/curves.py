"""Learning curves as laws of one variable: how the forms the field compares are written here.

Alabdulmohsin, Neyshabur and Zhai 2022 (arXiv:2209.06640) name M1 to M3; Caballero et al. 2023 (arXiv:2210.14891) BNSL.
"""

from __future__ import annotations

from scalecalc.expressions import Name, parse
from scalecalc.laws import Coefficient, Law, Metric, Scope, Source, Variable
from scalecalc.laws.conventions import UNKNOWN

ALABDULMOHSIN = Source("Alabdulmohsin, Neyshabur, Zhai: Revisiting Neural Scaling Laws", "arXiv:2209.06640", 2022)
CABALLERO = Source("Caballero, Gupta, Rish, Krueger: Broken Neural Scaling Laws", "arXiv:2210.14891", 2023)
NAMES = ("m1", "m2", "m3", "bnsl")


def curve(name: str, symbol: str = "D", scale: float = 1.0, metric: Metric | None = None) -> Law:
    """A form by name, its coefficients of the order a curve that ends at `scale` has.

    Args:
        name: one of `NAMES`.
        symbol: the variable.
        scale: its largest value; places of bends are looked for around it.
        metric: what is predicted.

    Raises:
        KeyError: there is none of that name.
    """
    bend = 0.1 / scale
    formula, values, source = {
        "m1": ("b*x**-c", {"b": 1.0, "c": 0.3}, ALABDULMOHSIN),
        "m2": ("e + b*x**-c", {"e": 0.1, "b": 1.0, "c": 0.3}, ALABDULMOHSIN),
        "m3": ("b*(1/x + g)**c", {"b": 1.0, "g": bend, "c": 0.3}, ALABDULMOHSIN),
        "bnsl": (
            "a + b*x**-c0*(1 + (x/d)**(1/f))**(-c1*f)",
            {"a": 0.1, "b": 1.0, "c0": 0.3, "c1": 0.3, "d": scale / 10, "f": 0.5}, CABALLERO,
        ),
    }[name]  # fmt: skip
    coefficients = {n: Coefficient(n, value, bounds=(0.0, None)) for n, value in values.items()}
    return Law(
        name, "curve", parse(formula).substitute({"x": Name(symbol)}),
        metric or Metric("loss", UNKNOWN, "lower"), Scope(UNKNOWN, UNKNOWN), source, coefficients,
        variables={symbol: Variable(symbol)},
    )  # fmt: skip
