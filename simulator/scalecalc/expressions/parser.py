"""Text to tree: a tokenizer and a precedence parser for arithmetic, and for nothing else.

Python's meaning throughout: `**` binds tighter than a sign on its left and groups to the right, `//` and `%` round
down.
Length, nesting and the size of literals are bounded, so hostile text costs as little as wrong text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from scalecalc.errors import ExpressionError
from scalecalc.expressions.roots import Root
from scalecalc.expressions.tree import ARITY, Binary, Call, Expr, Name, Negate, Number

MAX_LENGTH = 4_000
MAX_DEPTH = 100
MAX_DIGITS = 400

# Spellings sympy and PyTorch write into ONNX files for what the whitelist has.
ALIASES = {"Max": "max", "Min": "min", "Abs": "abs", "ceiling": "ceil", "CeilToInt": "ceil", "FloorToInt": "floor"}
INFIX_CALLS = {"FloorDiv": "//", "CleanDiv": "//", "Mod": "%", "PythonMod": "%", "IntTrueDiv": "/", "Pow": "**"}

# operator: (binding power towards its left, towards its right)
BINDING = {"+": (1, 2), "-": (1, 2), "*": (3, 4), "/": (3, 4), "//": (3, 4), "%": (3, 4), "**": (8, 6)}
SIGN = 6

_TOKEN = re.compile(
    r"[ \t\r\n]+|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d]\w*)"
    r"|(?P<mark>\*\*|//|[-+*/%(),])|(?P<wrong>.)",
    re.DOTALL,
)


class Token(NamedTuple):
    """A piece of the text: kind is `number`, `name`, `mark` or `end`; column counts from 1."""

    kind: str
    text: str
    column: int


def parse(text: str, *, roots: bool = False) -> Expr:
    """The tree of an arithmetic text.

    Numbers, names, `+ - * / // % **`, parentheses, and calls of `exp log sqrt floor ceil abs sin cos atan min max`.
    Integers stay integers.

    Args:
        text: the arithmetic.
        roots: read `root(y, what is 0, low, high)` too, a number known by an equation (see `Root`).

    Raises:
        ExpressionError: anything else, with the column and what to write instead.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"expected a text, found {type(text).__name__}", todo="write the formula as a string")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"{len(text)} characters are too many", todo=f"at most {MAX_LENGTH} are read")
    return _tree(text, roots)


@lru_cache(maxsize=256)
def _tree(text: str, roots: bool) -> Expr:
    """Trees never change: laws of one form, and ranges of one quantity, share theirs."""
    return _Parser(text, roots).whole()


def _tokens(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        kind, position = match.lastgroup, match.start()
        if kind == "wrong":
            raise _error(text, position + 1, f"{match.group()!r} is not allowed", _hint(match.group()))
        if kind is not None:
            yield Token(kind, match.group(), position + 1)
    yield Token("end", "", len(text) + 1)


def _hint(mark: str) -> str:
    hints = {"^": "write ** for powers", ".": "names hold letters, digits and underscores only", "[": "use parentheses"}
    return hints.get(mark, "only numbers, names, + - * / // % ** and parentheses are")


def _error(text: str, column: int, what: str, todo: str) -> ExpressionError:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return ExpressionError(what, where=f"{shown!r}, column {column}", todo=todo)


class _Parser:
    """Precedence climbing; every method gives a tree and its depth, which bounds recursion here and later."""

    def __init__(self, text: str, roots: bool = False) -> None:
        self.text, self.roots = text, roots
        self.tokens = _tokens(text)
        self.now = next(self.tokens)

    def fail(self, what: str, todo: str, token: Token | None = None) -> ExpressionError:
        return _error(self.text, (token or self.now).column, what, todo)

    def take(self) -> Token:
        token = self.now
        self.now = next(self.tokens, token)
        return token

    def expect(self, mark: str) -> None:
        if self.now.text != mark:
            found = repr(self.now.text) if self.now.text else "the end"
            raise self.fail(f"expected {mark!r}, found {found}", "check operators and parentheses")
        self.take()

    def whole(self) -> Expr:
        tree, _ = self.expression(0, 0)
        if self.now.kind != "end":
            raise self.fail(f"unexpected {self.now.text!r}", "check operators and parentheses")
        return tree

    def deeper(self, depth: int, token: Token) -> int:
        if depth >= MAX_DEPTH:
            raise self.fail("nested too deeply", f"at most {MAX_DEPTH} levels are read: split the expression", token)
        return depth + 1

    def expression(self, power: int, level: int) -> tuple[Expr, int]:
        level = self.deeper(level, self.now)
        left, depth = self.prefix(level)
        while self.now.text in BINDING and BINDING[self.now.text][0] > power:
            token = self.take()
            right, right_depth = self.expression(BINDING[token.text][1], level)
            left, depth = Binary(token.text, left, right), self.deeper(max(depth, right_depth), token)
        return left, depth

    def prefix(self, level: int) -> tuple[Expr, int]:
        token = self.take()
        if token.kind == "number":
            return self.number(token), 1
        if token.kind == "name":
            return self.call(token, level) if self.now.text == "(" else (Name(token.text), 1)
        if token.text == "(":
            inner = self.expression(0, level)
            self.expect(")")
            return inner
        if token.text in ("-", "+"):
            operand, depth = self.expression(SIGN, level)
            return (Negate(operand), self.deeper(depth, token)) if token.text == "-" else (operand, depth)
        found = repr(token.text) if token.text else "the end"
        raise self.fail(f"expected a number, a name or '(', found {found}", "complete the expression", token)

    def number(self, token: Token) -> Number:
        if len(token.text) > MAX_DIGITS:
            raise self.fail("a number of too many digits", f"at most {MAX_DIGITS} are read", token)
        if token.text.isdecimal():
            return Number(int(token.text))
        value = float(token.text)
        if value == float("inf"):
            raise self.fail(f"{token.text} is too large for a number", "use at most 1e308", token)
        return Number(value)

    def call(self, token: Token, level: int) -> tuple[Expr, int]:
        name = ALIASES.get(token.text, token.text)
        is_root = self.roots and name == "root"
        low, high = (2, 2) if name in INFIX_CALLS else (4, 4) if is_root else ARITY.get(name, (0, 0))
        if not low:
            raise self.fail(f"unknown function {token.text!r}", f"known are {', '.join(ARITY)}", token)
        self.expect("(")
        parts = [self.expression(0, level)]
        while self.now.text == ",":
            self.take()
            parts.append(self.expression(0, level))
        self.expect(")")
        if not low <= len(parts) <= high:
            wanted = str(low) if low == high else f"{low} or more"
            raise self.fail(f"{name} takes {wanted} arguments, not {len(parts)}", "check the commas", token)
        depth = self.deeper(max(depth for _, depth in parts), token)
        arguments = tuple(part for part, _ in parts)
        if is_root:
            unknown, *others = arguments
            if not isinstance(unknown, Name):
                raise self.fail("root's unknown is no name", "write root(y, what is 0, low, high)", token)
            return Root(unknown.name, *others), depth
        return (Binary(INFIX_CALLS[name], *arguments) if name in INFIX_CALLS else Call(name, arguments)), depth
