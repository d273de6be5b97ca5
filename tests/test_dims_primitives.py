"""What rules may state: splits and reshapes against Python's and numpy's own answers."""

from __future__ import annotations

from math import prod as product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalecalc.dims import (
    FAMILY,
    Dim,
    System,
    bound,
    broadcast,
    broadcast_shapes,
    evaluate,
    exact_quotient,
    fixed,
    hint_of,
    larger,
    prod,
    regroup,
    same,
    smaller,
    split_evenly,
    split_parts,
)
from scalecalc.errors import ShapeError


@given(st.integers(0, 60), st.integers(1, 9))
def test_split_evenly_of_numbers(n: int, parts: int) -> None:
    chunk = -(-n // parts)  # ONNX: equal parts, the last one smaller
    assert split_evenly(n, parts) == tuple(len(range(n)[i * chunk : (i + 1) * chunk]) for i in range(parts))


def test_split_evenly_of_symbols() -> None:
    system = System()
    a = system.symbol("a")
    assert split_evenly(12 * a, 3) == (4 * a,) * 3
    assert not system.conditions
    assert split_evenly(a, 2) == (a // 2,) * 2
    assert list(map(str, system.conditions)) == ["a % 2 == 0"]
    d = system.symbol("d", kind=FAMILY, hint=2304)
    parts = split_evenly(d, 3)
    assert system.resolve(d) == 3 * parts[0]
    assert hint_of(parts[0]) == 768


def test_split_parts() -> None:
    assert split_parts(10, (3, 7)) == (3, 7)
    with pytest.raises(ShapeError, match="10 must equal 9"):
        split_parts(10, (3, 6))
    system = System()
    d = system.symbol("d", kind=FAMILY, hint=12)
    with pytest.raises(ShapeError, match="parts 4, 4 of 12"):
        split_parts(d, (4, 4))
    q, kv, one = split_parts(d, (8, 3, 1))
    assert (hint_of(q), hint_of(kv), one) == (8, 3, 1)
    assert system.resolve(q + kv + 1) == system.resolve(d)


FACTORS = st.lists(st.sampled_from((1, 2, 3, 4, 5, 6)), min_size=1, max_size=4)


@given(FACTORS, st.randoms(use_true_random=False), st.booleans())
def test_regroup_of_numbers_is_numpys_reshape(dims: list[int], random: Any, infer: bool) -> None:
    target = list(dims)
    random.shuffle(target)
    if len(target) > 1 and random.random() < 0.5:
        target = [target[0] * target[1], *target[2:]]
    if infer:
        target[random.randrange(len(target))] = -1
    assert regroup(dims, target) == np.zeros(dims).reshape(target).shape


@pytest.mark.parametrize(
    ("dims", "target", "what"),
    [((2, 3), (4,), "6 must equal 4"), ((2, 3), (-1, 4), "not a multiple"), ((2, 3), (-1, -1), "more than one -1")],
)
def test_regroup_refuses_what_numpy_refuses(dims: tuple[int, ...], target: tuple[int, ...], what: str) -> None:
    with pytest.raises(ValueError, match=r"reshape|dimension"):
        np.zeros(dims).reshape(target)
    with pytest.raises(ShapeError, match=what):
        regroup(dims, target)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 6), st.integers(1, 6))
def test_regroup_of_symbols_is_numpys_at_any_size(b: int, s: int, h: int, d: int) -> None:
    system, sizes = System(), {"b": b, "s": s}
    batch, seq = system.symbol("b"), system.symbol("s")
    dims = (batch, seq, 3 * h * d)
    for target in (
        (-1, h, d), (batch, -1, 3, h, d), (batch * seq, 3 * h, -1), (-1,), (batch, seq, h, 3 * d), (seq, -1, h * d)
    ):  # fmt: skip
        out = regroup(dims, target)
        numbers = [evaluate(dim, sizes) for dim in target]
        array = np.zeros([evaluate(dim, sizes) for dim in dims], bool)
        assert tuple(evaluate(dim, sizes) for dim in out) == array.reshape(numbers).shape
    assert not system.conditions


