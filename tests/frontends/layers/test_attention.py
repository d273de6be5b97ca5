"""Attention layers against models of the same sizes in transformers: parameters, and torch's FlopCounterMode over 2."""

from __future__ import annotations

import pytest

from scalecalc.errors import FileError
from tests.frontends.layers.sequences import SIZES, TOKENS, counts, made, shape


def test_grouped_heads_with_norms_and_rotation() -> None:
    """Qwen3ForCausalLM of one layer, with biases."""
    found = made(
        """
- {embedding: 50, output_dim: 32}
- residual:
  - rms_normalization
  - {multi_head_attention: 4, kv_heads: 2, key_dim: 6, causal: true, rotary: 6, qk_norm: true}
- residual:
  - rms_normalization
  - {gated_dense: 24}
  - {dense: 32, use_bias: false}
- rms_normalization
- {unembedding: 50}
""",
        inputs=TOKENS,
    )
    assert counts(found) == (7996, 91616)
    assert shape(found) == "batch seq 50"
    assert found.facts["causal"]


def test_memory_of_another_width() -> None:
    """nn.MultiheadAttention(32, 4, kdim=20, vdim=20): parameters; MACs by hand."""
    inputs = "{x: [batch, seq, 32], m: [batch, other, 20]}"
    symbols = "batch: , seq: , other: {kind: sequence}"
    found = made("- {multi_head_attention: 4, memory: m, from: x}", inputs=inputs, symbols=symbols)
    projections = 2 * (7 * 32 * 32 * 2 + 11 * 20 * 32 * 2)  # queries and output; keys and values
    assert counts(found, other=11) == (3456, projections + 2 * 7 * 11 * 32 * 2)
    assert shape(found) == "batch seq 32"


def test_products_of_given_values() -> None:
    """Six heads of queries, of 4 entries, share two of keys; values have 5 entries."""
    found = made(
        """
- {dense: 24, from: x, name: q}
- {dense: 8, from: x, name: k}
- {dense: 10, from: x, name: v}
- {dot_product_attention: [q, k, v], num_heads: 6, kv_heads: 2, causal: true}
"""
    )
    scores = 2 * 6 * 7 * 7  # batch, heads, queries, keys
    assert counts(found) == (33 * (24 + 8 + 10), 2 * 7 * 32 * 42 + scores * (4 + 5))
    assert shape(found) == "batch seq 30"
    assert found.facts["causal"]


REFUSED = [
    # layer, its input, what is said
    ("multi_head_attention: 5", "batch, seq, 32", "32 is not a multiple of 5"),
    ("multi_head_attention: 4, kv_heads: 3", "batch, seq, 32", "4 is not a multiple of 3"),
    ("multi_head_attention: 4, rotary: 16", "batch, seq, 32", "16 is more than 8"),
    ("multi_head_attention: 4", "batch, 32", r"it takes \(batch, sequence, features\), not \(batch, 32\)"),
    ("multi_head_latent_attention: 4, kv_rank: 8, key_dim: 4, rotary: 3", "batch, seq, 32", "3 is not a multiple of 2"),
    ("multi_head_latent_attention: 4, kv_rank: 8, key_dim: 4, rotary: 4", "32", r"it takes .*, not \(32\)"),
    ("relative_attention: 4", "batch, seq, 3, 32", r"it takes .*, not \(batch, seq, 3, 32\)"),
    ("relative_position_bias: 4", "32", r"it takes .*, not \(32\)"),
    ("sinusoidal_positions: ", "batch, 32", r"it takes .*, not \(batch, 32\)"),
    ("positional: 64", "batch, 32", r"it takes .*, not \(batch, 32\)"),
    ("dot_product_attention: [x, x], num_heads: 4", "batch, seq, 32", "not of 2 values"),
    ("mixture_of_experts: 2, top_k: 4, d_ff: 8", "batch, seq, 32", "4 is more than 2"),
    ("mixture_of_experts: 4, top_k: 2, d_ff: 8", "32", r"it takes \(..., tokens, features\), not \(32\)"),
    ("mixture_of_experts: 4, top_k: 2", "batch, seq, 32", "needs d_ff"),
]


@pytest.mark.parametrize(("layer", "given", "said"), REFUSED)
def test_refused(layer: str, given: str, said: str) -> None:
    with pytest.raises(FileError, match=rf"test.yaml:4: layers\[0\].{layer.partition(':')[0]}: .*{said}"):
        made(f"- {{{layer}}}", inputs=f"{{x: [{given}]}}")


def test_biases_of_other_heads_are_refused() -> None:
    with pytest.raises(FileError, match="8 does not broadcast with 4"):
        made("- {relative_position_bias: 4, name: near}\n- {multi_head_attention: 8, bias: near, from: x}")


def test_kept_are_values_and_probabilities() -> None:
    """By hand, in numbers of 4 bytes: what dense takes, what it gives (once for all three), and the probabilities."""
    layers = "- {dense: 32, name: y}\n- {dot_product_attention: [y, y, y], num_heads: 4}"
    rows, probabilities = 2 * 7 * 32, 2 * 4 * 7 * 7
    assert made(layers).memory["activations"].value(SIZES) == 4 * (2 * rows + probabilities)
