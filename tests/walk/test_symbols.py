"""What a file writes as dimensions, and what the walk makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from onnx import ModelProto

from scalecalc.errors import ShapeError, UsageError
from scalecalc.walk import Profile, walk
from tests.walk.graphs import graph, load, model


def shapes(profile: Profile) -> list[str]:
    values = (*profile.inputs.values(), *profile.outputs.values())
    return [" ".join(map(str, dims)) if dims is not None else "?" for dims in values]


def with_dims(text: str, name: str, *entries: int | str | None) -> ModelProto:
    """The model with an input's (or output's) dimensions written as given, other outputs undeclared."""
    proto = model(text)
    for output in proto.graph.output:
        output.type.tensor_type.ClearField("shape")
    (value,) = (v for v in (*proto.graph.input, *proto.graph.output) if v.name == name)
    dims = value.type.tensor_type.shape
    del dims.dim[:]
    for entry in entries:
        dim = dims.dim.add()
        if isinstance(entry, int):
            dim.dim_value = entry
        elif entry is not None:
            dim.dim_param = entry
    return proto


IMAGE = "(float[b, 3, h, w] x) => (float[b, 3, h, w] y) { y = Relu(x) }"


@pytest.mark.parametrize(
    ("entries", "expected", "kinds"),
    [
        (("batch", 3, 224, 224), "batch 3 224 224", "batch"),
        (("N", 3, "H", "W"), "N 3 H W", "batch spatial spatial"),
        ((None, 3, None, None), "batch 3 height width", "batch spatial spatial"),
        ((0, 3, -1, -1), "batch 3 height width", "batch spatial spatial"),
        (("?", 3, "?", "?"), "batch 3 height width", "batch spatial spatial"),
        (("unk__44", 3, "unk__45", "unk__46"), "batch 3 height width", "batch spatial spatial"),
        (("s0", 3, "s1", "s1"), "batch 3 height height", "batch spatial"),  # one name, one dimension
        (("x_dynamic_axes_1", 3, 8, 8), "batch 3 8 8", "batch"),
        ((None, None, None, 3), "batch height width 3", "batch spatial spatial"),  # channels behind
    ],
)
def test_names_of_an_image(entries: tuple[Any, ...], expected: str, kinds: str) -> None:
    profile = walk(load(with_dims(IMAGE, "x", *entries)))
    assert shapes(profile)[0] == expected
    assert " ".join(info.kind for info in profile.symbols.values()) == kinds


TOKENS = "(int64[b, s] x) => (float[b, s, 8] y) <float[50, 8] w> { y = Gather(w, x) }"


@pytest.mark.parametrize(
    ("entries", "expected"),
    [((None, None), "batch seq"), (("batch", "sequence_length"), "batch sequence_length"), ((1, None), "1 seq"),
     (("batch", 128), "batch 128"), (("s0", "s1"), "batch seq")],
)  # fmt: skip
def test_names_of_tokens(entries: tuple[Any, ...], expected: str) -> None:
    assert shapes(walk(load(with_dims(TOKENS, "x", *entries))))[0] == expected


def test_unnamed_batches_of_several_inputs_are_one() -> None:
    proto = model("(float[b, 4] x, float[c, 8] z) => (float[b, 12] y) { y = Concat<axis=1>(x, z) }")
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].ClearField("dim_param")
    profile = walk(load(proto))
    assert shapes(profile)[:2] == ["batch 4", "batch 8"]
    assert profile.assumptions == ("the unnamed batch axes of x, z are one (--shape z=... names it apart)",)


def test_a_role_s_name_the_file_uses_itself_is_not_taken() -> None:
    profile = walk(load(with_dims("(float[b, s, 4] x) => (float[b, s, 4] y) { y = Relu(x) }", "x", "seq", None, 4)))
    assert shapes(profile)[0] == "seq seq_2 4"


def test_an_axis_called_batch_is_the_batch_wherever_it_stands() -> None:
    profile = walk(load(with_dims("(float[b, s, 4] x) => (float[b, s, 4] y) { y = Relu(x) }", "x", None, "batch", 4)))
    assert shapes(profile)[0] == "seq batch 4"
    assert {name: symbol.kind for name, symbol in profile.symbols.items()} == {"seq": "sequence", "batch": "batch"}


EXPRESSIONS = [
    ("seq*batch", "batch*seq"), ("seq + 1", "seq + 1"), ("floor(seq/2)", "(seq//2)"),
    ("(seq + 1)//2", "((seq + 1)//2)"),
    ("Max(1, seq)", "seq"), ("2*seq - 2*seq + 7", "7"), ("ceil(seq/4)", "((seq + 3)//4)"), ("seq**2", "seq**2"),
    ("seq % 4", "seq - 4*(seq//4)"), ("Min(seq, 5*seq)", "seq"), ("(a sentence)", "a_sentence"), ("x.y", "x_y"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS)
def test_dimensions_that_are_expressions(text: str, expected: str) -> None:
    two = "(float[batch, seq] z, float[n, 4] x) => (float[n, 4] y) { y = Relu(x) }"
    profile = walk(load(with_dims(two, "x", text, 4)))
    assert shapes(profile)[1] == f"{expected} 4"
    assert shapes(profile)[0] == "batch seq"


def test_expressions_meet_what_the_graph_computes() -> None:
    profile = walk(
        graph("""(float[batch, past, 4] p, float[batch, seq, 4] x) => (float[batch, total, 4] y)
        { y = Concat<axis=1>(p, x) }""")
    )
    assert shapes(profile)[2] == "batch past + seq 4"
    proto = with_dims(
        """(float[batch, past, 4] p, float[batch, seq, 4] x) => (float[b, t, 4] y)
        { y = Concat<axis=1>(p, x) }""",
        "y",
        "batch",
        "past + seq",
        4,
    )
    assert not walk(load(proto)).notes


def test_output_names_are_the_walk_s_where_it_has_none() -> None:
    proto = with_dims("(float[b, 8] x) => (float[b, 8] y) { y = Relu(x) }", "x", None, 8)
    proto.graph.output[0].type.tensor_type.shape.dim.add().dim_param = "examples"
    proto.graph.output[0].type.tensor_type.shape.dim.add().dim_value = 8
    profile = walk(load(proto))
    assert shapes(profile) == ["examples 8", "examples 8"]  # a file's name beats a role's
    assert profile.symbols["examples"].aliases == ("batch",)


def test_automatic_output_names_yield() -> None:
    text = "(float[batch, s, 8] x) => (float[batch, Relu_dim_1, 8] y) { y = Relu(x) }"
    assert shapes(walk(graph(text)))[1] == "batch s 8"


def test_one_made_up_output_name_for_two_dimensions_says_nothing() -> None:
    proto = with_dims(IMAGE, "y", "Relu0_dim_0", 3, "Relu0_dim_0", "Relu0_dim_3")
    assert shapes(walk(load(proto))) == ["b 3 h w", "b 3 h w"]


@pytest.mark.parametrize(
    ("declared", "note"),
    [
        ("float[batch, 9] y", "a dimension of 9 where the graph gives 8"),
        ("float[4, 8] y", "a dimension of 4 where the graph gives batch"),
    ],
)
def test_declared_outputs_the_graph_contradicts_are_noted(declared: str, note: str) -> None:
    profile = walk(graph(f"(float[batch, 8] x) => ({declared}) {{ y = Relu(x) }}"))
    assert any(note in line for line in profile.notes)
    assert shapes(profile)[1] == "batch 8"


def test_named_dimensions_that_meet_are_assumed_equal_and_listed() -> None:
    profile = walk(graph("(float[a, 4] x, float[b, 4] z) => (float[c, 4] y) { y = Add(x, z) }"))
    assert shapes(profile)[0] == shapes(profile)[1] == shapes(profile)[2]
    assert profile.assumptions == ("a and b are equal (they meet in one elementwise operation)",)


def test_a_named_dimension_a_rule_binds_is_a_condition() -> None:
    profile = walk(graph("(float[batch, n] x) => (float[batch, 4] y) <float[8, 4] w> { y = MatMul(x, w) }"))
    assert shapes(profile)[0] == "batch 8"
    assert profile.conditions == ("n == 8",)


def test_missing_value_info_and_types_of_outputs() -> None:
    proto = model("(float[batch, 8] x) => (float[batch, 4] y) <float[8, 4] w> { h = MatMul(x, w)  y = Relu(h) }")
    proto.graph.output[0].type.Clear()
    profile = walk(load(proto))
    assert shapes(profile) == ["batch 8", "batch 4"]


def test_an_input_of_unknown_rank() -> None:
    proto = model("(float[batch, 8] x, float[b] z) => (float[batch, 4] y, float[b] v) <float[8, 4] w> {"
                  " y = MatMul(x, w)  v = Relu(z) }")  # fmt: skip
    proto.graph.input[1].type.tensor_type.ClearField("shape")
    profile = walk(load(proto))
    assert profile.unreached == ("Relu_1",)
    assert str(profile.forward["macs"].formula) == "32*batch"
    assert profile.forward["macs"].lower_bound
    given = walk(load(proto), shapes={"z": (5,)})
    assert given.complete
    assert given.outputs["v"] == (5,)


def test_shapes_of_the_user() -> None:
    text = "(float[batch, 3, h, w] x) => (float[batch, 3, h, w] y) { y = Relu(x) }"
    assert shapes(walk(graph(text), shapes={"x": (1, 3, 224, 224)}))[0] == "1 3 224 224"
    assert shapes(walk(graph(text), shapes={"x": ("n", 3, None, 8)}))[0] == "n 3 h 8"  # the output's name for it
    with pytest.raises(UsageError, match="no input 'z'") as caught:
        walk(graph(text), shapes={"z": (1,)})
    assert "its inputs are x" in str(caught.value)


def test_sizes_are_numbers_from_the_start() -> None:
    text = "(float[batch, 3, h, w] x) => (float[batch, 3, h, w] y) { y = Relu(x) }"
    assert shapes(walk(graph(text), sizes={"batch": 2, "h": 5, "w": 6})) == ["2 3 5 6", "2 3 5 6"]
    unnamed = with_dims(text, "x", "unk__7", 3, None, None)
    assert shapes(walk(load(unnamed), sizes={"unk__7": 2, "height": 5}))[0] == "2 3 5 width"


def test_sizes_that_do_not_fit_are_refused() -> None:
    text = "(float[batch, n] x) => (float[batch, 4] y) <float[8, 4] w> { y = MatMul(x, w) }"
    with pytest.raises(ShapeError, match="7 must equal 8, in MatMul node"):
        walk(graph(text), sizes={"n": 7})


def test_a_table_bounds_its_positions() -> None:
    text = """(int64[batch, seq] x) => (float[batch, seq, 8] y)
        <float[50, 8] w, float[32, 8] p, int64 i = {1}, int64 zero = {0}, int64 one = {1}> {
        s = Shape(x)  n = Gather(s, i)  r = Range(zero, n, one)  e = Gather(w, x)  q = Gather(p, r)  y = Add(e, q) }"""
    profile = walk(graph(text))
    assert profile.conditions == ("seq <= 32",)
    assert profile.symbols["seq"].bound == 32
    with pytest.raises(ShapeError, match="33 is more than 32"):
        walk(graph(text), sizes={"seq": 33})


def test_windows_that_need_a_least_size_say_so() -> None:
    text = "(float[1, 3, h, 8] x) => (float[1, 4, a, b] y) <float[4, 3, 5, 5] w> { y = Conv(x, w) }"
    profile = walk(graph(text))
    assert profile.conditions == ("h >= 5",)
    with pytest.raises(ShapeError, match="a window of 5 does not fit into 4"):
        walk(graph(text), sizes={"h": 4})
