"""Several files as one model, against the same model in one file and by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from scalecalc import profile
from scalecalc.errors import ScalecalcError
from scalecalc.estimate.quantities import quantities
from scalecalc.frontends.join import joined, read_joined
from scalecalc.walk import Profile, walk
from tests.walk.graphs import graph, model

Save = Callable[..., Path]

ENCODER = """(int64[batch, seq] input_ids, float[batch, seq] attention_mask) => (float[batch, seq, 8] last_hidden_state)
<float[10, 8] shared, float[8, 8] w, int64[1] last = {2}>
{ e = Gather(shared, input_ids) m = Unsqueeze(attention_mask, last) f = Mul(e, m) last_hidden_state = MatMul(f, w) }"""
DECODER = """(int64[batch, seq] input_ids, float[batch, encoder_seq] encoder_attention_mask,
float[batch, encoder_seq, 8] encoder_hidden_states) => (float[batch, seq, 10] logits)
<float[10, 8] shared, float[8, 8] w, float[8, 10] v>
{ e = Gather(shared, input_ids) q = MatMul(e, w) k = Transpose<perm = [0, 2, 1]>(encoder_hidden_states)
s = MatMul(q, k) o = MatMul(s, encoder_hidden_states) logits = MatMul(o, v) }"""


@pytest.fixture
def files(tmp_path: Path) -> Save:
    """`files(encoder=..., decoder=...)`: models in text form or as they are, written as <name>.onnx."""

    def write(**models: str | onnx.ModelProto) -> list[Path]:
        paths = []
        for name, content in models.items():
            proto = model(content) if isinstance(content, str) else content
            paths.append(tmp_path / f"{name}.onnx")
            paths[-1].write_bytes(proto.SerializeToString())
        return paths

    return write


def with_weight(text: str, name: str, fill: float) -> onnx.ModelProto:
    """A model whose weight `name` holds one number everywhere."""
    proto = model(text)
    for tensor in proto.graph.initializer:
        if tensor.name == name:
            array = numpy_helper.to_array(tensor) * 0 + fill
            tensor.CopyFrom(numpy_helper.from_array(array.astype("float32"), name))
    return proto


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
def test_two_halves_are_the_whole(files: Save, cut: int) -> None:
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
def test_three_parts_are_the_whole(files: Save, cuts: tuple[int, int]) -> None:
    names = list(CHAIN)
    first, second, third = names[: cuts[0]], names[cuts[0] : cuts[1]], names[cuts[1] :]
    parts = files(
        one=piece(first, "x", "float[n, 3, h, w]"),
        two=piece(second, first[-1], CHAIN[first[-1]][0]),
        three=piece(third, second[-1], CHAIN[second[-1]][0]),
    )
    assert figures(profile(parts)) == figures(walk(graph(piece(names, "x", "float[n, 3, h, w]"))))


# Encoder and decoder


def test_encoder_and_decoder(files: Save) -> None:
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


def test_a_decoder_step_with_what_the_decoder_kept(files: Save) -> None:
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


def test_a_chain_by_type_alone(files: Save) -> None:
    """One output, two inputs, one of which fits."""
    first = "(float[n, 4] x) => (float[n, 8] y) <float[4, 8] w> { y = MatMul(x, w) }"
    second = "(int64[1] shape, float[m, 8] h) => (float[m, 2] z) <float[8, 2] v> { z = MatMul(h, v) }"
    found = profile(files(first=first, second=second))
    assert str(found.forward["macs"].formula) == "48*n"
    assert found.notes[0] == "y feeds h of second"


TWO = "(float[n, 4] x) => (float[n, 4] y, float[n, 4] z) <float[4, 4] w> { y = MatMul(x, w) z = Relu(y) }"
TAKES = "(float[n, 4] p, float[n, 4] q) => (float[n, 4] out) <float[4, 2] v> { a = Add(p, q) out = MatMul(a, v) }"


def test_pairs_as_stated(files: Save) -> None:
    paths = files(two=TWO, takes=TAKES)
    found = profile(paths, joins=[("z", "p"), ("y", "q")])
    assert list(found.inputs) == ["x"]
    assert str(found.forward["macs"].formula) == "24*n"  # 16 and 8
    half = profile(paths, joins=[("z", "p")])
    assert list(half.inputs) == ["x", "q"]
    assert half.outputs.keys() == {"y", "out"}


def test_one_output_feeds_several_files(files: Save) -> None:
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
def test_what_does_not_fit_is_said(files: Save, case: str) -> None:
    texts, joins, says = BAD[case]
    with pytest.raises(ScalecalcError) as caught:
        read_joined(files(**dict(zip("abc", texts, strict=False))), joins)
    assert says in str(caught.value)
    assert "--join" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


# Dimensions


def test_equal_names_are_equal_only_through_a_shared_value(files: Save) -> None:
    """`n` of the second file is a length of its own; what the joint value calls `m` is the first file's `n`."""
    first = "(float[n, k, 4] x) => (float[n, k, 4] h) <float[4, 4] w> { h = MatMul(x, w) }"
    second = "(float[m, k, 4] h, float[n, 2] z) => (float[m, k, 2] y, float[n, 3] u) " + (
        "<float[4, 2] v, float[2, 3] r> { y = MatMul(h, v) u = MatMul(z, r) }"
    )
    found = profile(files(first=first, second=second))
    assert str(found.forward["macs"].formula) == "24*n*k + 6*second_n"
    assert list(map(str, found.inputs["z"])) == ["second_n", "2"]


