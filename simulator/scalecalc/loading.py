"""Reading YAML: catalogues of this package, and users' files, bounded and rejected before anything is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from scalecalc.errors import FileError, UsageError, nearest

MAX_BYTES = 64_000
MAX_DEPTH = 16
MAX_DIGITS = 400
E = TypeVar("E", bound="Entry")
NUMBER = re.compile(r"[-+]?(0[xob])?[0-9a-fA-F_]+")


def shipped_yaml(path: Path) -> Any:
    """A file of this package, by the C parser (10 times faster; hostile nesting would crash it)."""
    import yaml

    with path.open("rb") as file:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(file)
        return _plain(loader, loader.get_single_node())


def _plain(loader: Any, node: Any) -> Any:
    """What a node says: as the loader would have it, and texts, lists and mappings in a third of its time."""
    kind = node.tag.rpartition(":")[2]
    if kind == "str":
        return node.value
    if kind == "seq":
        return [_plain(loader, item) for item in node.value]
    if kind == "map":
        return {_plain(loader, key): _plain(loader, value) for key, value in node.value}
    return loader.construct_object(node)


class Entry(Protocol):
    """An entry of a catalogue."""

    @property
    def name(self) -> str: ...

    @property
    def aliases(self) -> tuple[str, ...]: ...


def entry_of(entries: Iterable[E], name: str, *, what: str, where: str, listed: str) -> E:
    """An entry by its name or an alias, in any case, words joined by hyphens, spaces, underscores or nothing.

    Args:
        entries: of a catalogue.
        name: as typed.
        what: an entry is, for the error.
        where: the option it was typed at.
        listed: where to look them up.

    Raises:
        UsageError: no such entry, with the nearest one.
    """
    known = {alias: entry for entry in entries for alias in (entry.name, *entry.aliases)}
    wanted = name.strip().lower().replace("_", "-").replace(" ", "-")
    squeezed = {alias.replace("-", ""): entry for alias, entry in known.items()}
    found = known.get(wanted) or squeezed.get(wanted.replace("-", ""))
    if found is None:
        raise UsageError(f"no {what} '{name.strip():.60}'", where=where, todo=nearest(wanted, known, listed))
    return found


def bounded_yaml(path: str | Path, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """Plain mappings, lists and scalars of a user's YAML file.

    Raises:
        FileError: unreadable, too large or too deep, malformed, or using anchors, aliases, merge keys, tags or a key
            twice.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(max_bytes + 1)
    except OSError as error:
        raise FileError(f"cannot be read ({error.strerror})", where=str(path), todo="check the path") from None
    if len(raw) > max_bytes:
        raise FileError(f"is larger than {max_bytes} bytes", where=str(path), todo="give a smaller file")
    return parse_yaml(raw, where=str(path), max_depth=max_depth)


def parse_yaml(raw: bytes | str, *, where: str, max_depth: int = MAX_DEPTH) -> Any:
    """As `bounded_yaml`, from bytes already bounded."""
    import yaml

    return _read_yaml(raw, where, lambda text: yaml.load(text, Loader=_bounded_loader(where, max_depth)))


def compose_yaml(raw: bytes | str, *, where: str, max_depth: int = MAX_DEPTH, shipped: bool = False) -> Any:
    """The tree of a YAML text, whose nodes know their lines; one this package ships is taken as it is."""
    import yaml

    if shipped:
        return yaml.compose(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return _read_yaml(raw, where, lambda text: yaml.compose(text, Loader=_bounded_loader(where, max_depth)))


def _read_yaml(raw: bytes | str, where: str, build: Callable[[str], Any]) -> Any:
    import yaml

    try:
        return build(raw.decode("utf-8") if isinstance(raw, bytes) else raw)
    except UnicodeDecodeError:
        raise FileError("is not UTF-8 text", where=where, todo="give a YAML file") from None
    except yaml.MarkedYAMLError as error:
        place = f"{where}:{error.problem_mark.line + 1}" if error.problem_mark else where
        what = f"{error.context} {error.problem}" if f"{error.problem}".startswith("but ") else f"{error.problem}"
        raise FileError(what, where=place, todo="correct the YAML") from None
    except (yaml.YAMLError, ValueError) as error:
        raise FileError(str(error), where=where, todo="correct the YAML") from None


def _bounded_loader(where: str, max_depth: int) -> Any:
    """SafeLoader that refuses what may harm before it makes a node of it, and a key twice: PyYAML keeps the last."""
    import yaml

    def refused(event: Any, deep: bool) -> str:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return "anchors and aliases are not read"
        if getattr(event, "tag", None):
            return "tags are not read"
        if isinstance(event, yaml.ScalarEvent):
            if event.value == "<<":
                return "merge keys are not read"
            if len(event.value) > MAX_DIGITS and NUMBER.fullmatch(event.value):
                return f"a number of more than {MAX_DIGITS} digits"
        elif deep:
            return f"nested more than {max_depth} levels deep"
        return ""

    class Bounded(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            if what := refused(event, self.depth >= max_depth):
                raise FileError(what, where=f"{where}:{event.start_mark.line + 1}", todo="write plain YAML")
            self.depth += 1
            try:
                return super().compose_node(parent, index)
            finally:
                self.depth -= 1

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            mapping = super().construct_mapping(node, deep=deep)
            if len(mapping) < len(node.value):
                raise yaml.constructor.ConstructorError(None, None, "a key occurs twice", node.start_mark)
            return mapping

    return Bounded
