"""Layers that are one operator with several products: what of them goes backward, is kept, and is a weight."""

from __future__ import annotations

import pytest

from scalecalc.walk import Profile, walk
from tests.walk.graphs import graph


def backward(profile: Profile, **sizes: int) -> int:
    flops = profile.training["backward_matrix_flops"].value(sizes)
    assert flops is not None
    return flops // 2


def kept(profile: Profile, **sizes: int) -> int | None:
    return profile.memory["activations"].value(sizes)


LSTM = "(float[seq, batch, 8] x) => (float[A, B, C, D] y) <float[1, 16, 8] w, float[1, 16, 4] r, float[1, 32] b"
STEP, STATE = 16 * 8, 16 * 4  # gates * hidden * (input, hidden) multiply-accumulates a step


def test_the_first_recurrent_layer_needs_no_gradient_of_its_input_but_of_the_states_it_makes() -> None:
    profile = walk(graph(f"{LSTM}> {{ y = LSTM<hidden_size=4>(x, w, r, b) }}"))
    assert str(profile.forward["macs"].formula) == f"{STEP + STATE}*seq*batch"
    assert backward(profile, seq=5, batch=3) == 15 * (STEP + STATE) + 12 * STATE  # the first of 5 states is 0


def test_a_recurrent_layer_behind_another_needs_both() -> None:
    text = f"{LSTM}, float[8, 8] v> {{ h = MatMul(x, v)  y = LSTM<hidden_size=4>(h, w, r, b) }}"
    assert backward(walk(graph(text)), seq=5, batch=3) == 15 * (64 + 2 * STEP + STATE) + 12 * STATE


@pytest.mark.parametrize("outputs", ["y", "y, last", '"", y, cell'])
def test_kept_by_an_lstm_are_its_input_its_states_and_gates(outputs: str) -> None:
    profile = walk(graph(f"{LSTM}> {{ {outputs} = LSTM<hidden_size=4>(x, w, r, b) }}"))
    assert kept(profile, seq=5, batch=3) == 15 * 4 * (8 + 4 + 4 * 4 + 4)  # the gates i, f, g, o and the cell


def test_kept_by_a_gru_and_an_rnn() -> None:
    gru = LSTM.replace("16", "12").replace("32", "24")
    profile = walk(graph(f"{gru}> {{ y = GRU<hidden_size=4>(x, w, r, b) }}"))
    assert kept(profile, seq=5, batch=3) == 15 * 4 * (8 + 4 + 4 * 4)  # r, z, n and the recurrent part of n
    rnn = LSTM.replace("16", "4").replace("32", "8")
    profile = walk(graph(f"{rnn}> {{ y = RNN<hidden_size=4>(x, w, r, b) }}"))
    assert kept(profile, seq=5, batch=3) == 15 * 4 * (8 + 4)


def test_weights_of_a_recurrent_layer() -> None:
    text = (
        LSTM.replace("A, B, C, D", "A, B, C")
        + """, float[1, 12] p, float zero = {0.0}, float[4, 3] v> {
        none = Constant<value = int64[1] {1}>()  four = Constant<value = int64[1] {4}>()
        n = Shape<start=1, end=2>(x)  shape = Concat<axis=0>(none, n, four)  h = Expand(zero, shape)
        s = LSTM<hidden_size=4>(x, w, r, b, "", h, h, p)  t = Squeeze(s, none)  y = MatMul(t, v) }"""
    )
    profile = walk(graph(text))
    found = {name: profile.params[name].formula for name in ("trainable", "linear", "head", "other", "constants")}
    lstm = 16 * 8 + 16 * 4
    assert found == {
        "trainable": lstm + 32 + 12 + 12, "linear": lstm + 12, "head": 12, "other": lstm + 32 + 12, "constants": 3,
    }  # fmt: skip


def test_a_family_finds_the_hidden_size() -> None:
    text = (
        "(float[seq, batch, 8] x) => (float[A, B, hidden] y) <float[2, 20, 8] w, float[2, 20, 5] r, float[2, 40] b> {"
    )
    profile = walk(graph(text + 's, y, c = LSTM<hidden_size=5, direction="bidirectional">(x, w, r, b) }'), family=True)
    assert str(profile.params["trainable"].formula) == "8*hidden**2 + 80*hidden"  # 2 * (4h(8 + h) + 8h)
    assert profile.pending == ()


QKV = "(float[batch, 2, seq, 8] x, float[batch, 2, past, 8] kv) => (float[A, B, C, D] y) <float[8, 8] w"


