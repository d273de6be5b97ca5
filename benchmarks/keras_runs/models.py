"""The models that are trained, as Keras makes them: the seed article's CNN, scaled, and a small transformer."""

from __future__ import annotations

from typing import Any

from benchmarks.keras_runs.data import BANDS, CONTEXT, FRAME, HOP, RATE
from benchmarks.keras_runs.sources import LANGUAGES

CHARACTERS = 99
IMAGE = (28, 28, 1)
SECOND = ((RATE - FRAME) // HOP + 1, BANDS, 1)
"""A spectrogram's frames, bands and channel."""


def cnn(width: float = 1, shape: tuple[int, int, int] = IMAGE, classes: int = 10, name: str = "seed_cnn") -> Any:
    """The seed article's network: two convolutions with pooling and a softmax classifier.

    Args:
        width: factor of the article's 32 and 64 channels.
        shape: of a picture.
        classes: told apart.
        name: of the model.
    """
    import keras

    layers, channels = keras.layers, round(32 * width)
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(channels, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(2 * channels, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(classes, activation="softmax"),
        ],
        name=name,
    )


def transformer(width: int, depth: int, name: str = "char_transformer") -> Any:
    """A decoder over CONTEXT characters: logits of each next one.

    Args:
        width: channels, shared among its heads.
        depth: layers of attention and perceptron, norms in front.
        name: of the model.
    """
    import keras

    layers = keras.layers
    tokens = keras.Input((CONTEXT,), dtype="int32", name="tokens")
    places = keras.Input((CONTEXT,), dtype="int32", name="position_ids")
    x = layers.Embedding(CHARACTERS, width)(tokens) + layers.Embedding(CONTEXT, width)(places)
    for _ in range(depth):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(heads(width), width // heads(width))(y, y, use_causal_mask=True)
        y = layers.LayerNormalization()(x)
        y = layers.Dense(4 * width, activation="relu")(y)
        x = x + layers.Dense(width)(y)
    return keras.Model([tokens, places], layers.Dense(CHARACTERS)(layers.LayerNormalization()(x)), name=name)


def heads(width: int) -> int:
    """Attention heads of 16 channels each, or one of all."""
    return width // 16 or 1


def build(domain: str, width: float, depth: int) -> Any:
    """The model of a run, before training; random numbers as they are seeded."""
    name = f"{domain}_{label(width, depth)}"
    if domain == "text":
        return transformer(round(width), depth, name)
    if domain == "speech":
        return cnn(width, SECOND, len(LANGUAGES), name)
    return cnn(width, name=name)


def label(width: float, depth: int) -> str:
    """A size in a name: `d64L3` of a transformer, `w1-8` of an eighth of the CNN."""
    if depth:
        return f"d{width:g}L{depth}"
    return f"w{width:g}" if width >= 1 else f"w1-{1 / width:g}"
