"""Layers of matrix products, tables, and what changes nothing once a model is trained."""

from __future__ import annotations

from scalecalc.dims import Dim, same
from scalecalc.frontends.builder import Value
from scalecalc.frontends.keras.call import Call, Unsupported, lowers
from scalecalc.frontends.keras.held import Held
from scalecalc.frontends.keras.layers.activations import activated
from scalecalc.frontends.layers.basic import embedding, linear


@lowers("Dense")
def dense(call: Call) -> Held:
    """A linear map of the last axis."""
    if call.part.get("lora_rank") is not None:
        raise Unsupported
    x = linear(call.b, call.x.plain(), call.part.whole("units"), use_bias=call.part.flag("use_bias", True))
    return activated(call, call.last(x))


@lowers("EinsumDense")
def einsum_dense(call: Call) -> Held:
    """A product by Einstein's convention with a kernel whose sizes the equation tells."""
    b, x = call.b, call.x.plain()
    equation = call.part.text("equation").replace(" ", "")
    left, arrow, out = equation.partition("->")
    given, comma, kernel = left.partition(",")
    if not arrow or not comma or not kernel.isalpha() or call.part.get("lora_rank") is not None:
        raise Unsupported
    sizes = _sizes(call, given, x.shape)
    shape = call.part.get("output_shape")
    shape = [shape] if isinstance(shape, int) else shape if isinstance(shape, list) else []
    for letter, dim in zip(reversed(out), reversed(shape), strict=False):
        if letter.isalpha() and isinstance(dim, int):
            sizes.setdefault(letter, dim)
    missing = [letter for letter in kernel if letter not in sizes]
    if missing:
        raise call.error(f"nothing says how large '{missing[0]}' of its equation {equation:.60} is")
    y = b.node("Einsum", x, b.weight("kernel", *(sizes[letter] for letter in kernel)), equation=equation)
    bias = call.part.get("bias_axes")
    if bias is not None:
        if not isinstance(bias, str) or not bias or any(letter not in out for letter in bias):
            raise call.error(f"bias_axes {bias!s:.40} are not axes of its output {out:.40}")
        behind = out[min(out.index(letter) for letter in bias) :]
        dims = [y.shape[place - len(behind)] if letter in bias else 1 for place, letter in enumerate(behind)]
        y = b.node("Add", y, b.weight("bias", *dims))
    return activated(call, call.last(y))


def _sizes(call: Call, letters: str, shape: tuple[Dim, ...]) -> dict[str, Dim]:
    """How large each letter of an operand is."""
    before, dots, behind = letters.partition("...")
    if len(before) + len(behind) > len(shape) or (not dots and len(before) != len(shape)):
        raise call.error(f"its input has {len(shape)} axes, its equation {letters:.40}")
    sizes: dict[str, Dim] = {}
    for letter, dim in (*zip(before, shape, strict=False), *zip(reversed(behind), reversed(shape), strict=False)):
        same(sizes.setdefault(letter, dim), dim)
    return sizes


@lowers("Embedding")
def table(call: Call) -> Held:
    """A row of a table for every index; indices of an input of floats are made whole first."""
    x: Value = call.x.plain()
    if x.tensor.is_float:
        x = call.b.node("Cast", x, to="int32")
    part = call.part
    if part.get("lora_rank") is not None:
        raise Unsupported
    return call.last(embedding(call.b, x, part.whole("input_dim"), output_dim=part.whole("output_dim")))


@lowers("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout")
def dropout(call: Call) -> Held:
    """Elements set to 0 at random while training: nothing where the rate is 0."""
    return call.x.each(lambda v: call.b.node("Dropout", v)) if call.part.number("rate", 0.5) else call.x


@lowers(
    "Identity", "Masking", "ActivityRegularization", "GaussianNoise", "GaussianDropout", "RandomFlip",
    "RandomRotation", "RandomZoom", "RandomContrast", "RandomBrightness", "RandomTranslation",
)  # fmt: skip
def identity(call: Call) -> Held:
    """What a trained model leaves as it is."""
    return call.x
