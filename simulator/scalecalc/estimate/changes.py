"""A figure before and after: of a model, of a node, of all nodes of an operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scalecalc.dims import Dim, total
from scalecalc.walk import NodeProfile


@dataclass(frozen=True, slots=True)
class Delta:
    """A figure before and after.

    Attributes:
        formula: after less before, over the symbols of both, which are known by name.
        before, after: the values; None while a size is missing.
        exact: neither is a lower bound.
    """

    formula: Dim
    before: int | None
    after: int | None
    exact: bool = True

    @property
    def value(self) -> int | None:
        """After less before; 0 wherever the formulas are the same."""
        if self.formula == 0 and self.before == self.after:
            return 0
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def ratio(self) -> float | None:
        """The change over what was before; None where that is 0 and something came."""
        if self.value is None or (not self.before and self.value):
            return None
        return self.value / self.before if self.before else 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """A node in both graphs, or in one.

    Attributes:
        kind: `added`, `removed`, `changed` or `same`.
        before, after: the node in the old graph and in the new one.
        deltas: of the figures listed per node, by path.
    """

    kind: str
    before: NodeProfile | None
    after: NodeProfile | None
    deltas: Mapping[str, Delta]

    @property
    def node(self) -> NodeProfile | None:
        """Where it stands in the new graph, else in the old one; None for what no node uses."""
        return self.after or self.before


@dataclass(frozen=True, slots=True)
class Group:
    """All nodes of an operator.

    Attributes:
        op_type: of the nodes.
        before, after: how many there are in the old graph and in the new one.
        deltas: of the figures listed per node, by path.
    """

    op_type: str
    before: int
    after: int
    deltas: Mapping[str, Delta]


def added(deltas: Sequence[Delta]) -> Delta:
    """Several changes as one."""
    before, after = [delta.before for delta in deltas], [delta.after for delta in deltas]
    return Delta(
        total((1, delta.formula) for delta in deltas),
        None if None in before else sum(filter(None, before)),
        None if None in after else sum(filter(None, after)),
        all(delta.exact for delta in deltas),
    )


def in_words(delta: Delta) -> str:
    """`rose by 5.7 %, from 4 to 5`."""
    assert delta.before is not None
    assert delta.after is not None
    if delta.before == delta.after:
        return f"is {delta.after:,} as before"
    ratio = f" ({100 * abs(delta.ratio):.4g} %)" if delta.ratio is not None else ""
    way = "rose" if delta.after > delta.before else "fell"
    return f"{way} by {abs(delta.after - delta.before):,}{ratio}, from {delta.before:,} to {delta.after:,}"
