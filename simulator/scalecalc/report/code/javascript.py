"""An ES module: a function per quantity that takes an object of sizes, numbers or BigInts, and returns a BigInt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from scalecalc.expressions.printing import ATOM, SIGN, TEXT, Printed, Style
from scalecalc.report.code.listing import Formula, Listing
from scalecalc.report.code.program import Program, function, program

WORDS = """
    arguments async await break case catch class const continue debugger default delete do else enum eval export
    extends false finally for function if implements import in instanceof interface let new null of package private
    protected public return static super switch this throw true try typeof undefined var void while with yield
    Infinity NaN BigInt Number Object RangeError TypeError String
"""
RESERVED = frozenset(WORDS.split())

SIZE = """
function size_(name, value) {
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw new RangeError(`${name} = ${value} is no whole number that is exact: give a BigInt`);
  if (typeof value !== "number" && typeof value !== "bigint")
    throw new TypeError(`${name} must be a number or a BigInt`);
  if (value < 1) throw new RangeError(`${name} = ${value} is no size: sizes are 1 or more`);
  return BigInt(value);
}
"""
FLOOR = """
function floor_(a, b) {
  return a / b - (a % b < 0n ? 1n : 0n);
}
"""


def write(listing: Listing) -> str:
    """The module."""
    source = program(listing, _style, RESERVED)
    parts = [_function(source, formula) for formula in listing.formulas]
    body = "".join("\n" + "\n".join(part) + "\n" for part in parts)
    helpers = "".join(text for name, text in (("size_", SIZE), ("floor_", FLOOR)) if f"{name}(" in body)
    return "\n".join(f"// {line}" for line in source.remarks()) + "\n" + helpers + body


def _style(names: dict[str, str]) -> Style:
    return replace(TEXT, name=names.__getitem__, number=lambda value: (f"{value}n", ATOM), binary=_binary)


def _binary(sign: str, left: Printed, right: Printed) -> Printed:
    if sign == "//":  # divisors are above 0
        return f"floor_({left[0]}, {right[0]})", ATOM
    text, level = TEXT.binary(sign, left, right)
    return text, SIGN - 1 if sign == "**" else level  # -x**2n is no JavaScript


def _function(source: Program, formula: Formula) -> Iterator[str]:
    name, arguments = function(formula.path), source.arguments(formula)
    words = source.words(formula)
    holds = f" Holds for {', '.join(words)}; throws a RangeError elsewhere." if words else ""
    yield f"/** {source.about(formula)}.{holds} */"
    takes = f"{{ {', '.join(arguments)} }}" if arguments else ""
    yield f"export function {name}({takes}) {{"
    for argument in arguments:
        yield f'  {argument} = size_("{argument}", {argument});'
    at = ", ".join(f"{argument} = ${{{argument}}}" for argument in arguments)
    for requirement, text in zip(formula.requirements, words, strict=True):
        yield f"  if (!({source.text(requirement).replace(' == ', ' === ')}))"
        yield f"    throw new RangeError(`{name} holds for {text}, not for {at}`);"
    for variable, text in source.variables(formula):
        yield f"  const {variable} = {text};"
    yield f"  return {source.text(formula.tree)};"
    yield "}"
