"""Mappings (of YAML) read field by field, every error naming its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from scalecalc.errors import ExpressionError, LawError
from scalecalc.expressions import Expr, parse
from scalecalc.laws.conventions import UNKNOWN, Interval, Limits

T = TypeVar("T")


class Fields:
    """A mapping read field by field; what nobody asked for is an error, so a typo is not silently ignored."""

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, dict) or not set(map(type, data)) <= {str}:
            raise LawError("expected `key: value` lines", where=where, todo="see docs/extending.md")
        self.data, self.where = data, where
        self.asked: set[str] = set()

    def fail(self, key: str, what: str, found: Any) -> LawError:
        return LawError(f"{key} must be {what}, found {str(found)[:40]!r}", where=self.where, todo="correct the law")

    def get(self, key: str) -> Any:
        self.asked.add(key)
        return self.data.get(key)

    def done(self) -> None:
        """Raises if a key was not asked for."""
        if extra := self.data.keys() - self.asked:
            known = ", ".join(sorted(self.asked))
            raise LawError(f"unknown field {', '.join(sorted(extra))}", where=self.where, todo=f"known are {known}")

    def text(self, key: str, default: str | None = UNKNOWN) -> str:
        value = self.get(key)
        if type(value) is str:
            return value
        if value is None:
            if default is None:
                raise LawError(f"{key} is missing", where=self.where, todo="add it")
            return default
        if isinstance(value, dict | list | tuple):
            raise self.fail(key, "a text", value)
        return str(value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.get(key)
        items = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in items):
            raise self.fail(key, "a text or a list of texts", value)
        return tuple(items)

    def number(self, key: str) -> float | None:
        return self._number(key, self.get(key))

    def least(self, key: str, least: float) -> float:
        value = self.number(key)
        if value is None or value < least:
            raise self.fail(key, f"a number from {least:g} on", value)
        return value

    def whole(self, key: str) -> int | None:
        value = self.number(key)
        if value is not None and value != int(value):
            raise self.fail(key, "a whole number", value)
        return None if value is None else int(value)

    def _number(self, key: str, value: Any) -> float | None:
        # YAML 1.1 reads 1e14 as a text
        if value is None:
            return None
        try:
            number = float("x" if isinstance(value, bool) else value)
        except (TypeError, ValueError, OverflowError):
            raise self.fail(key, "a number", value) from None
        if number - number != 0:
            raise self.fail(key, "a finite number", value)
        return number

    def numbers(self, key: str) -> tuple[float, ...]:
        value = self.get(key)
        row = [self._number(key, item) for item in value] if isinstance(value, list) else []
        if not row or None in row:
            raise self.fail(key, "a list of numbers", value)
        return tuple(number for number in row if number is not None)

    def limits(self, key: str) -> Limits:
        value = self.get(key)
        if value is None:
            return None, None
        if not isinstance(value, list) or len(value) != 2:
            raise self.fail(key, "[least, largest]", value)
        low, high = self._number(key, value[0]), self._number(key, value[1])
        if low is not None and high is not None and low > high:
            raise self.fail(key, "[least, largest]", value)
        return low, high

    def truth(self, key: str) -> bool:
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.fail(key, "true or false", value)
        return bool(value)

    def groups(self, key: str) -> tuple[tuple[str, ...], ...]:
        value = self.get(key)
        rows = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(row, list) and len(row) > 1 and all(isinstance(n, str) for n in row) for row in rows):
            raise self.fail(key, "a list of lists of names", value)
        return tuple(tuple(row) for row in rows)

    def interval(self, key: str) -> Interval | None:
        low, high = self.limits(key)
        if (low is None) != (high is None):
            raise self.fail(key, "two numbers", self.data[key])
        return None if low is None or high is None else (low, high)

    def expression(self, key: str) -> Expr:
        try:
            return parse(self.text(key, None), roots=True)
        except ExpressionError as error:
            raise LawError(f"{key} {error.where}: {error.what}", where=self.where, todo=error.todo) from None

    def under(self, key: str) -> Fields:
        return Fields(self.get(key) or {}, f"{self.where}: {key}")

    def each(self, key: str, read: Callable[[Fields, str], T]) -> dict[str, T]:
        """Every field of a mapping below, all read alike."""
        fields = self.under(key)
        return {name: read(fields, name) for name in fields.data}
