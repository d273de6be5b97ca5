"""What each stored tensor is for: decided by the slots it feeds, never by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scalecalc.dims import Dim, Poly, hint_of, is_family, lone, total
from scalecalc.ir.graph import Graph
from scalecalc.ir.links import Layer
from scalecalc.ops import OPERATORS, Tensor, is_float
from scalecalc.ops.dtypes import bits_of
from scalecalc.walk.forward import Forward
from scalecalc.walk.gradients import Flow
from scalecalc.walk.profile import ROLES, Weight
from scalecalc.walk.tables import Uses, angles, attention_biases, compared, inner, multiplied, states, sums_of_stored

NUMBERING = ("Cast", "Identity", "Add", "Sub", "Mul", "Where", "Slice", "Reshape", "Unsqueeze")
"""What makes positions of the numbers of tokens."""


def classify(forward: Forward, flow: Flow, layers: Sequence[Layer]) -> list[Weight]:
    """Every stored tensor the front end found in the file, each once."""
    uses, dequantized, source = _uses(forward)
    norms = {
        source.get(name, name)
        for layer in layers
        for slot, name in enumerate(layer.node.inputs)
        if _is_norm(layer, slot)
    }
    fixed = inner(layers, uses, source) | angles(forward, flow, layers, uses, source) | compared(forward, flow, source)
    fixed |= states(forward, flow, source)
    biases, masks = attention_biases(forward, layers, source)
    fixed |= masks
    factors, picked = multiplied(forward, flow, source)
    made = biases | sums_of_stored(forward, flow, source)
    heads = _heads(forward, flow, uses, norms)
    costs = [(place, evaluation.cost) for place, evaluation in enumerate(forward.evaluations) if evaluation.cost]
    packed = {(place, slot): size for place, cost in costs for slot, size in cost.packed.items()}
    chosen = {(place, slot): size for place, cost in costs for slot, size in cost.used.items()}
    weights = []
    for name, init in forward.graph.initializers.items():
        value = forward.values[name]
        own = uses.get(name, [])
        if not init.stored_bytes and not own:
            continue
        role = "constant" if name in fixed else _role(forward, flow, name, own, heads, norms)
        role = "constant" if init.frozen and role != "buffer" else role
        role = "other" if role == "constant" and init.learned else role
        if role == "other" and name in biases:
            role = "positional"
        if role == "constant" and name in dequantized:
            role = "quantized"
        if role == "constant" and not init.stored_bytes and (init.value is not None or init.frozen):
            continue  # made by the front end for an attribute that became an input, or a weight a layer does without
        places = {place for place, _ in own}
        size = _told(own, packed) or value.size
        copies = forward.repeats(init.times) if init.times else 1
        active = _told(own, chosen) or size
        weights.append(
            Weight(
                name, role, value.shape if not init.times else (copies, *value.shape), size * copies,
                value.bytes * copies, name in factors, min(places, default=-1), len(places), name in made,
                name in picked, active * copies,
            )
        )  # fmt: skip
    return weights


def _is_norm(layer: Layer, slot: int) -> bool:
    operator = OPERATORS[layer.node.domain, layer.node.op_type]
    return operator.roles.get(slot) == "norm"


def _uses(forward: Forward) -> tuple[dict[str, Uses], set[str], dict[str, str]]:
    """(node, slot) of every use of a stored tensor, seen through nodes that only hand it on; the dequantised ones;
    which tensor each value is."""
    dequantized: set[str] = set()
    source: dict[str, str] = {name: name for name in forward.graph.initializers}
    uses: dict[str, Uses] = {}
    for place, (node, evaluation) in enumerate(zip(forward.graph.nodes, forward.evaluations, strict=True)):
        origin = source.get(node.inputs[0]) if node.inputs else None
        if origin is not None and evaluation.operator is not None and evaluation.operator.passes:
            source.update(dict.fromkeys(node.outputs, origin))
            if node.op_type == "DequantizeLinear":
                dequantized.add(origin)
        for slot, name in enumerate(node.inputs):
            if name in source and not (slot == 0 and node.outputs and source.get(node.outputs[0]) == source[name]):
                uses.setdefault(source[name], []).append((place, slot))
    return uses, dequantized, source


def _is_operand(forward: Forward, place: int, slot: int) -> bool:
    cost = forward.evaluations[place].cost
    contractions = cost.contractions if cost is not None else ()
    return any(isinstance(x, Tensor) and x.index == slot for _, *pair in contractions for x in pair)


def _is_quantized(forward: Forward, place: int, slot: int, dtype: str) -> bool:
    """Whether integers are a weight there: of a product, of a bias, or of a table of at most 8 bits."""
    operator = forward.evaluations[place].operator
    role = operator.roles.get(slot, "") if operator is not None else ""
    is_table = role == "embedding" and dtype != "bool" and bits_of(dtype) <= 8
    return is_table or role == "bias" or _is_operand(forward, place, slot)


def _told(uses: Uses, counts: Mapping[tuple[int, int], Dim]) -> Dim:
    """What a rule says of a weight's elements; 0 where none says anything."""
    return next((counts[use] for use in uses if use in counts), 0) if counts else 0


