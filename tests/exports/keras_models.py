"""Models that together use every layer that is read, each as small as it can be, and some of keras.applications."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
from keras import Input, Model, Sequential, layers, ops

sys.path.append(str(Path(__file__).parents[2]))
from benchmarks.keras_runs.models import cnn

APPLICATIONS = (
    "ResNet50", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0", "DenseNet121", "VGG16",
    "NASNetMobile", "Xception", "InceptionV3", "ConvNeXtTiny",
)  # fmt: skip

MODELS: dict[str, Callable[[], Model]] = {}


def model(make: Callable[[], Model]) -> Callable[[], Model]:
    """Register a model by its function's name."""
    MODELS[make.__name__] = make
    return make


def application(name: str) -> Model:
    """One of Keras's own, untrained."""
    return getattr(keras.applications, name)(weights=None)


MODELS["seed_cnn"] = cnn
MODELS.update((name.lower(), partial(application, name)) for name in APPLICATIONS)


def encoder(x: Any, heads: int, width: int, hidden: int) -> Any:
    """A layer of a transformer, norms in front."""
    y = layers.LayerNormalization()(x)
    x = x + layers.MultiHeadAttention(heads, width // heads)(y, y)
    y = layers.LayerNormalization()(x)
    y = layers.Dense(hidden, activation="relu")(y)
    return x + layers.Dense(width)(y)


@model
def transformer() -> Model:
    """A language model of tokens and their positions."""
    tokens, places = Input((16,), dtype="int32", name="tokens"), Input((16,), dtype="int32", name="places")
    x = layers.Embedding(1000, 64)(tokens) + layers.Embedding(16, 64)(places)
    for _ in range(2):
        x = encoder(x, 4, 64, 256)
    return Model([tokens, places], layers.Dense(1000)(layers.LayerNormalization()(x)))


@model
def translator() -> Model:
    """Attention between two sequences of open lengths, causal and grouped; a mask; keys of their own."""
    source, target = Input((None, 24), name="source"), Input((None, 24), name="target")
    x = layers.MultiHeadAttention(3, 8, value_dim=4, use_bias=False)(target, target, use_causal_mask=True)
    x = layers.Add()([target, layers.Dropout(0.1)(x)])
    x = layers.MultiHeadAttention(2, 6, output_shape=10)(x, source, key=source * 2.0)
    x = layers.GroupQueryAttention(8, 4, 2)(x, x)
    return Model([source, target], layers.RMSNormalization()(x))


@model
def attentions() -> Model:
    """Attention without projections."""
    query, value = Input((5, 8)), Input((7, 8))
    x = layers.Attention(use_scale=True)([query, value])
    y = layers.AdditiveAttention()([query, value])
    return Model([query, value], layers.Concatenate()([x, y]))


@model
def convolutions() -> Model:
    """Every convolution over two axes, strided, dilated, grouped, padded."""
    image = Input((33, 31, 6))
    x = layers.ZeroPadding2D(((1, 2), (0, 3)))(image)
    x = layers.Conv2D(12, (3, 5), strides=(2, 1), padding="same", activation="relu")(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, dilation_rate=2)(x)
    x = layers.SeparableConv2D(8, 3, depth_multiplier=2, use_bias=False, activation="softmax")(x)
    x = layers.Conv2DTranspose(5, 4, strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(4, 2, strides=3)(x)
    x = layers.Cropping2D(((3, 4), (5, 6)))(x)
    x = layers.UpSampling2D((2, 3), interpolation="bilinear")(x)
    x = layers.AveragePooling2D((3, 2), strides=(2, 2), padding="same")(x)
    return Model(image, [layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D(keepdims=True)(x)])


@model
def grouped() -> Model:
    """A grouped convolution."""
    return Sequential([Input((None, None, 6)), layers.Conv2D(12, 3, groups=3)])


@model
def signals() -> Model:
    """Convolutions over one axis, also causal ones."""
    x = signal = Input((40, 3))
    x = layers.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="silu")(x)
    x = layers.SeparableConv1D(6, 5, strides=2, padding="same")(x)
    x = layers.DepthwiseConv1D(3)(layers.ZeroPadding1D(2)(x))
    x = layers.Conv1DTranspose(4, 3, strides=2, padding="same")(layers.Cropping1D((1, 2))(x))
    x = layers.MaxPooling1D(3, padding="same")(layers.UpSampling1D(2)(x))
    return Model(signal, layers.GlobalAveragePooling1D()(layers.AveragePooling1D(2)(x)))


@model
def volumes() -> Model:
    """Convolutions over three axes."""
    x = volume = Input((12, 10, 9, 2))
    x = layers.Conv3D(4, 3, padding="same")(layers.ZeroPadding3D(1)(x))
    x = layers.MaxPooling3D(2)(layers.BatchNormalization()(x))
    x = layers.AveragePooling3D(2)(layers.UpSampling3D(2)(layers.Cropping3D(1)(x)))
    return Model(volume, layers.Dense(3)(layers.GlobalMaxPooling3D()(x)))


@model
def channels_first() -> Model:
    """An image network in the other order of axes."""
    image = Input((3, 20, 24))
    first = {"data_format": "channels_first"}
    x = layers.Conv2D(6, 3, **first)(image)
    x = layers.BatchNormalization(axis=1)(x)
    x = layers.MaxPooling2D(2, **first)(layers.ReLU()(x))
    return Model(image, layers.Dense(4)(layers.GlobalAveragePooling2D(**first)(x)))


@model
def norms() -> Model:
    """Normalisations with and without scale and offset."""
    image = Input((8, 8, 12))
    x = layers.Normalization()(layers.Rescaling(1 / 255, offset=-0.5)(image))
    x = layers.BatchNormalization(scale=False)(layers.BatchNormalization(center=False)(x))
    x = layers.GroupNormalization(4)(layers.GroupNormalization(-1, scale=False, center=False)(x))
    x = layers.LayerNormalization(center=False)(layers.LayerNormalization(axis=[1, 2, 3], scale=False)(x))
    x = layers.UnitNormalization()(layers.RMSNormalization()(x))
    return Model(image, layers.Normalization(mean=[0.0] * 12, variance=[1.0] * 12)(x))


@model
def activations() -> Model:
    """Activations as layers and as options."""
    x = vector = Input((10, 6))
    for name in ("relu", "elu", "selu", "gelu", "silu", "tanh", "sigmoid", "softplus", "softsign", "exponential"):
        x = layers.Dense(6, activation=name)(x)
    for layer in (layers.ReLU(6.0), layers.LeakyReLU(), layers.ELU(), layers.Softmax(), layers.PReLU()):
        x = layer(x)
    x = layers.PReLU(shared_axes=[1, 2])(layers.PReLU(shared_axes=[1])(x))
    for name in ("mish", "hard_sigmoid", "hard_silu", "log_softmax", "relu6", "leaky_relu", "linear"):
        x = layers.Activation(name)(x)
    return Model(vector, layers.Dense(2, activation=layers.ReLU())(x))


@model
def recurrents() -> Model:
    """Recurrent layers, their states, cells on top of each other."""
    sequence = Input((9, 5))
    x, h, c = layers.LSTM(7, return_sequences=True, return_state=True)(sequence)
    y = layers.LSTM(7, use_bias=False)(x, initial_state=[h, c])
    x = layers.GRU(6, return_sequences=True)(x)
    x = layers.GRU(4, reset_after=False, return_sequences=True)(x)
    x = layers.Bidirectional(layers.SimpleRNN(3, return_sequences=True))(x)
    x = layers.Bidirectional(layers.LSTM(3), merge_mode="sum")(x)
    z = layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)])(sequence)
    return Model(sequence, layers.Concatenate()([x, y, z, layers.RNN(layers.SimpleRNNCell(2))(sequence)]))


