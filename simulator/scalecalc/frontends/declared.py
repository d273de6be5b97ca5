"""The symbols a specification declares: kinds, values, limits, and sizes written as expressions of them."""

from __future__ import annotations

from collections.abc import Mapping

from scalecalc import expressions
from scalecalc.errors import ExpressionError, ShapeError, nearest
from scalecalc.frontends.builder import MOST_SIZE
from scalecalc.frontends.document import Item
from scalecalc.ir.graph import Declared, Size
from scalecalc.walk.symbols import DIMENSION_ARITHMETIC

DATA_KINDS = {"batch": "batch", "seq": "sequence", "height": "spatial", "width": "spatial", "depth": "spatial"}
"""What a symbol without a value is, by its name."""
MOST_TIES = 50
"""Symbols that follow from each other, one after the other."""
KINDS = ("weight", "batch", "sequence", "spatial", "free")


Values = Mapping[str, int]
"""Sizes by symbol."""


def declared(item: Item | None, changes: Item | None, given: Values) -> dict[str, Declared]:
    """The symbols, with those a variant changes, and other values for some.

    A value alone leaves kind and limit as they are.
    """
    found = item.mapping() if item is not None else {}
    parts = {name: _symbol_parts(name, value) for name, value in found.items()}
    for name, value in (changes.mapping() if changes is not None else {}).items():
        if name not in parts:
            raise value.error(f"no symbol '{name:.60}'", nearest(name, parts, "declare it under symbols"))
        (kind, _, most, _), changed = parts[name], _symbol_parts(name, value)
        parts[name] = changed if value.is_mapping else (kind, changed[1], most, changed[3])
    values = {name: value for name, value in given.items() if name in parts and 1 <= value <= MOST_SIZE}
    for name in parts:
        _value_of(name, parts, values, ())
    sizes = {name: values.get(name) for name in parts}
    return {
        name: Declared(kind, sizes[name], tie, None if most is None else size_of(most, sizes))
        for name, (kind, tie, most, _) in parts.items()
    }


def _symbol_parts(name: str, item: Item) -> tuple[str, str, Item | None, Item | None]:
    """Kind, tie, limit and value as written."""
    if not name.isidentifier():
        raise item.error(f"'{name:.60}' is no name", "use letters, digits and underscores")
    if not item.is_mapping:
        given, kind, most = (None if item.is_null else item), "", None
    else:
        parts = item.mapping(("kind", "value", "max"))
        given, most = parts.get("value"), parts.get("max")
        kind = parts["kind"].text if "kind" in parts else ""
        if kind and kind not in KINDS:
            raise parts["kind"].error(f"no kind '{kind:.60}'", nearest(kind, KINDS))
    kind = kind or ("weight" if given is not None else DATA_KINDS.get(name, "free"))
    tie = "" if given is None or given.text.isdecimal() else given.text
    return kind, tie, most, given


def _value_of(
    name: str, parts: Mapping[str, tuple[str, str, Item | None, Item | None]], values: dict[str, int],
    around: tuple[str, ...],
) -> int | None:  # fmt: skip
    """A symbol's value, found from those it follows from."""
    item = parts[name][3]
    if name in values or item is None:
        return values.get(name)
    if name in around:
        raise item.error(f"follows from itself: {' -> '.join((*around, name))}", "give one of them a number")
    if len(around) > MOST_TIES:
        raise item.error(f"follows from more than {MOST_TIES} others", "give one of them a number")
    try:
        tree = expressions.parse(item.text)
        needed: dict[str, int] = {}
        for other in sorted(tree.names):
            if other not in parts:
                raise item.error(f"no symbol '{other:.60}'", nearest(other, parts, "declare it under symbols"))
            found = _value_of(other, parts, values, (*around, name))
            if found is None:
                raise item.error(f"{other} has no value", f"give {name} a number")
            needed[other] = found
        value = tree.evaluate(needed, DIMENSION_ARITHMETIC)
    except (ExpressionError, ShapeError) as error:
        raise item.error(f"{error.where}: {error.what}" if error.where else error.what, error.todo) from error
    values[name] = number = _checked(value, item, needed, f"set {name} too")
    return number


def _checked(value: object, item: Item, needed: Values, todo: str) -> int:
    """What an expression came to with the sizes it needed, as a size."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 1 <= value <= MOST_SIZE:
        at = f" at {', '.join(f'{other} {size:,}' for other, size in sorted(needed.items()))}" if needed else ""
        raise item.error(
            f"{item.text:.60} is no size{at}", todo if needed else f"sizes are whole numbers from 1 to {MOST_SIZE:,}"
        )
    return value


def size_of(item: Item, values: Mapping[str, int | None]) -> int | Size:
    """A size as written: a number, or an expression of symbols that is one at the values they have."""
    try:
        tree = expressions.parse(item.text)
        for name in sorted(tree.names):
            if name not in values:
                raise item.error(f"no symbol '{name:.60}'", nearest(name, values, "declare it under symbols"))
        known = {name: size for name in sorted(tree.names) if (size := values[name]) is not None}
        if len(known) < len(tree.names):
            return Size(item.text)
        number = _checked(tree.evaluate(known, DIMENSION_ARITHMETIC), item, known, "give other sizes")
    except (ExpressionError, ShapeError) as error:
        raise item.error(f"{error.where}: {error.what}" if error.where else error.what, error.todo) from error
    return Size(item.text) if tree.names else number
