"""Several files as one model, against the same model in one file and by hand."""

from __future__ import annotations

import pytest

from scalecalc import profile
from scalecalc.errors import ScalecalcError
from scalecalc.estimate.quantities import quantities
from scalecalc.frontends.join import joined, read_joined
from scalecalc.walk import Profile, walk
from tests.frontends.conftest import Files, with_weight
from tests.walk.graphs import graph, model

ENCODER = """(int64[batch, seq] input_ids, float[batch, seq] attention_mask) => (float[batch, seq, 8] last_hidden_state)
<float[10, 8] shared, float[8, 8] w, int64[1] last = {2}>
{ e = Gather(shared, input_ids) m = Unsqueeze(attention_mask, last) f = Mul(e, m) last_hidden_state = MatMul(f, w) }"""
DECODER = """(int64[batch, seq] input_ids, float[batch, encoder_seq] encoder_attention_mask,
float[batch, encoder_seq, 8] encoder_hidden_states) => (float[batch, seq, 10] logits)
<float[10, 8] shared, float[8, 8] w, float[8, 10] v>
{ e = Gather(shared, input_ids) q = MatMul(e, w) k = Transpose<perm = [0, 2, 1]>(encoder_hidden_states)
s = MatMul(q, k) o = MatMul(s, encoder_hidden_states) logits = MatMul(o, v) }"""


def figures(found: Profile) -> dict[str, str]:
    return {path: str(quantity.formula) for path, quantity in quantities(found).items()}


def refused(*arguments: object) -> str:
    with pytest.raises(ScalecalcError) as caught:
        joined(*arguments)  # type: ignore[arg-type]
    return str(caught.value)


# One model cut in two


CHAIN = {
    # value: (its type, the line that makes it)
    "a": ("float[n, 4, h, w]", "a = Conv<pads = [1, 1, 1, 1]>(x, w1)", "float[4, 3, 3, 3] w1"),
    "b": ("float[n, 4, h, w]", "b = Relu(a)", ""),
    "c": ("float[n, 6, h2, w2]", "c = Conv<strides = [2, 2]>(b, w2, b2)", "float[6, 4, 2, 2] w2, float[6] b2"),
    "d": ("float[n, 6, 1, 1]", "d = GlobalAveragePool(c)", ""),
    "e": ("float[n, 6]", "e = Flatten(d)", ""),
    "y": ("float[n, 5]", "y = Gemm(e, w3, b3)", "float[6, 5] w3, float[5] b3"),
}


def piece(values: list[str], source: str, kind: str) -> str:
    lines = " ".join(CHAIN[value][1] for value in values)
    weights = ", ".join(CHAIN[value][2] for value in values if CHAIN[value][2])
    return (
        f"({kind} {source}) => ({CHAIN[values[-1]][0]} {values[-1]}) {f'<{weights}>' if weights else ''} {{ {lines} }}"
    )


@pytest.mark.parametrize("cut", range(1, len(CHAIN)))
def test_two_halves_are_the_whole(files: Files, cut: int) -> None:
    """All figures, as formulas: gradients, kept tensors and the first layer's missing gradient cross the cut."""
    names = list(CHAIN)
    image = "float[n, 3, h, w]"
    whole = walk(graph(piece(names, "x", image)))
    (first, second) = names[:cut], names[cut:]
    parts = files(front=piece(first, "x", image), back=piece(second, first[-1], CHAIN[first[-1]][0]))
    halves = profile(parts)
    assert figures(halves) == figures(whole)
    assert (list(halves.inputs), list(halves.outputs)) == (["x"], ["y"])
    assert halves.node_count == whole.node_count
    assert [node.name.partition("/")[0] for node in halves.nodes] == ["front"] * cut + ["back"] * (len(names) - cut)


@pytest.mark.parametrize("cuts", [(1, 2), (2, 4), (3, 5)])
def test_three_parts_are_the_whole(files: Files, cuts: tuple[int, int]) -> None:
    names = list(CHAIN)
    first, second, third = names[: cuts[0]], names[cuts[0] : cuts[1]], names[cuts[1] :]
    parts = files(
        one=piece(first, "x", "float[n, 3, h, w]"),
        two=piece(second, first[-1], CHAIN[first[-1]][0]),
        three=piece(third, second[-1], CHAIN[second[-1]][0]),
    )
    assert figures(profile(parts)) == figures(walk(graph(piece(names, "x", "float[n, 3, h, w]"))))


# Encoder and decoder


def test_encoder_and_decoder(files: Files) -> None:
    """Encoder 8*8 MACs a token; decoder q and v (8*8 + 8*10) a token, twice 8 for every pair of tokens."""
    found = profile(files(encoder=with_weight(ENCODER, "w", 1.0), decoder=with_weight(DECODER, "w", 2.0)))
    assert str(found.forward["macs"].formula) == "16*batch*seq*decoder_seq + 64*batch*seq + 144*batch*decoder_seq"
    assert {name: list(map(str, dims)) for name, dims in found.inputs.items()} == {
        "input_ids": ["batch", "seq"],
        "attention_mask": ["batch", "seq"],
        "decoder/input_ids": ["batch", "decoder_seq"],
    }
    assert list(found.outputs) == ["logits"]
    assert found.params["trainable"].formula == 80 + 64 + 64 + 80  # one table, two w, one v
    assert found.notes == (
        "last_hidden_state feeds encoder_hidden_states of decoder",
        "encoder_attention_mask of decoder is the input attention_mask",
        "input_ids of decoder is an input of its own, decoder/input_ids",
        "1 stored tensor (80 elements) is in several files, equal byte for byte: counted once",
    )
    assert found.name == "encoder+decoder"