def test_regroup_records_a_division_it_cannot_prove() -> None:
    system = System()
    s = system.symbol("s")
    assert regroup((s, 6), (-1, 4)) == ((3 * s) // 2, 4)
    assert list(map(str, system.conditions)) == ["6*s % 4 == 0"]


def family(system: System, **hints: int) -> list[Dim]:
    return [system.symbol(name, kind=FAMILY, hint=hint) for name, hint in hints.items()]


def shape(dims: tuple[Dim, ...]) -> tuple[str, ...]:
    return tuple(map(str, dims))


def test_gpt2s_heads_in_a_family() -> None:
    system = System()
    batch, seq = system.symbol("B"), system.symbol("S")
    (fused,) = family(system, fused=2304)
    part = split_parts(fused, (768, 768, 768))[0]
    heads = regroup((batch, seq, part), (batch, seq, 12, 64))
    assert [hint_of(dim) for dim in heads[2:]] == [12, 64]
    assert system.resolve(part) == heads[2] * heads[3]
    assert system.resolve(fused) == 3 * heads[2] * heads[3]
    assert regroup(heads, (batch, seq, 768)) == (batch, seq, heads[2] * heads[3])
    assert regroup((batch * seq, system.resolve(fused)), (-1, seq, 2304)) == (batch, seq, 3 * heads[2] * heads[3])
    assert not system.pending
    # the same number elsewhere is another dimension: exporters share one constant among unrelated reshapes
    (other,) = family(system, other=768)
    assert regroup((batch, seq, other), (-1, 768)) == (batch * seq, other)


def test_vits_heads_in_a_family() -> None:
    system = System()
    batch = system.symbol("B")
    heads, width = family(system, heads=12, width=64)
    assert regroup((197, batch, heads * width), (197, -1, 64)) == (197, batch * heads, width)
    assert regroup((197, batch * heads, width), (197, -1, 768)) == (197, batch, heads * width)
    assert regroup((197, batch, 3 * heads * width), (197, batch, 3, 768)) == (197, batch, 3, heads * width)
    assert shape(regroup((3 * heads * width,), (3, 12, 64))) == ("3", "heads", "width")
    assert not system.pending


def test_groups_of_a_convolution_in_a_family() -> None:
    system = System()
    (channels,) = family(system, channels=96)
    assert regroup((channels,), (96, -1)) == (channels, 1)  # depthwise: as many groups as channels
    groups, share = regroup((channels,), (32, -1))
    assert (hint_of(groups), hint_of(share)) == (32, 3)
    assert system.resolve(channels) == groups * share
    assert regroup((6,), (3, -1)) == (3, 2)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_a_family_at_its_hints_is_numpys_reshape(dims: list[int], random: Any) -> None:
    system = System()
    symbols = [system.fresh("n", hint=dim, key=axis) if dim > 1 else dim for axis, dim in enumerate(dims)]
    target = [size for dim in dims for size in ((2, dim // 2) if dim % 2 == 0 and random.random() < 0.5 else (dim,))]
    if random.random() < 0.5 and len(target) > 1:
        cut = random.randrange(1, len(target))
        target = [product(target[:cut]), *target[cut:]]
    expected = np.zeros(dims).reshape(target).shape
    if random.random() < 0.3:
        target[random.randrange(len(target))] = -1
    out = tuple(system.resolve(dim) for dim in regroup(symbols, target))
    assert tuple(hint_of(dim) for dim in out) == expected
    assert system.conditions or prod(out) == system.resolve(prod(symbols))


def test_groups_of_one_reshape_do_not_share_their_factors() -> None:
    system = System()
    a, b = family(system, a=4, b=6)
    out = tuple(system.resolve(dim) for dim in regroup((a, b), (2, 2, 2, 3)))
    assert len(set(out)) == 4
    assert system.resolve(a) == out[0] * out[1]
    assert system.resolve(b) == out[2] * out[3]


@pytest.mark.parametrize(
    ("a", "b", "result"), [(1, 5, 5), (5, 1, 5), (5, 5, 5), (1, 1, 1), (0, 1, 0), (5, 4, None), (0, 2, None)]
)
def test_broadcast_of_numbers_is_numpys(a: int, b: int, result: int | None) -> None:
    if result is None:
        with pytest.raises(ShapeError, match="broadcast"):
            broadcast(a, b)
        return
    assert np.broadcast_shapes((a,), (b,)) == (result,)
    assert broadcast(a, b) == result


@given(st.lists(st.lists(st.sampled_from((1, 3)), max_size=4), max_size=4))
def test_broadcast_shapes_is_numpys(shapes: list[list[int]]) -> None:
    assert broadcast_shapes(*shapes) == np.broadcast_shapes(*map(tuple, shapes))


def test_statements_about_numbers() -> None:
    assert (same(4, 4), bound(4, 4), fixed(4), smaller(2, 4), larger(2, 4), exact_quotient(12, 4)) == (4, 4, 4, 2, 4, 3)
    for statement in (lambda: same(4, 5), lambda: bound(5, 4), lambda: exact_quotient(5, 4)):
        with pytest.raises(ShapeError):
            statement()
