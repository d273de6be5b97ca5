"""Stored tensors an exporter made: pieces of masks, biases written out, copies; what of them counts, what is said."""

from __future__ import annotations

import pytest

from scalecalc.walk import walk
from tests.walk.graphs import graph


def test_pieces_of_a_mask_are_constants() -> None:
    """A canvas, a part of it replaced, then compared with 0 and filled: nobody trains what is compared."""
    profile = walk(
        graph("""(float[b, 4, 4] x) => (float[b, 4, 4] y)
        <float[4, 4] canvas, float[2, 4] part, int64[2, 1] rows = {0, 1}, float zero = {0}, float low = {-100}> {
            mask = ScatterND(canvas, rows, part)  same = Equal(mask, zero)  filled = Where(same, mask, low)
            y = Add(x, filled) }""")
    )
    assert profile.params["trainable"].formula == 0
    assert profile.params["constants"].formula == 16 + 8 + 2 + 2


def test_a_bias_with_a_part_replaced_is_trained() -> None:
    profile = walk(
        graph("""(float[b, 4] x) => (float[b, 6] y)
        <float[4, 6] w, float[6] bias, float[2] nothing, int64[2, 1] rows = {2, 3}> {
            z = MatMul(x, w)  masked = ScatterND(bias, rows, nothing)  y = Add(z, masked) }""")
    )
    assert profile.params["trainable"].formula == 24 + 6 + 2


ATTENTION = """(float[b, 2, 5, 4] q, float[b, 2, 5, 4] k, float[b, 2, 5, 4] v) => (float[b, 2, 5, 4] y)
    <float[2, 5, 5] table> { t = Transpose<perm=[0, 1, 3, 2]>(k)  s = MatMul(q, t)  z = Add(s, table)
    p = Softmax(z)  y = MatMul(p, v) }"""


def test_a_bias_of_scores_is_positional_and_named() -> None:
    profile = walk(graph(ATTENTION))
    assert profile.params["positional"].formula == profile.params["trainable"].formula == 2 * 5 * 5
    assert profile.notes == (
        "1 stored tensor of 50 elements in all (table first) are biases of attention scores or sums of stored "
        "tensors: exporters write such out, the model may hold smaller weights for them",
    )
    table_gradient = 50 * 3 - 50  # three examples' scores added up
    scores = 3 * 2 * 5 * 5
    assert profile.training["backward_vector_flops"].value({"b": 3}) == table_gradient + 4 * scores


def test_the_sum_of_two_stored_tensors_is_named() -> None:
    """A linear layer of constants: the exporter stored the product, the bias came after it."""
    profile = walk(
        graph("""(float[b, 8] x) => (float[b, 8] y) <float[9, 8] product, float[8] bias, float[8, 9] w> {
            a = Add(product, bias)  r = Relu(a)  z = MatMul(x, w)  y = MatMul(z, r) }""")
    )
    assert profile.params["trainable"].formula == 72 + 8 + 72
    assert [note for note in profile.notes if "72 elements in all (product first)" in note]


@pytest.mark.parametrize("op", ["Expand(zero, shape)", "Tile(zeros, shape)"])
def test_a_number_made_a_tensor_is_no_weight(op: str) -> None:
    profile = walk(
        graph(f"""(float[b, 4] x) => (float[b, 4] y)
        <float zero = {{0}}, float[1, 1] zeros = {{0}}, int64[2] shape = {{1, 4}}> {{ z = {op}  y = Add(x, z) }}""")
    )
    assert profile.params["trainable"].formula == 0


def test_positions_that_count_a_mask_are_bounded_by_their_table() -> None:
    """RoBERTa's: the running sum of a mask, times it, plus 1: at most s + 1, so the table's 12 rows hold s <= 10."""
    profile = walk(
        graph("""(int64[b, s] ids) => (float[b, s, 8] y)
        <float[12, 8] table, int64 pad = {1}, int64 axis = {1}> {
            same = Equal(ids, pad)  other = Not(same)  mask = Cast<to=7>(other)  count = CumSum(mask, axis)
            masked = Mul(count, mask)  places = Add(masked, pad)  y = Gather(table, places) }""")
    )
    assert profile.conditions == ("s <= 10",)
    assert profile.symbols["s"].bound == 10


def test_a_table_cut_to_the_sequence_is_positional() -> None:
    profile = walk(
        graph("""(float[b, s, 4] x) => (float[b, s, 4] y)
        <float[1, 90, 4] table, float[4, 4] w, int64[1] zero = {0}, int64[1] one = {1}> {
            n = Shape<start=1, end=2>(x)  rows = Slice(table, zero, n, one, one)
            p = MatMul(rows, w)  y = Add(x, p) }""")
    )
    assert profile.params["positional"].formula == 360
    assert profile.conditions == ("s <= 90",)


def test_a_copy_of_the_token_table_is_named() -> None:
    text = """(int64[b, s] ids) => (float[b, s, 50] y) <float[50, 8] table, float[8, 50] val_7> {
        x = Gather(table, ids)  y = MatMul(x, val_7) }"""
    (note,) = walk(graph(text)).notes
    assert note.startswith("the head's weight val_7 is the token table's shape turned round")
    assert "400 of the trainable parameters are counted twice" in note
    assert walk(graph(text.replace("val_7", "lm_head"))).notes == ()


