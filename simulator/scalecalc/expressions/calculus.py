"""Derivatives and substitution, with only the simplifications that keep a derivative readable."""

from __future__ import annotations

from collections.abc import Mapping

from scalecalc.errors import ExpressionError
from scalecalc.expressions.roots import Root
from scalecalc.expressions.tree import Binary, Call, Expr, Name, Negate, Number

ZERO, ONE, TWO = Number(0), Number(1), Number(2)


def diff(node: Expr, name: str) -> Expr:
    """d node / d name."""
    try:
        return _diff(node, name)
    except RecursionError:
        raise ExpressionError("is nested too deeply for a derivative", todo="split the expression") from None


def _diff(node: Expr, name: str) -> Expr:
    match node:
        case Number():
            return ZERO
        case Name(other):
            return ONE if other == name else ZERO
        case Negate(operand):
            return negate(_diff(operand, name))
        case Binary(sign, left, right):
            if sign == "/" and isinstance(right, Binary) and right.operator == "**":
                return _diff(multiply(left, power(right.left, negate(right.right))), name)  # reads better
            return _binary(sign, left, right, _diff(left, name), _diff(right, name))
        case Call(function, arguments):
            return _call(function, arguments, [_diff(argument, name) for argument in arguments])
        case Root():
            return node.slope(name)
    raise TypeError(type(node))


def _binary(sign: str, u: Expr, v: Expr, du: Expr, dv: Expr) -> Expr:
    if sign == "+":
        return add(du, dv)
    if sign == "-":
        return subtract(du, dv)
    if sign == "*":
        return add(multiply(du, v), multiply(u, dv))
    if sign == "/":
        return subtract(divide(du, v), divide(multiply(divide(u, v), dv), v))
    if sign == "//":
        return ZERO
    if sign == "%":  # u - v * (u // v)
        return subtract(du, multiply(dv, Binary("//", u, v)))
    by_base = multiply(multiply(v, power(u, subtract(v, ONE))), du)
    by_exponent = multiply(multiply(power(u, v), Call("log", (u,))), dv) if dv != ZERO else ZERO
    return add(by_base, by_exponent)


def _call(function: str, arguments: tuple[Expr, ...], slopes: list[Expr]) -> Expr:
    u, du = arguments[0], slopes[0]
    if du == ZERO and len(arguments) == 1:
        return ZERO
    match function:
        case "exp":
            return multiply(Call("exp", arguments), du)
        case "log":
            return divide(du, u)
        case "sqrt":
            return divide(du, multiply(TWO, Call("sqrt", arguments)))
        case "sin":
            return multiply(Call("cos", arguments), du)
        case "cos":
            return negate(multiply(Call("sin", arguments), du))
        case "atan":
            return divide(du, add(ONE, power(u, TWO)))
        case "abs":
            return multiply(divide(u, Call("abs", (u,))), du)
        case "floor" | "ceil":
            return ZERO
    # max(u, v) = (u + v + |u - v|)/2, min with the other sign; more arguments by folding
    for index in range(1, len(arguments)):
        v, dv = arguments[index], slopes[index]
        gap, slope = subtract(u, v), subtract(du, dv)
        bend = multiply(divide(gap, Call("abs", (gap,))), slope)
        total = add(du, dv)
        du = divide(add(total, bend) if function == "max" else subtract(total, bend), TWO)
        u = Call(function, (u, v))
    return du


def substitute(node: Expr, replacements: Mapping[str, Expr]) -> Expr:
    """The tree with names replaced."""
    match node:
        case Name(name):
            return replacements.get(name, node)
        case Negate(operand):
            return Negate(substitute(operand, replacements))
        case Binary(sign, left, right):
            return Binary(sign, substitute(left, replacements), substitute(right, replacements))
        case Call(function, arguments):
            return Call(function, tuple(substitute(argument, replacements) for argument in arguments))
        case Root():
            return node.replaced(replacements)
    return node


def _numbers(a: Expr, b: Expr) -> tuple[int | float, int | float] | None:
    return (a.value, b.value) if isinstance(a, Number) and isinstance(b, Number) else None


def _number(value: int | float) -> Expr:
    return Number(value) if value >= 0 else Negate(Number(-value))


def negate(a: Expr) -> Expr:
    """-a."""
    return ZERO if a == ZERO else a.operand if isinstance(a, Negate) else Negate(a)


def add(a: Expr, b: Expr) -> Expr:
    """a + b."""
    if a == ZERO:
        return b
    if b == ZERO:
        return a
    if pair := _numbers(a, b):
        return _number(pair[0] + pair[1])
    return subtract(a, b.operand) if isinstance(b, Negate) else Binary("+", a, b)


def subtract(a: Expr, b: Expr) -> Expr:
    """a - b."""
    if b == ZERO:
        return a
    if a == ZERO:
        return negate(b)
    if pair := _numbers(a, b):
        return _number(pair[0] - pair[1])
    if isinstance(a, Binary) and a.operator == "-" and _numbers(a.right, b):
        return subtract(a.left, add(a.right, b))
    return add(a, b.operand) if isinstance(b, Negate) else Binary("-", a, b)


def multiply(a: Expr, b: Expr) -> Expr:
    """a * b."""
    if ZERO in (a, b):
        return ZERO
    if a == ONE:
        return b
    if b == ONE:
        return a
    if isinstance(a, Negate):
        return negate(multiply(a.operand, b))
    if isinstance(b, Negate):
        return negate(multiply(a, b.operand))
    if pair := _numbers(a, b):
        return _number(pair[0] * pair[1])
    if isinstance(b, Binary) and b.operator == "*":
        return multiply(multiply(a, b.left), b.right)
    return Binary("*", a, b)


def divide(a: Expr, b: Expr) -> Expr:
    """a / b."""
    if a == ZERO or b == ONE:
        return a
    return negate(divide(a.operand, b)) if isinstance(a, Negate) else Binary("/", a, b)


def power(a: Expr, b: Expr) -> Expr:
    """a ** b."""
    return ONE if b == ZERO else a if b == ONE else Binary("**", a, b)
