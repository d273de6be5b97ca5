"""Layers of speech models against those of transformers: parameters, and FlopCounterMode over 2."""

from __future__ import annotations

from tests.frontends.layers.sequences import costs, shape, stacked


def test_convolutional_positions() -> None:
    """Wav2Vec2PositionalConvEmbedding: 4 groups of 8 channels, 8 taps, a length for each tap, a bias.

    Products of 2 * (7 + 1) places, one more than there are, 32 channels, 8 * 8 weights each.
    """
    found = stacked("{convolutional_positions: 8, groups: 4}")
    products = 2 * 8 * 32 * 8 * 8
    assert costs(found) == (32 * 8 * 8 + 8 + 32, products, products)
    assert found.params["positional"].value({}) == 0
    assert shape(found) == "batch seq 32"
    odd = stacked("{convolutional_positions: 7}")
    assert costs(odd)[1] == 2 * 7 * 32 * 32 * 7
    assert shape(odd) == "batch seq 32"


def test_masked_frames() -> None:
    """A vector of wav2vec 2.0's features."""
    found = stacked("masked_frames")
    assert costs(found)[:2] == (32, 0)
    assert shape(found) == "batch seq 32"


def test_half_a_feed_forward_layer() -> None:
    """A factor for each of 32 entries of 2 * 7 steps, and no parameter."""
    found = stacked("{rescaling: 0.5}")
    assert costs(found)[:2] == (0, 0)
    assert found.forward["vector_flops"].value({"batch": 2, "seq": 7}) == 2 * 7 * 32
    assert found.params["total"].value({}) == 0
