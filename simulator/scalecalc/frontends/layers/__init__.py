"""The layers of specifications and Keras files: each lowers to ONNX's operators, so that costs are counted once.

Importing this package registers all of them. Shapes are (batch, channels, height, width) for images and
(batch, sequence, features) for sequences.
"""

from __future__ import annotations

from scalecalc.frontends.layers import (  # noqa: F401
    activations,
    attention,
    basic,
    convolution,
    detection,
    experts,
    latent,
    norms,
    recommendation,
    recurrent,
    relative,
    sections,
    shapes,
    speech,
    state_space,
    windows,
)
from scalecalc.frontends.layers.registry import CHOICES, COMMON, KINDS, LAYERS, Layer, Option, layer

__all__ = ["CHOICES", "COMMON", "KINDS", "LAYERS", "Layer", "Option", "layer"]