def _role(forward: Forward, flow: Flow, name: str, uses: Uses, heads: set[int], norms: set[str]) -> str:
    value = forward.values[name]
    if not is_float(value.dtype):
        return (
            "quantized" if any(_is_quantized(forward, place, slot, value.dtype) for place, slot in uses) else "constant"
        )
    if name in norms:
        return "norm"
    if not value.shape:
        return "constant"  # one number without axes: a scale, an epsilon, an offset for all
    roles: set[str] = set()
    for place, slot in uses:
        node = forward.graph.nodes[place]
        operator = forward.evaluations[place].operator or OPERATORS.get((node.domain, node.op_type))
        role = operator.roles.get(slot, "other") if operator is not None else "other"
        if role == "buffer":
            return "buffer"
        if node.inputs[slot] not in flow.wanted:
            continue
        if operator is not None and slot in operator.fixed_inputs:
            continue
        filler = node.op_type == "Expand"  # one number for a whole tensor, such as a first state of zeros
        if operator is not None and (operator.is_elementwise or filler) and not _is_weight(forward, flow, place, slot):
            continue
        if role == "embedding" and slot == 0:
            role = _table_role(forward, flow, place)
        elif role == "bias" or (role == "other" and place in heads):
            role = "head" if place in heads else "other"
        elif role == "other" and _by_position(forward, flow, place, value.shape):
            role = "positional"
        roles.add(role)
    return next((role for role in ROLES if role in roles), "constant")


def _is_weight(forward: Forward, flow: Flow, place: int, slot: int) -> bool:
    """Whether an operand of an elementwise operator is learned: not one number, unless it is the bias of one output."""
    node = forward.graph.nodes[place]
    size = forward.values[node.inputs[slot]].size
    if isinstance(size, Poly) or size > 1:
        return True
    if not node.is_a("Add") or not forward.values[node.inputs[slot]].shape:
        return False
    maker = flow.maker.get(node.inputs[1 - slot])
    cost = forward.evaluations[maker].cost if maker is not None else None
    return cost is not None and bool(cost.contractions)


def _by_position(forward: Forward, flow: Flow, place: int, shape: tuple[Dim, ...]) -> bool:
    """Whether a node takes a table's vectors for positions: as they are, or as many of them as there are."""
    node, operator = forward.graph.nodes[place], forward.evaluations[place].operator
    if not node.is_a("Slice") and not (operator is not None and operator.is_elementwise and _is_table(shape)):
        return False
    return not flow.static.issuperset(filter(None, node.inputs))  # else nothing is there that has positions


def _is_table(shape: tuple[Dim, ...]) -> bool:
    """A vector for every position, not one for all."""
    return sum(not (isinstance(dim, int) and dim == 1) for dim in shape[-2:]) == 2 and len(shape) <= 3


def _table_role(forward: Forward, flow: Flow, place: int) -> str:
    """Rows looked up by token, or by position: the latter needs a row for each place of the sequence."""
    node = forward.graph.nodes[place]
    table, indices = forward.values[node.inputs[0]], forward.values.get(node.inputs[1])
    if not table.rank:
        return "other"
    rows = table.shape[0]
    if indices is None or node.inputs[1] not in flow.shaped:
        return "positional" if _counts(flow, forward.graph, node.inputs[1]) else "embedding"
    if not indices.rank:
        return "other"
    places = indices.shape[-1]
    symbol = lone(places)
    if symbol is not None and symbol.bound is not None:
        places = symbol.bound
    unbounded = isinstance(places, Poly) and not is_family(places)
    return "positional" if unbounded or hint_of(rows) >= hint_of(places) else "embedding"


def _counts(flow: Flow, graph: Graph, name: str) -> bool:
    """Whether indices number the tokens that are there: a running sum over a mask, shifted, and fixed where none is."""
    stack, seen = [name], set()
    while stack:
        place = flow.maker.get(stack.pop())
        if place is None or place in seen:
            continue
        seen.add(place)
        node = graph.nodes[place]
        if node.op_type == "CumSum":
            return True
        if node.op_type in NUMBERING:
            stack += node.inputs
    return False


def _heads(forward: Forward, flow: Flow, uses: dict[str, Uses], norms: set[str]) -> set[int]:
    """Nodes of the last layer: contractions with a weight behind which no weight but their bias comes."""
    graph = forward.graph
    by_place: dict[int, list[tuple[int, str]]] = {}
    for name, places in uses.items():
        for place, slot in places:
            by_place.setdefault(place, []).append((slot, name))
    behind: set[str] = set()
    heads: set[int] = set()
    for place in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[place]
        if behind.isdisjoint(node.outputs):
            used = [
                slot
                for slot, name in by_place.get(place, ())
                if forward.values[name].is_float
                and name in flow.wanted
                and (not _elementwise(forward, place) or _is_weight(forward, flow, place, slot))
            ]
            weighted = any(_is_operand(forward, place, slot) for slot in used)
            is_bias = node.is_a("Add") and all(
                forward.values[node.inputs[slot]].rank <= 1 and node.inputs[slot] not in norms for slot in used
            )
            if used and (weighted or is_bias) and not flow.wanted.isdisjoint(node.outputs):
                heads.add(place)
            if not weighted and (is_bias or not used):
                continue
        behind.update(node.inputs)
    return heads


def _elementwise(forward: Forward, place: int) -> bool:
    operator = forward.evaluations[place].operator
    return operator is not None and operator.is_elementwise


def by_role(weights: list[Weight]) -> dict[str, Dim]:
    """Elements by the names of the JSON contract."""

    def count(*roles: str) -> Dim:
        return total((1, weight.size) for weight in weights if weight.role in roles)

    trainable, embedding, positional = count(*ROLES), count("embedding"), count("positional")
    counts: dict[str, Dim] = {role: count(role) for role in ROLES}
    buffers, constants, quantized = count("buffer"), count("constant"), count("quantized")
    return {
        "trainable": trainable,
        **counts,
        "non_embedding": trainable - embedding - positional,
        "linear": total((1, weight.size) for weight in weights if weight.linear and weight.trainable),
        "active": total((1, weight.active) for weight in weights if weight.role in ROLES),
        "buffers": buffers,
        "constants": constants,
        "quantized": quantized,
        "total": trainable + buffers + constants + quantized,
    }
