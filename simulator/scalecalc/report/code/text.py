"""For people: name, unit and formula in columns, then what the names mean and what the formulas hold for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from scalecalc.errors import one_line
from scalecalc.expressions import Expr
from scalecalc.expressions.printing import ATOM, TEXT, Printed, render
from scalecalc.report.code.listing import Listing
from scalecalc.walk import SymbolInfo

LABEL = 12


def write(listing: Listing) -> str:
    """The page."""
    lines = [listing.title, ""]
    rows = [
        (formula.path, formula.unit, ("at least " if formula.lower_bound else "") + expression(formula.tree))
        for formula in listing.formulas
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    lines += [f"{path:{widths[0]}}  {unit:{widths[1]}}  {formula}" for path, unit, formula in rows]
    lines += _block("where", [f"{name} = {expression(meaning)}" for name, meaning in listing.variables.items()])
    lines += _block("set", [f"{name} = {size:,}" for name, size in listing.given.items()])
    lines += _block("symbols", [_symbol(symbol) for symbol in listing.symbols])
    needed = [f"{expression(r.left)} {r.sign} {expression(r.right)}" for r in listing.requirements]
    lines += _block("holds for", [*needed, *listing.fixed])
    lines += _block("assumed", listing.assumed)
    return "\n".join(map(_visible, lines)) + "\n"


def expression(tree: Expr) -> str:
    """A formula whose floors are called that."""
    return render(tree, STYLE)


def _binary(sign: str, left: Printed, right: Printed) -> Printed:
    return (f"floor({TEXT.binary('/', left, right)[0]})", ATOM) if sign == "//" else TEXT.binary(sign, left, right)


STYLE = replace(TEXT, binary=_binary)


def _symbol(symbol: SymbolInfo) -> str:
    usual = f"{symbol.hint:,} unless set" if symbol.hint is not None and symbol.declared else ""
    words = [symbol.kind, *([usual + (f" = {symbol.tie}" if symbol.tie else "")] if usual else [])]
    words += [f"at most {symbol.bound}"] if symbol.bound is not None else []
    words += [f"the file's {', '.join(symbol.aliases[:5])}"] if symbol.aliases else []
    return f"{symbol.name}: {', '.join(words)}"


def _block(label: str, lines: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield ""
        yield f"{label if number == 0 else '':{LABEL}}{one_line(line)}"


def _visible(line: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in line)
