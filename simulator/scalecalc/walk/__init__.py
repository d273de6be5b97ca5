"""One walk over a graph gives exact formulas for everything that is counted.

Three readings of the same rules: dynamic dimensions as symbols (`walk(graph)`), every dimension a number
(`walk(graph, sizes={...})` naming all of them), or every weight dimension a symbol too (`walk(graph, family=True)`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scalecalc.ir.graph import Graph
from scalecalc.walk.profile import PARAMS, NodeProfile, Profile, Quantity, SymbolInfo, Weight

__all__ = ["PARAMS", "NodeProfile", "Profile", "Quantity", "SymbolInfo", "Weight", "walk"]


def walk(
    graph: Graph,
    *,
    family: bool = False,
    sizes: Mapping[str, int] | None = None,
    shapes: Mapping[str, Sequence[int | str | None]] | None = None,
) -> Profile:
    """Walk a graph to a fixed point of its dimensions and count.

    Args:
        graph: what a front end read.
        family: make every weight dimension a symbol whose hint is its number in the file.
        sizes: symbols that are numbers from the start, by name.
        shapes: input shapes to use instead of the file's, by input name.

    Returns:
        Exact formulas, per node and in total.

    Raises:
        ShapeError: an operator's inputs contradict each other.
        GraphError: the graph is inconsistent.
        UsageError: `shapes` names no input.
    """
    from scalecalc.ir.patterns import recognise
    from scalecalc.ir.unfold import unfolded
    from scalecalc.ops import find
    from scalecalc.walk.assemble import assemble
    from scalecalc.walk.costs import Costs, fitted
    from scalecalc.walk.forward import Forward
    from scalecalc.walk.gradients import Flow
    from scalecalc.walk.parameters import classify
    from scalecalc.walk.symbols import Declarations

    graph = unfolded(graph, lambda domain, name: find(domain, name) is not None)
    forward = Forward(graph, Declarations(graph, family=family, sizes=sizes, shapes=shapes))
    forward.run()
    flow = Flow(forward)
    layers = list(fitted(forward, recognise(graph, lambda name: x.rank if (x := forward.values.get(name)) else None)))
    weights = classify(forward, flow, [layer for layer, _ in layers])
    costs = Costs(forward, flow, layers, {weight.name for weight in weights if weight.trainable})
    return assemble(forward, flow, weights, costs)
