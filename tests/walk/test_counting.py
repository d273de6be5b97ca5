"""A while loop that counts runs as often as its counter says, not "at most" so often."""

from __future__ import annotations

import pytest

from scalecalc.walk import walk
from tests.walk.graphs import graph

WHILE = """(float[batch, 8] x, int64[seq] t) => (y)
    <float[8, 8] w, bool on = {1}, int64 zero = {0}, int64 two = {2}, int64 one = {1}, int64 many = {1000}> {
    d = Shape(t)  n = Squeeze(d)  f = Cast<to=1>(n)
    i, y = Loop(MOST, on, START, x) <body = b (int64 k, bool go, int64 j, float[batch, 8] h)
        => (bool more, int64 next, float[batch, 8] z) {
        next = Add(j, one)
        BODY
        z = MatMul(h, w)
    }>
}"""


def trips(body: str, most: str = '""', start: str = "zero") -> str:
    text = WHILE.replace("MOST", most).replace("START", start).replace("BODY", body)
    quantity = walk(graph(text)).forward["macs"]
    macs = quantity.value({"batch": 1, "seq": 10})
    return "unknown" if macs is None else str(macs // 64)


@pytest.mark.parametrize(
    ("body", "most", "start", "runs"),
    [
        ("more = Less(next, n)", '""', "zero", "10"),
        ("more = Greater(n, next)", '""', "zero", "10"),
        ("more = Less(next, n)", "n", "zero", "10"),
        ("more = Less(next, n)", '""', "two", "8"),
        ("more = Less(next, n)", "many", "zero", "10"),
        ("c = Cast<to=1>(next)  more = Less(c, f)", '""', "zero", "10"),
        ("a = Less(next, n)  c = Less(k, n)  more = And(a, c)", "n", "zero", "10"),  # the index too, one run later
        ("more = Less(j, n)", '""', "zero", "11"),
        ("more = Less(k, n)", '""', "zero", "11"),
        ("more = Less(next, one)", '""', "two", "1"),  # compared behind the first run only
        ("more = Less(next, one)", "zero", "two", "0"),
    ],
)
def test_counted(body: str, most: str, start: str, runs: str) -> None:
    assert trips(body, most, start) == runs


@pytest.mark.parametrize(
    "body",
    [
        "s = ReduceMax<keepdims=0>(h)  c = Cast<to=7>(s)  more = Less(next, c)",  # contents decide
        "e = Add(j, two)  more = Less(e, n)",  # compares something that is not handed on
        "c = Less(next, n)  more = Not(c)",
        "c = Less(next, n)  s = ReduceMax<keepdims=0>(h)  l = Cast<to=9>(s)  more = And(c, l)",
        "c = Less(next, n)  l = Less(n, next)  more = Or(c, l)",
    ],
)
def test_not_counted(body: str) -> None:
    assert trips(body) == "unknown"