def test_a_number_of_a_later_file_holds_for_the_earlier_one(files: Save) -> None:
    first = "(float[n, t, 4] x) => (float[n, t, 4] h) <float[4, 4] w> { h = MatMul(x, w) }"
    second = "(float[n, 7, 4] h) => (float[n, 7, 2] y) <float[4, 2] v> { y = MatMul(h, v) }"
    found = profile(files(first=first, second=second))
    assert str(found.forward["macs"].formula) == "168*n"  # 7 * (16 + 8)
    assert "t is 7: second takes no other" in found.notes
    backwards = "(float[n, t, 4] h) => (float[n, t, 2] y) <float[4, 2] v> { y = MatMul(h, v) }"
    fixed = profile(files(first=first.replace("t,", "7,"), second=backwards))
    assert str(fixed.forward["macs"].formula) == "168*n"


def test_expressions_follow_their_names(files: Save) -> None:
    first = "(float[n, a] x) => (float[n, a] h) { h = Relu(x) }"
    second = model("(float[n, b] h, float[n, c] z) => (float[n, b] y) { y = Relu(h) }")
    second.graph.input[1].type.tensor_type.shape.dim[1].dim_param = "2*b + a"
    found = profile(files(first=first, second=second))
    assert list(map(str, found.inputs["z"])) == ["n", "2*a + second_a"]


@pytest.mark.parametrize("name", ["unk__3", "s0", "x_dim_1"])
def test_names_exporters_make_up_stay_such_names(files: Save, name: str) -> None:
    first = f"(float[n, {name}, 4] x) => (float[n, {name}, 4] h) <float[4, 4] w> {{ h = MatMul(x, w) }}"
    second = f"(float[n, k, 4] h, float[{name}, 5] z) => (float[n, k, 2] y) <float[4, 2] v> {{ y = MatMul(h, v) }}"
    found = profile(files(first=first, second=second))
    assert {str(dim) for dims in found.inputs.values() for dim in dims} <= {"n", "seq", "batch", "4", "5"}


# Stored tensors


SAME = "(float[n, 4] {0}) => (float[n, 4] {1}) <float[4, 4] w> {{ {1} = MatMul({0}, w) }}"


@pytest.mark.parametrize(("mine", "its", "params"), [(1.0, 1.0, 16), (1.0, 2.0, 32)])
def test_equal_contents_count_once(files: Save, mine: float, its: float, params: int) -> None:
    paths = files(a=with_weight(SAME.format("x", "y"), "w", mine), b=with_weight(SAME.format("y", "z"), "w", its))
    assert profile(paths).params["trainable"].formula == params


def test_contents_in_sidecars_count_apart(files: Save) -> None:
    protos = [with_weight(SAME.format(*pair), "w", 1.0) for pair in (("x", "y"), ("y", "z"))]
    tensor = protos[1].graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    found = profile(files(a=protos[0], b=protos[1]))
    assert found.params["trainable"].formula == 32
    assert found.notes[-1].startswith("1 tensor of equal name and type is in several files with contents in sidecars")


