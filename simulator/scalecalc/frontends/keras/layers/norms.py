"""Normalisations."""

from __future__ import annotations

from scalecalc.dims import Dim
from scalecalc.frontends.builder import Value
from scalecalc.frontends.keras.call import Call, Unsupported, lowers
from scalecalc.frontends.keras.held import Held
from scalecalc.frontends.keras.layers.activations import axis_in
from scalecalc.frontends.layers import basic


def _axes(call: Call) -> list[int]:
    """Its axes, counted from the front, in order."""
    given = call.part.get("axis", -1)
    listed = given if isinstance(given, list) else [given]
    return sorted({axis_in(call, axis, call.x) for axis in listed})


def _by_channel(call: Call) -> tuple[Value, bool]:
    """Its input with its one axis behind the batch, and whether that is another order than Keras has."""
    axes, x = _axes(call), call.x
    if axes == [x.rank - 1]:
        return x.channels_first(), x.rank > 2
    if axes != [1]:
        raise Unsupported
    return x.plain(), False


@lowers("BatchNormalization", "SyncBatchNormalization")
def batch_normalization(call: Call) -> Held:
    """By channel, over the batch."""
    part = call.part
    if part.flag("renorm"):
        raise Unsupported
    x, turned = _by_channel(call)
    y = basic.batch_normalization(call.b, x, scale=part.flag("scale", True), center=part.flag("center", True))
    return call.first(y) if turned else call.last(y)


@lowers("GroupNormalization")
def group_normalization(call: Call) -> Held:
    """By example and group of channels."""
    part = call.part
    x, turned = _by_channel(call)
    groups = part.whole("groups", 32, least=-1)
    if groups == -1:
        groups = call.b.number(x.shape[1])
    scale, center = part.flag("scale", True), part.flag("center", True)
    y = basic.group_normalization(call.b, x, groups, scale=scale, center=center)
    return call.first(y) if turned else call.last(y)


@lowers("LayerNormalization")
def layer_normalization(call: Call) -> Held:
    """Over the last axes."""
    part, x = call.part, call.x.plain()
    axis = _trailing(call)
    scale, center = part.flag("scale", True), part.flag("center", True)
    if part.flag("rms_scaling"):
        gamma = call.b.weight("gamma", *x.shape[axis:]) if scale else call.b.filler(*x.shape[axis:])
        return call.last(call.b.node("RMSNormalization", x, gamma, axis=axis))
    return call.last(basic.layer_normalization(call.b, x, axis=axis, scale=scale, center=center))


@lowers("RMSNormalization")
def rms_normalization(call: Call) -> Held:
    """By the root of the mean square of the last axes."""
    return call.last(basic.rms_normalization(call.b, call.x.plain(), axis=_trailing(call)))


def _trailing(call: Call) -> int:
    axes = _axes(call)
    if not axes or axes[0] == 0 or axes != list(range(axes[0], call.x.rank)):
        raise Unsupported
    return axes[0]


@lowers("UnitNormalization")
def unit_normalization(call: Call) -> Held:
    """To length 1."""
    return call.x.each(lambda v: call.b.node("LpNormalization", v))


@lowers("Rescaling")
def rescaling(call: Call) -> Held:
    """x * scale + offset."""
    x = call.x
    for key, op_type, default in (("scale", "Mul", 1.0), ("offset", "Add", 0.0)):
        given = call.part.get(key, default)
        if isinstance(given, list):
            value = call.b.filler(len(given))
            x = call.last(call.b.node(op_type, x.plain(), value))
        else:
            x = scaled(call, x, op_type, call.part.number(key, default))
    return x


def scaled(call: Call, x: Held, op_type: str, number: float) -> Held:
    """An operation of every element with one number."""
    value = call.b.constant([number], dtype="float32", scalar=True)
    return x.each(lambda v: call.b.node(op_type, v, value))


@lowers("Normalization")
def normalization(call: Call) -> Held:
    """(x - mean) / deviation; both are learned from the data, by no gradient, unless the file holds them."""
    b, x = call.b, call.x.plain()
    given = call.part.entries.get("axis", -1)
    listed = [] if given is None else given if isinstance(given, list) else [given]
    kept = {axis_in(call, axis, x) for axis in listed}
    dims: list[Dim] = [x.shape[axis] if axis in kept else 1 for axis in range(1, x.rank)]
    if call.part.get("mean") is None:
        mean, variance = (b.weight(label, *dims, frozen=True) for label in ("mean", "variance"))
        b.weight("count", dtype="int32")
    else:
        mean = variance = b.filler(*dims)
    return call.last(b.node("Div", b.node("Sub", x, mean), variance))


@lowers("LayerScale")
def layer_scale(call: Call) -> Held:
    """A learned factor for every channel (of Keras's own ConvNeXt)."""
    x = call.x.plain()
    return call.last(call.b.node("Mul", x, call.b.weight("gamma", call.part.whole("projection_dim"))))
