"""Masks an exporter stored as the values they have: causal where they decide for every query and key."""

import pytest

from scalecalc.walk import walk
from tests.walk.graphs import graph

ATTENTION = """(float[b, 2, s, 4] q, float[b, 2, s, 4] k, float[b, 2, s, 4] v, bool[b, 1, 1, s] given) => (y)
    <bool[1, 1, 9, 9] bits, bool[9, 9] plain, float[1, 1, 9, 9] numbers, bool[1, 1, 9, 1] padding,
     bool[1, 1, 1, 9] row, bool[1, 2, 9, 9] by_head, float low = {-1e9}, float zero = {0.0}, int64[1] none = {0},
     int64[2] start = {0, 0}, int64[2] axes = {-2, -1}> {
    t = Transpose<perm=[0, 1, 3, 2]>(k)  m = MatMul(q, t)  n = Shape<start=2, end=3>(q)  nn = Concat<axis=0>(n, n)
    %s
    p = Softmax(z)  y = MatMul(p, v) }"""
FORMS = {
    "bits": ("keep = Slice(bits, start, nn, axes)  z = Where(keep, m, low)", True),
    "bits of two axes": ("keep = Slice(plain, start, nn, axes)  z = Where(keep, m, low)", True),
    "bits joined with padding": (
        "own = Slice(bits, start, nn, axes)  keep = And(own, given)  w = Where(keep, zero, low)  z = Add(m, w)",
        True,
    ),
    "ones and zeros": (
        "part = Slice(numbers, start, nn, axes)  gone = Equal(part, zero)  z = Where(gone, low, m)",
        True,
    ),
    "all sizes known": ("z = Where(bits, m, low)", True),
    "numbers that are added": ("part = Slice(numbers, start, nn, axes)  z = Add(m, part)", False),
    "the same keys for all queries": ("keep = And(row, given)  z = Where(keep, m, low)", False),
    "the same queries for all keys": ("keep = And(padding, given)  z = Where(keep, m, low)", False),
    "another for each head": ("keep = Slice(by_head, start, nn, axes)  z = Where(keep, m, low)", False),
    "none": ("z = Identity(m)", False),
}


@pytest.mark.parametrize("name", FORMS)
def test_stored_masks(name: str) -> None:
    body, causal = FORMS[name]
    facts = walk(graph(ATTENTION % body)).facts
    assert facts["causal"] is causal
    assert facts["attention_macs"] != 0
    assert facts["causal_macs"] == (facts["attention_macs"] if causal else 0)


def test_a_table_of_the_places_in_a_block_is_none() -> None:
    """Scores of blocks have an axis more: 3 queries see 9 keys before, in and behind their block."""
    text = """(float[b, 7, 2, 3, 4] q, float[b, 7, 2, 4, 9] k, float[b, 7, 2, 9, 4] v) => (y)
        <bool[1, 1, 3, 9] near, float low = {-1e9}> {
        m = MatMul(q, k)  z = Where(near, m, low)  p = Softmax(z)  y = MatMul(p, v) }"""
    facts = walk(graph(text)).facts
    assert facts["attention_macs"] != 0
    assert facts["causal"] is False
