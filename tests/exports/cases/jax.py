"""Plain JAX functions by way of jax2onnx; their multiply-accumulates are worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from math import sqrt
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import jax2onnx
import numpy as np
import onnx

Sizes = Mapping[str, int]
Weights = dict[str, Any]

WIDTH, HEADS, INNER, FEATURES, HIDDEN, STEPS = 48, 6, 160, 40, 56, 17
SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "block": {
        **dict.fromkeys(("query", "key", "value"), (WIDTH, HEADS, WIDTH // HEADS)),
        "out": (HEADS, WIDTH // HEADS, WIDTH),
        "inner": (WIDTH, INNER), "inner_bias": (INNER,), "outer": (INNER, WIDTH), "outer_bias": (WIDTH,),
        "scale": (WIDTH,), "shift": (WIDTH,),
    },
    "cnn": {"first": (16, 3, 3, 3), "second": (32, 16, 3, 3), "head": (32, 10)},
    "rnn": {"inputs": (FEATURES, HIDDEN), "states": (HIDDEN, HIDDEN)},
}  # fmt: skip


def weights(name: str) -> Weights:
    """Random values of one model's shapes."""
    generator = np.random.default_rng(0)
    return {key: jnp.asarray(generator.normal(0, 0.02, shape), jnp.float32) for key, shape in SHAPES[name].items()}


def block(w: Weights, x: Any) -> Any:
    """LayerNorm, self-attention by Einsum, a feed-forward layer with GELU, both around residuals."""
    centred = x - x.mean(-1, keepdims=True)
    y = centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * w["scale"] + w["shift"]
    query, key, value = (jnp.einsum("bse,ehd->bshd", y, w[name]) for name in ("query", "key", "value"))
    scores = jnp.einsum("bshd,bthd->bhst", query, key) / np.float32(sqrt(WIDTH // HEADS))
    mixed = jnp.einsum("bhst,bthd->bshd", jax.nn.softmax(scores, -1), value)
    x = x + jnp.einsum("bshd,hde->bse", mixed, w["out"])
    return x + jax.nn.gelu(x @ w["inner"] + w["inner_bias"]) @ w["outer"] + w["outer_bias"]


def block_macs(sizes: Sizes) -> tuple[int, int]:
    """Four projections, scores and mixing, two feed-forward layers; a residual carries the gradient past them all.

    The input needs no gradient, but its scale and shift do: all products cost both operands.
    """
    seq = sizes["S"]
    forward = sizes["B"] * seq * (4 * WIDTH * WIDTH + 2 * seq * WIDTH + 2 * WIDTH * INNER)
    return forward, 2 * forward


def cnn(w: Weights, x: Any) -> Any:
    """Two convolutions with ReLU, a mean over all positions, a linear head."""
    y = jax.nn.relu(jax.lax.conv_general_dilated(x, w["first"], (2, 2), "SAME"))
    y = jax.nn.relu(jax.lax.conv_general_dilated(y, w["second"], (1, 1), "SAME"))
    return y.mean((2, 3)) @ w["head"]


def cnn_macs(sizes: Sizes) -> tuple[int, int]:
    """16 x 16 positions of both convolutions; the first needs no gradient to its input."""
    first, second = 16 * 16 * 16 * 27, 16 * 16 * 32 * 144
    forward = sizes["B"] * (first + second + 320)
    return forward, 2 * forward - sizes["B"] * first


def rnn(w: Weights, x: Any) -> Any:
    """A scan over the first axis, all states."""

    def step(state: Any, now: Any) -> Any:
        state = jnp.tanh(now @ w["inputs"] + state @ w["states"])
        return state, state

    return jax.lax.scan(step, jnp.zeros((x.shape[1], HIDDEN)), x)[1]


def rnn_macs(sizes: Sizes) -> tuple[int, int]:
    """Input and state times a matrix at every step; the input needs no gradient."""
    inputs, states = STEPS * sizes["B"] * FEATURES * HIDDEN, STEPS * sizes["B"] * HIDDEN * HIDDEN
    return inputs + states, inputs + 2 * states


@dataclass(frozen=True, eq=False)
class JaxCase:
    """A function of weights and one input whose dynamic axes have names."""

    model: str
    function: Callable[[Weights, Any], Any]
    shape: tuple[int | str, ...]
    macs: Callable[[Sizes], tuple[int, int]]
    sizes: tuple[Sizes, ...]
    altered: Mapping[str, int] = field(default_factory=dict)
    invalid: str = ""

    def export(self, path: Path) -> None:
        """Write the function as ONNX, its weights as constants."""
        values = weights(self.model)
        onnx.save(jax2onnx.to_onnx(lambda x: self.function(values, x), [self.shape]), str(path))

    def truth(self) -> dict[str, Any]:
        """Weights' elements, and multiply-accumulates by hand."""
        rows = []
        for sizes in self.sizes:
            forward, backward = self.macs(sizes)
            rows.append(
                {"sizes": sizes, "forward_flops": 2 * forward, "forward_macs": forward, "backward_macs": backward}
            )
        return {
            "model": f"jax_{self.model}",
            "jax": jax.__version__,
            "jax2onnx": version("jax2onnx"),
            "params": sum(int(np.prod(shape)) for shape in SHAPES[self.model].values()),
            "params_unused": 0,
            "params_in_embeddings": 0,
            "buffers": 0,
            "batch_norm_channels": {"all": 0, "after_convolution": 0, "after_biased_convolution": 0},
            "counts": rows,
            "macs_by_hand": True,
        }

    def variants(self, name: str) -> Iterator[tuple[str, dict[str, Any], JaxCase]]:
        """None."""
        yield from ()


CASES: dict[str, JaxCase] = {
    "jax_block": JaxCase("block", block, ("B", "S", WIDTH), block_macs, ({"B": 1, "S": 16}, {"B": 3, "S": 50})),
    "jax_cnn": JaxCase("cnn", cnn, ("B", 3, 32, 32), cnn_macs, ({"B": 1}, {"B": 3})),
    "jax_rnn": JaxCase("rnn", rnn, (STEPS, "B", FEATURES), rnn_macs, ({"B": 1}, {"B": 3})),
}
