"""Dense layers, tables, norms, and layers without weights that keep the shape."""

from __future__ import annotations

from scalecalc.dims import Dim, same
from scalecalc.errors import ShapeError
from scalecalc.frontends.builder import Builder, Value, shape_text
from scalecalc.frontends.layers.activations import Activation, activate
from scalecalc.frontends.layers.registry import layer


@layer("dense")
def dense(b: Builder, x: Value, units: Dim, *, use_bias: bool = True, activation: Activation | None = None) -> Value:
    """A linear map of the last axis: (..., in) -> (..., units)."""
    return activate(b, linear(b, x, units, use_bias=use_bias), activation)


def linear(b: Builder, x: Value, units: Dim, *, use_bias: bool, label: str = "") -> Value:
    """A product with a weight of its own, and a bias."""
    prefix = f"{label}." if label else ""
    x = b.node("MatMul", x, b.weight(f"{prefix}kernel", x.shape[-1], units))
    return b.node("Add", x, b.weight(f"{prefix}bias", units)) if use_bias else x


def sequence(x: Value) -> Value:
    """The same, where it is (batch, sequence, features).

    Raises:
        ShapeError: it has other axes.
    """
    if x.rank != 3:
        raise ShapeError(f"it takes (batch, sequence, features), not {shape_text(x)}")
    return x


@layer("gated_dense")
def gated_dense(b: Builder, x: Value, units: Dim, *, activation: Activation = "silu", use_bias: bool = False) -> Value:
    """activation(x W) * (x V): the gated half of a SwiGLU or GeGLU block, (..., in) -> (..., units)."""
    gate = activate(b, linear(b, x, units, use_bias=use_bias, label="gate"), activation)
    return b.node("Mul", gate, linear(b, x, units, use_bias=use_bias, label="up"))


@layer("embedding")
def embedding(b: Builder, x: Value, input_dim: Dim, *, output_dim: Dim) -> Value:
    """A row of a table for every index: (...) -> (..., output_dim)."""
    return b.node("Gather", b.weight("embeddings", input_dim, output_dim), x)


@layer("unembedding")
def unembedding(b: Builder, x: Value, units: Dim, *, tied: Value | None = None, use_bias: bool = False) -> Value:
    """Scores of every token of the vocabulary; `tied` names the embedding whose table it multiplies with."""
    if tied is None:
        return linear(b, x, units, use_bias=use_bias)
    table = b.weight_of(tied, "embeddings")
    same(table.shape[0], units)
    x = b.node("MatMul", x, b.node("Transpose", table, perm=(1, 0)))
    return b.node("Add", x, b.weight("bias", units)) if use_bias else x


@layer("batch_normalization")
def batch_normalization(b: Builder, x: Value, *, scale: bool = True, center: bool = True) -> Value:
    """Normalised over the batch by channel (axis 1); statistics are buffers."""
    channels = x.shape[1]
    gamma = b.weight("gamma", channels) if scale else b.filler(channels)
    beta = b.weight("beta", channels) if center else b.filler(channels)
    return b.node("BatchNormalization", x, gamma, beta, *(b.weight(s, channels) for s in ("mean", "variance")))


@layer("layer_normalization")
def layer_normalization(b: Builder, x: Value, *, axis: int = -1, scale: bool = True, center: bool = True) -> Value:
    """Normalised over the axes from `axis` on, with a scale and an offset."""
    shape = x.shape[axis:]
    gamma = b.weight("gamma", *shape) if scale else b.filler(*shape)
    return b.node("LayerNormalization", x, gamma, b.weight("beta", *shape) if center else None, axis=axis)


@layer("rms_normalization")
def rms_normalization(b: Builder, x: Value, *, axis: int = -1) -> Value:
    """Divided by the root of the mean square over the axes from `axis` on, with a scale."""
    return b.node("RMSNormalization", x, b.weight("gamma", *x.shape[axis:]), axis=axis)


@layer("group_normalization")
def group_normalization(b: Builder, x: Value, groups: int = 32, *, scale: bool = True, center: bool = True) -> Value:
    """Normalised by example and group of channels (axis 1), with a scale and an offset for each channel."""
    given = {"gamma": scale, "beta": center}
    weights = (b.weight(n, x.shape[1]) if there else b.filler(x.shape[1]) for n, there in given.items())
    return b.node("GroupNormalization", x, *weights, num_groups=groups)


@layer("dropout", summary="Elements set to 0 at random while training.")
def dropout(b: Builder, x: Value, rate: float = 0.5) -> Value:
    """Elements set to 0 at random: as ONNX has it, the identity but for a mask that is kept."""
    return b.node("Dropout", x)


@layer("rescaling")
def rescaling(b: Builder, x: Value, scale: float) -> Value:
    """All elements times a fixed number."""
    return b.node("Mul", x, b.constant([scale], dtype="float32", scalar=True))


@layer("positional")
def positional(
    b: Builder, x: Value, positions: Dim | None = None, *, trainable_table: bool = True, add: bool = True
) -> Value:
    """A learned vector for every place of axis 1 added; `positions` bounds how many there may be.

    `trainable_table: false` for a fixed table, such as one of sines.
    """
    _, steps, features = sequence(x).shape
    table = b.weight("positions", steps if positions is None else positions, features, frozen=not trainable_table)
    found = b.node("Gather", table, b.range(steps))
    return b.node("Add", x, found) if add else found
