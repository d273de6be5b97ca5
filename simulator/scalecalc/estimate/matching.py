"""Which node of one graph is which of another: by name, then by what it does, in the order of the file."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from scalecalc.dims import Dim, evaluate, hint_of
from scalecalc.estimate.inspection import Inspection
from scalecalc.walk import Weight

Key = Callable[["Trait"], Hashable]


@dataclass(frozen=True, slots=True)
class Trait:
    """What a node is known by.

    Attributes:
        name, op: of the node, with its operator's domain.
        weights: shapes of the stored tensors it uses first, the largest one first.
        outputs: shapes it gives: sizes, and as text what has none, so that the symbols of two files compare by name.
    """

    name: str
    op: tuple[str, str]
    weights: tuple[tuple[Dim, ...], ...]
    outputs: tuple[tuple[int | str, ...] | None, ...]


KEYS: tuple[Key, ...] = (
    lambda trait: (trait.name, trait.op, trait.weights),
    lambda trait: (trait.op, trait.weights, trait.outputs),
    lambda trait: (trait.op, trait.weights[0], trait.outputs) if trait.weights else None,
    lambda trait: (trait.name, trait.op),
    lambda trait: (trait.op, trait.weights[0]) if trait.weights else None,
    lambda trait: trait.name,
)
"""From certain to likely: what one key leaves, the next one pairs, first with first; None pairs nothing."""


def match(old: Inspection, new: Inspection) -> list[tuple[int | None, int | None]]:
    """Pairs of places in both, those of the new graph in its order, each removed node where it stood; linear time."""
    before, after = _traits(old), _traits(new)
    partner: dict[int, int] = {}
    left, right = list(range(len(before))), list(range(len(after)))
    for key in KEYS:
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for place in left:
            waiting[key(before[place])].append(place)
        waiting.pop(None, None)
        for place in right:
            if queue := waiting.get(key(after[place])):
                partner[place] = queue.popleft()
        taken = set(partner.values())
        left = [place for place in left if place not in taken]
        right = [place for place in right if place not in partner]
    return _merged(len(after), partner, left)


def _merged(length: int, partner: dict[int, int], removed: Sequence[int]) -> list[tuple[int | None, int | None]]:
    behind: dict[int, list[int]] = defaultdict(list)  # removed nodes by the last one before them that stayed
    stayed = {old: new for new, old in partner.items()}
    last = -1
    gone = set(removed)
    for old in range(len(stayed) + len(gone)):
        if old in gone:
            behind[last].append(old)
        else:
            last = stayed[old]
    pairs: list[tuple[int | None, int | None]] = [(old, None) for old in behind[-1]]
    for new in range(length):
        pairs.append((partner.get(new), new))
        pairs += [(old, None) for old in behind[new]]
    return pairs


def _traits(inspection: Inspection) -> list[Trait]:
    sizes = inspection.settled.sizes

    def shape(dims: tuple[Dim, ...] | None) -> tuple[int | str, ...] | None:
        return None if dims is None else tuple(str(d) if (n := evaluate(d, sizes)) is None else n for d in dims)

    weights: dict[int, list[Weight]] = defaultdict(list)
    for weight in inspection.profile.weights:
        if weight.role != "constant":
            weights[weight.first].append(weight)
    traits = []
    for place, node in enumerate(inspection.profile.nodes):
        own = sorted(weights.get(place, ()), key=lambda weight: -hint_of(weight.size))
        op = node.domain, node.op_type
        traits.append(Trait(node.name, op, tuple(weight.shape for weight in own), tuple(map(shape, node.outputs))))
    return traits
