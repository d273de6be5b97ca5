"""Mixtures of experts: a router picks for every token which of many feed-forward blocks it passes through."""

from __future__ import annotations

from scalecalc.dims import Dim, bound
from scalecalc.errors import ShapeError
from scalecalc.frontends.builder import Builder, Value
from scalecalc.frontends.layers.activations import Activation, activate
from scalecalc.frontends.layers.basic import linear
from scalecalc.frontends.layers.registry import CHOICES, layer
from scalecalc.frontends.wording import shape_text
from scalecalc.ir.graph import LAYERS

CHOICES["Scoring"] = ("softmax", "sigmoid")
Scoring = str
"""What a router makes of its products."""


@layer("mixture_of_experts")
def mixture_of_experts(
    b: Builder, x: Value, num_experts: Dim,
    *, top_k: Dim, d_ff: Dim, activation: Activation = "silu", gated: bool = True, shared_experts: Dim | None = None,
    scoring: Scoring = "softmax", normalize: bool = True, router_bias: bool = False, correction_bias: bool = False,
) -> Value:  # fmt: skip
    """The `top_k` feed-forward blocks a router prefers for each token, weighted by its scores and added up.

    Args:
        b, x: the builder, and (..., tokens, features).
        num_experts: how many blocks there are to choose from.
        top_k: how many of them each token passes through.
        d_ff: width inside a block.
        activation: inside a block.
        gated: a block is activation(x W) * (x V) U instead of activation(x W) U.
        shared_experts: blocks every token passes through beside those, as one of that many times the width.
        scoring: what the router makes of its products before it chooses.
        normalize: the chosen scores are divided by their sum.
        router_bias: of the router's products.
        correction_bias: an offset added to the scores for the choice alone; no gradient reaches it.
    """
    weights, chosen = _route(
        b, x, num_experts, top_k, scoring=scoring, normalize=normalize, use_bias=router_bias, correction=correction_bias
    )
    copies = _copied(b, x, top_k)

    def product(rows: Value, units: Dim, label: str) -> Value:
        stack = b.weight(f"experts.{label}", num_experts, rows.shape[-1], units)
        return b.node("ExpertMatMul", rows, stack, chosen, domain=LAYERS)

    y = activate(b, product(copies, d_ff, "gate" if gated else "up"), activation)
    if gated:
        y = b.node("Mul", y, product(copies, d_ff, "up"))
    y = b.node("Mul", product(y, x.shape[-1], "down"), b.node("Unsqueeze", weights, b.constant([-1])))
    y = b.node("ReduceSum", y, b.constant([-2]), keepdims=0)
    if shared_experts is None:
        return y
    return b.node("Add", y, _shared(b, x, shared_experts * d_ff, activation, gated))


def _route(
    b: Builder, x: Value, experts: Dim, top_k: Dim, *, scoring: str, normalize: bool, use_bias: bool, correction: bool
) -> tuple[Value, Value]:
    """(..., top_k) weights of the chosen experts, and their numbers."""
    if x.rank < 2:
        raise ShapeError(f"it takes (..., tokens, features), not {shape_text(x)}")
    bound(top_k, experts)
    scores = activate(b, linear(b, x, experts, use_bias=use_bias, label="router"), scoring)
    ranked = b.node("Add", scores, b.weight("router.correction", experts, frozen=True)) if correction else scores
    weights, chosen = b.nodes("TopK", ranked, b.constant([top_k]), outputs=2)
    if correction:
        weights = b.node("GatherElements", scores, chosen, axis=-1)
    if normalize:
        weights = b.node("Div", weights, b.node("ReduceSum", weights, b.constant([-1]), keepdims=1))
    return weights, chosen


def _copied(b: Builder, x: Value, times: Dim) -> Value:
    """(..., tokens, features) as (..., tokens, times, features): each token gathered once for every expert."""
    tokens = x.shape[-2]
    place = b.node("Unsqueeze", b.range(tokens), b.constant([1]))
    return b.node("Gather", x, b.node("Expand", place, b.constant([tokens, times])), axis=x.rank - 2)


def _shared(b: Builder, x: Value, width: Dim, activation: str, gated: bool) -> Value:
    y = activate(b, linear(b, x, width, use_bias=False, label="shared.gate" if gated else "shared.up"), activation)
    if gated:
        y = b.node("Mul", y, linear(b, x, width, use_bias=False, label="shared.up"))
    return linear(b, y, x.shape[-1], use_bias=False, label="shared.down")
