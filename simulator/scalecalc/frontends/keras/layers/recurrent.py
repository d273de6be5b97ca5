"""Recurrent layers: ONNX's, whose second bias is zeros that no file stores where Keras has one."""

from __future__ import annotations

from scalecalc.frontends.builder import Value
from scalecalc.frontends.keras.call import Call, Unsupported, lowers
from scalecalc.frontends.keras.held import Held
from scalecalc.frontends.keras.layers.merging import joined
from scalecalc.frontends.keras.parts import Part
from scalecalc.frontends.layers.recurrent import bias_of
from scalecalc.ops.vector import CELLS

OF_CELL = {"LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "RNN"}
ACTIVATIONS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu", "hard_sigmoid": "HardSigmoid", "elu": "Elu"}
MERGES = {"sum": "Add", "mul": "Mul", "ave": "Mean"}


def _register(name: str, op_type: str) -> None:
    @lowers(name)
    def layer(call: Call) -> list[Held]:
        return _run(call, call.part, op_type, call.x.plain(), "")


for _name, _op_type in (("LSTM", "LSTM"), ("GRU", "GRU"), ("SimpleRNN", "RNN")):
    _register(_name, _op_type)


@lowers("RNN")
def rnn(call: Call) -> list[Held]:
    """A cell, or some on top of each other, over every step."""
    cell, x = call.part.part("cell"), call.x.plain()
    cells = list(cell.part("config").parts("cells")) if cell.get("class_name") == "StackedRNNCells" else [cell]
    kinds = [OF_CELL.get(str(inner.get("class_name"))) for inner in cells]
    if None in kinds or not kinds or (len(kinds) > 1 and call.part.flag("return_state")):
        raise Unsupported
    results: list[Held] = []
    for place, (inner, kind) in enumerate(zip(cells, kinds, strict=True)):
        config = inner.part("config")
        last = place == len(cells) - 1
        options = call.part.entries if last else {"return_sequences": True}
        shown = {key: options[key] for key in ("return_sequences", "return_state") if key in options}
        part = Part({**config.entries, **shown}, config.file, config.path)
        results = _run(call, part, str(kind), x, f"cell_{place}." if len(cells) > 1 else "")
        x = results[0].plain()
    return results


def _run(call: Call, part: Part, op_type: str, x: Value, prefix: str) -> list[Held]:
    """All steps of one layer: what it gives, then its last states if it is to give them."""
    b, units, gates = call.b, part.whole("units"), CELLS[op_type].gates
    names = _activations(part, op_type)
    if x.rank != 3:
        raise call.error(f"it takes 3 axes, not {x.rank}")
    w = b.weight(f"{prefix}kernel", 1, gates * units, x.shape[2])
    r = b.weight(f"{prefix}recurrent_kernel", 1, gates * units, units)
    vectors = 2 if op_type == "GRU" and part.flag("reset_after", True) else 1
    bias = bias_of(b, 1, gates * units, vectors if part.flag("use_bias", True) else 0, f"{prefix}bias")
    states = [b.node("Unsqueeze", h.plain(), b.constant([1])) for h in _initial(call)]
    count = 2 if op_type == "LSTM" else 1
    if states and len(states) != count:
        raise call.error(f"it starts from {count} states, not {len(states)}")
    y, *last = b.nodes(op_type, x, w, r, bias, None, *states, outputs=1 + count, layout=1, activations=names)
    ends = [b.node("Reshape", state, b.constant([x.shape[0], units])) for state in last]
    whole = b.node("Reshape", y, b.constant([x.shape[0], x.shape[1], units])) if part.flag("return_sequences") else None
    found = [call.last(whole or ends[0])]
    return found + [call.last(end) for end in ends] if part.flag("return_state") else found


def _initial(call: Call) -> list[Held]:
    """The states it starts from, where it is given some."""
    given = call.kwargs.get("initial_state")
    if isinstance(given, Held):
        return [given]
    if isinstance(given, list):
        return [state for state in given if isinstance(state, Held)]
    return call.xs[1:] if given is None and "initial_state" not in call.kwargs else []


def _activations(part: Part, op_type: str) -> tuple[str, ...]:
    """The functions of its gates, by ONNX's names."""
    own, inner = (
        ACTIVATIONS.get(str(part.get(key, default)))
        for key, default in (("activation", "tanh"), ("recurrent_activation", "sigmoid"))
    )
    if own is None or inner is None:
        raise Unsupported
    return {"RNN": (own,), "GRU": (inner, own), "LSTM": (inner, own, own)}[op_type]


@lowers("Bidirectional")
def bidirectional(call: Call) -> Held | list[Held]:
    """A recurrent layer forward and one backward, their results merged."""
    part = call.part
    ahead = part.part("layer")
    behind = part.part("backward_layer") if part.get("backward_layer") is not None else ahead
    if ahead.part("config").flag("return_state") or call.xs[1:]:
        raise Unsupported
    x = call.last(call.x.plain())
    (left, *_), (right, *_) = (
        call.apply(layer, x, label=way) for layer, way in ((ahead, "forward"), (behind, "backward"))
    )
    if left.opaque is not None or right.opaque is not None:
        raise Unsupported
    if "merge_mode" in part.entries and part.get("merge_mode") is None:
        return [left, right]
    mode = part.text("merge_mode", "concat")
    if mode == "concat":
        return joined(call, [left, right], -1)
    if mode not in MERGES:
        raise call.error(f"merge_mode {mode!s:.40} is none of concat, {', '.join(MERGES)}")
    return call.last(call.b.node(MERGES[mode], left.plain(), right.plain()))
