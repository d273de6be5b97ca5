"""Normalisations and softmax: each row against its own statistics."""

from __future__ import annotations

from scalecalc.dims import Dim, prod, same
from scalecalc.ir.patterns import LAYERS
from scalecalc.ops.registry import Cost, Keep, Out, Tensor, axis_of, give, op
from scalecalc.ops.vector import LOG_SOFTMAX, NORM, RMS_NORM, SOFTMAX, PerElement

STATISTIC_BYTES = 4
"""Means and deviations are kept in float32 whatever the type of the data."""


def normalised(x: Tensor, count: PerElement, statistics: int, groups: Dim, *weights: Tensor | None) -> Cost:
    """A cost of `count` per element that keeps its input and `statistics` numbers for each of `groups`."""
    backward = {0: count.backward * x.size} | {w.index: 0 for w in weights if w is not None}
    kept = Keep(bytes=groups * (STATISTIC_BYTES * statistics))
    return give(x.shape, vector=count.forward * x.size, backward=backward, keeps=(Keep(0), kept))


@op("BatchNormalization", roles={1: "norm", 2: "norm", 3: "buffer", 4: "buffer"}, fixed_inputs=(3, 4))
def batch_normalization(x: Tensor, scale: Tensor, b: Tensor, mean: Tensor, var: Tensor, *, n_outputs: int = 1) -> Cost:
    """Statistics per channel over the batch, as in training."""
    channels = x.shape[1] if x.rank > 1 else 1
    for w in (scale, b, mean, var):
        same(w.size, channels)
    cost = normalised(x, NORM, 2, channels, scale, b)
    cost.outputs = [*cost.outputs, *(Out(mean.shape, mean.dtype) for _ in range(n_outputs - 1))]
    return cost


@op("LayerNormalization", roles={1: "norm", 2: "norm"})
def layer_normalization(x: Tensor, scale: Tensor, b: Tensor | None = None, *, axis: int = -1) -> Cost:
    """Statistics over the axes from `axis` on."""
    split = axis_of(axis, x.rank)
    for w in (scale, b):
        if w is not None:
            for dim, own in zip(reversed(w.shape), reversed(x.shape[split:]), strict=False):
                if not (isinstance(dim, int) and dim == 1):
                    same(dim, own)
    cost = normalised(x, NORM, 2, prod(x.shape[:split]), scale, b)
    reduced = Out((*x.shape[:split], *(1 for _ in x.shape[split:])), "float32")
    cost.outputs = [*cost.outputs, reduced, reduced]
    return cost


@op("RMSNormalization", roles={1: "norm"})
def rms_normalization(x: Tensor, scale: Tensor, *, axis: int = -1) -> Cost:
    """The root of the mean square over the axes from `axis` on."""
    split = axis_of(axis, x.rank)
    for dim, own in zip(reversed(scale.shape), reversed(x.shape[split:]), strict=False):
        same(dim, own)
    return normalised(x, RMS_NORM, 1, prod(x.shape[:split]), scale)


@op("InstanceNormalization", roles={1: "norm", 2: "norm"})
def instance_normalization(x: Tensor, scale: Tensor, b: Tensor) -> Cost:
    """Statistics per example and channel."""
    same(scale.size, x.shape[1])
    same(b.size, x.shape[1])
    return normalised(x, NORM, 2, prod(x.shape[:2]), scale, b)


@op("GroupNormalization", roles={1: "norm", 2: "norm"})
def group_normalization(x: Tensor, scale: Tensor, b: Tensor, *, num_groups: int) -> Cost:
    """Statistics per example and group of channels."""
    same(scale.size, x.shape[1])
    same(b.size, x.shape[1])
    return normalised(x, NORM, 2, x.shape[0] * num_groups, scale, b)


@op("GroupNormalization18", domain=LAYERS, roles={1: "norm", 2: "norm"})
def group_normalization_18(x: Tensor, scale: Tensor, b: Tensor, *, num_groups: int) -> Cost:
    """GroupNormalization as ONNX had it before version 21: one scale and offset for a whole group."""
    same(scale.size, num_groups)
    same(b.size, num_groups)
    return normalised(x, NORM, 2, x.shape[0] * num_groups, scale, b)


@op("LRN")
def lrn(x: Tensor, *, size: int) -> Cost:
    """x / (bias + alpha * sum of `size` squares)**beta: 2 per neighbour (square, add) and mul, add, pow, div."""
    flops = (2 * size + 4) * x.size
    return give(x.shape, vector=flops, backward={0: 2 * flops}, keeps=(Keep(0), Keep(~0)))


@op("MeanVarianceNormalization", "LpNormalization")
def unweighted_normalization(x: Tensor) -> Cost:
    """A normalisation without weights, counted like the others."""
    return normalised(x, NORM, 2, x.shape[0])


@op("Softmax", "Hardmax")
def softmax(x: Tensor, *, axis: int = -1) -> Cost:
    """exp(x - max) / sum."""
    return give(x.shape, vector=SOFTMAX.forward * x.size, backward={0: SOFTMAX.backward * x.size}, keeps=(Keep(~0),))


@op("LogSoftmax")
def log_softmax(x: Tensor, *, axis: int = -1) -> Cost:
    """x - max - log(sum(exp(x - max)))."""
    backward = {0: LOG_SOFTMAX.backward * x.size}
    return give(x.shape, vector=LOG_SOFTMAX.forward * x.size, backward=backward, keeps=(Keep(~0),))
