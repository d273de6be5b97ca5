"""Positions that are computed: T5's buckets against transformers, Transformer-XL's distances by hand."""

from __future__ import annotations

import pytest

from tests.frontends.layers.sequences import SIZES, counts, made, shape

T5 = """
- {embedding: 50, output_dim: 32, from: text, name: table}
- {relative_position_bias: 4, buckets: 16, name: near}
- repeat: 2
  from: table
  layers:
    - residual:
      - rms_normalization
      - {multi_head_attention: 4, key_dim: 6, bias: near, use_bias: false}
    - residual:
      - rms_normalization
      - {dense: 24, use_bias: false, activation: relu}
      - {dense: 32, use_bias: false}
- {rms_normalization: , name: memory}
- {embedding: 50, output_dim: 32, from: result, weights: table, name: start}
- {relative_position_bias: 4, buckets: 16, name: past}
- repeat: 2
  from: start
  layers:
    - residual:
      - rms_normalization
      - {multi_head_attention: 4, key_dim: 6, bias: past, causal: true, use_bias: false}
    - residual:
      - rms_normalization
      - {multi_head_attention: 4, key_dim: 6, memory: memory, use_bias: false}
    - residual:
      - rms_normalization
      - {dense: 24, use_bias: false, activation: relu}
      - {dense: 32, use_bias: false}
- rms_normalization
- {unembedding: 50, tied: table}
"""


def test_an_encoder_and_decoder_are_those_of_transformers() -> None:
    """T5ForConditionalGeneration with two layers on either side: parameters, FlopCounterMode over 2."""
    found = made(
        T5,
        inputs="{text: {shape: [batch, seq], dtype: int64}, result: {shape: [batch, target], dtype: int64}}",
        symbols="batch: , seq: , target: {kind: sequence}",
    )
    assert counts(found, seq=9, target=7) == (26688, 452672)
    assert found.params["positional"].value(SIZES) == 2 * 16 * 4  # one table on either side, whatever the layers


@pytest.mark.parametrize(("causal", "distances"), [("true", 7), ("false", 13)])
def test_distances(causal: str, distances: int) -> None:
    """Five projections, u and v of three heads of four, the products q k', q r' and p v."""
    found = made(f"- {{relative_attention: 3, key_dim: 4, causal: {causal}, use_bias: false}}")
    params = 5 * 32 * 12 + 2 * 12
    projections = 2 * 7 * 4 * 32 * 12 + distances * 32 * 12  # distances are those of all examples
    assert counts(found) == (params, projections + 2 * 3 * 7 * (7 * 4 + distances * 4 + 7 * 4))
    assert shape(found) == "batch seq 32"
    assert found.facts["causal"] == (causal == "true")
    biased = made(f"- {{relative_attention: 3, key_dim: 4, causal: {causal}}}")
    assert counts(biased)[0] == params + 3 * 12 + 32


def test_distances_to_both_sides_are_those_of_transformers() -> None:
    """Wav2Vec2ConformerSelfAttention with relative positions: parameters, FlopCounterMode over 2, forward and back."""
    found = made("- {relative_attention: 4}")
    assert counts(found) == (5312, 82752)
    assert found.training["backward_matrix_flops"].value(SIZES) == 2 * 109184


def test_sines_are_computed_once_and_not_stored() -> None:
    found = made("- repeat: 3\n  layers:\n    - sinusoidal_positions\n    - {dense: 32}")
    assert counts(found) == (3 * 33 * 32, 3 * 14 * 32 * 32)
    assert found.params["constants"].value(SIZES) == 16  # frequencies
    # angles, sines and cosines once; added to both examples three times; the biases of three layers
    assert found.forward["vector_flops"].value(SIZES) == 3 * 7 * 16 + 3 * 14 * 32 + 3 * 14 * 32
