"""Losses that are part of a graph."""

from __future__ import annotations

from scalecalc.dims import same
from scalecalc.ops.registry import Cost, Keep, Out, Tensor, give, op
from scalecalc.ops.vector import LOG_SOFTMAX


def _picked(scores: Tensor, labels: Tensor, weights: Tensor | None, reduction: str) -> Cost:
    """The negated score of every label, weighted, and reduced: one FLOP each."""
    for dim, own in zip((scores.shape[0], *scores.shape[2:]), labels.shape, strict=True):
        same(dim, own)
    if weights is not None:
        same(weights.size, scores.shape[1])
    each = 1 + (weights is not None) + (reduction != "none")
    out = Out(labels.shape if reduction == "none" else (), scores.dtype)
    return give(out, vector=each * labels.size, backward={0: each * labels.size}, keeps=(Keep(1),))


@op("NegativeLogLikelihoodLoss", fixed_inputs=(1, 2))
def negative_log_likelihood(
    scores: Tensor, labels: Tensor, weights: Tensor | None = None, *, reduction: str = "mean"
) -> Cost:
    """The negated log-probability of every label, weighted, and their mean or sum."""
    return _picked(scores, labels, weights, reduction)


@op("SoftmaxCrossEntropyLoss", fixed_inputs=(1, 2))
def softmax_cross_entropy(
    scores: Tensor, labels: Tensor, weights: Tensor | None = None, *, reduction: str = "mean"
) -> Cost:
    """A LogSoftmax, of which every label's entry is taken."""
    cost = _picked(scores, labels, weights, reduction)
    cost.outputs = [*cost.outputs, Out(scores.shape)]
    cost.vector += LOG_SOFTMAX.forward * scores.size
    cost.backward = {0: cost.backward[0] + LOG_SOFTMAX.backward * scores.size}
    cost.keeps = (*cost.keeps, Keep(~1, bytes=scores.bytes))
    return cost
