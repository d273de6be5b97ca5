"""Small files made to cost much: each is answered or refused at once."""

import contextlib
import resource
import time

import pytest

from scalecalc.errors import ScalecalcError
from scalecalc.walk import walk
from tests.walk.graphs import graph

SECONDS, MEGABYTES = 5, 300


def chain(first: str, step: str, count: int) -> str:
    return first + " ".join(step.format(a=f"v{i}", b=f"v{i + 1}") for i in range(count))


BOMBS = {
    "a number squared over and over": "(float[b, 4] x) => (float[b, 4] y) <int64[1] v0 = {3}> { "
    + chain("", "{b} = Mul({a}, {a})", 40) + " y = Reshape(x, v40) }",
    "a size squared over and over": "(float[b, 4] x) => (float[b, 4] y) { v0 = Shape(x) "
    + chain("", "{b} = Mul({a}, {a})", 40) + " y = Reshape(x, v40) }",
    "axes doubled over and over": "(int64[2, 2] v0) => (int64[1] y) { " + chain("", "{b} = Gather({a}, {a})", 40)
    + " y = Identity(v40) }",
    "many named axes in one": "(float[" + ", ".join(f"a{i}" for i in range(40)) + "] x) => (float[N] y)"
    " <int64[1] s = {-1}> { y = Reshape(x, s) }",
    "sums multiplied": "(float[" + ", ".join(f"a{i}" for i in range(30)) + "] x, float["
    + ", ".join(f"b{i}" for i in range(30)) + "] z) => (float[N] y) { "
    + " ".join(f"v{i + 1} = Concat<axis={i}>({'x' if i == 0 else f'v{i}'}, z)" for i in range(30))
    + " y = Relu(v30) }",
    "a tower of powers": '(float["((((((9**16)**16)**16)**16)**16)**16)"] x) => (float[n] y) { y = Relu(x) }',
    "a power of a sum": '(float["(a+b+c+d+e+f+g+h)**16"] x) => (float[n] y) { y = Relu(x) }',
    "a giant range": "(float[b] x) => (float[n] y) <int64 z = {0}, int64 n = {9223372036854775807}, int64 o = {1}>"
    " { r = Range(z, n, o) f = Cast<to=1>(r) y = Identity(f) }",
    "a giant split": "(float[4611686018427387904] x) => (float[n] y)"
    " { y = Split<axis=0, num_outputs=4611686018427387904>(x) }",
}  # fmt: skip


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_bombs(text: str) -> None:
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with contextlib.suppress(ScalecalcError):
        assert len(str(walk(graph(text)).forward["vector_flops"].formula)) < 10**6
    assert time.process_time() - start < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024
