"""Entries of a configuration, each checked for its type as it is read: files are not trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scalecalc.errors import FileError

LARGEST = 2**40
"""No size or count in a configuration is beyond it."""
MOST_AXES = 16


@dataclass(frozen=True, slots=True)
class Part:
    """An object of the configuration.

    Attributes:
        entries: by key.
        file: where it stands.
        path: which layer it is of.
    """

    entries: Mapping[str, Any]
    file: str
    path: str = ""

    def error(self, what: str, todo: str = "correct the file, or save the model again") -> FileError:
        """An error at this place."""
        return FileError(f"{self.path[:200]}: {what}" if self.path else what, where=self.file, todo=todo)

    def _wrong(self, key: str, wanted: str) -> FileError:
        return self.error(f"{key} is not {wanted} but {self.entries.get(key, 'missing')!s:.60}")

    def get(self, key: str, default: Any = None) -> Any:
        """An entry as it stands; null is as good as none."""
        value = self.entries.get(key)
        return default if value is None else value

    def part(self, key: str) -> Part:
        """An object inside; an empty one where there is none."""
        value = self.get(key, {})
        if not isinstance(value, dict):
            raise self._wrong(key, "an object")
        return Part(value, self.file, self.path)

    def parts(self, key: str) -> Iterator[Part]:
        """The objects of a list."""
        value = self.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self._wrong(key, "a list of objects")
        return (Part(entry, self.file, self.path) for entry in value)

    def text(self, key: str, default: str | None = None) -> str:
        """A text."""
        value = self.get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A number."""
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300 or value != value:
            raise self._wrong(key, "a number")
        return value

    def whole(self, key: str, default: int | None = None, *, least: int = 1) -> int:
        """A whole number, `least` or above."""
        value = self.get(key, default)
        if not is_whole(value) or value < least:
            raise self._wrong(key, f"a whole number from {least} on")
        return int(value)

    def wholes(self, key: str, default: Any = None, *, count: int = 0, least: int = 1) -> tuple[int, ...]:
        """Whole numbers: a list of them, of `count` if that is given, or one that stands for all."""
        value = self.get(key, default)
        listed = value if isinstance(value, list | tuple) else [value] * max(count, 1)
        if not all(is_whole(entry) and entry >= least for entry in listed) or len(listed) > MOST_AXES:
            raise self._wrong(key, f"a list of whole numbers from {least} on")
        if count and len(listed) != count:
            raise self._wrong(key, f"a list of {count}")
        return tuple(listed)

    def pairs(self, key: str, default: Any, *, count: int) -> tuple[int, ...]:
        """(before, after) for each of `count` axes, as one list: one number, one for each axis, or two for each.

        A list of two numbers stands for the two sides where there is only one axis.
        """
        value = self.get(key, default)
        listed = value if isinstance(value, list | tuple) else [value] * count
        if count == 1 and len(listed) == 2:
            listed = [listed]
        sides = [entry if isinstance(entry, list | tuple) else [entry, entry] for entry in listed]
        flat = [entry for side in sides for entry in side]
        if len(sides) != count or len(flat) != 2 * count or not all(is_whole(entry) and entry >= 0 for entry in flat):
            raise self._wrong(key, f"two numbers for each of {count} axes")
        return tuple(flat)

    def shape(self, key: str) -> tuple[int | None, ...] | None:
        """A shape whose unknown axes are null; None where there is none, or where it is not one shape."""
        return shape_of(self.get(key))


def is_whole(value: Any) -> bool:
    """Whether it is a whole number of a size one meets.

    >>> is_whole(3), is_whole(True), is_whole(3.0)
    (True, False, False)
    """
    return type(value) is int and abs(value) < LARGEST


def shape_of(value: Any) -> tuple[int | None, ...] | None:
    """A list of sizes and nulls, None for anything else.

    >>> shape_of([None, 28, 28, 1]), shape_of("x")
    ((None, 28, 28, 1), None)
    """
    if not isinstance(value, list) or len(value) > MOST_AXES:
        return None
    return tuple(value) if all(entry is None or (is_whole(entry) and entry >= 0) for entry in value) else None


MODELS = ("Functional", "Model", "Sequential")


def is_model(part: Part) -> bool:
    """Whether it is a model whose layers the file lists."""
    config = part.get("config")
    if isinstance(config, list):
        return str(part.get("class_name")) == "Sequential"
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        return False
    return "input_layers" in config or str(part.get("class_name")) in MODELS


def part_of(part: Part) -> Part:
    """The configuration of a layer or model; Keras 2.1 wrote nothing but a list of layers for some."""
    config = part.get("config")
    return Part({"layers": config}, part.file, part.path) if isinstance(config, list) else part.part("config")


def own_name(layer: Part) -> str:
    """A layer's name, "" if it has none."""
    config = layer.get("config")
    inner = config.get("name") if isinstance(config, dict) else None
    return layer.text("name", inner if isinstance(inner, str) else "")
