"""Nodes as a tree: what is in which block, what counts as repeated, and that nothing is lost or counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import onnx
import pytest

from scalecalc.estimate.block import Block
from scalecalc.estimate.tree import operators, tree
from scalecalc.walk import Profile, walk
from scalecalc.walk.profile import FIGURES
from tests.cli.corpus import GRAPHS
from tests.walk.graphs import load, model

Layers = list[tuple[str, int]]


def perceptron(*layers: tuple[str, int], activation: str = "Relu") -> onnx.ModelProto:
    """Linear layers with activations, each in a module of that name, of so many outputs; the input has 8."""
    stored, lines, names, value, width = [], [], [], "x", 8
    for index, (name, size) in enumerate(layers):
        stored.append(f"float[{width},{size}] w{index}")
        lines.append(f"m{index} = MatMul({value}, w{index}) a{index} = {activation}(m{index})")
        names += [f"/{name}/fc/MatMul", f"/{name}/{activation}"]
        value, width = f"a{index}", size
    proto = model(f"(float[n,8] x) => (float[n,k] {value}) <{', '.join(stored)}> {{ {' '.join(lines)} }}")
    for node, name in zip(proto.graph.node, names, strict=True):
        node.name = name
    return proto


def chain(length: int) -> onnx.ModelProto:
    """That many Relus, one behind the other."""
    values = ["x", *(f"v{index}" for index in range(1, length)), "y"]
    lines = (f"{made} = Relu({used})" for used, made in pairwise(values))
    return model(f"(float[n,4] x) => (float[n,4] y) {{ {' '.join(lines)} }}")


def profile(proto: onnx.ModelProto) -> Profile:
    return walk(load(proto))


def outline(block: Block, level: int = 0) -> Iterator[str]:
    """Indented lines `name xREPEATS kind`."""
    for child in block.children:
        times = f" x{child.repeats}" if child.repeats > 1 else ""
        yield "  " * level + f"{child.name}{times} | {child.kind}"
        yield from outline(child, level + 1)


def test_repeated_blocks_stand_once() -> None:
    """Three equal layers of 8 to 8 between others: 2*8*8 parameters would be two."""
    root = tree(profile(perceptron(("first", 8), ("h.0", 8), ("h.1", 8), ("h.2", 8), ("last", 3))))
    assert list(outline(root)) == [
        "first | ", "  fc | MatMul", "  (own) | Relu",
        "h.0-2 x3 | ", "  fc | MatMul", "  (own) | Relu",
        "last | ", "  fc | MatMul", "  (own) | Relu",
    ]  # fmt: skip
    hidden = root.children[1]
    assert (hidden.nodes, hidden.named["params"], str(hidden.named["macs"])) == (6, 3 * 64, "192*n")
    assert hidden.each(3)["params"] == 64
    assert str(hidden.each(3)["macs"]) == "64*n"
    assert [place.times for place in root.walk()] == [1, 1, 1, 3, 3, 3, 1, 1, 1]
    assert [place.path for place in root.walk()][3:6] == ["h.0-2", "h.0-2.fc", "h.0-2.(own)"]
    assert [place.level for place in root.walk()] == [1, 2, 2] * 3


APART = (
    # layers behind the first one (which gives its input no gradient), blocks in `h`
    ([("h.0", 8), ("h.1", 8)], ["h.0-1 x2"]),
    ([("h.0", 8), ("h.1", 4)], ["0", "1"]),  # other widths
    ([("h.0", 4), ("h.1", 8), ("h.2", 8), ("h.3", 8)], ["0", "1", "2-3 x2"]),  # 8x4, 4x8, 8x8, 8x8
    ([("h.0", 8), ("h.2", 8)], ["0", "2"]),  # one is missing
    ([("h.a", 8), ("h.b", 8)], ["a", "b"]),  # no numbers
    ([("h.0", 8), ("h.0b", 8), ("h.1", 8)], ["0", "0b", "1"]),  # no neighbours
    ([("h.1", 8), ("h.0", 8)], ["1", "0"]),  # backwards
    ([("h.9", 8), ("h.10", 8), ("h.11", 8)], ["h.9-11 x3"]),
    ([("h.block9", 8), ("h.block10", 8)], ["h.block9-10 x2"]),
    ([("h.x0", 8), ("h.y1", 8)], ["x0", "y1"]),
)  # fmt: skip


@pytest.mark.parametrize(("layers", "expected"), APART)
def test_what_is_repeated_and_what_is_not(layers: Layers, expected: list[str]) -> None:
    _, inner, _ = tree(profile(perceptron(("first", 8), *layers, ("last", 2)))).children
    blocks = [inner] if inner.repeats > 1 else inner.children
    assert [f"{block.name} x{block.repeats}".removesuffix(" x1") for block in blocks] == expected


def test_repeats_within_repeats() -> None:
    names = [f"stage.{stage}.block.{block}" for stage in range(2) for block in range(3)]
    root = tree(profile(perceptron(("first", 8), *((name, 8) for name in names), ("last", 2))))
    assert [line.split(" |")[0] for line in outline(root)][3:8] == [
        "stage", "  0.block.0-2 x3", "    fc", "    (own)", "  1.block.0-2 x3",
    ]  # fmt: skip
    fc = next(place for place in root.walk() if place.path == "stage.0.block.0-2.fc")
    assert (fc.times, fc.block.named["params"], fc.block.each(3)["params"]) == (3, 3 * 64, 64)


def test_shape_arithmetic_does_not_keep_equal_blocks_apart() -> None:
    """The first of two equal layers also finds out a shape for both, as exporters arrange it."""
    proto = model("""(float[n,8] x) => (float[n,8] y) <float[8,8] u, float[8,8] w, float[8,8] v> {
        i = MatMul(x, u) s = Shape(i) a = MatMul(i, w) b = Reshape(a, s) c = MatMul(b, v) y = Reshape(c, s) }""")
    names = ("/in/MatMul", "/h.0/Shape", "/h.0/MatMul", "/h.0/Reshape", "/h.1/MatMul", "/h.1/Reshape")
    for node, name in zip(proto.graph.node, names, strict=True):
        node.name = name
    found = profile(proto)
    first, layers = tree(found).children
    assert (layers.name, layers.repeats, layers.nodes) == ("h.0-1", 2, 5)
    assert first.named["bytes"] + layers.named["bytes"] == found.forward["bytes"].formula


def test_a_model_without_modules_is_its_nodes() -> None:
    root = tree(profile(model("(float[n,4] x) => (float[n,4] y) { a = Relu(x) y = Tanh(a) }")))
    assert list(outline(root)) == ["Relu_0 | Relu", "Tanh_1 | Tanh"]


def test_operators() -> None:
    found = profile(perceptron(("a", 8), ("b", 4)))
    matmul, relu = operators(found)
    assert (matmul.name, matmul.nodes, str(matmul.named["macs"])) == ("MatMul", 2, "96*n")  # 8*8 + 8*4
    assert (relu.name, relu.nodes, str(relu.named["vector_flops"])) == ("Relu", 2, "12*n")  # 8 + 4, one each


def test_unknown_operators_show() -> None:
    proto = model("(float[n,4] x) => (float[n,4] y) <float[4,4] w> { a = MatMul(x, w) y = com.acme.Foo(a) }")
    for node, name in zip(proto.graph.node, ("/block/fc/MatMul", "/block/Foo"), strict=True):
        node.name = name
    root = tree(profile(proto))
    assert list(outline(root)) == ["block | ", "  fc | MatMul", "  (own) | Foo: unsupported"]
    assert [place.block.known for place in root.walk()] == [False, True, False]


def check_sums(found: Profile) -> None:
    """Children sum to their parent, and all to the profile's totals: as formulas, character by character."""
    root = tree(found)
    blocks = [root, *(place.block for place in root.walk())]
    for block in blocks:
        for index in range(len(FIGURES)) if block.children else ():
            assert sum(child.figures[index] for child in block.children) == block.figures[index]
        assert block.nodes == sum(child.nodes for child in block.children) or not block.children
    assert root.nodes == len(found.nodes)
    assert root.named["params"] == found.params["trainable"].formula
    assert root.named["macs"] == found.forward["macs"].formula
    assert 2 * root.named["backward_macs"] == found.training["backward_matrix_flops"].formula
    assert root.named["vector_flops"] == found.forward["vector_flops"].formula
    assert root.named["backward_vector_flops"] == found.training["backward_vector_flops"].formula
    assert root.named["bytes"] == found.forward["bytes"].formula
    assert root.named["kept_bytes"] == found.memory["activations"].formula
    for index in range(len(FIGURES)):
        assert sum(block.figures[index] for block in operators(found)) == root.figures[index]


@pytest.mark.parametrize("text", [GRAPHS["vision"], GRAPHS["language"], GRAPHS["types"]])
def test_sums_of_unnamed_models(text: str) -> None:
    check_sums(profile(model(text)))


def test_sums_of_repeated_blocks() -> None:
    names = [f"stage.{stage}.block.{block}" for stage in range(3) for block in range(4)]
    check_sums(profile(perceptron(*((name, 8) for name in names), ("end", 2), activation="Sigmoid")))