def test_attention_of_given_keys_needs_only_the_gradient_of_the_queries() -> None:
    profile = walk(graph(f"{QKV}> {{ q = MatMul(x, w)  y = Attention(q, kv, kv) }}"))
    product = 2 * 5 * 7 * 8  # heads * queries * keys * size
    assert profile.forward["macs"].value({"batch": 1, "seq": 5, "past": 7}) == 2 * 5 * 64 + 2 * product
    # dw; of the scores dq; of the values dp
    assert backward(profile, batch=1, seq=5, past=7) == 2 * 5 * 64 + product + product
    # x for dw; keys for dq, values for dp: one tensor; the probabilities only for the values' gradient
    assert kept(profile, batch=1, seq=5, past=7) == 4 * (2 * 5 * 8 + 2 * 7 * 8)


def test_attention_of_one_sequence_needs_all() -> None:
    text = f"{QKV}> {{ h = MatMul(x, w)  y = Attention(h, h, h) }}".replace(", float[batch, 2, past, 8] kv", "")
    profile = walk(graph(text))
    assert backward(profile, batch=1, seq=5) == 2 * 5 * 64 + 2 * 2 * (2 * 5 * 5 * 8)
    assert kept(profile, batch=1, seq=5) == 4 * (2 * 5 * 8 + 2 * 5 * 8 + 2 * 5 * 5)  # x, h, the probabilities


def test_an_einsum_of_three_keeps_what_the_first_two_make() -> None:
    text = """(float[batch, 8] x) => (float[A, B] y) <float[8, 6] u, float[6, 4] v> {
        y = Einsum<equation="bi,ij,jk->bk">(x, u, v) }"""
    profile = walk(graph(text))
    assert profile.forward["macs"].value({"batch": 3}) == 3 * (8 * 6 + 6 * 4)
    assert backward(profile, batch=3) == 3 * (8 * 6 + 2 * 6 * 4)  # du; dv and the gradient of what x and u make
    assert kept(profile, batch=3) == 3 * 4 * (8 + 6)


def test_stored_integers_are_quantized_weights_of_their_own_bits() -> None:
    text = """(uint8[batch, 8] x) => (uint8[A, B] y) <int8[8, 6] w, float s = {0.1}, uint8 z = {0}, int8 n = {0}> {
        y = QLinearMatMul(x, s, z, w, s, n, s, z) }"""
    profile = walk(graph(text))
    assert (profile.params["quantized"].formula, profile.params["trainable"].formula) == (48, 0)
    assert profile.memory["weights"].formula == 48


def test_quantized_tables_and_biases() -> None:
    text = """(int64[batch, seq] ids) => (uint8[A, B] y)
        <uint8[50, 8] table, int8[6, 8] w, int32[6] b, int64[30, 3] other,
        float s = {0.1}, uint8 z = {0}, int8 n = {0}> {
        p = Gather(other, ids)  e = Gather(table, p)  f = Flatten<axis=-1>(e)
        y = com.microsoft.QGemm<transB=1>(f, s, z, w, s, n, b, s, z) }"""
    profile = walk(graph(text))
    assert profile.params["quantized"].formula == 50 * 8 + 6 * 8 + 6
    assert profile.params["constants"].formula == 30 * 3 + 3


def test_weights_packed_into_bytes_are_counted_themselves() -> None:
    text = """(float[batch, 64] x) => (float[A, B] y) <uint8[70, 2, 16] w, float[140] s> {
        y = com.microsoft.MatMulNBits<K=64, N=70, bits=4, block_size=32>(x, w, s) }"""
    profile = walk(graph(text))
    assert (profile.params["quantized"].formula, profile.params["constants"].formula) == (64 * 70, 140)
    assert profile.memory["weights"].formula == 64 * 70 // 2


def test_half_bytes_are_packed() -> None:
    text = """(float[batch, 9] x) => (float[A, B] y) <uint4[9, 5] w, float s = {0.1}> {
        d = DequantizeLinear(w, s)  y = MatMul(x, d) }"""
    profile = walk(graph(text))
    assert profile.params["quantized"].formula == 45
    assert profile.memory["weights"].formula == 23  # bytes of 45 halves


def test_roles_in_fused_layers() -> None:
    text = """(int32[batch, seq] ids) => (float[A, B, C] y) <float[50, 8] words, float[16, 8] places, float[8] g,
        float[8] b, float[8, 24] w, float[24] c, float[8, 50] out> {
        e = com.microsoft.EmbedLayerNormalization(ids, "", words, places, "", g, b)
        a = com.microsoft.Attention<num_heads=2>(e, w, c)
        n = com.microsoft.SkipLayerNormalization(a, e, g, b)  y = MatMul(n, out) }"""
    profile = walk(graph(text))
    found = {name: profile.params[name].formula for name in ("embedding", "positional", "norm", "head", "other")}
    assert found == {"embedding": 400, "positional": 128, "norm": 16, "head": 400, "other": 8 * 24 + 24}
    assert profile.symbols["seq"].bound == 16
    attention = 3 * (8 * 24 + 2 * 3 * 8) + 3 * 8 * 50  # 3 tokens
    assert profile.forward["macs"].value({"batch": 1, "seq": 3}) == attention
