"""Trees as text, as LaTeX and as sympy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scalecalc.expressions.roots import Root
from scalecalc.expressions.tree import Binary, Call, Expr, Name, Negate, Number

GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu", "nu", "xi", "rho",
    "sigma", "tau", "phi", "chi", "psi", "omega",
})  # fmt: skip
ATOM, POWER, SIGN, PRODUCT, SUM = 9, 8, 6, 3, 1
_LEVEL = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "**": POWER}

Printed = tuple[str, int]  # a text and how tightly its outermost operator binds


@dataclass(frozen=True, slots=True)
class Style:
    """How leaves, calls and operators look; each function gives text and binding power.

    `negate` is for languages where a minus in front is not the sign of a number.
    """

    number: Callable[[int | float], Printed]
    name: Callable[[str], str]
    call: Callable[[str, list[str]], str]
    binary: Callable[[str, Printed, Printed], Printed]
    group: Callable[[str], str]
    negate: Callable[[Printed], Printed] | None = None


def render(node: Expr, style: Style) -> str:
    """The tree's text in a style, with the parentheses it needs and no others."""
    return _render(node, style)[0]


def _render(node: Expr, style: Style) -> Printed:
    match node:
        case Number(value):
            return style.number(value)
        case Name(name):
            return style.name(name), ATOM
        case Negate(operand):
            text, level = _render(operand, style)
            if style.negate is not None:
                return style.negate((text, level))
            return "-" + (text if level >= SIGN else style.group(text)), SIGN
        case Binary():
            rights = []  # a long sum leans to the left: as deep as it has terms
            while isinstance(node, Binary):
                rights.append(node)
                node = node.left
            printed = _render(node, style)
            for part in reversed(rights):
                printed = style.binary(part.operator, printed, _render(part.right, style))
            return printed
        case Call(function, arguments):
            return style.call(function, [render(argument, style) for argument in arguments]), ATOM
        case Root(unknown, equation, low, high):
            return style.call(
                "root", [style.name(unknown), *(render(part, style) for part in (equation, low, high))]
            ), ATOM
    raise TypeError(type(node))


def infix(sign: str, left: Printed, right: Printed, shown: str, group: Callable[[str], str]) -> Printed:
    """Both sides around `shown`, in brackets where the operator `sign` would take them apart."""
    level = _LEVEL[sign]
    # `a - (b - c)` and `(a**b)**c` need their parentheses, `(a - b) - c`, `a**b**c` and `a**-b` do not
    left_fits = left[1] >= level if level != POWER else left[1] > POWER
    right_fits = right[1] > level if level != POWER else right[1] >= SIGN
    return (left[0] if left_fits else group(left[0])) + shown + (right[0] if right_fits else group(right[0])), level


def _text_binary(sign: str, left: Printed, right: Printed) -> Printed:
    shown = f" {sign} " if _LEVEL[sign] == SUM or sign == "%" else sign
    return infix(sign, left, right, shown, lambda text: f"({text})")


def _brackets(text: str) -> str:
    return rf"\left({text}\right)"


def _latex_binary(sign: str, left: Printed, right: Printed) -> Printed:
    if sign == "/":
        return rf"\frac{{{left[0]}}}{{{right[0]}}}", PRODUCT
    if sign == "//":
        return rf"\left\lfloor \frac{{{left[0]}}}{{{right[0]}}} \right\rfloor", ATOM
    if sign == "**":
        return (left[0] if left[1] > POWER else _brackets(left[0])) + f"^{{{right[0]}}}", POWER
    bare = right[1] > PRODUCT and (right[0][0].isdigit() or right[0][0] == "-")
    shown = {"*": r" \cdot " if bare else r" \, ", "%": r" \bmod "}
    return infix(sign, left, right, shown.get(sign, f" {sign} "), _brackets)


def _latex_name(name: str) -> str:
    base, _, index = name.partition("_")
    base = "\\" + base if base in GREEK else base if len(base) == 1 else rf"\mathrm{{{base}}}"
    index = index.replace("_", r"\_")
    return f"{base}_{{{index}}}" if index else base


def _latex_number(value: int | float) -> Printed:
    mantissa, _, exponent = repr(value).partition("e")
    return (rf"{mantissa} \cdot 10^{{{int(exponent)}}}", PRODUCT) if exponent else (mantissa, ATOM)


def _latex_call(function: str, arguments: list[str]) -> str:
    if function == "root":
        unknown, equation, low, high = arguments
        return rf"\left\{{{unknown} \in \left({low}, {high}\right) : {equation} = 0\right\}}"
    around = {"sqrt": (r"\sqrt{", "}"), "floor": (r"\lfloor ", r" \rfloor"), "ceil": (r"\lceil ", r" \rceil"),
              "abs": (r"\left|", r"\right|"), "atan": (r"\arctan\left(", r"\right)")}  # fmt: skip
    before, after = around.get(function, (rf"\{function}\left(", r"\right)"))
    return before + ", ".join(arguments) + after


TEXT = Style(
    number=lambda value: (repr(value), ATOM if value >= 0 else SIGN),
    name=str,
    call=lambda function, arguments: f"{function}({', '.join(arguments)})",
    binary=_text_binary,
    group=lambda text: f"({text})",
)
LATEX = Style(number=_latex_number, name=_latex_name, call=_latex_call, binary=_latex_binary, group=_brackets)


def to_sympy(node: Expr, assumptions: Mapping[str, bool]) -> Any:
    """The tree as a sympy expression: evaluated at symbols."""
    import sympy

    functions: dict[str, Callable[..., Any]] = {
        "number": sympy.sympify, "exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt, "floor": sympy.floor,
        "ceil": sympy.ceiling, "abs": sympy.Abs, "sin": sympy.sin, "cos": sympy.cos,
        "atan": sympy.atan, "min": sympy.Min, "max": sympy.Max, "%": sympy.Mod, "**": sympy.Pow,
        "//": lambda left, right: sympy.floor(left / right),
    }  # fmt: skip
    return node.evaluate({name: sympy.Symbol(name, **assumptions) for name in node.names}, functions)
