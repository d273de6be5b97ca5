"""Keras models by way of TensorFlow and tf2onnx.

Truth is Keras' own: parameters by `count_params`, matrix FLOPs by TensorFlow's profiler where it knows every product
(convolutions and MatMul), by hand where it does not: it sees neither inside recurrent loops nor Einsum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from keras import layers

Sizes = Mapping[str, int]

MATRIX = {"Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2"}
BATCHES = ({"batch": 1}, {"batch": 2}, {"batch": 3})
SEQUENCES = ({"batch": 1, "seq": 16}, {"batch": 2, "seq": 64}, {"batch": 3, "seq": 25})
VOCABULARY, FEATURES, HIDDEN, CLASSES = 1000, 40, 56, 4
WIDTH, HEADS, INNER = 48, 6, 160


def cnn() -> Any:
    """Two convolutions with BatchNorm, the second separable, and a classifier."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(16, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.SeparableConv2D(32, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10),
        ]
    )


def recurrent(layer: Callable[..., Any], **settings: Any) -> Any:
    """Embedded tokens, one recurrent layer, a classifier of its last state."""
    tokens = keras.Input((None,), dtype="int32")
    y = layer(HIDDEN, **settings)(layers.Embedding(VOCABULARY, FEATURES)(tokens))
    return keras.Model(tokens, layers.Dense(CLASSES)(y))


def recurrent_macs(gates: int, sizes: Sizes, *, loop: bool) -> tuple[int, int]:
    """Every gate multiplies input and state at every step; backward costs both operands of every product.

    The first state is a constant: only the body of a loop, which treats all steps alike, computes a gradient to it.
    """
    cells = sizes["seq"] * gates * HIDDEN * (FEATURES + HIDDEN)
    forward = sizes["batch"] * (cells + HIDDEN * CLASSES)
    return forward, 2 * forward - (0 if loop else sizes["batch"] * gates * HIDDEN * HIDDEN)


def attention() -> Any:
    """Embedded tokens, self-attention and a feed-forward layer, each with residual and LayerNorm, and a head."""
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(VOCABULARY, WIDTH)(tokens)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(x, x))
    inner = layers.Dense(INNER, activation=lambda y: keras.activations.gelu(y, approximate=True))(x)
    x = layers.LayerNormalization()(x + layers.Dense(WIDTH)(inner))
    return keras.Model(tokens, layers.Dense(VOCABULARY)(x))


def attention_macs(sizes: Sizes) -> tuple[int, int]:
    """Four projections, scores and mixing, two feed-forward layers, the head."""
    seq = sizes["seq"]
    per_token = 4 * WIDTH * WIDTH + 2 * seq * WIDTH + 2 * WIDTH * INNER + WIDTH * VOCABULARY
    forward = sizes["batch"] * seq * per_token
    return forward, 2 * forward


def randomized(model: Any, seed: int = 0) -> Any:
    """Distinct random values in every weight and running statistic."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype.startswith("float"):
            low, high = (0.5, 1.5) if "variance" in weight.name else (-0.05, 0.05)
            weight.assign(generator.uniform(low, high, weight.shape).astype("float32"))
    return model


def profiled_macs(model: Any, sizes: Sizes, shape: tuple[int, ...]) -> int:
    """Multiply-accumulates of the frozen graph, by TensorFlow's profiler."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    spec = tf.TensorSpec((sizes["batch"], *shape), tf.float32)
    frozen = convert_variables_to_constants_v2(
        tf.function(lambda x: model(x, training=False)).get_concrete_function(spec)
    )
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation() | {"output": "none"}
    profile = tf.compat.v1.profiler.profile(frozen.graph, cmd="op", options=options)

    def found(node: Any) -> Iterator[tuple[str, int]]:
        yield node.name, node.float_ops
        for child in node.children:
            yield from found(child)

    return sum(flops for name, flops in found(profile) if name in MATRIX) // 2


