"""Layers that move elements, and those that apply others to parts of a value."""

from __future__ import annotations

from scalecalc.dims import prod
from scalecalc.frontends.keras.call import Call, Unsupported, lowers
from scalecalc.frontends.keras.held import Held
from scalecalc.frontends.keras.parts import is_whole
from scalecalc.frontends.layers import shapes


@lowers("Flatten")
def flatten(call: Call) -> Held:
    """All axes but the batch as one; in which order changes no cost."""
    x = call.x.any
    return call.last(shapes.flatten(call.b, x) if x.rank > 1 else call.b.node("Unsqueeze", x, call.b.constant([1])))


@lowers("Reshape")
def reshape(call: Call) -> Held:
    """Another shape behind the batch; -1 is the rest."""
    given = call.part.get("target_shape", [])
    if not isinstance(given, list) or not all(dim is None or (is_whole(dim) and dim >= -1) for dim in given):
        raise call.error(f"target_shape is not a list of sizes but {given!s:.60}")
    target = [-1 if dim is None else dim for dim in given]
    if target.count(-1) > 1 or len(target) > 16:
        raise call.error("target_shape leaves more than one size open")
    size, known = prod(call.x.shape[1:]), prod(dim for dim in target if dim != -1)
    fits = not isinstance(size, int) or (known and size % known == 0 if -1 in target else size == known)
    if not fits:
        raise call.error(f"{size} entries do not fit target_shape {tuple(target)}")
    return call.last(shapes.reshape(call.b, call.x.plain(), tuple(target)))


@lowers("Permute")
def permute(call: Call) -> Held:
    """The axes behind the batch in another order, counted from 1."""
    dims = call.part.wholes("dims")
    return call.last(call.b.node("Transpose", call.x.plain(), perm=(0, *dims)))


@lowers("RepeatVector")
def repeat_vector(call: Call) -> Held:
    """A vector many times, as a sequence."""
    b, x = call.b, call.x.plain()
    if x.rank != 2:
        raise call.error(f"it takes 2 axes, not {x.rank}")
    y = b.node("Unsqueeze", x, b.constant([1]))
    return call.last(b.node("Expand", y, b.constant([x.shape[0], call.part.whole("n"), x.shape[1]])))


@lowers("Resizing")
def resizing(call: Call) -> Held:
    """An image of another size."""
    part, b = call.part, call.b
    modes = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}
    mode = modes.get(part.text("interpolation", "bilinear"))
    last = part.text("data_format", "channels_last") == "channels_last"
    if mode is None or call.x.rank != 4 or part.flag("crop_to_aspect_ratio") or part.flag("pad_to_aspect_ratio"):
        raise Unsupported
    x = call.x.channels_first() if last else call.x.plain()
    size = (part.whole("height"), part.whole("width"))
    y = b.node("Resize", x, None, None, b.constant([*x.shape[:2], *size]), mode=mode)
    return call.first(y) if last else call.last(y)


@lowers("TimeDistributed")
def time_distributed(call: Call) -> Held:
    """A layer applied to every step of a sequence: the steps as a part of the batch."""
    b, x = call.b, call.x.plain()
    if x.rank < 3:
        raise call.error(f"it takes 3 axes or more, not {x.rank}")
    batch, steps, *rest = x.shape
    merged = b.node("Reshape", x, b.constant([prod((batch, steps)), *rest]))
    (found, *_) = call.apply(call.part.part("layer"), call.last(merged), label="layer")
    if found.opaque is not None:
        return found
    y = found.plain()
    return call.last(b.node("Reshape", y, b.constant([batch, steps, *y.shape[1:]])))
