"""Names from files as identifiers of programs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

LONGEST = 48
"""Characters of an identifier: C compilers may tell apart the first 63 only."""


def identifiers(names: Iterable[str], reserved: Collection[str] = ()) -> dict[str, str]:
    """A distinct identifier of ASCII letters, digits and inner underscores for every name, itself where it is one.

    None is reserved; a name that would be gets an underscore behind it.

    >>> identifiers(["seq", "for", "Höhe", "a b", "a_b", "2nd", "日"], reserved=["for"])
    {'seq': 'seq', 'for': 'for_', 'Höhe': 'Hohe', 'a b': 'a_b_2', 'a_b': 'a_b', '2nd': 'x2nd', '日': 'x'}
    """
    ordered = list(dict.fromkeys(names))
    found: dict[str, str] = {}
    taken = set(reserved)
    for name in sorted(ordered, key=lambda name: _plain(name) != name):  # who can stay, stays
        plain = _plain(name)
        if plain in reserved:
            plain += "_"
        candidate, number = plain, 1
        while candidate in taken:
            number += 1
            candidate = f"{plain}_{number}"
        taken.add(candidate)
        found[name] = candidate
    return {name: found[name] for name in ordered}


def _plain(name: str) -> str:
    ascii_ = "".join(c for c in unicodedata.normalize("NFKD", name[:LONGEST]) if not unicodedata.combining(c))
    plain = re.sub(r"[^A-Za-z0-9]+", "_", ascii_).strip("_") if not ascii_.isascii() or not ascii_.isidentifier() else (
        ascii_.strip("_")
    )  # fmt: skip
    return plain[:LONGEST] if plain[:1].isalpha() else f"x{plain}"[:LONGEST]
