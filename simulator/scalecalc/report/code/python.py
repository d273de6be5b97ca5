"""A Python module: a function per quantity, sizes as keyword arguments, ints in and out."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterator
from dataclasses import replace

from scalecalc.expressions.printing import TEXT
from scalecalc.report.code.listing import Formula, Listing
from scalecalc.report.code.program import Program, function, program

RESERVED = frozenset((*keyword.kwlist, *dir(builtins)))

CHECK = """
def _size(name, value):
    value = index(value)
    if value < 1:
        raise ValueError(f"{name} = {value} is no size: sizes are 1 or more")
    return value
"""


def write(listing: Listing) -> str:
    """The module."""
    source = program(listing, lambda names: replace(TEXT, name=names.__getitem__), RESERVED)
    first, *others = map(_quoted, source.remarks())
    lines = [f'"""{first}', "", *others, '"""'] if others else [f'"""{first}"""']
    if listing.symbols:
        lines += ["", "from operator import index", "", *CHECK.splitlines()]
    for formula in listing.formulas:
        lines += ["", "", *_function(source, formula)]
    return "\n".join(lines) + "\n"


def _function(source: Program, formula: Formula) -> Iterator[str]:
    name, arguments = function(formula.path), source.arguments(formula)
    takes = f"*, {', '.join(f'{argument}: int' for argument in arguments)}" if arguments else ""
    yield f"def {name}({takes}) -> int:"
    words = source.words(formula)
    holds = [f"    Holds for {', '.join(words)}; raises ValueError elsewhere."] if words else []
    yield f'    """{source.about(formula)}.' + ("" if holds else '"""')
    yield from (["", *holds, '    """'] if holds else [])
    for argument in arguments:
        yield f'    {argument} = _size("{argument}", {argument})'
    at = ", ".join(f"{argument} = {{{argument}}}" for argument in arguments)
    for requirement, text in zip(formula.requirements, words, strict=True):
        yield f"    if not {source.text(requirement)}:"
        yield f'        raise ValueError(f"{name} holds for {text}, not for {at}")'
    for variable, text in source.variables(formula):
        yield f"    {variable} = {text}"
    yield f"    return {source.text(formula.tree)}"


def _quoted(line: str) -> str:
    """A line that cannot end a docstring or escape in it."""
    return line.replace("\\", "/").replace('"', "'")
