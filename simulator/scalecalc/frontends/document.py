"""YAML files as trees that know their lines, so that every error can say where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from scalecalc.errors import FileError, nearest

MAX_BYTES = 1_000_000
MAX_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Item:
    """A value of a document.

    Attributes:
        node: the YAML parser's.
        file: where it stands.
        path: which one it is: `layers[2].repeat`.
    """

    node: Any
    file: str
    path: str

    @property
    def line(self) -> int:
        """Where it begins, from 1."""
        return int(self.node.start_mark.line) + 1

    def error(self, what: str, todo: str = "correct the file") -> FileError:
        """An error at this place."""
        return FileError(
            f"{self.path}: {what}" if self.path else what,
            where=f"{self.file}:{self.line}",
            todo=todo or "correct the file",
        )

    @property
    def is_mapping(self) -> bool:
        return bool(self.node.id == "mapping")

    @property
    def is_list(self) -> bool:
        return bool(self.node.id == "sequence")

    @property
    def is_null(self) -> bool:
        return bool(self.node.id == "scalar" and self.node.tag.endswith(":null"))

    def scalar(self) -> Any:
        """A text, number, truth value or None."""
        import yaml

        if self.node.id != "scalar":
            raise self.error("a single value is wanted, not a list or mapping")
        try:
            return yaml.constructor.SafeConstructor().construct_object(self.node)
        except (ValueError, yaml.YAMLError):
            return self.text

    @property
    def text(self) -> str:
        """What the file writes for a single value."""
        if self.node.id != "scalar":
            raise self.error("a single value is wanted, not a list or mapping")
        return str(self.node.value)

    def items(self) -> Iterator[Item]:
        """The entries of a list."""
        if not self.is_list:
            raise self.error("a list is wanted", "write one entry a line, each behind '- '")
        for place, node in enumerate(self.node.value):
            yield Item(node, self.file, f"{self.path}[{place}]")

    def mapping(self, known: Iterable[str] | None = None, what: str = "key") -> dict[str, Item]:
        """The values of a mapping by key, none twice, all of them known."""
        if not self.is_mapping:
            raise self.error("a mapping is wanted", "write 'key: value'")
        found: dict[str, Item] = {}
        names = None if known is None else list(known)
        for key, value in self.node.value:
            name = Item(key, self.file, self.path).text
            item = Item(value, self.file, f"{self.path}.{name}" if self.path else name)
            if name in found:
                raise item.error("is given twice", "keep one")
            if names is not None and name not in names:
                raise Item(key, self.file, self.path).error(f"no {what} '{name:.60}'", nearest(name, names))
            found[name] = item
        return found


def document(raw: bytes | str, file: str, *, shipped: bool = False) -> Item:
    """A YAML text as a tree.

    Raises:
        FileError: it is empty, malformed, too deep, or uses anchors, aliases, merge keys or tags.
    """
    from scalecalc.loading import compose_yaml

    node = compose_yaml(raw, where=file, max_depth=MAX_DEPTH, shipped=shipped)
    if node is None:
        raise FileError("is empty", where=file, todo="write a specification (scalecalc models shows some)")
    return Item(node, file, "")


def plain(item: Item) -> Any:
    """Mappings, lists and single values of a tree, for what only people read."""
    if item.is_mapping:
        return {name: plain(value) for name, value in item.mapping().items()}
    return [plain(entry) for entry in item.items()] if item.is_list else item.scalar()