def test_widths_are_shared_across_files(files: Files) -> None:
    """As a family: table 10 x 8 and w 8 x 8 are one in both files, v is 8 x 10; w's columns are v's rows."""
    family = profile(files(encoder=ENCODER, decoder=DECODER), family=True)
    hints = {symbol.name: symbol.hint for symbol in family.symbols.values() if symbol.hint is not None}
    assert sorted(hints.values()) == [8, 8, 10, 10]
    sizes = {"batch": 1, "seq": 3, "decoder_seq": 2}
    assert family.forward["macs"].value({**hints, **sizes}) == 16 * 6 + 64 * 3 + 144 * 2


def test_a_decoder_step_with_what_the_decoder_kept(files: Files) -> None:
    """`present.*` feeds `past_key_values.*`; all weights of the step are the decoder's."""
    decoder = """(float[batch, seq, 4] x) => (float[batch, seq, 4] logits, float[batch, seq, 4] present_key)
    <float[4, 4] k, float[4, 4] o> { present_key = MatMul(x, k) logits = MatMul(present_key, o) }"""
    step = """(float[batch, 1, 4] x, float[batch, past, 4] past_key)
    => (float[batch, past_1, 4] logits, float[batch, past_1, 4] present_key) <float[4, 4] k, float[4, 4] o>
    { new = MatMul(x, k) present_key = Concat<axis = 1>(past_key, new)
    logits = MatMul(present_key, o) }"""
    protos = []
    for text in (decoder, step):
        proto = model(text)  # the text form has no dots in names
        renamed = {"present_key": "present.0.key", "past_key": "past_key_values.0.key"}
        for node in proto.graph.node:
            for names in (node.input, node.output):
                names[:] = [renamed.get(name, name) for name in names]
        for info in (*proto.graph.input, *proto.graph.output):
            info.name = renamed.get(info.name, info.name)
        protos.append(proto)
    found = profile(files(decoder=protos[0], step=protos[1]))
    assert found.params["trainable"].formula == 32
    # 16 + 16 a token of the decoder; the step projects one token and puts seq + 1 out
    assert str(found.forward["macs"].formula) == "48*batch*seq + 32*batch"
    assert list(found.outputs) == ["logits", "step/logits", "step/present.0.key"]


def test_a_chain_by_type_alone(files: Files) -> None:
    """One output, two inputs, one of which fits."""
    first = "(float[n, 4] x) => (float[n, 8] y) <float[4, 8] w> { y = MatMul(x, w) }"
    second = "(int64[1] shape, float[m, 8] h) => (float[m, 2] z) <float[8, 2] v> { z = MatMul(h, v) }"
    found = profile(files(first=first, second=second))
    assert str(found.forward["macs"].formula) == "48*n"
    assert found.notes[0] == "y feeds h of second"


TWO = "(float[n, 4] x) => (float[n, 4] y, float[n, 4] z) <float[4, 4] w> { y = MatMul(x, w) z = Relu(y) }"
TAKES = "(float[n, 4] p, float[n, 4] q) => (float[n, 4] out) <float[4, 2] v> { a = Add(p, q) out = MatMul(a, v) }"


def test_pairs_as_stated(files: Files) -> None:
    paths = files(two=TWO, takes=TAKES)
    found = profile(paths, joins=[("z", "p"), ("y", "q")])
    assert list(found.inputs) == ["x"]
    assert str(found.forward["macs"].formula) == "24*n"  # 16 and 8
    half = profile(paths, joins=[("z", "p")])
    assert list(half.inputs) == ["x", "q"]
    assert half.outputs.keys() == {"y", "out"}


def test_one_output_feeds_several_files(files: Files) -> None:
    head = "(float[n, 4] y) => (float[n, 3] {0}) <float[4, 3] {0}_w> {{ {0} = MatMul(y, {0}_w) }}"
    found = profile(files(two=TWO, left=head.format("left"), right=head.format("right")))
    assert str(found.forward["macs"].formula) == "40*n"
    assert list(found.outputs) == ["z", "left", "right"]


BAD = {
    # models, pairs: what the error says
    "several pairs": (
        (TWO, TAKES),
        [],
        "several outputs could feed several inputs: outputs y float32[n, 4]; z float32[",
    ),
    "no pair": ((TAKES, "(int64[n] i) => (int64[n] j) { j = Neg(i) }"), [], "no output fits an input"),
    "wrong rank": ((TWO, "(float[n, 4, 1] y) => (float[n] j) { j = Neg(y) }"), [], "inputs y float32[n, 4, 1] of b"),
    "wrong size": (
        (TWO, "(float[n, 5] y) => (float[n] j) { j = Neg(y) }"),
        [("y", "y")],
        "y float32[n, 4] cannot feed y",
    ),
    "no output": ((TWO, TAKES), [("y", "p"), ("yy", "q")], "--join: no output 'yy'; did you mean y?"),
    "no input": ((TWO, TAKES), [("y", "p"), ("y", "g")], "--join: no input 'g'; use one of x, p, q"),
    "order": ((TWO, TAKES), [("y", "p"), ("out", "q")], "--join: no file before that of input 'q' has output 'out'"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_said(files: Files, case: str) -> None:
    texts, joins, says = BAD[case]
    with pytest.raises(ScalecalcError) as caught:
        read_joined(files(**dict(zip("abc", texts, strict=False))), joins)
    assert says in str(caught.value)
    assert "--join" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_single_file_has_nothing_to_join(files: Files) -> None:
    with pytest.raises(ScalecalcError, match="nothing to join in one file"):
        profile(files(two=TWO), joins=[("y", "x")])
