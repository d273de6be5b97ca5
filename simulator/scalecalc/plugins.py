"""Plug-ins are names until used: one table of `name -> "module:attribute"` for built-ins and third parties.

A third party registers in its own pyproject.toml, under the group of what it adds (`scalecalc.laws`, `scalecalc.ops`):

    [project.entry-points."scalecalc.laws"]
    acme-2026 = "acme.scaling:LAW"
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder

from scalecalc.errors import ScalecalcError


@dataclass(frozen=True, slots=True)
class PlugIn:
    """A name that can be loaded.

    Attributes:
        name: what users call it.
        target: `module:attribute`, dots allowed in both.
        origin: the distribution it comes from; "" for a built-in.
    """

    name: str
    target: str
    origin: str = ""

    def load(self) -> object:
        """The object; None after a warning if a third party's cannot be had."""
        module, _, attribute = self.target.partition(":")
        try:
            value: object = import_module(module)
            for part in filter(None, attribute.split(".")):
                value = getattr(value, part)
            return value
        except Exception as error:
            if not self.origin:
                raise
            reason = f"{type(error).__name__}: {error}"
            warnings.warn(f"plug-in {self.name!r} of {self.origin} is left out: {reason}", stacklevel=2)
            return None


def table(group: str, builtins: Mapping[str, str] | None = None) -> dict[str, PlugIn]:
    """Built-ins and installed entry points of a group, by name; nothing of them is imported.

    Raises:
        ScalecalcError: two distributions, or one and a built-in, claim the same name.
    """
    found = {name: PlugIn(name, target) for name, target in (builtins or {}).items()}
    if not _announced(group):
        return found
    from importlib.metadata import entry_points

    for entry in entry_points(group=group):
        origin = entry.dist.name if entry.dist else "an unknown distribution"
        known = found.get(entry.name)
        if known and (known.target, known.origin) != (entry.value, origin):
            owner = known.origin or "scalecalc"
            what = f"{entry.name!r} comes from both {owner} and {origin}"
            raise ScalecalcError(what, where=group, todo=f"uninstall {origin} or rename it")
        found[entry.name] = PlugIn(entry.name, entry.value, origin)
    return found


def _announced(group: str) -> bool:
    """Whether a distribution may have entry points of a group.

    `importlib.metadata` tells, but to import it costs ten times what it takes to see that no file names the group.
    """
    if any(hasattr(finder, "find_distributions") for finder in sys.meta_path if finder is not PathFinder):
        return True
    texts = _entry_points(tuple(sys.path))
    return texts is None or f"[{group}]".encode() in texts


@cache
def _entry_points(path: tuple[str, ...]) -> bytes | None:
    """What all distributions announce; None where one may be elsewhere than in a directory."""
    texts = []
    for folder in path:
        try:
            infos = [name for name in os.listdir(folder or ".") if name.lower().endswith(("dist-info", "egg-info"))]
        except NotADirectoryError:  # an archive
            return None
        except OSError:
            continue
        for info in infos:
            try:
                with open(os.path.join(folder, info, "entry_points.txt"), "rb") as file:
                    texts.append(file.read())
            except OSError:  # most have none
                continue
    return b"".join(texts)
