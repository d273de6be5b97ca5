"""Latent attention and experts against DeepseekV3ForCausalLM of transformers at the same small sizes."""

from __future__ import annotations

from tests.frontends.layers.sequences import SIZES, TOKENS, counts, made, shape

ATTENTION = """
  - residual:
    - rms_normalization
    - {multi_head_latent_attention: 4, query_rank: 12, kv_rank: 16, key_dim: 6, rotary: 8, value_dim: 10}
"""


def test_two_layers_are_those_of_transformers() -> None:
    """One dense layer and one of eight experts, three of which a token meets beside two shared: 14 tokens."""
    found = made(
        f"""
- {{embedding: 50, output_dim: 32}}
- layers:{ATTENTION}
- residual:
  - rms_normalization
  - {{gated_dense: 40}}
  - {{dense: 32, use_bias: false}}
- layers:{ATTENTION}
- residual:
  - rms_normalization
  - mixture_of_experts: 8
    top_k: 3
    d_ff: 24
    shared_experts: 2
    scoring: sigmoid
    correction_bias: true
- rms_normalization
- {{unembedding: 50}}
""",
        inputs=TOKENS,
    )
    assert counts(found) == (38808, 375424)
    assert shape(found) == "batch seq 50"
    assert found.params["active"].value(SIZES) == 38808 - 18432 * 5 // 8  # the experts a token does not meet
    assert found.params["constants"].value(SIZES) == 8 + 8 // 2  # correction biases, frequencies


def test_queries_may_come_directly() -> None:
    found = made("- {multi_head_latent_attention: 4, kv_rank: 16, key_dim: 6, rotary: 8}")
    weights = 32 * 4 * 14 + 32 * (16 + 8) + 16 * 4 * (6 + 6) + 4 * 6 * 32  # queries, latent, keys and values, output
    assert counts(found) == (weights + 16, 2 * 7 * weights + 2 * 4 * 7 * 7 * (14 + 6))
