"""The shipped models with what each costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scalecalc.errors import UsageError, nearest
from scalecalc.estimate.inspection import Inspection, inspect
from scalecalc.frontends import zoo
from scalecalc.frontends.spec import Spec
from scalecalc.walk import walk


@dataclass(frozen=True, slots=True)
class Listed:
    """A shipped model.

    Attributes:
        name: what a command takes for MODEL.
        spec: its file.
        inspection: its formulas at its own sizes.
    """

    name: str
    spec: Spec
    inspection: Inspection


def models(wanted: str = "") -> Iterator[Listed]:
    """The shipped models whose name, title, domain or task holds all the words of a text.

    Raises:
        UsageError: none does.
    """
    words = wanted.lower().split()
    found = False
    for entry in zoo.entries():
        spec = zoo.load(entry)
        name = f"{spec.name}:{entry.variant}" if entry.variant else spec.name
        text = " ".join((name, spec.title, spec.domain, spec.task, *spec.aliases)).lower()
        if all(word in text for word in words):
            found = True
            yield Listed(name, spec, inspect(walk(spec.graph())))
    if not found:
        todo = nearest(wanted, zoo.known(), "scalecalc models lists all")
        raise UsageError(f"no model of that name, domain or task: '{wanted:.60}'", where="FILTER", todo=todo)


def text_of(name: str) -> str:
    """The specification of a shipped model as its file has it, to start one's own from.

    Raises:
        UsageError: there is no such model.
    """
    found = zoo.find(name)
    if found is None:
        raise UsageError(f"no model '{name:.60}'", where="FILTER", todo=nearest(name, zoo.known(), "scalecalc models"))
    return found.path.read_text(encoding="utf-8")
