"""State-space layers over (batch, sequence, features)."""

from __future__ import annotations

from scalecalc.dims import Dim
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.basic import linear, sequence
from scalecalc.frontends.layers.registry import layer
from scalecalc.ir.graph import LAYERS


@layer("causal_conv1d")
def causal_conv1d(b: Builder, x: Value, kernel_size: int, *, use_bias: bool = True) -> Value:
    """Every feature by itself over the last `kernel_size` steps: (batch, sequence, features) as it is."""
    sequence(x)
    channels = x.shape[2]
    bias = b.weight("bias", channels) if use_bias else None
    x = b.node("Transpose", x, perm=(0, 2, 1))
    x = b.node("CausalConvWithState", x, b.weight("kernel", channels, 1, kernel_size), bias)
    return b.node("Transpose", x, perm=(0, 2, 1))


@layer("selective_scan")
def selective_scan(b: Builder, x: Value, states: Dim, *, dt_rank: Dim) -> Value:
    """A state-space model whose steps, inputs and outputs depend on x (Mamba): `states` for every feature.

    Step sizes go through `dt_rank` entries; A and D are learned, A as the logarithm of -A.
    """
    sequence(x)
    channels = x.shape[2]
    parts = linear(b, x, dt_rank + 2 * states, use_bias=False, label="x")
    dt, into, out = b.nodes("Split", parts, b.constant([dt_rank, states, states]), outputs=3, axis=-1)
    dt = b.node("Softplus", linear(b, dt, channels, use_bias=True, label="dt"))
    a = b.node("Neg", b.node("Exp", b.weight("A_log", channels, states)))
    return b.node("SelectiveScan", x, dt, a, into, out, b.weight("D", channels), domain=LAYERS)