@model
def arrangements() -> Model:
    """Layers that move elements, and a layer for every step."""
    frames = Input((6, 8, 8, 3))
    x = layers.TimeDistributed(layers.Conv2D(4, 3, activation="relu"))(frames)
    x = layers.TimeDistributed(Sequential([layers.Flatten(), layers.Dense(10)]))(x)
    x = layers.Permute((2, 1))(x)
    x = layers.Reshape((4, -1))(x)
    x = layers.Dot(axes=(2, 1))([x, layers.RepeatVector(15)(layers.Dense(5)(layers.Flatten()(x)))])
    x = layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 7), bias_axes="e")(x)
    x = layers.EinsumDense("...x,xy->...y", output_shape=3, bias_axes="y", activation="relu")(x)
    return Model(frames, layers.GaussianNoise(0.1)(x))


@model
def merges() -> Model:
    """Layers of several inputs, in both orders of axes."""
    left, right = Input((8, 8, 4)), Input((8, 8, 4))
    x, y = layers.Conv2D(4, 3, padding="same")(left), layers.Conv2D(4, 1)(right)
    x = layers.Subtract()([layers.Add()([x, y, left]), layers.Multiply()([x, right])])
    x = layers.Average()([layers.Maximum()([x, y]), layers.Minimum()([x, y])])
    x = layers.Concatenate(axis=1)([layers.Concatenate()([x, y]), layers.Concatenate()([x, left])])
    scale = layers.Dense(8, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return Model([left, right], layers.Conv2D(2, 3)(x * scale))


@model
def operations() -> Model:
    """Operations on values in a functional model."""
    x, y = Input((6, 8)), Input((6, 8))
    a = (x + y) * 2.0 - 1.0 / (ops.abs(y) + 1.0)
    a = ops.relu(-a) ** 2 + ops.exp(ops.sqrt(ops.square(x)))
    a = ops.concatenate([a[:, 1:5, ::2], ops.transpose(y, (0, 2, 1))[:, :4, :4]], axis=-1)
    a = ops.matmul(a, ops.reshape(y, (-1, 8, 6)))
    a = ops.softmax(ops.expand_dims(a[:, -1], 1), axis=-1) + ops.mean(x, axis=1, keepdims=True)[..., :6]
    return Model([x, y], layers.Dense(3)(ops.sum(ops.squeeze(a, 1), axis=-1, keepdims=True)))


@model
def shared() -> Model:
    """Layers and models called several times, models inside models, two inputs and two outputs by name."""
    left, right = Input((10,), name="left"), Input((10,), name="right")
    tower = Sequential([layers.Dense(10, activation="relu"), layers.Dense(10)], name="tower")
    value, dense, twice = Input((10,)), layers.Dense(10), layers.Dense(10)
    inner = Model(value, [dense(tower(tower(value))), dense(value)], name="inner")
    a, b = inner(left)
    c, d = inner(a + right)
    out = {"first": layers.Dense(2, name="first")(twice(twice(b))), "second": layers.Concatenate(name="second")([c, d])}
    return Model({"left": left, "right": right}, out)


@model
def frozen() -> Model:
    """A trained part that is left alone below one that is trained."""
    base = Sequential(
        [Input((16, 16, 3)), layers.Conv2D(8, 3), layers.BatchNormalization(), layers.ReLU()], name="base"
    )
    base.trainable = False
    return Sequential([base, layers.GlobalAveragePooling2D(), layers.Dense(5, activation="softmax")])
