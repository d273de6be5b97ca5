"""Errors a user may see: one line that says what, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable


def one_line(text: str) -> str:
    """A text that may hold names from a file as one line without control characters.

    >>> one_line("a\\n  b\\x1b[31m")
    'a b?[31m'
    """
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """What to do about a name nobody knows: the one it may be meant for, else something else, else all of them.

    >>> nearest("h10", ["h100", "a100"]), nearest("abacus", ["h100"], "use --shape"), nearest("x", ["token", "example"])
    ('did you mean h100?', 'use --shape', 'use one of token, example')
    """
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name, names, 1, 0.5)
    if near:
        return f"did you mean {near[0]}?"
    return otherwise or f"use one of {', '.join(names)}"


class ScalecalcError(Exception):
    """Base of every error the command line turns into one line on stderr and an exit code.

    Args:
        what: what is wrong, in one clause.
        where: the file, node or option concerned.
        todo: what the user can do about it.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        self.what, self.where, self.todo = what, where, todo
        super().__init__(what)

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return " ".join((f"{line}; {self.todo}" if self.todo else line).split())


class FileError(ScalecalcError):
    """A file cannot be read as what it should be."""


class GraphError(ScalecalcError):
    """A graph contradicts itself: undefined inputs, cycles, duplicate names."""


class ShapeError(ScalecalcError):
    """Two dimensions that must be equal are not."""


class UndeterminedError(ShapeError):
    """A shape or a cost depends on contents that the file does not fix.

    Attributes:
        costs: the operator would count something, were it known.
    """

    def __init__(self, what: str, *, costs: bool = False) -> None:
        super().__init__(what)
        self.costs = costs


class ExpressionError(ScalecalcError):
    """A text is not an arithmetic expression of the accepted form."""


class LawError(ScalecalcError):
    """A law is malformed, or cannot be applied to what was asked."""


class FitError(ScalecalcError):
    """Runs cannot be fitted by what was asked for."""


class UsageError(ScalecalcError):
    """An option has a value that makes no sense."""


class StrictError(ScalecalcError):
    """`--strict` was given and something was missing or assumed."""

    exit_code = 3


class ThresholdError(ScalecalcError):
    """A condition of `--fail-if` is met: the answer stands on stdout, as asked."""

    exit_code = 1
