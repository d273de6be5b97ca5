"""Rows of recurrent layers, attention, losses, and what ONNX Runtime fuses layers into."""

from __future__ import annotations

from tests.ops.rows import row

RECURRENT = [
    # x W and h R: steps * batch * directions * gates * hidden * (input + hidden)
    row("LSTM", ("s b c", "1 4*d c", "1 4*d d"), ("s 1 b d", "1 b d", "1 b d"), "s*b*4*d*(c+d)",
        vector="s*b*d*22"),  # 8 beside the gates; 3 sigmoids of 4, tanh twice
    row("LSTM", ("s b c", "1 4*d c", "1 4*d d", "1 8*d", None, "1 b d", "1 b d", "1 3*d"),
        ("s 1 b d", "1 b d", "1 b d"), "s*b*4*d*(c+d)", vector="s*b*d*(22 + 2*4 + 3*2)"),  # two biases; peepholes
    row("LSTM", ("b s c", "1 4*d c", "1 4*d d", "1 8*d"), ("b s 1 d", "b 1 d", "b 1 d"), "s*b*4*d*(c+d)", layout=1),
    row("LSTM", ("s b c", "2 4*d c", "2 4*d d", "2 8*d", "int32: b", "2 b d", "2 b d", "2 3*d"),
        ("s 2 b d", "2 b d", "2 b d"), "s*b*2*4*d*(c+d)", direction="bidirectional", input_forget=1,
        vector="s*b*d*(9 + 2*4+1+1 + 14 + 9 + 2*4+3+2 + 14)",
        activations=("Sigmoid", "Tanh", "Relu", "HardSigmoid", "ScaledTanh", "Affine")),
    row("LSTM", ("b s c", "2 4*d c", "2 4*d d"), ("b s 2 d", "b 2 d"), "s*b*2*4*d*(c+d)",
        direction="bidirectional", layout=1),
    row("GRU", ("s b c", "1 3*d c", "1 3*d d"), ("s 1 b d", "1 b d"), "s*b*3*d*(c+d)"),
    row("GRU", ("s b c", "1 3*d c", "1 3*d d", "1 6*d", None, "1 b d"), ("s 1 b d", "1 b d"), "s*b*3*d*(c+d)",
        vector="s*b*d*(8 + 2*4+1 + 2*3)", linear_before_reset=1),
    row("GRU", ("b s c", "2 3*d c", "2 3*d d", "2 6*d", "int32: b", "b 2 d"), ("b s 2 d", "b 2 d"),
        "s*b*2*3*d*(c+d)", layout=1, direction="bidirectional"),
    row("RNN", ("s b c", "1 d c", "1 d d"), ("s 1 b d", "1 b d"), "s*b*d*(c+d)"),
    row("RNN", ("b s c", "1 d c", "1 d d", "1 2*d", None, "b 1 d"), ("b s 1 d", "b 1 d"), "s*b*d*(c+d)", layout=1),
    row("RNN", ("s b c", "1 d c", "1 d d"), ("s 1 b d",), "s*b*d*(c+d)", vector="s*b*d*2",
        direction="reverse", activations=("Relu",), shown_by=""),  # the reference knows no Relu here
    row("RNN", ("s b c", "1 d c", "1 d d"), ("s 1 b d",), "s*b*d*(c+d)", direction="reverse"),
    row("RNN", ("s b c", "2 d c", "2 d d"), ("s 2 b d", "2 b d"), "s*b*2*d*(c+d)", direction="bidirectional"),
    # h R alone: steps * batch * directions * hidden * hidden; an addition, and tanh or max
    row("Recurrence", ("b s d", "1 d d"), "b s 1 d", "b*s*d*d", vector="b*s*d*2", domain="scalecalc"),
    row("Recurrence", ("b s d", "2 d d"), "b s 2 d", "b*s*2*d*d", vector="b*s*2*d*2", domain="scalecalc",
        activation="Relu"),
]  # fmt: skip
LINEAR = [
    # a token's k v' and S' q, of a delta rule S' k as well: heads * (size of a key) * (size of a value) each
    row("LinearAttention", ("b s 2*k", "b s 2*k", "b s 2*n"), ("b s 2*n", "b 2 k n"), "b*s*2*k*n*2",
        vector="b*s*2*n", q_num_heads=2, kv_num_heads=2, update_rule="linear"),
    row("LinearAttention", ("b s 4*k", "b s 2*k", "b s 2*n", "b 2 k n", "b s 2", "b s 2"), ("b s 4*n", "b 2 k n"),
        "b*s*k*n*(2 + 2 + 4)", vector="b*s*4*n + b*s*2*n*2 + b*s*2*k*n + b*s*2", q_num_heads=4, kv_num_heads=2),
]  # fmt: skip
SCANS = [
    # C h: a product of the states of every channel; 5 for each state entry, 3 for each channel
    row("SelectiveScan", ("b s d", "b s d", "d n", "b s n", "b s n", "d"), "b s d", "b*s*d*n",
        vector="b*s*d*(5*n + 3)", domain="scalecalc"),
]  # fmt: skip
HEADS = [
    # both products of attention: heads * queries * keys * (size of a key + of a value)
    row("Attention", ("b c s d", "b c n d", "b c n k"), "b c s k", "b*c*s*n*(d+k)", vector="b*c*s*n*6"),
    row("Attention", ("b 2*c s d", "b c n d", "b c n d", "s n"), "b 2*c s d", "b*2*c*s*n*2*d", vector="b*2*c*s*n*7"),
    row("Attention", ("b c s d", "b c s d", "b c s d", None, "b c k d", "b c k d"),
        ("b c s d", "b c k+s d", "b c k+s d", "b c s k+s"), "b*c*s*(k+s)*2*d"),
    row("Attention", ("b s 4*d", "b n 2*d", "b n 2*k", "bool: s n"), "b s 4*k", "b*4*s*n*(d+k)",
        vector="b*4*s*n*(7+3)", q_num_heads=4, kv_num_heads=2, softcap=2.0),
    row("RotaryEmbedding", ("b c s 2*d", "b s d", "b s d"), "b c s 2*d", vector="b*c*s*2*d*3"),
    row("RotaryEmbedding", ("b s 24", "n 2", "n 2", "int64: b s"), "b s 24", vector="b*s*3*4*3",
        num_heads=3, rotary_embedding_dim=4),
    row("SwiGLU", ("b s", "b s"), "b s", vector="b*s*6"),
    row("CausalConvWithState", ("b c s", "c 1 3", "c", "b c 2"), ("b c s", "b c 2"), "b*c*s*3", vector="b*c*s"),
    row("CausalConvWithState", ("b c s", "c 1 4"), ("b c s", "b c 3"), "b*c*s*4", vector="b*c*s*5", activation="silu"),
]  # fmt: skip
EXPERTS = [
    # each of b*s tokens meets k of n matrices c x d
    row("ExpertMatMul", ("b s k c", "n c d", "int64: b s k"), "b s k d", "b*s*k*c*d", domain="scalecalc"),
    row("ExpertMatMul", ("s 2 c", "64 c d", "int64: s 2"), "s 2 d", "s*2*c*d", domain="scalecalc"),
]
LOSSES = [
    row("SoftmaxCrossEntropyLoss", ("b c", "int64: b"), ("", "b c"), vector="6*b*c + 2*b"),
    row("SoftmaxCrossEntropyLoss", ("b c s", "int64: b s", "c"), "b s", vector="6*b*c*s + 2*b*s", reduction="none"),
    row("NegativeLogLikelihoodLoss", ("b c s", "int64: b s"), "", vector="2*b*s"),
    row("NegativeLogLikelihoodLoss", ("b c s", "int64: b s", "c"), "b s", vector="2*b*s", reduction="none"),
]


