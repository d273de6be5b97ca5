"""Mixtures of experts: what is stored, what a token meets, what backward keeps."""

from __future__ import annotations

import pytest

from tests.frontends.layers.sequences import SIZES, TOKENS, counts, made, shape


def test_a_model_is_that_of_transformers() -> None:
    """MixtralForCausalLM of one layer with six experts, two for each token: parameters, FlopCounterMode over 2."""
    found = made(
        """
- {embedding: 50, output_dim: 32}
- residual:
  - rms_normalization
  - {multi_head_attention: 4, kv_heads: 2, causal: true, rotary: 8, use_bias: false}
- residual:
  - rms_normalization
  - {mixture_of_experts: 6, top_k: 2, d_ff: 24}
- rms_normalization
- {unembedding: 50}
""",
        inputs=TOKENS,
    )
    assert counts(found) == (20384, 138880)
    assert found.params["active"].value(SIZES) == 20384 - 13824 * 4 // 6  # four of six experts


FORMS = [
    # options, parameters by hand, products of one token by hand (x 32 wide, 5 experts 24 wide, 2 for each token)
    ("gated: false, activation: relu", 32 * 5 + 5 * 2 * 32 * 24, 32 * 5 + 2 * 2 * 32 * 24),
    ("router_bias: true", 32 * 5 + 5 + 5 * 3 * 32 * 24, 32 * 5 + 2 * 3 * 32 * 24),
    ("shared_experts: 3", 32 * 5 + (5 + 3) * 3 * 32 * 24, 32 * 5 + (2 + 3) * 3 * 32 * 24),
    ("gated: false, shared_experts: 1", 32 * 5 + 6 * 2 * 32 * 24, 32 * 5 + 3 * 2 * 32 * 24),
]


@pytest.mark.parametrize(("options", "params", "products"), FORMS)
def test_forms(options: str, params: int, products: int) -> None:
    found = made(f"- {{mixture_of_experts: 5, top_k: 2, d_ff: 24, {options}}}")
    assert counts(found) == (params, 14 * products)
    assert shape(found) == "batch seq 32"


def test_formulas_hold_the_sizes() -> None:
    """As many experts as one likes for the same products; backward makes each of them twice."""
    layer = "- {dense: d, use_bias: false}\n- {mixture_of_experts: e, top_k: k, d_ff: f, normalize: false}"
    found = made(layer, symbols="batch: , seq: , d: 32, e: 8, k: 2, f: 24")
    assert str(found.params["trainable"].formula) == "3*d*e*f + d*e + 32*d"
    assert str(found.params["active"].formula) == "3*d*k*f + d*e + 32*d"
    tokens = 14
    assert counts(found)[1] == tokens * (32 * 32 + 32 * 8 + 2 * 3 * 32 * 24)
    # the first weight needs its own gradient alone
    backward = tokens * (32 * 32 + 2 * 32 * 8 + 2 * 2 * 3 * 32 * 24)
    sizes = {**SIZES, "d": 32, "e": 8, "k": 2, "f": 24}
    assert found.training["backward_matrix_flops"].value(sizes) == 2 * backward


def test_copies_of_a_token_are_kept_once() -> None:
    """By hand, of 14 tokens with two experts each, in numbers of 4 bytes and indices of 8."""
    found = made("- {mixture_of_experts: 5, top_k: 2, d_ff: 24, normalize: false}")
    router = 14 * (32 + 5)  # the input for its weight, the scores for softmax
    experts = 14 * 2 * (32 + 24 + 24 + 24 + 24)  # copies; gate and its activation, up, their product
    weighted = 14 * 2 * (32 + 1)  # what the experts give, and the weights
    indices = 14 * 2  # whose scores were chosen
    assert found.memory["activations"].value(SIZES) == 4 * (router + experts + weighted) + 8 * indices
