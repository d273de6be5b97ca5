"""State-space layers: a state for every channel, carried on entry by entry and read by a product."""

from __future__ import annotations

from scalecalc.dims import same
from scalecalc.ir.graph import LAYERS
from scalecalc.ops.registry import Cost, Keep, Tensor, give, inner, op
from scalecalc.ops.vector import SCAN, SCAN_BACKWARD


@op("SelectiveScan", domain=LAYERS)
def selective_scan(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Cost:
    """h = exp(dt*A)*h + dt*B*x and y = C h + D x in every step: C h is a product, the rest goes entry by entry.

    Args:
        x, dt: (batch, sequence, channels).
        a: (channels, states), below 0.
        b, c: (batch, sequence, states).
        d: (channels).

    As in the fused kernel of Gu and Dao 2023, states are not kept: backward makes them again from the inputs.
    """
    (batch, steps, channels), states = x.shape, a.shape[1]
    shapes = {dt: x.shape, a: (channels, states), b: (batch, steps, states), c: (batch, steps, states), d: (channels,)}
    for given, shape in shapes.items():
        for own, dim in zip(given.shape, shape, strict=True):
            same(own, dim)
    entries = x.size * states
    made = zip((x, dt, a, b, d), SCAN_BACKWARD.values(), strict=True)
    return give(
        x.shape,
        contraction=(entries, inner(x, dt, a, b, keep=Keep(bytes=0)), c),
        vector=SCAN[0] * entries + SCAN[1] * x.size,
        backward={given.index: per_entry * entries + per_channel * x.size for given, (per_entry, per_channel) in made},
        keeps=[Keep(given.index) for given in (x, dt, a, b, c)],
    )
