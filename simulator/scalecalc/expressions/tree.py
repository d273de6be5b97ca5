"""The tree of an arithmetic text: five kinds of immutable nodes, and their value under any arithmetic."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scalecalc.errors import ExpressionError

# function: (fewest, most arguments)
ARITY = {
    "exp": (1, 1), "log": (1, 1), "sqrt": (1, 1), "floor": (1, 1), "ceil": (1, 1), "abs": (1, 1),
    "sin": (1, 1), "cos": (1, 1), "atan": (1, 1),
    "min": (1, 99), "max": (1, 99),
}  # fmt: skip

# Largest integer a power may give: 9**9**9**9 must be an error, not an hour.
MAX_BITS = 4_096

Functions = Mapping[str, Callable[..., Any]]


class Expr:
    """An arithmetic expression: `parse(text)` makes one."""

    __slots__ = ()

    @property
    def names(self) -> frozenset[str]:
        """Every free name."""
        found: set[str] = set()
        stack: list[Expr] = [self]
        while stack:  # as `walk`, at half its cost: every law read asks for its names
            node = stack.pop()
            if isinstance(node, Name):
                found.add(node.name)
            else:
                stack.extend(node.parts())
        return frozenset(found)

    def parts(self) -> tuple[Expr, ...]:
        """The nodes directly below."""
        return ()

    def walk(self) -> Iterator[Expr]:
        """This node and all below."""
        stack: list[Expr] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.parts())

    def evaluate(self, namespace: Mapping[str, Any], functions: Functions | None = None) -> Any:
        """The value with every name replaced.

        Only operators and `functions` touch the values, so ints stay exact ints and arrays or polynomials work.

        Args:
            namespace: a value for every free name.
            functions: meanings that replace the usual ones, by function name or operator (`{"/": exact_ratio}`);
                `"-x"` is the sign, `"number"` is applied to literals.

        Raises:
            ExpressionError: a name without a value, or no finite real result (log(-1), 1/0, 9**9**9), an
                operation its values do not have.
        """
        table = {**FUNCTIONS, **functions} if functions else FUNCTIONS
        try:
            value = _evaluate(self, namespace, table)
        except KeyError as error:
            raise ExpressionError(f"{error.args[0]!r} has no value", where=str(self), todo="set it") from None
        except (ArithmeticError, ValueError, TypeError) as error:
            raise ExpressionError(f"has no value here ({error})", where=str(self), todo="check its inputs") from None
        except RecursionError:
            raise ExpressionError("is nested too deeply to evaluate", todo="split the expression") from None
        if isinstance(value, complex):
            raise ExpressionError("has no real value here", where=str(self), todo="check its inputs")
        return value

    def substitute(self, replacements: Mapping[str, Expr]) -> Expr:
        """The expression with names replaced by expressions."""
        from scalecalc.expressions.calculus import substitute

        return substitute(self, replacements)

    def diff(self, name: str) -> Expr:
        """The derivative by `name`, lightly simplified; that of floor and ceil is 0, as almost everywhere."""
        from scalecalc.expressions.calculus import diff

        return diff(self, name)

    def sympy(self, **assumptions: bool) -> Any:
        """The same as a sympy expression; `assumptions` go to every symbol (`integer=True, positive=True`)."""
        from scalecalc.expressions.printing import to_sympy

        return to_sympy(self, assumptions)

    def latex(self) -> str:
        """The same for a LaTeX formula."""
        from scalecalc.expressions.printing import LATEX, render

        return render(self, LATEX)

    def __str__(self) -> str:
        """Text that parses to this tree again."""
        from scalecalc.expressions.printing import TEXT, render

        return render(self, TEXT)


@dataclass(frozen=True, slots=True)
class Number(Expr):
    """A literal; an integer written as an integer stays one."""

    value: int | float


@dataclass(frozen=True, slots=True)
class Name(Expr):
    """A free name."""

    name: str


@dataclass(frozen=True, slots=True)
class Negate(Expr):
    """-operand."""

    operand: Expr

    def parts(self) -> tuple[Expr, ...]:
        """The operand."""
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """left operator right, operator one of + - * / // % **."""

    operator: str
    left: Expr
    right: Expr

    def parts(self) -> tuple[Expr, ...]:
        """Both sides."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A whitelisted function of its arguments."""

    function: str
    arguments: tuple[Expr, ...]

    def parts(self) -> tuple[Expr, ...]:
        """The arguments."""
        return self.arguments


def _evaluate(node: Expr, namespace: Mapping[str, Any], table: Functions) -> Any:
    match node:
        case Number(value):
            return table["number"](value)
        case Name(name):
            return namespace[name]
        case Negate(operand):
            return table["-x"](_evaluate(operand, namespace, table))
        case Binary(sign, left, right):
            return table[sign](_evaluate(left, namespace, table), _evaluate(right, namespace, table))
        case Call(function, arguments):
            return table[function](*[_evaluate(argument, namespace, table) for argument in arguments])
        case _:
            solve = getattr(node, "solve", None)
            if solve is not None:
                return solve(namespace)
    raise TypeError(type(node))


def _power(base: Any, exponent: Any) -> Any:
    if type(base) is int and type(exponent) is int and base.bit_length() * abs(exponent) > MAX_BITS and abs(base) > 1:
        raise OverflowError(f"a power of more than {MAX_BITS} bits")
    return base**exponent


def _elementwise(scalar: Callable[[Any], Any], array: str) -> Callable[[Any], Any]:
    """`scalar` for numbers, numpy's function of the given name for arrays (numpy is loaded only then)."""

    def apply(value: Any) -> Any:
        if isinstance(value, int | float):
            return scalar(value)
        import numpy

        return getattr(numpy, array)(value)

    return apply


def _extreme(pick: Callable[..., Any], array: str) -> Callable[..., Any]:
    def apply(*values: Any) -> Any:
        if all(isinstance(value, int | float) for value in values):
            return pick(values)
        import functools

        import numpy

        return functools.reduce(getattr(numpy, array), values)

    return apply


FUNCTIONS: Functions = {
    "number": lambda value: value,
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": _power, "-x": operator.neg,
    "exp": _elementwise(math.exp, "exp"), "log": _elementwise(math.log, "log"), "sqrt": _elementwise(math.sqrt, "sqrt"),
    "floor": _elementwise(math.floor, "floor"), "ceil": _elementwise(math.ceil, "ceil"), "abs": abs,
    "sin": _elementwise(math.sin, "sin"), "cos": _elementwise(math.cos, "cos"),
    "atan": _elementwise(math.atan, "arctan"),
    "min": _extreme(min, "minimum"), "max": _extreme(max, "maximum"),
}  # fmt: skip
