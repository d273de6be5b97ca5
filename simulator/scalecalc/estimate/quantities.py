"""The figures of a profile by name, as people type them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from scalecalc.errors import UsageError
from scalecalc.walk import Profile, Quantity

GROUPS = ("params", "forward", "training", "memory")
SHORT = {"params": "params.trainable"}
"""Words of their own for a figure: N is what training changes."""


def quantities(profile: Profile) -> dict[str, Quantity]:
    """Every figure by its path in the JSON contract: `params.trainable`, `forward.macs`, ..."""
    return {f"{group}.{name}": figure for group in GROUPS for name, figure in getattr(profile, group).items()}


def resolve(text: str, known: Iterable[str]) -> str:
    """The path a figure is meant by: the path itself, its last part where only one path ends so, or `params`.

    >>> resolve("macs", ["params.total", "forward.macs"])
    'forward.macs'

    Raises:
        UsageError: no path is meant, or several are.
    """
    paths = list(known)
    word = text.strip().lower().replace("-", "_")
    if word in paths:
        return word
    if SHORT.get(word) in paths:
        return SHORT[word]
    ends = [path for path in paths if path.rpartition(".")[2] == word]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise UsageError(f"'{text.strip()}' may be {' or '.join(ends)}", todo="write one of these")
    names = {name: path for path in paths for name in (path, path.rpartition(".")[2])}
    near = get_close_matches(word, [*SHORT, *names], 1, 0.5)
    todo = f"did you mean {names.get(near[0], near[0])}?" if near else f"use one of {', '.join(paths)}"
    raise UsageError(f"no quantity '{text.strip()}'", todo=todo)
