"""C99 functions on int64_t whose every step is checked: an exact number, or an error that cannot be overlooked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from scalecalc.errors import UsageError
from scalecalc.expressions.printing import ATOM, Printed, Style
from scalecalc.report.code.listing import Formula, Listing
from scalecalc.report.code.program import Program, function, program

WORDS = """
    auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    asm typeof bool true false nullptr constexpr alignas alignof static_assert thread_local
    and and_eq bitand bitor catch class compl const_cast delete dynamic_cast explicit export friend mutable namespace
    new not not_eq operator or or_eq private protected public reinterpret_cast static_cast template this throw try
    typeid typename using virtual wchar_t xor xor_eq
    int64_t INT64_MAX INT64_MIN EDOM ERANGE errno linux unix i386 near far min max
"""
RESERVED = frozenset(WORDS.split())
"""Words of C and C++, and macros that some compilers or systems bring along."""

DEEPEST = 250
"""Brackets in brackets that compilers take as they come: clang 256, the standard only 63."""

NOTE = """\
Every function returns the exact value as an int64_t. Where it has none it returns INT64_MIN and sets errno:
EDOM for a size below 1 or a condition that fails, ERANGE where the value or a part of it is not below 2^63.
errno is left alone otherwise."""

HELPERS = {
    "fail_": """
static int64_t fail_(int error)
{
    errno = error;
    return INT64_MIN;
}
""",
    "wrong_": """
static int64_t wrong_(int *error)
{
    if (!*error) *error = ERANGE;
    return 0;
}
""",
    "add_": """
static int64_t add_(int *error, int64_t a, int64_t b)
{
    return (b > 0 ? a > INT64_MAX - b : a < INT64_MIN - b) ? wrong_(error) : a + b;
}
""",
    "sub_": """
static int64_t sub_(int *error, int64_t a, int64_t b)
{
    return (b < 0 ? a > INT64_MAX + b : a < INT64_MIN + b) ? wrong_(error) : a - b;
}
""",
    "mul_": """
static int64_t mul_(int *error, int64_t a, int64_t b)
{
    if (a == 0 || b == 0) return 0;
    if (a > 0 ? (b > 0 ? a > INT64_MAX / b : b < INT64_MIN / a)
              : (b > 0 ? a < INT64_MIN / b : b < INT64_MAX / a)) return wrong_(error);
    return a * b;
}
""",
    "pow_": """
static int64_t pow_(int *error, int64_t a, int n)
{
    int64_t result = 1;
    while (n-- > 0) result = mul_(error, result, a);
    return result;
}
""",
    "floor_": """
static int64_t floor_(int *error, int64_t a, int64_t b)
{
    if (b <= 0) return wrong_(error);
    return a / b - (a % b < 0);
}
""",
    "mod_": """
static int64_t mod_(int *error, int64_t a, int64_t b)
{
    return b <= 0 ? wrong_(error) : a % b;
}
""",
}
CALLS = {"+": "add_", "-": "sub_", "*": "mul_", "**": "pow_", "//": "floor_", "%": "mod_"}


def write(listing: Listing) -> str:
    """The translation unit; every helper it needs is static."""
    source = program(listing, _style, RESERVED)
    body = "".join("\n" + "\n".join(_function(source, formula)) + "\n" for formula in listing.formulas)
    for name, text in reversed(HELPERS.items()):
        if f"{name}(" in body:
            body = text + body
    remarks = [line.replace("*/", "* /").replace("/*", "/ *") for line in (*source.remarks(), "", *NOTE.splitlines())]
    comment = "\n".join(f" * {line}".rstrip() for line in remarks)
    return f"/*\n{comment}\n */\n#include <errno.h>\n#include <stdint.h>\n{body}"


def _style(names: dict[str, str]) -> Style:
    return Style(
        number=lambda value: (str(value) if value < 2**63 else "wrong_(&error_)", ATOM),
        name=names.__getitem__,
        call=lambda called, arguments: f"{called}({', '.join(arguments)})",
        binary=_binary,
        group=str,
        negate=lambda operand: (f"sub_(&error_, 0, {operand[0]})", ATOM),
    )


def _binary(sign: str, left: Printed, right: Printed) -> Printed:
    return f"{CALLS[sign]}(&error_, {left[0]}, {right[0]})", ATOM


def _function(source: Program, formula: Formula) -> Iterator[str]:
    name, arguments = function(formula.path), source.arguments(formula)
    words = source.words(formula)
    holds = f" Holds for {', '.join(words)}." if words else ""
    yield f"/* {source.about(formula)}.{holds}"
    yield f"   {source.plain(formula)} */"
    yield f"int64_t {name}({', '.join(f'int64_t {argument}' for argument in arguments) or 'void'})"
    yield "{"
    yield "    int error_ = 0;"
    if arguments:
        yield f"    if ({' || '.join(f'{argument} < 1' for argument in arguments)}) return fail_(EDOM);"
    for number, requirement in enumerate(formula.requirements, 1):
        yield f"    const int holds{number}_ = {source.text(requirement)};"
        yield f"    if (error_ || !holds{number}_) return fail_(error_ ? error_ : EDOM);"
    for variable, text in source.variables(formula):
        yield f"    const int64_t {variable} = {text};"
    value = source.text(formula.tree)
    if _depth(value) > DEEPEST:
        raise UsageError(f"{formula.path} is nested too deeply for C compilers", where="--format",
                         todo="put sizes in with --set, or use python or js")  # fmt: skip
    yield f"    const int64_t value_ = {value};"
    yield "    return error_ ? fail_(error_) : value_;"
    yield "}"


def _depth(text: str) -> int:
    steps = ({"(": 1, ")": -1}.get(character, 0) for character in text)
    return max(accumulate(steps), default=0)
