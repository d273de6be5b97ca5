"""Stored tensors that several files hold: a table of tokens that encoder and decoder share is one table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from math import prod
from typing import TypeAlias

from scalecalc.frontends.stored import Stored
from scalecalc.ir.graph import Graph, Initializer
from scalecalc.ops import itemsize

Look: TypeAlias = tuple[str, tuple[int, ...], bytes]
"""Type, shape, and the first and last bytes of a tensor: what must be equal before contents are compared."""

MOST_COMPARED = 100
"""Matrices of other names that one is compared with: no two that differ begin and end alike, but in odd files."""


class SharedTensors:
    """The stored tensors of the files joined so far.

    Two tensors are one if all their bytes are equal, and either their names are, too, or they are matrices that
    no initialisation makes twice (not one number repeated): exporters name what modules share after one of them.
    """

    def __init__(self, stored: Sequence[Stored]) -> None:
        self.stored = stored
        # by name: (name, file, name in the joint graph)
        self._known: dict[Look, dict[str, list[tuple[str, int, str]]]] = defaultdict(lambda: defaultdict(list))
        self._held: dict[tuple[str, str, tuple[int, ...]], bool] = {}
        self._once: list[Initializer] = []
        self._apart = 0

    def take(self, graph: Graph, file: int, prefix: str) -> dict[str, str]:
        """What the tensors of a file are called in the joint graph if they are in an earlier file."""
        if not self.stored:
            return {}
        mine = self.stored[file]
        found: dict[str, str] = {}
        looks: list[tuple[Look, str]] = []
        for name, tensor in graph.initializers.items():
            if name not in mine.spans or not tensor.stored_bytes:
                continue  # a constant of a node
            kind, held = (name, tensor.dtype, tensor.numbers), mine.holds(name)
            self._apart += kind in self._held and not (held and self._held[kind])
            if held:
                look = tensor.dtype, tensor.numbers, mine.edges(name)
                whole = next(self._equals(name, look, mine), None)
                if whole is None:
                    looks.append((look, name))
                else:
                    found[name] = whole
                    self._once.append(tensor)
            self._held[kind] = held
        for look, name in looks:  # only now: within one file nothing is merged
            self._known[look][name].append((name, file, prefix + name))
        return found

    def notes(self) -> Iterator[str]:
        """What was found, in words."""
        if self._once:
            count, elements = len(self._once), sum(prod(tensor.numbers) for tensor in self._once)
            tensors = f"{count} stored tensor{'s' * (count > 1)} ({elements:,} elements)"
            yield f"{tensors} {'are' if count > 1 else 'is'} in several files, equal byte for byte: counted once"
        if self._apart:
            tensors = "1 tensor" if self._apart == 1 else f"{self._apart} tensors"
            yield f"{tensors} of a name and shape other files have, contents in sidecars nobody opens: counted apart"

    def _equals(self, name: str, look: Look, mine: Stored) -> Iterator[str]:
        alike = self._known.get(look, {})
        unlike_others = len(look[1]) > 1 and not _is_plain(look)
        others = (entry for entries in alike.values() for entry in entries) if unlike_others else ()
        for other, file, whole in chain(alike.get(name, ()), islice(others, MOST_COMPARED)):
            if mine.same(name, self.stored[file], other):
                yield whole


def _is_plain(look: Look) -> bool:
    """Whether a tensor may be one number repeated."""
    dtype, _, edges = look
    size = itemsize(dtype)
    return edges == edges[:size] * (len(edges) // size)
