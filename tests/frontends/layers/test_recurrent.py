"""Recurrent layers against torch's modules of the same sizes: parameters, and FlopCounterMode over 2, step by step.

torch keeps two vectors of biases everywhere: where a layer has one, 4, 3 or 1 times 24 are subtracted for a direction.
"""

from __future__ import annotations

import pytest

from scalecalc.errors import FileError
from tests.frontends.layers.sequences import costs, shape, stacked

LAYERS = [
    # layer, (parameters, forward, backward), output
    ("{lstm: 24}", (5568 - 96, 75264, 102912), "batch 24"),
    ("{lstm: 24, return_sequences: true, biases: 2}", (5568, 75264, 102912), "batch seq 24"),
    ("{lstm: 24, use_bias: false}", (5376, 75264, 102912), "batch 24"),
    ("{lstm: 24, bidirectional: concat}", (11136 - 192, 150528, 205824), "batch 48"),
    ("{lstm: 24, bidirectional: average, biases: 2}", (11136, 150528, 205824), "batch 24"),
    ("{lstm: 24, bidirectional: concat, return_sequences: true}", (11136 - 192, 150528, 205824), "batch seq 48"),
    ("{gru: 24}", (4176, 56448, 77184), "batch 24"),
    ("{gru: 24, reset_after: false}", (4176 - 72, 56448, 77184), "batch 24"),
    ("{gru: 24, bidirectional: add, return_sequences: true}", (8352, 112896, 154368), "batch seq 24"),
    ("{simple_rnn: 24}", (1392 - 24, 18816, 25728), "batch 24"),
    ("{simple_rnn: 24, activation: relu, biases: 2}", (1392, 18816, 25728), "batch 24"),
    # a loop of two nn.Linear, one for each direction, over inputs as they are
    ("{recurrence: relu, bidirectional: add}", (2048, 28672, 53248), "batch seq 32"),
]


@pytest.mark.parametrize(("layer", "expected", "output"), LAYERS, ids=[layer for layer, *_ in LAYERS])
def test_counts(layer: str, expected: tuple[int, ...], output: str) -> None:
    found = stacked(layer)
    assert costs(found) == expected
    assert shape(found) == output
    assert found.params["total"].value({}) == expected[0]  # zeros in the place of a second bias are no constants
    assert not found.notes


def test_layers_above_need_gradients_of_their_inputs() -> None:
    """Two nn.LSTM of torch: 24 features of state for 32 of input, then 24 for 24; the first input needs no gradient."""
    found = stacked("{repeat: 2, layers: [{lstm: 32, return_sequences: true}]}")
    first = 4 * 32 * (32 + 32) * 14  # multiply-accumulates of a layer of 32 entries for 2 * 7 steps
    unneeded = 4 * 32 * 32 * 14  # of the input's gradient
    starts = 2 * 4 * 32 * 32 * 2  # of the first states' gradients, in both layers
    assert costs(found) == (2 * (4 * 32 * 64 + 4 * 32), 2 * first, 4 * first - unneeded - starts)


def test_attention() -> None:
    """softmax(q v') v written out in torch, for 7 queries and 5 values."""
    found = stacked("{attention: [x, y]}", inputs="{x: [batch, seq, 32], y: [batch, 5, 32]}")
    assert costs(found) == (0, 4480, 0)
    assert shape(found) == "batch seq 32"


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        ("{lstm: 24, biases: 3}", "layers[0].lstm: 3 vectors of biases: there are 1 or 2"),
        ("{simple_rnn: 24, activation: gelu}", "activations gelu"),
        ("{lstm: 24, bidirectional: both}", "no merge 'both'"),
        ("{recurrence: gelu}", "activation gelu"),
        ("attention", "it takes a query and a value, not 1 values"),
    ],
)
def test_refused(layer: str, says: str) -> None:
    with pytest.raises(FileError) as caught:
        stacked(layer)
    assert says in str(caught.value)


SEQUENCES = """
    {gru: 24} | recurrence | {causal_conv1d: 3} | {selective_scan: 4, dt_rank: 2} | {relative_attention: 4} |
    {convolutional_positions: 8} | masked_frames
"""


@pytest.mark.parametrize("layer", [layer.strip() for layer in SEQUENCES.split("|")])
def test_takes_sequences(layer: str) -> None:
    with pytest.raises(FileError, match=r"it takes \(batch, sequence, features\), not \(batch, 32\)"):
        stacked(layer, inputs="{x: [batch, 32]}")
