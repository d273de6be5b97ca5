"""Plug-ins are names until used: one table of `name -> "module:attribute"` for built-ins and third parties.

A third party registers in its own pyproject.toml, under the group of what it adds (`scalecalc.laws`, `scalecalc.ops`):

    [project.entry-points."scalecalc.laws"]
    acme-2026 = "acme.scaling:LAW"
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

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
    from importlib.metadata import entry_points

    found = {name: PlugIn(name, target) for name, target in (builtins or {}).items()}
    for entry in entry_points(group=group):
        origin = entry.dist.name if entry.dist else "an unknown distribution"
        known = found.get(entry.name)
        if known and (known.target, known.origin) != (entry.value, origin):
            owner = known.origin or "scalecalc"
            what = f"{entry.name!r} comes from both {owner} and {origin}"
            raise ScalecalcError(what, where=group, todo=f"uninstall {origin} or rename it")
        found[entry.name] = PlugIn(entry.name, entry.value, origin)
    return found
