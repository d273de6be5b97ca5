"""Where a figure comes from: its formula, the kinds of nodes it is the sum of, the largest parts, the conventions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scalecalc.dims import hint_of, total
from scalecalc.estimate.inspection import Inspection
from scalecalc.estimate.quantities import NODE_SUMS, WEIGHT_SUMS, quantities, resolve, shares
from scalecalc.ir.patterns import LAYERS
from scalecalc.ops import find
from scalecalc.walk import NodeProfile, Profile, Quantity

MOST_PARTS = 20
"""Parts listed one by one; the others are one."""

_MACS = "a multiply-accumulate (MAC) of a matrix product or convolution; 1 MAC = 2 FLOPs"
_BACKWARD = (
    "backward costs the forward MACs once more for every operand that needs a gradient: weights that are trained, and "
    "values made with them; the model's inputs need none, so a first layer costs 1x, not 2x"
)
_VECTOR = "every other floating-point operation: one FLOP for each arithmetic operation, comparison, exp, sqrt, ..."
_PARAMS = (
    "elements of stored tensors, each tensor once, however many nodes use it; roles by what uses them, not by name"
)

CONVENTIONS: dict[str, tuple[str, ...]] = {
    "forward.macs": (_MACS,),
    "forward.matrix_flops": (_MACS,),
    "forward.vector_flops": (_VECTOR, "bias, activations, norms, softmax; moving data costs none"),
    "forward.flops": (_MACS, _VECTOR),
    "forward.bytes": ("what every node reads and writes, once each; a node that only shows memory moves nothing",),
    "training.backward_matrix_flops": (_MACS, _BACKWARD),
    "training.backward_vector_flops": (_VECTOR, "for every input that needs a gradient"),
    "training.matrix_flops": ("forward and backward of one run of the graph", _MACS, _BACKWARD),
    "training.vector_flops": ("forward and backward of one run of the graph", _VECTOR),
    "training.optimizer_flops": ("one AdamW update of every trainable element, per step, not per sample",),
    "memory.weights": ("stored tensors in the file's types, without constants",),
    "memory.gradients": ("a gradient of each trainable tensor, in its own type",),
    "memory.optimizer": ("AdamW's two moments in float32 for each trainable element",),
    "memory.activations": (
        "values the backward pass needs, each once, at the node that needs it first; a view is the value it shows",
        "not in it: what no gradient is made from, working space of a kernel, and what an allocator wastes",
    ),
}
"""What a figure counts and what not; parameters share one convention."""

TERMS = {
    "forward.flops": ("forward.matrix_flops", "forward.vector_flops"),
    "training.matrix_flops": ("forward.matrix_flops", "training.backward_matrix_flops"),
    "training.vector_flops": ("forward.vector_flops", "training.backward_vector_flops"),
    "params.total": ("params.trainable", "params.buffers", "params.constants", "params.quantized"),
    "params.trainable": ("params.non_embedding", "params.embedding", "params.positional"),
}
"""Figures that are sums of other ones."""


@dataclass(frozen=True, slots=True)
class Part:
    """One addend of a figure.

    Attributes:
        name: of a node, a stored tensor or a kept value.
        kind: the operator, or a tensor's role.
        detail: an output's or a tensor's shape, or the node that keeps a value.
        quantity: what it adds.
    """

    name: str
    kind: str
    detail: str
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Group:
    """All parts of a kind.

    Attributes:
        kind: the operator (with the layer it is counted as), or the role.
        count: how many parts there are.
        quantity: their sum.
        rule: what the operator's rule counts, in one line; "" for tensors.
    """

    kind: str
    count: int
    quantity: Quantity
    rule: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A figure as a sum. Groups and parts each add up to it exactly.

    Attributes:
        inspection: the model at sizes.
        path: which figure.
        quantity: the figure.
        conventions: what it counts, and remarks on this model.
        terms: figures it is the sum of, by path, if it is one.
        groups: by kind, the largest first.
        parts: the largest.
        others: how many parts are not listed.
        rest: their sum.
    """

    inspection: Inspection
    path: str
    quantity: Quantity
    conventions: tuple[str, ...]
    terms: dict[str, Quantity]
    groups: tuple[Group, ...]
    parts: tuple[Part, ...]
    others: int
    rest: Quantity


