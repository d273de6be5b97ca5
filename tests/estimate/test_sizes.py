"""Sizes that settle formulas: what was given, the file's own, a bound, else none."""

from __future__ import annotations

import pytest

from scalecalc.errors import UsageError
from scalecalc.estimate import settle
from scalecalc.walk import Profile, walk
from tests.walk.graphs import graph

LANGUAGE = """(int64[n,s] ids) => (float[n,s,8] y) <float[50,8] table, float[64,8] places> {
    e = Gather(table, ids)
    sh = Shape(ids)
    one = Constant<value = int64 {1}>()
    zero = Constant<value = int64 {0}>()
    len = Gather(sh, one)
    pos = Range(zero, len, one)
    p = Gather(places, pos)
    y = Add(e, p)
}"""
IMAGE = "(float[n,3,h,v] x) => (float[n,4,a,b] y) <float[4,3,2,2] w> { y = Conv<strides=[2,2]>(x, w) }"


@pytest.fixture(scope="module")
def language() -> Profile:
    return walk(graph(LANGUAGE))


@pytest.fixture(scope="module")
def image() -> Profile:
    return walk(graph(IMAGE))


TABLE = [
    # given, sizes, assumed, missing
    ({}, {"n": 1, "s": 64}, {"n", "s"}, ()),
    ({"s": 7}, {"n": 1, "s": 7}, {"n"}, ()),
    ({"s": 64, "n": 3}, {"n": 3, "s": 64}, set(), ()),
]


@pytest.mark.parametrize(("given", "sizes", "assumed", "missing"), TABLE)
def test_settled(language: Profile, given: dict, sizes: dict, assumed: set, missing: tuple) -> None:
    settled = settle(language, given)
    assert (settled.sizes, settled.assumed, settled.missing) == (sizes, assumed, missing)
    assert len(settled.remarks) == len(assumed)


def test_what_nobody_knows_is_missing(image: Profile) -> None:
    settled = settle(image)
    assert (settled.sizes, settled.missing) == ({"n": 1}, ("h", "v"))
    assert image.forward["macs"].value(settled.sizes) is None
    assert image.params["trainable"].value(settled.sizes) == 48


@pytest.mark.parametrize("size", [0, -1, -(2**70)])
def test_sizes_are_positive(language: Profile, size: int) -> None:
    with pytest.raises(UsageError, match="is no size"):
        settle(language, {"n": size})


@pytest.mark.parametrize(("name", "todo"), [("ss", "did you mean s"), ("length", "its symbols are n, s")])
def test_unknown_names(language: Profile, name: str, todo: str) -> None:
    with pytest.raises(UsageError, match=f"no symbol '{name}'") as caught:
        settle(language, {name: 1})
    assert todo in caught.value.todo


@pytest.mark.parametrize(("given", "holds"), [({"s": 64}, True), ({"s": 65}, False), ({"s": 2**53}, False)])
def test_conditions(language: Profile, given: dict, holds: bool) -> None:
    if holds:
        settle(language, given)
    else:
        with pytest.raises(UsageError, match=r"the model needs s <= 64, which fails"):
            settle(language, given)


@pytest.mark.parametrize(("given", "holds"), [({"h": 2, "v": 2}, True), ({"h": 1, "v": 2}, False), ({"h": 1}, False)])
def test_windows_must_fit(image: Profile, given: dict, holds: bool) -> None:
    if holds:
        assert settle(image, given).missing == ()
    else:
        with pytest.raises(UsageError, match="which fails at these sizes"):
            settle(image, given)
