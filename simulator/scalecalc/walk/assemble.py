"""The walk's findings as one Profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from scalecalc.dims import Condition, Dim, Poly, System, gathered, is_nonnegative, lone, simplified, symbols_of, total
from scalecalc.ir.graph import Declared, Graph
from scalecalc.ops.vector import ADAMW_FLOPS
from scalecalc.walk.costs import Costs, status
from scalecalc.walk.facts import facts_of
from scalecalc.walk.forward import Forward
from scalecalc.walk.gradients import Flow
from scalecalc.walk.modules import homes_of
from scalecalc.walk.notes import notes_of
from scalecalc.walk.parameters import by_role
from scalecalc.walk.profile import ADAMW_STATE_BYTES, PARAMS, NodeProfile, Profile, Quantity, SymbolInfo, Weight


def assemble(forward: Forward, flow: Flow, weights: list[Weight], costs: Costs) -> Profile:
    """All totals with their symbols, conditions and remarks."""
    graph, system = forward.graph, forward.system
    found = [status(evaluation) for evaluation in forward.evaluations]
    incomplete = any(word != "known" for word in found)
    share = costs.total()
    trainable = [weight for weight in weights if weight.trainable]

    def quantity(formula: Dim, *, partial: bool = incomplete) -> Quantity:
        return Quantity(system.resolve(formula), partial)

    def stored(*kinds: list[Weight]) -> Dim:
        return total((1, weight.bytes) for kind in kinds for weight in kind)

    unlisted = incomplete and graph.unlisted
    bounds = {role: unlisted or (incomplete and role == "linear") for role in PARAMS}
    params = {role: quantity(size, partial=bounds[role]) for role, size in by_role(weights).items()}
    matrix, backward = 2 * share.macs, 2 * share.backward_macs
    inputs = {name: dims for name in graph.inputs if (dims := forward.declarations.input_shape(name)) is not None}
    outputs = {name: value.shape if (value := forward.values.get(name)) else None for name in graph.outputs}
    conditions = _conditions(system)
    profile = Profile(
        name=graph.name,
        format=graph.format,
        opset=graph.opset,
        node_count=int(graph.metadata.get("nodes", len(graph.nodes))),
        inputs=inputs,
        input_dtypes={name: declared.dtype for name, declared in graph.inputs.items()},
        outputs=outputs,
        output_dtypes={name: v.dtype if (v := forward.values.get(name)) else "" for name in graph.outputs},
        symbols={},
        conditions=tuple(dict.fromkeys((*_pinned(system), *map(str, conditions)))),
        checks=tuple(conditions),
        weights=tuple(weights),
        assumptions=(*forward.declarations.assumptions, *_assumptions(system), *_ends(flow)),
        notes=(
            *graph.metadata.get("note", "").splitlines(),
            *forward.declarations.notes,
            *notes_of(forward, weights, costs),
        ),
        params=params,
        forward={
            "macs": quantity(share.macs),
            "matrix_flops": quantity(matrix),
            "vector_flops": quantity(share.vector_flops),
            "flops": quantity(matrix + share.vector_flops),
            "bytes": quantity(share.bytes),
        },
        training={
            "backward_matrix_flops": quantity(backward),
            "backward_vector_flops": quantity(share.backward_vector_flops),
            "matrix_flops": quantity(matrix + backward),
            "vector_flops": quantity(share.vector_flops + share.backward_vector_flops),
            "optimizer_flops": quantity(ADAMW_FLOPS * params["trainable"].formula, partial=unlisted),
        },
        memory={
            "weights": quantity(stored([w for w in weights if w.role != "constant"]), partial=unlisted),
            "gradients": quantity(stored(trainable), partial=unlisted),
            "optimizer": quantity(ADAMW_STATE_BYTES * params["trainable"].formula, partial=unlisted),
            "activations": quantity(total((1, size) for found in costs.kept.values() for _, size in found)),
        },
        unsupported=dict(
            Counter((n.domain, n.op_type) for n, word in zip(graph.nodes, found, strict=True) if word == "unsupported")
        ),
        unreached=tuple(n.name for n, word in zip(graph.nodes, found, strict=True) if word == "unreached"),
        pending=tuple(f"{system.resolve(a)} == {system.resolve(b)}" for a, b in system.pending),
        node_maker=lambda: _nodes(forward, weights, costs),
        source=graph.metadata.get("source", ""),
        facts={**facts_of(forward, flow, weights, costs), **_stated(graph)},
    )
    profile.symbols.update(_symbols(system, profile, graph.symbols))
    return profile


def _stated(graph: Graph) -> dict[str, object]:
    """What the file itself says it is."""
    stated: dict[str, object] = {
        name: graph.metadata[name] for name in ("title", "task", "domain") if name in graph.metadata
    }
    fixed = {name: symbol.value for name, symbol in graph.symbols.items() if symbol.fixed}
    return {**stated, "fixed": fixed} if fixed else stated


def _nodes(forward: Forward, weights: list[Weight], costs: Costs) -> tuple[NodeProfile, ...]:
    """One entry per node, in the graph's order."""
    first: dict[int, list[tuple[int, Dim]]] = {}
    for weight in weights:
        if weight.trainable:
            first.setdefault(weight.first, []).append((1, weight.size))
    homes = homes_of(forward.graph, weights)
    rows = []
    for place, node in enumerate(forward.graph.nodes):
        outputs = tuple(v.shape if (v := forward.values.get(name)) else None for name in node.outputs if name)
        layer = costs.in_layer.get(place)
        kept = tuple(costs.kept.get(place, ()))
        kept_bytes = total((1, size) for _, size in kept) if kept else 0
        params = total(first[place]) if place in first else 0
        word = status(forward.evaluations[place])
        kind = layer.node.op_type if layer else ""
        rows.append(
            NodeProfile(
                node.name, node.op_type, outputs, params, *costs.share(place), kept_bytes, kind, word, *homes[place],
                node.domain, kept, forward.repeats(node.times) if node.times else 1,
            )
        )  # fmt: skip
    return tuple(rows)


