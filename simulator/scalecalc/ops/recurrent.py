"""Recurrent layers: every step multiplies its input and the state before it into the gates.

All steps count, those behind the end of a shorter sequence and the first with its given or zero state too. Backward
runs through every step, so that the gradients of the states are made whenever anything in front of them needs one,
that of the first state only if it is given and needs one itself.
Kept are the states and, as in PyTorch's fused cells, what the gates came to.
"""

from __future__ import annotations

from collections.abc import Sequence

from scalecalc.dims import Dim, exact_quotient, regroup, same
from scalecalc.errors import ShapeError
from scalecalc.ir.graph import LAYERS
from scalecalc.ops.dtypes import itemsize
from scalecalc.ops.registry import Contraction, Cost, Keep, Tensor, give, inner, op
from scalecalc.ops.vector import ACTIVATIONS, CELLS, PEEPHOLES, Cell

Names = Sequence[str] | None


def _layer(
    cell: Cell, x: Tensor, w: Tensor, r: Tensor, b: Tensor | None, h: Tensor | None,
    direction: str, layout: int, activations: Names, c: Tensor | None = None, p: Tensor | None = None,
) -> Cost:  # fmt: skip
    """The cost of a whole layer: outputs Y, the last state, and the last cell state where there is one.

    Args:
        cell: what one unit computes in one step.
        x, w, r, b, h, c, p: input, weights of input and of state, biases, first state, first cell, peepholes.
    """
    ways = 2 if direction == "bidirectional" else 1
    (batch, steps), features = (x.shape[:2] if layout else x.shape[1::-1]), x.shape[2]
    hidden = r.shape[2]
    for weight, rows, columns in ((w, cell.gates, features), (r, cell.gates, hidden)):
        _meet(weight, ways, rows * hidden, columns)
    for weights, rows in ((b, 2 * cell.gates), (p, 3)):
        if weights is not None:
            _meet(weights, ways, rows * hidden)
    state = (batch, ways, hidden) if layout else (ways, batch, hidden)
    for given in (h, c):
        if given is not None:
            for dim, wanted in zip(given.shape, state, strict=True):
                regroup((wanted,), (dim,))  # exporters write the file's numbers into zero states
    units = steps * batch * ways * hidden
    out = (batch, steps, ways, hidden) if layout else (steps, ways, batch, hidden)
    forward, backward = _elementwise(cell, ways, activations)
    vector = forward * steps * batch * hidden
    made = {w.index: backward * steps * batch * hidden}
    if b is not None:
        vector += 2 * cell.gates * units
        made[b.index] = cell.gates * units
    if p is not None:
        vector += PEEPHOLES.forward * units
        made[p.index] = PEEPHOLES.backward * units
    size = itemsize(x.dtype)
    states = inner(x, w, r, b, h, c, p, keep=Keep(~0, bytes=units * size))
    keeps = [Keep(given.index) for given in (h, c) if given is not None]
    if cell.kept:
        keeps.append(Keep(bytes=cell.kept * units * size))
    first = h if h is not None else inner(keep=Keep(bytes=0))  # zeros need no gradient
    return give(
        out, *[state] * cell.states,
        contractions=(
            (steps * batch * w.size, x, w), (batch * r.size, first, r), ((steps - 1) * batch * r.size, states, r),
        ),
        vector=vector, backward=made, keeps=keeps,
    )  # fmt: skip


def _meet(weight: Tensor, *dims: Dim) -> None:
    for own, dim in zip(weight.shape, dims, strict=True):
        same(own, dim)


def _elementwise(cell: Cell, ways: int, activations: Names) -> tuple[int, int]:
    """(forward, backward) FLOPs of one unit in one step, of both directions."""
    wanted = len(cell.activations) * ways
    names = activations[:wanted] if activations else cell.activations * ways
    if len(names) != wanted or not all(name.lower() in ACTIVATIONS for name in names):
        raise ShapeError(f"activations {', '.join(map(str, names))}")
    counts = [(times, ACTIVATIONS[name.lower()]) for name, times in zip(names, cell.uses * ways, strict=True)]
    forward = ways * cell.forward + sum(times * count.forward for times, count in counts)
    return forward, ways * cell.backward + sum(times * count.backward for times, count in counts)


@op("RNN", fixed_inputs=(4,), roles={3: "bias", 5: "state"})
def rnn(
    x: Tensor, w: Tensor, r: Tensor, b: Tensor | None = None, lengths: Tensor | None = None, h: Tensor | None = None,
    *, direction: str = "forward", layout: int = 0, activations: Names = ("Tanh", "Tanh"),
) -> Cost:  # fmt: skip
    """h = f(x W + h R + b): MACs of x W and h R in every step and direction."""
    return _layer(CELLS["RNN"], x, w, r, b, h, direction, layout, activations)


