"""Experts: products with weights that each row picks for itself."""

from __future__ import annotations

from scalecalc.dims import prod, same
from scalecalc.ir.graph import LAYERS
from scalecalc.ops.registry import Cost, Tensor, give, op


@op("ExpertMatMul", domain=LAYERS, fixed_inputs=(2,))
def expert_matmul(x: Tensor, w: Tensor, chosen: Tensor) -> Cost:
    """x[..., i, :] w[chosen[..., i]]: a row meets one matrix of the stack (experts, in, out), whichever it is.

    `chosen` (..., choices) holds the numbers of the experts, x (..., choices, in) a row for each of them. All matrices
    are stored; `choices` of them are what one sample meets.
    """
    _, depth, width = w.shape
    for dim, own in zip(x.shape, (*chosen.shape, depth), strict=True):
        same(dim, own)
    macs = prod(chosen.shape) * depth * width
    return give((*chosen.shape, width), contraction=(macs, x, w), used={1: chosen.shape[-1] * depth * width})