def _pinned(system: System) -> list[str]:
    """Dimensions the file names and the graph allows one size only."""
    return [
        f"{symbol.name} == {number}"
        for atom, (number, _) in system.pinned.items()
        if (symbol := system.info(atom)).kind != "weight" and symbol.rank > 1
    ]


def _conditions(system: System) -> list[Condition]:
    """What must hold, with names as they ended; what has become certain is left out."""
    found = []
    for condition in system.conditions:
        left, right = system.resolve(condition.left), system.resolve(condition.right)
        size = gathered(Condition(left, condition.op, right))
        is_size = isinstance(size.left, int) and lone(size.right) is not None  # a symbol's own least size
        settled = size.op == "<=" and (size.left == 1 if is_size else is_nonnegative(right - left))
        if left != right and not settled and (isinstance(left, Poly) or isinstance(right, Poly)):
            found.append(Condition(left, condition.op, right))
    return simplified(found)


def _assumptions(system: System) -> list[str]:
    lines = []
    for a, b in system.assumptions:
        known = system.resolve(a) == system.resolve(b)
        if known and str(a) != str(b):
            lines.append(f"{a} and {b} are equal (they meet in one elementwise operation)")
    return list(dict.fromkeys(lines))


def _ends(flow: Flow) -> list[str]:
    names = ", ".join(flow.ends[:3])
    return [f"no output is differentiable: training is taken to start from {names}"] if names else []


def _symbols(system: System, profile: Profile, declared: Mapping[str, Declared]) -> dict[str, SymbolInfo]:
    """The symbols that are left in any shape or formula, and all those the file declares."""
    atoms = {atom for name in declared for atom in system.known(name)}
    groups = (profile.params, profile.forward, profile.training, profile.memory)
    for quantity in (q for group in groups for q in group.values()):
        atoms |= symbols_of(quantity.formula)
    for dims in (*profile.inputs.values(), *profile.outputs.values()):
        for dim in dims or ():
            atoms |= symbols_of(dim)
    found = {}
    for atom in sorted(atoms):
        symbol = system.info(atom)
        limit = None if symbol.bound is None else system.resolve(symbol.bound)
        own = declared.get(symbol.name)
        hint = own.value if own is not None else symbol.hint if symbol.kind == "weight" else None
        aliases = tuple(dict.fromkeys(alias for alias in symbol.aliases if alias != symbol.name))
        found[symbol.name] = SymbolInfo(
            symbol.name, symbol.kind, hint, limit, aliases, own.tie if own is not None else "", own is not None
        )  # fmt: skip
    return found