def ms(op: str, *rest, **more):
    """A row of ONNX Runtime's domain."""
    return row(op, *rest, domain="com.microsoft", **more)


FUSED = [
    ms("FusedMatMul", ("b k s", "b n k"), "b s n", "b*s*k*n", transA=1, transB=1, alpha=0.125),
    ms("TransposeMatMul", ("s k", "k n"), "s n", "s*k*n"),
    ms("FusedGemm", ("s k", "k n", "n"), "s n", "s*k*n", vector="2*s*n", activation="Relu"),
    ms("FusedConv", ("b c h w", "k c 3 3", "k"), "b k h w", "b*k*h*w*c*9", vector="b*k*h*w*2",
       activation="Relu", pads=(1, 1, 1, 1)),
    ms("FusedConv", ("b c h w", "k c 1 1", "k", "b k h w"), "b k h w", "b*k*h*w*c", vector="b*k*h*w*2"),
    ms("Gelu", "b s d", "b s d", vector="b*s*d*5"),
    ms("BiasGelu", ("b s d", "d"), "b s d", vector="b*s*d*6"),
    ms("FastGelu", "b s d", "b s d", vector="b*s*d*5"),
    ms("FastGelu", ("b s d", "d"), "b s d", vector="b*s*d*6"),
    ms("QuickGelu", "b s d", "b s d", vector="b*s*d*6"),
    ms("SkipLayerNormalization", ("b s d", "b s d", "d", "d", "d"), ("b s d", "b s 1", "b s 1", "b s d"),
       vector="b*s*d*(7+2)"),
    ms("SkipSimplifiedLayerNormalization", ("b s d", "s d", "d"), "b s d", vector="b*s*d*(4+1)"),
    ms("EmbedLayerNormalization", ("int32: b s", "int32: b s", "n d", "512 d", "2 d", "d", "d"),
       ("float32: b s d", "int32: b", "float32: b s d"), vector="b*s*d*(7+2)"),
    ms("EmbedLayerNormalization", ("int32: b s", None, "n d", "512 d", None, "d", "d"), "float32: b s d",
       vector="b*s*d*(7+1)"),
    ms("RotaryEmbedding", ("b c s 2*d", "int64: b s", "n d", "n d"), "b c s 2*d", vector="b*c*s*2*d*3"),
]  # fmt: skip
FUSED_ATTENTION = [
    # the projection, and both products
    ms("Attention", ("b s d", "d 12*k", "12*k"), "b s 4*k", "b*s*d*12*k + b*4*s*s*2*k",
       vector="b*s*12*k + b*4*s*s*6", num_heads=4),
    ms("Attention", ("b s d", "d 12*k", None, None, "2 b 4 n k"), ("b s 4*k", "2 b 4 n+s k"),
       "b*s*d*12*k + b*4*s*(n+s)*2*k", num_heads=4),
    ms("Attention", ("b s d", "d 20"), "b s 4", "b*s*d*20 + b*4*s*s*(2+1)", num_heads=4, qkv_hidden_sizes=(8, 8, 4)),
    ms("Attention", ("b s d", "d 12*k", "12*k", "int32: b s"), "b s 4*k", "b*s*d*12*k + b*4*s*s*2*k",
       vector="b*s*12*k + b*4*s*s*7", num_heads=4),
    ms("MultiHeadAttention", ("b s 4*k", "b n 4*k", "b n 4*d"), "b s 4*d", "b*4*s*n*(k+d)", num_heads=4),
    ms("MultiHeadAttention", ("b s 4*k", "b n 4*k", "b n 4*k", None, "int32: b n"), "b s 4*k", "b*4*s*n*2*k",
       vector="b*4*s*n*7", num_heads=4),
    ms("MultiHeadAttention", ("b s 4 3 k", None, None, "12*k"), "b s 4*k", "b*4*s*s*2*k",
       vector="b*s*12*k + b*4*s*s*6", num_heads=4),
    ms("MultiHeadAttention", ("b s 4*k", "b n 4 2 k"), "b s 4*k", "b*4*s*n*2*k", num_heads=4),
    ms("MultiHeadAttention", ("b s 4*k", "b 4 n k", "b 4 n k"), "b s 4*k", "b*4*s*n*2*k", num_heads=4),
    ms("MultiHeadAttention", ("b s 4*k", "b s 4*k", "b s 4*k", None, None, "b 4 s n+s", "b 4 n k", "b 4 n k"),
       ("b s 4*k", "b 4 n+s k", "b 4 n+s k"), "b*4*s*(n+s)*2*k", vector="b*4*s*(n+s)*7", num_heads=4),
    ms("GroupQueryAttention", ("b s 4*k", "b s 2*k", "b s 2*k", "b 2 n k", "b 2 n k", "int32: b", "int32:"),
       ("b s 4*k", "b 2 n+s k", "b 2 n+s k"), "b*4*s*(n+s)*2*k", num_heads=4, kv_num_heads=2),
    ms("GroupQueryAttention", ("b s 4*k", "b s 2*k", "b s 2*k", "b 2 50 k", "b 2 50 k", "int32: b", 40),
       ("b s 4*k", "b 2 50 k", "b 2 50 k"), "b*4*s*40*2*k", num_heads=4, kv_num_heads=2),
    ms("GroupQueryAttention", ("b s 8*k", None, None, "b 2 n k", "b 2 n k", "int32: b", 40), "b s 4*k", "b*4*s*40*2*k",
       vector="b*4*s*40*6 + b*s*6*k*3", num_heads=4, kv_num_heads=2, do_rotary=1),
    ms("GroupQueryAttention", ("b s 4*k", "b s 2*k", "b s 2*k"), "b s 4*k", "b*4*s*s*2*k",
       num_heads=4, kv_num_heads=2),
]  # fmt: skip
CASES = [*RECURRENT, *LINEAR, *SCANS, *HEADS, *EXPERTS, *LOSSES, *FUSED, *FUSED_ATTENTION]
