"""What the programs have in common: identifiers, remarks, and how expressions of integers are spelled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from scalecalc import __version__
from scalecalc.errors import UsageError, one_line
from scalecalc.expressions import Expr
from scalecalc.expressions.printing import Style, render
from scalecalc.report.code.listing import Formula, Listing, Requirement
from scalecalc.report.code.names import identifiers
from scalecalc.report.code.text import STYLE as PLAIN

MOST_NODES = 4_000
"""Numbers, names and operators of a formula: compilers end at some depth of nesting."""


@dataclass(frozen=True, slots=True)
class Program:
    """A listing in the names of a language.

    Attributes:
        listing: what is written.
        names: identifiers by symbol and variable.
        style: how expressions look.
    """

    listing: Listing
    names: dict[str, str]
    style: Style

    def text(self, item: Expr | Requirement) -> str:
        """Source text of an expression, or of the comparison a requirement is."""
        if isinstance(item, Requirement):
            return f"{self.text(item.left)} {item.sign} {self.text(item.right)}"
        return render(item, self.style)

    def words(self, formula: Formula) -> list[str]:
        """A formula's requirements for people, in the program's names."""
        return [self._plain().text(requirement) for requirement in formula.requirements]

    def plain(self, formula: Formula) -> str:
        """A formula for people, in the program's names."""
        return self._plain().text(formula.tree)

    def _plain(self) -> Program:
        return replace(self, style=replace(PLAIN, name=self.names.__getitem__))

    def arguments(self, formula: Formula) -> list[str]:
        """The identifiers of a formula's symbols."""
        return [self.names[name] for name in formula.symbols]

    def variables(self, formula: Formula) -> Iterator[tuple[str, str]]:
        """The identifiers and definitions of the variables a formula uses, in the order of definition."""
        for name in formula.variables:
            yield self.names[name], self.text(self.listing.variables[name])

    def remarks(self) -> Iterator[str]:
        """What a reader of the file must know, line by line."""
        listing = self.listing
        yield f"{listing.title}: exact integer formulas, by scalecalc {__version__}."
        for symbol in listing.symbols:
            limit = "1 or more" if symbol.bound is None else f"1 to {symbol.bound}"
            line = f"{self.names[symbol.name]}: {symbol.kind}, {limit}"
            if self.names[symbol.name] != symbol.name:
                line += f"; the file's {symbol.name!r}"
            yield one_line(line)
        for name, size in listing.given.items():
            yield one_line(f"{name} = {size} is put in.")
        if listing.fixed:
            yield one_line(f"Holds for {', '.join(listing.fixed)}.")
        yield from (f"Assumed: {line}." for line in listing.assumed)

    def about(self, formula: Formula) -> str:
        """A formula's heading."""
        return f"{formula.path}: {'at least so many ' if formula.lower_bound else ''}{formula.unit}"


def program(
    listing: Listing,
    style: Callable[[dict[str, str]], Style],
    reserved: Collection[str] = (),
    *,
    compiled: bool = True,
    renamed: Mapping[str, str] | None = None,
) -> Program:
    """The listing in the names of a language.

    Args:
        listing: what is written.
        style: how expressions look, given the identifiers by name.
        reserved: words that are no identifiers.
        compiled: a compiler will read it.
        renamed: what variables are called instead.

    Raises:
        UsageError: a formula no compiler takes.
    """
    for formula in listing.formulas:
        if compiled and sum(1 for _ in formula.tree.walk()) > MOST_NODES:
            raise UsageError(f"{formula.path} is too long for a program", where="--format",
                             todo="put sizes in with --set, or use text or json")  # fmt: skip
    wanted = {name: (renamed or {}).get(name, name) for name in listing.variables}
    spelled = identifiers([*(symbol.name for symbol in listing.symbols), *wanted.values()], reserved)
    names = spelled | {name: spelled[other] for name, other in wanted.items()}
    return Program(listing, names, style(names))


def function(path: str) -> str:
    """The name of a quantity's function: `forward_macs`."""
    return path.replace(".", "_")
