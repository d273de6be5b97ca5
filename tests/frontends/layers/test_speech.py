"""Layers of speech models against those of transformers: parameters, and FlopCounterMode over 2."""

from __future__ import annotations

from tests.frontends.layers.steps import counts, made, shape


def test_relative_attention() -> None:
    """Wav2Vec2ConformerSelfAttention with relative positions, 4 heads: 13 distances go through a projection once."""
    found = made("{relative_attention: 4}")
    assert counts(found) == (5312, 82752, 109184)
    assert shape(found) == "batch seq 32"
    assert not found.conditions
    assert found.params["constants"].value({}) == 64  # frequencies and phases of the sines


def test_convolutional_positions() -> None:
    """Wav2Vec2PositionalConvEmbedding: 4 groups of 8 channels, 8 taps, a length for each tap, a bias.

    Products of 2 * (7 + 1) places, one more than there are, 32 channels, 8 * 8 weights each.
    """
    found = made("{convolutional_positions: 8, groups: 4}")
    products = 2 * 8 * 32 * 8 * 8
    assert counts(found) == (32 * 8 * 8 + 8 + 32, products, products)
    assert found.params["positional"].value({}) == 0
    assert shape(found) == "batch seq 32"
    odd = made("{convolutional_positions: 7}")
    assert counts(odd)[1] == 2 * 7 * 32 * 32 * 7
    assert shape(odd) == "batch seq 32"


def test_masked_frames() -> None:
    """A vector of wav2vec 2.0's features."""
    found = made("masked_frames")
    assert counts(found)[:2] == (32, 0)
    assert shape(found) == "batch seq 32"


def test_half_a_feed_forward_layer() -> None:
    """A factor for each of 32 entries of 2 * 7 steps, and no parameter."""
    found = made("{rescaling: 0.5}")
    assert counts(found)[:2] == (0, 0)
    assert found.forward["vector_flops"].value({"batch": 2, "seq": 7}) == 2 * 7 * 32
    assert found.params["total"].value({}) == 0
