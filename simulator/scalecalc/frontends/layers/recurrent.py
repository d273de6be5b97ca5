"""Recurrent layers over (batch, sequence, features), and the attention of decoders made of them."""

from __future__ import annotations

from scalecalc.dims import Dim
from scalecalc.errors import ShapeError
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.activations import Activation
from scalecalc.frontends.layers.basic import sequence
from scalecalc.frontends.layers.registry import Merge, layer
from scalecalc.ir.graph import LAYERS
from scalecalc.ops.vector import CELLS

REDUCTIONS = {"add": "ReduceSum", "multiply": "ReduceProd", "average": "ReduceMean", "maximum": "ReduceMax"}
"""What makes one value of both directions."""


@layer("lstm")
def lstm(
    b: Builder, x: Value, units: Dim,
    *, return_sequences: bool = False, bidirectional: Merge | None = None, use_bias: bool = True, biases: int = 1,
    activation: Activation = "tanh", recurrent_activation: Activation = "sigmoid",
) -> Value:  # fmt: skip
    """Long short-term memory: (batch, sequence, in) -> (batch, units), or (batch, sequence, units).

    Args:
        b, x: the builder, and the input.
        units: of the state.
        return_sequences: the state of every step instead of the last one.
        bidirectional: a second layer runs backwards; how both are merged (`concat`, `add`, ...).
        use_bias, biases: whether there are biases; 1 vector of them as in Keras, or 2 as in PyTorch and cuDNN.
        activation, recurrent_activation: of the new state and of the gates.
    """
    names = (recurrent_activation, activation, activation)
    return recurrent(b, x, "LSTM", units, return_sequences, bidirectional, biases if use_bias else 0, names)


@layer("gru")
def gru(
    b: Builder, x: Value, units: Dim,
    *, return_sequences: bool = False, bidirectional: Merge | None = None, use_bias: bool = True,
    reset_after: bool = True, activation: Activation = "tanh", recurrent_activation: Activation = "sigmoid",
) -> Value:  # fmt: skip
    """Gated recurrent units, with options as in `lstm`.

    `reset_after: false` resets the state before its product, as in the first publication: one bias vector, not two.
    """
    names = (recurrent_activation, activation)
    biases = (2 if reset_after else 1) if use_bias else 0
    return recurrent(b, x, "GRU", units, return_sequences, bidirectional, biases, names)


@layer("simple_rnn")
def simple_rnn(
    b: Builder, x: Value, units: Dim,
    *, return_sequences: bool = False, bidirectional: Merge | None = None, use_bias: bool = True, biases: int = 1,
    activation: Activation = "tanh",
) -> Value:  # fmt: skip
    """f(x W + h R): a state without gates, with options as in `lstm`."""
    return recurrent(b, x, "RNN", units, return_sequences, bidirectional, biases if use_bias else 0, (activation,))


@layer("recurrence")
def recurrence(b: Builder, x: Value, activation: Activation = "tanh", *, bidirectional: Merge | None = None) -> Value:
    """f(x + h R) for every step of an input that is projected already, once for both directions."""
    sequence(x)
    ways = 1 if bidirectional is None else 2
    weight = b.weight("recurrent_kernel", ways, x.shape[2], x.shape[2])
    x = b.node("Recurrence", x, weight, domain=LAYERS, activation=_onnx(activation))
    return _merged(b, x, bidirectional)


@layer("attention")
def attention(b: Builder, *xs: Value) -> Value:
    """softmax(q v') v of a query and a value, `from: [query, value]`: nothing is projected, nothing scaled."""
    if len(xs) != 2:
        raise ShapeError(f"it takes a query and a value, not {len(xs)} values")
    query, value = xs
    scores = b.node("MatMul", query, b.node("Transpose", value, perm=(0, 2, 1)))
    return b.node("MatMul", b.node("Softmax", scores), value)


def recurrent(
    b: Builder, x: Value, op_type: str, units: Dim, sequences: bool, merge: str | None, biases: int,
    activations: tuple[str, ...],
) -> Value:  # fmt: skip
    """A layer of one of ONNX's recurrent operators.

    Args:
        b, x: the builder, and (batch, sequence, features).
        op_type: LSTM, GRU or RNN.
        units: of the state.
        sequences: whether it gives the states of all steps.
        merge: how two directions become one value, None for one direction.
        biases: how many vectors of biases, 0 to 2.
        activations: of one direction, as the operator lists them.
    """
    sequence(x)
    ways, rows = 1 if merge is None else 2, CELLS[op_type].gates * units
    kernel, state = b.weight("kernel", ways, rows, x.shape[2]), b.weight("recurrent_kernel", ways, rows, units)
    y, last = b.nodes(
        op_type, x, kernel, state, bias_of(b, ways, rows, biases), outputs=2, layout=1,
        direction="forward" if merge is None else "bidirectional", activations=tuple(map(_onnx, activations)) * ways,
    )  # fmt: skip
    return _merged(b, y if sequences else last, merge)


def bias_of(b: Builder, ways: int, rows: Dim, biases: int, label: str = "bias") -> Value | None:
    """What the operators take as their biases: one vector for the input and one for the state, the latter perhaps 0."""
    if biases not in (0, 1, 2):
        raise ShapeError(f"{biases} vectors of biases: there are 1 or 2")
    if biases != 1:
        return b.weight(label, ways, 2 * rows) if biases else None
    return b.node("Concat", b.weight(label, ways, rows), b.filler(ways, rows), axis=1)


def _merged(b: Builder, y: Value, merge: str | None) -> Value:
    """(..., directions, units) without the axis of directions."""
    if merge in REDUCTIONS:
        return b.node(REDUCTIONS[merge], y, b.constant([y.rank - 2]), keepdims=0)
    return b.node("Reshape", y, b.constant([*(0,) * (y.rank - 2), y.shape[-2] * y.shape[-1]]))


def _onnx(activation: str) -> str:
    """An activation as recurrent operators call it, which do not tell cases apart."""
    return "affine" if activation == "linear" else activation.replace("_", "")