@dataclass(frozen=True, eq=False)
class KerasCase:
    """A Keras model with a dynamic batch, and a dynamic sequence where its input is tokens.

    Attributes:
        build: makes it from its configuration.
        shape: of one image; empty for tokens.
        sizes: where its multiply-accumulates are counted.
        first: multiply-accumulates of the first layer per image, which needs no gradient to its input.
        macs: forward and backward by hand, where the profiler does not see all.
        altered: `params` of the file beyond those of the model after folding BatchNorm.
        note: what a reader of the counts should know.
    """

    model: str
    build: Callable[[], Any]
    sizes: tuple[Sizes, ...]
    shape: tuple[int, ...] = ()
    first: int = 0
    macs: Callable[[Sizes], tuple[int, int]] | None = None
    altered: Mapping[str, int] = field(default_factory=dict)
    invalid: str = ""
    note: str = ""

    @cached_property
    def made(self) -> Any:
        return randomized(self.build())

    def export(self, path: Path) -> None:
        """Write the model as ONNX; its inputs' dynamic axes get names, tf2onnx only numbers them."""
        spec = tf.TensorSpec(
            (None, *self.shape) if self.shape else (None, None), tf.float32 if self.shape else tf.int32, "x"
        )
        model = self.made
        function = tf.function(lambda x: model(x, training=False), input_signature=[spec])
        proto, _ = tf2onnx.convert.from_function(function, input_signature=[spec], opset=17)
        for dimension, name in zip(proto.graph.input[0].type.tensor_type.shape.dim, ("batch", "seq"), strict=False):
            if not dimension.HasField("dim_value"):
                dimension.dim_param = name
        onnx.save(proto, str(path))

    def counts(self, sizes: Sizes) -> dict[str, Any]:
        """Multiply-accumulates at these sizes."""
        if self.macs:
            forward, backward = self.macs(sizes)
        else:
            forward = profiled_macs(self.made, sizes, self.shape)
            backward = 2 * forward - sizes["batch"] * self.first
        return {
            "sizes": dict(sizes), "forward_flops": 2 * forward, "forward_macs": forward, "backward_macs": backward,
        }  # fmt: skip

    def truth(self) -> dict[str, Any]:
        """Parameter counts, and multiply-accumulates at every size of the case."""
        model = self.made

        def elements(weights: Any) -> int:
            return sum(int(np.prod(weight.shape)) for weight in weights)

        norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
        channels = sum(elements([layer.gamma]) for layer in norms)
        embeddings = [layer for layer in model.layers if isinstance(layer, layers.Embedding)]
        return {
            "model": self.model,
            "keras": keras.__version__,
            "tf2onnx": tf2onnx.__version__,
            "params": elements(model.trainable_weights),
            "params_unused": 0,
            "params_in_embeddings": elements(weight for layer in embeddings for weight in layer.weights),
            "count_params": model.count_params(),
            "buffers": elements(weight for layer in norms for weight in layer.non_trainable_weights),
            "batch_norm_channels": {"all": channels, "after_convolution": channels, "after_biased_convolution": 0},
            "counts": [self.counts(sizes) for sizes in self.sizes],
            **({"macs_by_hand": True} if self.macs else {}),
            **({"altered": dict(self.altered)} if self.altered else {}),
            **({"note": self.note} if self.note else {}),
        }

    def variants(self, name: str) -> Iterator[tuple[str, dict[str, Any], KerasCase]]:
        """None."""
        yield from ()


def tagger(
    name: str, layer: Callable[..., Any], gates: int, note: str = "", loop: bool = True, **settings: Any
) -> KerasCase:
    """A recurrent classifier of tokens, exported as a loop or as ONNX's layer, whose second biases are zero."""
    return KerasCase(
        name,
        lambda: recurrent(layer, **settings),
        SEQUENCES,
        macs=lambda sizes: recurrent_macs(gates, sizes, loop=loop),
        altered={} if loop else {"params": gates * HIDDEN},
        note=note,
    )


CASES: dict[str, KerasCase] = {
    "keras_cnn": KerasCase("keras_cnn", cnn, BATCHES, (32, 32, 3), first=32 * 32 * 16 * 27),
    "keras_mobilenet_v2": KerasCase(
        "keras_mobilenet_v2",
        lambda: keras.applications.MobileNetV2(weights=None),
        BATCHES,
        (224, 224, 3),
        first=112 * 112 * 32 * 27,
        # channels of the 17 depthwise convolutions
        altered={"params": 32 + 96 + 2 * 144 + 3 * 192 + 4 * 384 + 3 * 576 + 3 * 960},
        note="behind depthwise convolutions tf2onnx folds only the shift of a BatchNorm, its scale stays a Mul",
    ),
    "keras_lstm": tagger(
        "keras_lstm",
        layers.LSTM,
        4,
        "ONNX's LSTM has a second bias per gate, zero here",
        loop=False,
    ),
    "keras_lstm_loop": tagger(
        "keras_lstm_loop", layers.LSTM, 4, "an activation ONNX's LSTM does not have: a Loop", activation="swish"
    ),
    "keras_gru": tagger("keras_gru", layers.GRU, 3),
    "keras_rnn": tagger("keras_rnn", layers.SimpleRNN, 1),
    "keras_attention": KerasCase("keras_attention", attention, SEQUENCES, macs=attention_macs),
}
