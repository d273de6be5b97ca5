"""What the structure shows beside counts: hints for the task."""

from __future__ import annotations

from scalecalc.dims import hint_of
from scalecalc.walk.attention import attention_facts
from scalecalc.walk.costs import Costs
from scalecalc.walk.forward import Forward
from scalecalc.walk.gradients import Flow
from scalecalc.walk.profile import Weight

RECURRENT = ("LSTM", "GRU", "RNN")
UNCHANGED = ("Cast", "Identity", "Reshape", "Flatten", "Unsqueeze", "Squeeze", "Transpose", "Slice")
SMALLER = 8
"""A second vocabulary is at most that many times smaller than the first."""


def facts_of(forward: Forward, flow: Flow, weights: list[Weight], costs: Costs) -> dict[str, object]:
    """Structural findings by name.

    `vocabulary`: rows of the table tokens are looked up in; `token_inputs`: names of the inputs looked up in it, or
    in one of its kind; `tied_head`: that table is also the last layer's weight; `attention_macs`: multiply-accumulates
    of scores and values, `attention_training_macs`: with those of their backward pass, `causal_macs` and
    `causal_training_macs`: those of as many keys as queries in layers whose mask keeps the past only; `causal`: there
    is such a mask; `convolutions`, `recurrent`: how many such nodes there are; `bidirectional`: how many of these read
    the future.
    """
    tables = [weight for weight in weights if weight.role == "embedding"]
    table = token_table(weights)
    recurrent = forward.nodes(*RECURRENT)
    return {
        "vocabulary": forward.values[table.name].shape[0] if table is not None else None,
        "token_inputs": _token_inputs(forward, flow, table, tables) if table is not None else (),
        "tied_head": table is not None and table.linear,
        **attention_facts(forward, flow, costs),
        "convolutions": len(forward.places("Conv")),
        "recurrent": len(recurrent),
        "bidirectional": sum(node.attributes.get("direction", "forward") != "forward" for node in recurrent),
    }


def token_table(weights: list[Weight]) -> Weight | None:
    """The largest table that is looked up by contents."""
    tables = [weight for weight in weights if weight.role == "embedding"]
    return max(tables, key=lambda weight: hint_of(weight.size), default=None)


def _token_inputs(forward: Forward, flow: Flow, largest: Weight, tables: list[Weight]) -> tuple[str, ...]:
    """Inputs of the graph that index a table of the vocabulary's kind: not one of positions or segments."""
    rows = {weight.name: hint_of(forward.values[weight.name].shape[0]) for weight in tables}
    words = {name for name, count in rows.items() if count * SMALLER >= rows[largest.name]}
    inputs: dict[str, None] = {}
    seen: set[str] = set()
    for node in forward.nodes("Gather"):
        if node.inputs[0] in words:
            name = node.inputs[1]
            while name not in seen and name not in forward.graph.inputs and name in flow.maker:
                seen.add(name)
                maker = forward.graph.nodes[flow.maker[name]]
                name = maker.inputs[0] if maker.is_a(*UNCHANGED) else ""
            if name in forward.graph.inputs and "position" not in name:  # they may be as many as a small vocabulary
                inputs[name] = None
    return tuple(inputs)
