"""The sizes formulas are evaluated at: what the user set, what the file implies, and what had to be assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scalecalc import expressions
from scalecalc.dims import Condition, evaluate, fulfilled
from scalecalc.errors import UsageError, nearest
from scalecalc.walk import Profile, SymbolInfo
from scalecalc.walk.symbols import DIMENSION_ARITHMETIC


@dataclass(frozen=True, slots=True)
class Settled:
    """Sizes by symbol.

    Attributes:
        sizes: every symbol that has one.
        given: those the user set.
        own: those of the model itself, as its file declares them.
        assumed: the symbols nobody set.
        missing: the symbols without a size: quantities that need them have no value.
        remarks: one line per assumption, with the option that changes it.
    """

    sizes: Mapping[str, int]
    given: Mapping[str, int]
    own: Mapping[str, int]
    assumed: frozenset[str]
    missing: tuple[str, ...]
    remarks: tuple[str, ...]


def settle(profile: Profile, given: Mapping[str, int] | None = None) -> Settled:
    """A size for every symbol: as given; `batch` is 1; else its number in the file, else its bound, else none.

    A symbol the file declares follows its tie (`d_ff` = 4*d_model) until it is set itself.

    Raises:
        UsageError: a name the model does not have, a size below 1, or one that breaks a condition.
    """
    sizes: dict[str, int] = {}
    for alias, size in (given or {}).items():
        if _is_fixed(profile, alias, size):
            continue
        name = _symbol(profile, alias)
        if sizes.setdefault(name, size) != size:
            raise UsageError(f"{alias} is {name}, which is {sizes[name]:,} already", where="--set", todo="set it once")
        if size < 1:
            raise UsageError(f"{name} = {size} is no size", where="--set", todo="sizes are 1 or more")
    chosen = dict(sizes)
    remarks: list[str] = []
    assumed: set[str] = set()
    missing: list[str] = []
    for name, symbol in sorted(profile.symbols.items(), key=lambda item: not item[1].declared):
        if name in sizes:
            continue
        limit = evaluate(symbol.bound, sizes) if symbol.bound is not None else None
        if symbol.kind == "batch":
            sizes[name], why = 1, ""
        elif symbol.hint is not None:
            sizes[name], why = tied(profile.symbols, name, sizes), " = the file's"
            if symbol.kind == "weight" and symbol.declared:
                continue
        elif limit is not None:
            sizes[name], why = limit, " = its bound"
        else:
            missing.append(name)
            continue
        assumed.add(name)
        remarks.append(f"{name} {sizes[name]:,}{why} (--set {name}=)")
    for condition in profile.checks:
        _check(condition, sizes)
    own = {name: sizes[name] for name, symbol in profile.symbols.items() if symbol.declared and name in sizes}
    own = {name: size for name, size in own.items() if profile.symbols[name].kind == "weight"}
    return Settled(sizes, chosen, own, frozenset(assumed), tuple(missing), tuple(remarks))


def _is_fixed(profile: Profile, name: str, size: int) -> bool:
    """Whether a symbol is a number in this model, and that size of it.

    Raises:
        UsageError: it is another one.
    """
    fixed = profile.facts.get("fixed")
    if not isinstance(fixed, dict) or name not in fixed:
        return False
    if fixed[name] != size:
        what = f"{name} is {fixed[name]:,} in this model: a layer needs it as a number"
        raise UsageError(what, where="--set", todo="build it with another value")
    return True


def tied(symbols: Mapping[str, SymbolInfo], name: str, sizes: Mapping[str, int]) -> int:
    """The size of a symbol nobody set: its number in the file, or what that follows from at the sizes of others.

    Raises:
        UsageError: that is no size.
    """
    symbol = symbols[name]
    assert symbol.hint is not None  # front ends give none to a symbol with a tie they cannot evaluate
    if not symbol.tie:
        return symbol.hint
    tree = expressions.parse(symbol.tie)
    namespace = {other: sizes[other] if other in sizes else tied(symbols, other, sizes) for other in sorted(tree.names)}
    size = tree.evaluate(namespace, DIMENSION_ARITHMETIC)
    if not isinstance(size, int) or size < 1:
        at = ", ".join(f"{other} {value:,}" for other, value in namespace.items())
        raise UsageError(f"{name} = {symbol.tie} is no size at {at}", where="--set", todo=f"set {name} too")
    return size


def _symbol(profile: Profile, name: str) -> str:
    for symbol in profile.symbols.values():
        if name == symbol.name or name in symbol.aliases:
            return symbol.name
    if not profile.symbols:
        raise UsageError(f"no symbol '{name}': all sizes are fixed in the file", where="--set", todo="use --shape")
    todo = nearest(name, profile.symbols, f"its symbols are {', '.join(profile.symbols)}")
    raise UsageError(f"no symbol '{name}'", where="--set", todo=todo)


def _check(condition: Condition, sizes: Mapping[str, int]) -> None:
    if not fulfilled(condition, sizes):
        left, right = evaluate(condition.left, sizes), evaluate(condition.right, sizes)
        raise UsageError(f"the model needs {condition}, which fails at these sizes ({left:,} and {right:,})",
                         where="--set", todo="choose sizes that fulfil it")  # fmt: skip