@op("GRU", fixed_inputs=(4,), roles={3: "bias", 5: "state"})
def gru(
    x: Tensor, w: Tensor, r: Tensor, b: Tensor | None = None, lengths: Tensor | None = None, h: Tensor | None = None,
    *, direction: str = "forward", layout: int = 0, activations: Names = None,
) -> Cost:  # fmt: skip
    """Update and reset gate and a new state: MACs of x W and h R, of three gates each, in every step and direction."""
    return _layer(CELLS["GRU"], x, w, r, b, h, direction, layout, activations)


@op("LSTM", fixed_inputs=(4,), roles={3: "bias", 5: "state", 6: "state"})
def lstm(
    x: Tensor, w: Tensor, r: Tensor, b: Tensor | None = None, lengths: Tensor | None = None, h: Tensor | None = None,
    c: Tensor | None = None, p: Tensor | None = None,
    *, direction: str = "forward", layout: int = 0, activations: Names = None, input_forget: int = 0,
) -> Cost:  # fmt: skip
    """Three gates and a new cell: MACs of x W and h R, of four gates each, in every step and direction."""
    cell = CELLS["LSTM, coupled" if input_forget else "LSTM"]
    return _layer(cell, x, w, r, b, h, direction, layout, activations, c, p)


@op("Recurrence", domain=LAYERS)
def recurrence(x: Tensor, r: Tensor, *, activation: str = "Tanh") -> Cost:
    """h = f(x + h R) over inputs that are projected already: MACs of h R in every step and direction.

    Args:
        x: (batch, sequence, hidden): what both directions add.
        r: (directions, hidden, hidden).
    """
    (batch, steps, hidden), ways, count = x.shape, r.shape[0], ACTIVATIONS.get(activation.lower())
    if count is None:
        raise ShapeError(f"activation {activation}")
    _meet(r, ways, hidden, hidden)
    units = x.size * ways
    states = inner(x, r, keep=Keep(~0, bytes=units * itemsize(x.dtype)))
    return give(
        (batch, steps, ways, hidden),
        contractions=((batch * r.size, inner(keep=Keep(bytes=0)), r), ((steps - 1) * batch * r.size, states, r)),
        vector=(1 + count.forward) * units, backward={x.index: (1 + count.backward) * units + (ways - 1) * x.size},
    )  # fmt: skip


@op("LinearAttention")
def linear_attention(
    q: Tensor, k: Tensor, v: Tensor, past: Tensor | None = None, decay: Tensor | None = None,
    beta: Tensor | None = None,
    *, q_num_heads: int, kv_num_heads: int, update_rule: str = "gated_delta", chunk_size: int = 64,
) -> Cost:  # fmt: skip
    """S = S + k v' and o = S' q, token by token; a delta rule also takes out of v what S' k gives already.

    Each of these is a product of the sizes of a key and a value, for every token and head, whatever the chunks it is
    computed in. Kept is one state for each chunk.
    """
    batch, steps = (same(dim, own) for dim, own in zip(q.shape[:2], k.shape[:2], strict=True))
    heads, size = regroup((q.shape[2],), (q_num_heads, -1), key="q")
    shared, own = regroup((k.shape[2],), (kv_num_heads, -1), key="k")
    also, width = regroup((v.shape[2],), (kv_num_heads, -1), key="v")
    same(size, own)
    same(shared, also)
    exact_quotient(heads, shared)
    written, read = batch * steps * shared * size * width, batch * steps * heads * size * width
    chunks = (steps + (chunk_size - 1)) // chunk_size
    kept = Keep(bytes=batch * chunks * shared * size * width * itemsize(q.dtype))
    states = inner(k, v, past, decay, beta, keep=kept)
    contractions: list[Contraction] = [(written, k, v), (read, states, q)]
    vector = batch * steps * heads * width  # the scale
    if "delta" in update_rule:
        contractions.insert(1, (written, states, k))
        vector += 2 * (batch * steps * shared * width)  # the difference, times beta
    if "gated" in update_rule:
        vector += written + (decay.size if decay is not None else 0)  # the decay, an exp
    out, state = (batch, steps, heads * width), (batch, shared, size, width)
    return give(out, state, contractions=contractions, vector=vector, backward={k.index: 2 * vector})
