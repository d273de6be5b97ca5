"""An `align*` environment (amsmath): a line per quantity, variable and condition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from scalecalc.expressions.printing import LATEX
from scalecalc.report.code.listing import Listing
from scalecalc.report.code.program import Program, program

SIGNS = {"<=": r"\le", ">=": r"\ge", "==": "="}
SPECIAL = re.compile(r"([_&%$#{}])")


def write(listing: Listing) -> str:
    """The lines; what they are of stands above in comments."""
    counted = {name: re.sub(r"^([a-z])(\d+)$", r"\1_\2", name) for name in listing.variables}  # h1 is h with an index
    source = program(
        listing,
        lambda names: replace(LATEX, name=lambda name: LATEX.name(names[name])),
        renamed=counted,
        compiled=False,
    )
    comments = "".join(f"% {line}\n" for line in source.remarks())
    return comments + "\\begin{align*}\n" + " \\\\\n".join(_lines(source)) + "\n\\end{align*}\n"


def _lines(source: Program) -> Iterator[str]:
    listing = source.listing
    for formula in listing.formulas:
        sign = r"\ge" if formula.lower_bound else "="
        name, unit = _words(formula.path), _words(formula.unit)
        yield rf"{name} &{sign} {source.text(formula.tree)} \quad {unit}"
    for variable, expression in listing.variables.items():
        yield f"{source.style.name(variable)} &= {source.text(expression)}"
    for requirement in listing.requirements:
        left, right = source.text(requirement.left), source.text(requirement.right)
        yield rf"\text{{for }} {left} &{SIGNS[requirement.sign]} {right}"


def _words(text: str) -> str:
    return "\\text{" + SPECIAL.sub(r"\\\1", text) + "}"
