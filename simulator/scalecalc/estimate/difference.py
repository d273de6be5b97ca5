"""What changed from one model to another, to the last unit, and which nodes changed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from scalecalc.dims import Transfer, put_in
from scalecalc.errors import UsageError, nearest
from scalecalc.estimate.changes import Change, Delta, Group, added, in_words
from scalecalc.estimate.inspection import Inspection, inspect
from scalecalc.estimate.matching import match
from scalecalc.estimate.quantities import quantities, resolve, shares
from scalecalc.estimate.thresholds import Threshold
from scalecalc.walk import Profile, Quantity

LISTED = (
    "params.trainable", "forward.macs", "training.backward_matrix_flops", "forward.vector_flops",
    "training.backward_vector_flops", "forward.bytes", "memory.weights", "memory.activations",
)  # fmt: skip
"""Figures whose changes are listed node by node."""


class Difference:
    """Two models at the same sizes. Every figure's change is the sum of its changes by node.

    Attributes:
        before, after: the models.
        pairs: places of nodes in both graphs, the last pair stands for what no node uses.
        assumptions: everything taken for granted, with the option that changes it.
    """

    def __init__(self, before: Inspection, after: Inspection, assumptions: Sequence[str]) -> None:
        self.before, self.after = before, after
        self.assumptions = tuple(assumptions)
        last = len(before.profile.nodes), len(after.profile.nodes)
        self.pairs = [*match(before, after), last]
        self._one_set = before.profile.symbols.keys() == after.profile.symbols.keys()
        self._into = Transfer()
        self._shares: dict[str, list[Delta]] = {}
        self._deltas: dict[tuple[Quantity, Quantity], Delta] = {}

    @cached_property
    def totals(self) -> dict[str, Delta]:
        """Every figure both models have, by path."""
        old, new = quantities(self.before.profile), quantities(self.after.profile)
        return {path: self._delta(old[path], new[path]) for path in old if path in new}

    def by_node(self, path: str) -> list[Delta]:
        """A figure's change at every one of `pairs`; their sum is the change of the total."""
        if path not in self._shares:
            old, new = shares(self.before.profile, path), shares(self.after.profile, path)
            self._shares[path] = [
                self._delta(Quantity(0 if i is None else old[i]), Quantity(0 if j is None else new[j]))
                for i, j in self.pairs
            ]
        return self._shares[path]

    @cached_property
    def changes(self) -> list[Change]:
        """Every node with its changes of the figures LISTED, in the new graph's order, and what no node does last."""
        columns = {path: self.by_node(path) for path in LISTED}
        found = []
        for place, (i, j) in enumerate(self.pairs):
            deltas = {path: column[place] for path, column in columns.items()}
            inner = place < len(self.pairs) - 1
            before = self.before.profile.nodes[i] if inner and i is not None else None
            after = self.after.profile.nodes[j] if inner and j is not None else None
            moved = any(map(self.counts, deltas.values()))
            moved = moved or (before is not None and after is not None and before.op_type != after.op_type)
            kind = "removed" if j is None else "added" if i is None else "changed" if moved else "same"
            found.append(Change(kind, before, after, deltas))
        return found

    def passed(self, limits: Sequence[Threshold]) -> list[str]:
        """Those limits that are passed, each with what happened.

        Raises:
            UsageError: a limit names no figure, or one without a value.
        """
        found = []
        for limit in limits:
            path = resolve(limit.name, self.totals, "--fail-if")
            delta = self.totals[path]
            if delta.before is None or delta.after is None:
                missing = (*self.before.settled.missing, *self.after.settled.missing)
                raise UsageError(f"{path} has no value", where="--fail-if", todo=f"give sizes: --set {missing[0]}=")
            if limit.is_met(delta.before, delta.after):
                found.append(f"{limit.text}: {path} {in_words(delta)}")
        return found

    def counts(self, delta: Delta) -> bool:
        """Whether a figure changed: its value, or its formula where both models have the same symbols."""
        return bool(delta.value) or (delta.formula != 0 and (self._one_set or delta.value is None))

    @cached_property
    def by_op(self) -> list[Group]:
        """The changes of all nodes of an operator as one, in the order operators come up; "" for what no node does."""
        members: dict[str, list[Change]] = {}
        for change in self.changes:
            members.setdefault(change.node.op_type if change.node else "", []).append(change)
        return [
            Group(
                op,
                sum(change.before is not None for change in changes),
                sum(change.after is not None for change in changes),
                {path: added([change.deltas[path] for change in changes]) for path in LISTED},
            )
            for op, changes in members.items()
        ]

    def _delta(self, old: Quantity, new: Quantity) -> Delta:
        found = self._deltas.get((old, new))  # most nodes are like others
        if found is None:
            mine, other = (put_in(q.formula, s.settled.own) for q, s in ((old, self.before), (new, self.after)))
            formula = self._into(other) - self._into(mine)
            exact = not (old.lower_bound or new.lower_bound)
            found = self._deltas[old, new] = Delta(formula, self.before.value(old), self.after.value(new), exact)
        return found


def difference(old: Profile, new: Profile, *, sizes: Mapping[str, int] | None = None) -> Difference:
    """What changed from one model to another.

    Args:
        old, new: from `walk`.
        sizes: symbol name to size, of either model. A symbol nobody sets has one size in both models where both
            have it: the smaller one of what the two files suggest.

    Raises:
        UsageError: no model has a symbol, or sizes break a condition.
    """
    sides = (old, new)
    given = [_known(profile, sizes or {}) for profile in sides]
    for name in sizes or {}:
        if not any(name in own for own in given):
            raise _unknown(name, sides)
    found = [inspect(profile, sizes=own) for profile, own in zip(sides, given, strict=True)]
    common = _common(found)
    if common:
        assumed = [f"{name} {size:,} in both (--set {name}=)" for name, size in common.items()]
        both = [{**own, **_known(profile, common)} for profile, own in zip(sides, given, strict=True)]
        found = [inspect(profile, sizes=own) for profile, own in zip(sides, both, strict=True)]
    else:
        assumed = []
    lines = (*assumed, *found[0].assumptions, *found[1].assumptions)
    return Difference(found[0], found[1], [line for line in dict.fromkeys(lines) if not line.startswith("task ")])


def _known(profile: Profile, sizes: Mapping[str, int]) -> dict[str, int]:
    """Those sizes whose symbol a model has."""
    names = {name for symbol in profile.symbols.values() for name in (symbol.name, *symbol.aliases)}
    return {name: size for name, size in sizes.items() if name in names}


def _common(found: Sequence[Inspection]) -> dict[str, int]:
    """One size for every symbol of both that has two: the one that was set, else the smaller one.

    Sizes the files declare for their own models are what differs between these.
    """
    first, second = (inspection.settled for inspection in found)
    common = {}
    names = found[0].profile.symbols.keys() & found[1].profile.symbols.keys()
    for name in names - (first.own.keys() & second.own.keys()):
        ways = [side for side in (first, second) if name in side.sizes]
        if len({side.sizes[name] for side in ways}) > 1 or len(ways) == 1:
            stated = [side for side in ways if name not in side.assumed]
            common[name] = min(side.sizes[name] for side in stated or ways)
    return dict(sorted(common.items()))


def _unknown(name: str, sides: Sequence[Profile]) -> UsageError:
    names = list(dict.fromkeys(symbol for profile in sides for symbol in profile.symbols))
    todo = nearest(name, names, f"their symbols are {', '.join(names)}" if names else "use --shape")
    return UsageError(f"no symbol '{name:.80}' in either model", where="--set", todo=todo)