CONVOLUTION = "c{0} = Conv<kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1]>({1}, w{0}, b{0})"


def notes_of_convolutions(body: str, weights: str = "") -> tuple[str, ...]:
    stored = ", ".join(f"float[4, 4, 3, 3] w{i}, float[4] b{i}" for i in range(12))
    chain = "  ".join(f"{CONVOLUTION.format(i, f'c{i - 1}' if i else 'x')}" for i in range(12))
    return walk(graph(f"(float[b, 4, h, h] x) => (float[b, 4, h, h] y) <{stored}{weights}> {{ {chain} {body} }}")).notes


def test_convolutions_with_biases_may_hold_folded_norms() -> None:
    """All but the last layer: nobody normalises logits."""
    (note,) = notes_of_convolutions("y = Relu(c11)")
    plain = 12 * (4 * 4 * 9 + 4)
    assert note.startswith("11 convolutions have a bias and no norm behind them")
    assert f"the model had {plain + 11 * 4:,} trainable parameters" in note  # a scale and an offset became one bias


def test_a_convolution_with_a_norm_behind_it_is_not_folded() -> None:
    normed = "y = InstanceNormalization(c11, g, g2)"
    (note,) = notes_of_convolutions(normed, ", float[4] g, float[4] g2")
    assert note.startswith("11 convolutions")
    single = "p = GlobalAveragePool(c11)  d = Conv<kernel_shape=[1, 1]>(p, v, u)  m = Mul(c11, d)  y = Conv(m, v)"
    (note,) = notes_of_convolutions(single, ", float[4, 4, 1, 1] v, float[4] u")
    assert note.startswith("12 convolutions")  # a single position has no statistics


def test_a_first_state_drawn_at_random_is_stored_nowhere() -> None:
    profile = walk(
        graph("""(float[5, 2, 8] x) => (float[5, 1, 2, 4] y) <float[1, 12, 8] w, float[1, 12, 4] r> {
            h = RandomNormal<shape = [1, 2, 4]>()  y = GRU<hidden_size = 4>(x, w, r, , , h) }""")
    )
    assert profile.params["trainable"].formula == 12 * 8 + 12 * 4
    assert profile.params["constants"].formula == 0


def test_a_convolution_without_space_is_a_linear_layer() -> None:
    profile = walk(
        graph("""(float[b, 3] x) => (float[b, 4] y) <float[4, 3] w, float[4] bias> {
            y = Conv<kernel_shape: ints = [], strides: ints = []>(x, w, bias) }""")
    )
    assert profile.forward["macs"].value({"b": 2}) == 2 * 3 * 4
    assert profile.notes == ()


@pytest.mark.parametrize("op", ["Cast", "Identity", "Reshape", "Slice", "Gather", "Softmax", "Equal"])
def test_an_operator_of_another_domain_is_not_onnx_s_of_that_name(op: str) -> None:
    """com.acme's take no inputs, and whatever they give is no input of the graph."""
    profile = walk(
        graph(f"""(float[2, 3] x) => (float z) <float[9, 8] table> {{
            ids = com.acme.{op}()  e = Gather(table, ids)  s = com.acme.Sum()  z = Add(e, s) }}""")
    )
    assert profile.unsupported == {("com.acme", op): 1, ("com.acme", "Sum"): 1}
    assert profile.facts["token_inputs"] == ()
    assert profile.params["embedding"].formula == 9 * 8


def test_matrices_put_together_of_pieces_are_multiplied() -> None:
    """PyTorch's LSTM, its gates in ONNX's order: slices of the weight behind each other."""
    profile = walk(
        graph("""(float[s, b, 3] x) => (float[A, B, C, D] y) <float[16, 3] w, float[1, 16, 4] r, int64[1] zero = {0},
        int64[1] half = {8}, int64[1] end = {16}> {
            first = Slice(w, zero, half, zero)  second = Slice(w, half, end, zero)
            turned = Concat<axis=0>(second, first)  gates = Unsqueeze(turned, zero)
            y = LSTM<hidden_size=4>(x, gates, r) }""")
    )
    assert profile.params["linear"].formula == profile.params["trainable"].formula == 16 * 3 + 16 * 4


def test_experts_picked_by_data_are_multiplied_and_named() -> None:
    text = """(float[b, 4] x, int64[b] expert) => (float[b, 1, 5] y) <float[6, 4, 5] experts, int64[1] one = {1}> {
        w = Gather(experts, expert)  rows = Unsqueeze(x, one)  y = MatMul(rows, w) }"""
    profile = walk(graph(text))
    assert profile.params["linear"].formula == 6 * 4 * 5
    (note,) = profile.notes
    assert note.startswith("1 stored tensor of 120 elements in all (experts first) are looked up by data")


def test_what_a_loop_hands_on_unchanged_is_the_weight_it_was_given() -> None:
    text = """(float[b, 8] x) => (y) <float[8, 8] w, bool on = {1}, int64 n = {3}> {
        y, left = Loop(n, on, x, w) <body = b (int64 i, bool go, float[b, 8] h, float[8, 8] v)
            => (bool go2, float[b, 8] k, float[8, 8] v2) {
            go2 = Identity(go)  k = MatMul(h, v)  v2 = Identity(v) }> }"""
    profile = walk(graph(text))
    assert profile.params["linear"].formula == 64
    assert str(profile.forward["macs"].formula) == f"{3 * 64}*b"
