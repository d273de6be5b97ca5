"""Three views of a model's cost: by block, by node, by operator; as rows that every format writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scalecalc.dims import Dim, hint_of
from scalecalc.errors import UsageError
from scalecalc.estimate import Inspection
from scalecalc.estimate.block import Block, Place
from scalecalc.estimate.tree import operators, tree
from scalecalc.walk import NodeProfile, Quantity

BY = ("block", "node", "op")
SORTS = {"macs": "macs", "params": "params", "kept": "kept_bytes", "vector": "vector_flops", "name": ""}
"""What siblings may be sorted by, and the figure that is."""


Order = Callable[[Block | NodeProfile], Any]
"""A key to sort siblings by."""

ALL_LEVELS = 1_000
"""`--depth all`."""


@dataclass(frozen=True, slots=True)
class View:
    """What to show of a model.

    Attributes:
        by: one of BY; None for the format's own: blocks on a terminal, nodes elsewhere.
        depth: levels of blocks; None for as many as fit a screen on a terminal, all elsewhere.
        sort: one of SORTS, largest first; None for the graph's order.
    """

    by: str | None = None
    depth: int | None = None
    sort: str | None = None


def view_of(by: str | None, depth: str | None, sort: str | None) -> View:
    """A view from options.

    Raises:
        UsageError: a choice there is not, or a depth below one.
    """
    if by is not None and by not in BY:
        raise UsageError(f"no view '{by}'", where="--by", todo=f"use one of {', '.join(BY)}")
    if sort is not None and sort not in SORTS:
        raise UsageError(
            f"nothing to sort by is called '{sort}'", where="--sort", todo=f"use one of {', '.join(SORTS)}"
        )
    if depth is None or depth == "all":
        return View(by, None if depth is None else ALL_LEVELS, sort)
    if not re.fullmatch("[1-9][0-9]{0,8}", depth):
        raise UsageError(f"'{depth}' is no depth", where="--depth", todo="use 1, 2, ... or all")
    return View(by, int(depth), sort)


def order(result: Inspection, sort: str | None) -> Order | None:
    """The key siblings are sorted by, None for the graph's order."""
    if sort is None or not SORTS[sort]:
        return None if sort is None else lambda entry: entry.name
    figure = SORTS[sort]
    return lambda entry: -amount(result, entry.named[figure])


def amount(result: Inspection, formula: Dim) -> int:
    """A figure's value; where a size is missing, what it would be at the sizes the file hints at."""
    value = result.value(Quantity(formula))
    return hint_of(formula) if value is None else value


def nodes(result: Inspection, view: View) -> Sequence[NodeProfile]:
    """The nodes in the view's order."""
    key = order(result, view.sort)
    return sorted(result.profile.nodes, key=key) if key else result.profile.nodes


def blocks(result: Inspection, view: View) -> list[Place]:
    """The blocks down to the view's depth, each before those inside it."""
    places = tree(result.profile).walk(order(result, view.sort))
    return [place for place in places if view.depth is None or place.level <= view.depth]


def by_operator(result: Inspection, view: View) -> list[Block]:
    """The operators in the view's order."""
    found, key = operators(result.profile), order(result, view.sort)
    return sorted(found, key=key) if key else found
