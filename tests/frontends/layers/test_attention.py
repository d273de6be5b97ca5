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


def test_two_values_are_too_few() -> None:
    with pytest.raises(FileError, match=r"layers\[0\].dot_product_attention: attention is of queries, keys and values"):
        made("- {dot_product_attention: [x, x], num_heads: 4}")


def test_kept_are_values_and_probabilities() -> None:
    """By hand, in numbers of 4 bytes: what dense takes, what it gives (once for all three), and the probabilities."""
    layers = "- {dense: 32, name: y}\n- {dot_product_attention: [y, y, y], num_heads: 4}"
    rows, probabilities = 2 * 7 * 32, 2 * 4 * 7 * 7
    assert made(layers).memory["activations"].value(SIZES) == 4 * (2 * rows + probabilities)
