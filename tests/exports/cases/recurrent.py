"""Recurrent layers of plain PyTorch, with their multiply-accumulates by hand beside what PyTorch executes.

Per layer, direction and time step a cell multiplies its input and its state with one matrix per gate (LSTM 4, GRU 3,
RNN 1); a projection multiplies the output once more. The backward pass costs each product once per operand with a
gradient; the first layer's input needs none unless an embedding feeds it. By hand all steps count alike. PyTorch
saves one product: the first step's state is a constant and gets no gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from torch_case import TORCHSCRIPT, Case, Inputs, Sizes

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
FEATURES, HIDDEN, CLASSES, VOCABULARY = 40, 56, 10, 1000
SIZES = ({"batch": 1, "seq": 16}, {"batch": 2, "seq": 64}, {"batch": 3, "seq": 25})
OTHERS = ({"batch": 1, "seq": 33}, {"batch": 4, "seq": 7}, {"batch": 2, "seq": 50})
UNROLLED = ({"batch": 1, "seq": 17}, {"batch": 3, "seq": 17})


class Tagger(nn.Module):
    """A recurrent layer over features, or over embedded tokens, and a linear layer for every step."""

    def __init__(self, kind: str, *, embedded: bool = False, **settings: Any) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, FEATURES) if embedded else None
        self.recurrent = getattr(nn, kind)(FEATURES, HIDDEN, **settings)
        width = (settings.get("proj_size") or HIDDEN) * (1 + settings.get("bidirectional", False))
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        if self.embedding is not None:
            x = self.embedding(x)
        y, _ = self.recurrent(x)
        result: Tensor = self.head(y)
        return result


def tagger_macs(kind: str, *, embedded: bool = False, **settings: Any) -> Callable[[Sizes], tuple[int, int]]:
    """Forward and backward multiply-accumulates of a `Tagger`, by the sums of this module's first lines."""
    directions = 1 + settings.get("bidirectional", False)
    projection = settings.get("proj_size", 0)
    state = projection or HIDDEN
    gates = GATES[kind] * HIDDEN
    layers = settings.get("num_layers", 1)

    def macs(sizes: Sizes) -> tuple[int, int]:
        inputs = [FEATURES, *[state * directions] * (layers - 1)]
        steps = sizes["batch"] * sizes["seq"]
        cells = sum(directions * (gates * (width + state) + HIDDEN * projection) for width in inputs)
        forward = steps * (cells + state * directions * CLASSES)
        without_gradient = 0 if embedded else steps * directions * gates * FEATURES
        return forward, 2 * forward - without_gradient

    return macs


def tagger(name: str, kind: str, options: Any = None, **settings: Any) -> Case:
    """A `Tagger` with a dynamic batch, and by TorchScript a dynamic sequence: dynamo fixes its length."""
    first, embedded = settings.get("batch_first", False), settings.get("embedded", False)

    def inputs(sizes: Sizes) -> Inputs:
        shape = (sizes["batch"], sizes["seq"]) if first else (sizes["seq"], sizes["batch"])
        x = torch.randint(0, VOCABULARY, shape) if embedded else torch.randn(*shape, FEATURES)
        return {"x": x}

    axes = dict(enumerate(("batch", "seq") if first else ("seq", "batch")))
    options = dict(options or {})
    if options:
        options["dynamic_outputs"] = {"output": axes}
    else:
        axes = {axis: symbol for axis, symbol in axes.items() if symbol == "batch"}
    return Case(
        name,
        lambda: Tagger(kind, **settings),
        inputs,
        {"batch": 2, "seq": 17},
        {"x": axes},
        SIZES if options else UNROLLED,
        options,
        OTHERS if options else (),
        macs=tagger_macs(kind, **settings),
        **({} if options else DYNAMO.get(name, {})),
    )


# dynamo writes an RNN step by step, each step with its own copy of the state's matrix, and forgets a projection.
DYNAMO: dict[str, dict[str, Any]] = {
    "rnn": {"altered": {"params": 16 * HIDDEN * HIDDEN}, "note": "each of 17 steps has a copy of the state's matrix"},
    "lstm_projected": {"invalid": "the exporter writes an LSTM without its projection; onnxruntime refuses the file"},
}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "lstm": ("LSTM", {}),
    "lstm_bidirectional": ("LSTM", {"num_layers": 2, "bidirectional": True}),
    "lstm_batch_first": ("LSTM", {"num_layers": 2, "batch_first": True, "embedded": True}),
    "lstm_projected": ("LSTM", {"proj_size": 24}),
    "gru": ("GRU", {"num_layers": 2}),
    "gru_bidirectional": ("GRU", {"bidirectional": True, "batch_first": True}),
    "rnn": ("RNN", {"nonlinearity": "tanh"}),
}
CASES: dict[str, Case] = {name: tagger(name, kind, **settings) for name, (kind, settings) in MODELS.items()} | {
    f"{name}_torchscript": tagger(name, kind, TORCHSCRIPT, **settings) for name, (kind, settings) in MODELS.items()
}
