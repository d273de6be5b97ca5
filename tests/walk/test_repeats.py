"""Layers that are repeated cost what the same layers written out one by one cost, in every figure."""

from __future__ import annotations

import pytest

from scalecalc.frontends.spec import parse
from scalecalc.walk import Profile, walk

IMAGE, VECTOR, SEQUENCE = "[batch, 4, 6, 6]", "[batch, 8]", "[batch, 5, 8]"
BODIES = {
    "a layer": (VECTOR, "[{dense: 8, activation: relu}]"),
    "no weights": (VECTOR, "[relu, tanh]"),
    "a residual": (VECTOR, "[{residual: [layer_normalization, {dense: 16, activation: gelu}, {dense: 8}]}]"),
    "a decoder": (
        SEQUENCE,
        "[{residual: [layer_normalization, {multi_head_attention: 2, causal: true, rotary: 4}]},"
        " {residual: [rms_normalization, {gated_dense: 12}, {dense: 8}]}]",
    ),
    "cross attention": (SEQUENCE, "[{residual: [{multi_head_attention: 4, memory: x}]}]"),
    "a convolution": (IMAGE, "[{conv2d: 4, kernel_size: 3, padding: same}, batch_normalization, relu, dropout]"),
    "a frozen layer": (VECTOR, "[{dense: 8, trainable: false}, {dense: 8, activation: tanh}]"),
    "a view last": (SEQUENCE, "[{dense: 8, activation: tanh}, {reshape: [8, 5]}, {reshape: [5, 8]}]"),
    "a tied layer": (VECTOR, "[{dense: 8, name: one}, relu, {dense: 8, weights: one}]"),
    "repeats inside": (VECTOR, "[{repeat: 3, layers: [{residual: [{dense: 8, activation: relu}]}]}, {dense: 8}]"),
}
BEFORE = {IMAGE: "- {conv2d: 4, kernel_size: 1}", VECTOR: "- {dense: 8}", SEQUENCE: "- {dense: 8}"}


def spec(shape: str, body: str, times: int, before: str, how: str) -> Profile:
    text = f"""
symbols: {{n: {times}, batch: {{kind: batch}}}}
inputs: {{x: {shape}}}
layers:
{before}
- {{repeat: n, {how}, layers: {body}}}
- {{dense: 3}}
"""
    return walk(parse(text, "test.yaml").graph())


def figures(profile: Profile) -> dict[str, int | None]:
    groups = {"params": profile.params, "forward": profile.forward, "training": profile.training}
    sizes = {"batch": 3, "n": 5}
    found = {f"{group}.{name}": q.value(sizes) for group, figures in groups.items() for name, q in figures.items()}
    return {**found, **{f"memory.{name}": q.value(sizes) for name, q in profile.memory.items()}}


@pytest.mark.parametrize("trained", [False, True], ids=["of the input", "behind a layer"])
@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in BODIES.items()])
def test_is_what_it_is_written_out(body: tuple[str, str], trained: bool) -> None:
    shape, layers = body
    before = BEFORE[shape] if trained else ""
    for times in (1, 2, 5):
        folded, written = (spec(shape, layers, times, before, how) for how in ("shared: false", "unroll: true"))
        sizes = {"batch": 3, "n": times}
        for name, value in figures(folded).items():
            group, _, key = name.partition(".")
            one, other = (getattr(profile, group)[key].value(sizes) for profile in (folded, written))
            assert one == other, (times, name, value)


def test_stands_once_in_the_graph() -> None:
    few, many = (spec(VECTOR, BODIES["a residual"][1], times, BEFORE[VECTOR], "shared: false") for times in (2, 10**6))
    assert few.node_count == many.node_count
    assert str(many.params["trainable"].formula) == str(few.params["trainable"].formula)
    assert str(many.params["trainable"].formula) == "296*n + 99"  # 16 + 8*16+16 + 16*8+8 each; 72 before, 27 behind


def test_shared_weights_count_once() -> None:
    shared = spec(VECTOR, "[{dense: 8}]", 7, BEFORE[VECTOR], "shared: true")
    assert shared.params["trainable"].formula == 72 + 72 + 27
    assert str(shared.forward["macs"].formula) == "64*n*batch + 88*batch"
