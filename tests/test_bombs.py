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
    "sums multiplied": "(float[" + ", ".join(f'"a{i} + b{i}"' for i in range(30)) + "] x) => (float[N] y)"
    " { y = Relu(x) }",
    "a tower of powers": '(float["((((((9**16)**16)**16)**16)**16)**16)"] x) => (float[n] y) { y = Relu(x) }',
    "powers of a size": '(float["((((((a**16)**16)**16)**16)**16)**16)"] x) => (float[n] y) { y = Relu(x) }',
    "a power of a fraction": '(float["(a/2)**2", "1.5**2"] x) => (float[n, m] y) { y = Relu(x) }',
    "rests of rests": '(float["' + "%".join(f"a{i}" for i in range(60)) + '"] x) => (float[n] y) { y = Relu(x) }',
    "floors of floors": "(float[b, 4] x) => (float[b, 4] y) <int64[1] c = {3}, int64[1] d = {5}> { v0 = Shape(x) "
    + chain("", "m{a} = Mul({a}, c) {b} = Div(m{a}, d)", 2000) + " y = Reshape(x, v2000) }",
    "sums of floors of sums": "(float[h] v0, float[w] w0) => (float[n] y) <int64[1] z = {0}, int64[1] e = {9999999999},"
    " int64[1] two = {2}, int64[1] three = {3}> { "
    + chain("", "p{a} = Slice({a}, z, e, z, two) q{a} = Slice(w{a}, z, e, z, three) {b} = Concat<axis=0>(p{a}, q{a})"
    " w{b} = Concat<axis=0>(q{a}, p{a})", 30).replace("wv0", "w0") + " y = Relu(v30) }",
    "a product of all entries, over and over": "(float[b] x) => (float[n] y) <int64[1] v0 = {4611686018427387904}> { "
    + chain("", "c{a} = Concat<axis=0>(" + ", ".join(["{a}"] * 60) + ") {b} = ReduceProd<keepdims=1>(c{a})", 6)
    + " y = Reshape(x, v6) }",
    "sizes squared as shapes": "(float[b] v0) => (float[n] y) <int64[1] all = {-1}> { "
    + chain("", "s{a} = Shape({a}) t{a} = Concat<axis=0>(s{a}, s{a}) e{a} = ConstantOfShape(t{a})"
    " {b} = Reshape(e{a}, all)", 40) + " y = Relu(v40) }",
    "numbers squared as shapes": "(float[1000000] v0) => (float[n] y) <int64[1] all = {-1}> { "
    + chain("", "s{a} = Shape({a}) t{a} = Concat<axis=0>(s{a}, s{a}) e{a} = ConstantOfShape(t{a})"
    " {b} = Reshape(e{a}, all)", 40) + " y = Relu(v40) }",
    "a size times a number over and over": "(float[b, 4] x) => (float[b, 4] y) <int64[1] c = {4611686018427387904}>"
    " { v0 = Shape(x) " + chain("", "{b} = Mul({a}, c)", 20_000) + " y = Reshape(x, v20000) }",
    "a power of a sum": '(float["(a+b+c+d+e+f+g+h)**16"] x) => (float[n] y) { y = Relu(x) }',
    "a giant range": "(float[b] x) => (float[n] y) <int64 z = {0}, int64 n = {9223372036854775807}, int64 o = {1}>"
    " { r = Range(z, n, o) f = Cast<to=1>(r) y = Identity(f) }",
    "attentions masked by each other": "(float[b, 2, 8, 8] v0) => (float[b, 2, 8, 8] y) { "
    + chain("", "{b} = Attention({a}, {a}, {a}, {a})", 4000) + " y = Relu(v4000) }",
    "softmaxes along a chain": "(float[b, 8, 8] x) => (float[b, 8, 8] y) <float c = {2}> { v0 = MatMul(x, x) "
    + chain("", "{b} = Mul({a}, c) p{a} = Softmax({b})", 6000) + " y = Relu(v6000) }",
    "loops with ends of their own": "(float[b, 8] v0, int64 n) => (float[b, 8] y) <bool c = {1}> { "
    + " ".join(f"v{i + 1} = Loop(n, c, v{i}) <body = g{i} (int64 i{i}, bool k{i}, float[b, 8] s{i}) => "
               f"(bool q{i}, float[b, 8] t{i}) {{ q{i} = Identity(k{i}) t{i} = Relu(s{i}) }}>" for i in range(3000))
    + " y = Relu(v3000) }",
    "sines of sines": "(float[b, 8] v0) => (float[b, 8] y) <float[8] w> { "
    + chain("", "m{a} = Mul({a}, w) {b} = Sin(m{a})", 3000) + " y = Relu(v3000) }",
    "first states cut from each other": "(float[5, 2, 4] x, float[1, 2, 4] v0) => (float[5, 1, 2, 4] y)"
    " <float[1, 12, 4] w, float[1, 12, 4] r, int64[1] z = {0}, int64[1] e = {1}> { "
    + chain("", "{b} = Slice({a}, z, e) y{a} = GRU<hidden_size = 4>(x, w, r, , , {b})", 6000) + " y = Relu(yv5999) }",
    "what may be Gelus, of products squared over and over": "(float[b, 8] v0) => (float[b, 8] y)"
    " <float h = {0.5}, float one = {1}> { " + chain("", "{b} = Mul({a}, {a})", 11)
    + " ".join(f"e{i} = Erf(v11) o{i} = Add(e{i}, one) q{i} = Mul(v0, o{i}) g{i} = Mul(q{i}, h)" for i in range(2000))
    + " y = Relu(g0) }",
    "windows far apart": "(float[1, 1, height, 4] x) => (float[1, 1, n, 4] y) { "
    + " ".join(f"a{i} = AveragePool<kernel_shape = [{i + 2}, 1], strides = [4093, 1]>(x)" for i in range(1500))
    + " y = Relu(a0) }",
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