def test_contents_beyond_one_piece_are_compared_to_the_end(files: Save) -> None:
    """1,200 x 1,200 numbers of which the last one differs."""
    text = "(float[n, 1200] {0}) => (float[n, 1200] {1}) <float[1200, 1200] w> {{ {1} = MatMul({0}, w) }}"
    protos = [with_weight(text.format(*pair), "w", 1.0) for pair in (("x", "y"), ("y", "z"))]
    assert profile(files(a=protos[0], b=protos[1])).params["trainable"].formula == 1_440_000
    raw = protos[1].graph.initializer[0].raw_data
    protos[1].graph.initializer[0].raw_data = raw[:-1] + b"\0"
    assert profile(files(a=protos[0], b=protos[1])).params["trainable"].formula == 2_880_000


# Names


def test_functions_of_one_name_stay_two(files: Save) -> None:
    def calling(op: str, source: str, result: str) -> onnx.ModelProto:
        body = [helper.make_node(op, ["a"], ["b"])]
        function = helper.make_function("local", "F", ["a"], ["b"], body, [helper.make_opsetid("", 23)])
        types = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", 4)) for name in (source, result)]
        node = helper.make_node("F", [source], [result], domain="local")
        opsets = [helper.make_opsetid("", 23), helper.make_opsetid("local", 1)]
        inner = helper.make_graph([node], "g", types[:1], types[1:])
        return helper.make_model(inner, opset_imports=opsets, functions=[function], ir_version=10)

    found = profile(files(a=calling("Relu", "x", "y"), b=calling("Gelu", "y", "z")))
    assert [node.op_type for node in found.nodes] == ["Relu", "Gelu"]
    assert str(found.forward["vector_flops"].formula) == "24*n"  # 1 and 5 for each of 4
    same = profile(files(a=calling("Relu", "x", "y"), b=calling("Relu", "y", "z")))
    assert str(same.forward["vector_flops"].formula) == "8*n"


def test_bodies_see_the_new_names(files: Save) -> None:
    """A Loop in the second file uses a weight around it and the joint value."""
    first = "(float[n, 4] x) => (float[n, 4] h) <float[4, 4] w> { h = MatMul(x, w) }"
    second = """(float[n, 4] h) => (float[n, 4] y) <float[4, 4] w, int64 trips = {3}, bool go = {1}>
    { y = Loop(trips, go, h) <body = b (int64 i, bool c, float[n, 4] s) => (bool c2, float[n, 4] t)
    { c2 = Identity(c) t = MatMul(s, w) }> }"""
    found = profile(files(first=with_weight(first, "w", 1.0), second=with_weight(second, "w", 2.0)))
    assert str(found.forward["macs"].formula) == "64*n"  # 16 and 3 times 16


def test_files_of_one_name_are_called_after_their_folders(tmp_path: Path) -> None:
    paths = []
    for folder, text in (("encoder", SAME.format("x", "y")), ("decoder", SAME.format("y", "z"))):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "model.onnx")
        paths[-1].write_bytes(model(text).SerializeToString())
    assert profile(paths).name == "encoder_model+decoder_model"


def test_values_named_like_the_prefix_stay_apart() -> None:
    """An input of the first graph has the name an inner value of the second one would get."""
    first = graph("(float[n, 4] x) => (float[n, 4] y) { y = Relu(x) }")
    second = graph("(float[n, 4] y, float[n, 4] q) => (float[n, 4] z) { a = Exp(y) b = Add(a, q) z = Relu(b) }")
    first.name, second.name = "one", "two"
    first.inputs = {"two/a": first.inputs["x"]}
    first.nodes[0].inputs = ("two/a",)
    found = walk(joined([first, second]))
    assert list(found.inputs) == ["two/a", "q"]
    assert [node.name.partition("/")[0] for node in found.nodes] == ["one", "two_", "two_", "two_"]


def test_a_single_file_has_nothing_to_join(files: Save) -> None:
    with pytest.raises(ScalecalcError, match="nothing to join in one file"):
        profile(files(two=TWO), joins=[("y", "x")])