def explain(inspection: Inspection, text: str, *, most: int = MOST_PARTS) -> Explanation:
    """Where a figure comes from.

    Args:
        inspection: the model at sizes.
        text: the figure's name, as `quantities.resolve` takes it.
        most: parts to list.

    Raises:
        UsageError: no figure, or several, are meant.
    """
    profile = inspection.profile
    known = quantities(profile)
    path = resolve(text, known, "--explain")
    entries = [entry for entry in _entries(profile, path) if entry[0].quantity.formula != 0]

    def largest(item: Part | Group) -> int:
        value = inspection.value(item.quantity)
        return -(hint_of(item.quantity.formula) if value is None else value)

    kinds: dict[tuple[str, str], list[Part]] = {}
    for part, kind, rule in entries:
        kinds.setdefault((kind, rule), []).append(part)
    groups = [Group(kind, len(parts), _sum(parts), rule) for (kind, rule), parts in kinds.items()]
    parts = sorted((part for part, _, _ in entries), key=largest)
    listed, rest = parts[:most], parts[most:]
    return Explanation(
        inspection,
        path,
        known[path],
        (*_conventions(path), *_remarks(profile, path)),
        {term: known[term] for term in TERMS.get(path, ())},
        tuple(sorted(groups, key=largest)),
        tuple(listed),
        len(rest),
        _sum(rest),
    )


def _sum(parts: Sequence[Part]) -> Quantity:
    return Quantity(total((1, part.quantity.formula) for part in parts))


def _conventions(path: str) -> tuple[str, ...]:
    return CONVENTIONS.get(path, (_PARAMS,) if path.startswith("params.") else ())


def _entries(profile: Profile, path: str) -> Iterator[tuple[Part, str, str]]:
    """Every addend with its kind and that kind's rule."""
    if path == "memory.activations":
        yield from _kept(profile)
    elif path in WEIGHT_SUMS:
        for weight in profile.weights:
            shape = " x ".join(map(str, weight.shape)) or "scalar"
            uses = f", used by {weight.uses} nodes" if weight.uses > 1 else ""
            part = Part(weight.name, weight.role, shape + uses, Quantity(WEIGHT_SUMS[path](weight)))
            yield part, weight.role, ""
    else:
        *own, rest = shares(profile, path)
        for node, share in zip(profile.nodes, own, strict=True):
            shape = "; ".join("?" if dims is None else " x ".join(map(str, dims)) for dims in node.outputs[:1])
            kind, rule = _rule(node, path)
            yield Part(node.name, kind, shape, Quantity(share)), kind, rule
        yield Part(path, "the figure itself", "", Quantity(rest)), "the figure itself", ""


def _kept(profile: Profile) -> Iterator[tuple[Part, str, str]]:
    for node in profile.nodes:
        kind = node.layer or node.op_type
        for name, size in node.kept:
            part = Part(name or f"{node.name}: mask or statistics", kind, f"for {node.name}", Quantity(size))
            yield part, kind, ""


def _rule(node: NodeProfile, path: str) -> tuple[str, str]:
    """What a node counts as, and that rule's summary: vector FLOPs of a recognised layer are the layer's."""
    kind = f"{node.op_type} in {node.layer}" if node.layer and node.layer != node.op_type else node.op_type
    operator = find(node.domain, node.op_type)
    if node.layer and not any("macs" in name for name in NODE_SUMS.get(path, ())):
        operator = find(LAYERS, node.layer) or find("", node.layer)
    return kind, operator.summary if operator is not None else ""


def _remarks(profile: Profile, path: str) -> Iterator[str]:
    """What is special about this model's figure."""
    if quantities(profile)[path].lower_bound:
        lost = ", ".join(f"{name} ({count:,})" for (_, name), count in list(profile.unsupported.items())[:5])
        behind = f"{len(profile.unreached):,} nodes of unknown shape" if profile.unreached else ""
        yield f"a lower bound: without {' and '.join(filter(None, [lost, behind]))}"
    if "backward_macs" in NODE_SUMS.get(path, ()):
        less = [node for node in profile.nodes if node.macs != 0 and node.backward_macs != 2 * node.macs]
        if less:
            named = ", ".join(node.name for node in less[:3]) + (" ..." if len(less) > 3 else "")
            yield f"{len(less):,} node{'s cost' if len(less) > 1 else ' costs'} less than 2x forward here: {named}"
    if path.startswith("params."):
        yield from profile.notes
    if profile.conditions and not isinstance(quantities(profile)[path].formula, int):
        yield f"holds for {', '.join(profile.conditions)}"
