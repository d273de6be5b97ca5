"""Arithmetic on shapes as exporters write it: the walk's symbols against execution at several sizes."""

from __future__ import annotations

import warnings
from itertools import product
from typing import Any

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from scalecalc.dims import evaluate
from scalecalc.ops import itemsize
from scalecalc.walk import walk
from scalecalc.walk.forward import Forward
from scalecalc.walk.symbols import Declarations
from tests.walk.graphs import graph, load, model

CHAINS = {
    "flatten as torch writes it": """(float[b, c, h, w] x) => (float[N, M] y)
        <int64[1] zero = {0}, int64 first = {0}, int64[1] rest = {-1}> {
            s = Shape(x)  b = Gather(s, first)  b1 = Unsqueeze(b, zero)  to = Concat<axis=0>(b1, rest)
            y = Reshape(x, to) }""",
    "heads of an attention": """(float[b, s, 12] x) => (float[N, M, O, P] y)
        <int64[1] zero = {0}, int64 i0 = {0}, int64 i1 = {1}, int64 i2 = {2}, int64 heads = {3}> {
            s = Shape(x)  b = Gather(s, i0)  t = Gather(s, i1)  d = Gather(s, i2)  e = Div(d, heads)
            b1 = Unsqueeze(b, zero)  t1 = Unsqueeze(t, zero)  h1 = Unsqueeze(heads, zero)  e1 = Unsqueeze(e, zero)
            to = Concat<axis=0>(b1, t1, h1, e1)  y = Reshape(x, to) }""",
    "expand with -1 for what stays": """(float[1, s, 1] x, float[b, s, 4] z) => (float[N, M, O] y)
        <int64[3] want = {2, -1, 4}, int64[1] three = {3}, int64 minus = {-1}> {
            ones = ConstantOfShape<value = int64[1] {1}>(three)  m = Mul(ones, minus)  same = Equal(want, m)
            to = Where(same, ones, want)  y = Expand(x, to) }""",
    "positions": """(int64[b, s] x) => (int64[N, M] y)
        <int64 zero = {0}, int64 one = {1}, int64[1] zeros = {0}> {
            sh = Shape(x)  n = Gather(sh, one)  r = Range(zero, n, one)  y = Unsqueeze(r, zeros) }""",
    "half of the channels": """(float[b, 8, h, w] x) => (float[N, M, O, P] y)
        <int64 one = {1}, int64 two = {2}, int64[1] zero = {0}, int64[1] axis = {1}> {
            s = Shape(x)  c = Gather(s, one)  half = Div(c, two)  end = Unsqueeze(half, zero)
            y = Slice(x, zero, end, axis) }""",
    "a window at the end": """(float[b, s, 4] x) => (float[N, M, O] y)
        <int64[1] start = {-1}, int64[1] far = {9223372036854775807}, int64[1] axis = {1}> {
            y = Slice(x, start, far, axis) }""",
    "the product of a slice of the shape": """(float[b, c, h, w] x) => (float[N, M] y)
        <int64[1] two = {2}, int64[1] far = {9223372036854775807}, int64[1] one = {1}, int64[1] zero = {0}> {
            s = Shape(x)  hw = Slice(s, two, far)  n = ReduceProd<keepdims=1>(hw)  b = Slice(s, zero, one)
            c = Slice(s, one, two)  bc = Mul(b, c)  to = Concat<axis=0>(bc, n)  y = Reshape(x, to) }""",
    "through floats and back": """(float[b, s, 6] x) => (float[N, M] y)
        <int64 i0 = {0}, int64 i1 = {1}, float six = {6.0}, int64[1] zero = {0}> {
            s = Shape(x)  b = Gather(s, i0)  t = Gather(s, i1)  f = Cast<to=1>(t)  g = Mul(f, f)  q = Div(g, f)
            r = Floor(q)  i = Cast<to=7>(r)  n = Mul(b, i)  n1 = Unsqueeze(n, zero)  d = Cast<to=7>(six)
            d1 = Unsqueeze(d, zero)  to = Concat<axis=0>(n1, d1)  y = Reshape(x, to) }""",
    "a causal mask": """(float[b, s] x) => (float[N, M] y)
        <int64 one = {1}, float fill = {-1e9}> {
            sh = Shape<start=1>(x)  two = Concat<axis=0>(sh, sh)  m = ConstantOfShape<value = float[1] {1.0}>(two)
            y = Trilu<upper=0>(m) }""",
    "split sizes": """(float[b, 9] x) => (float[N, M] y)
        <int64[2] parts = {4, 5}> { y, z = Split<axis=1>(x, parts) }""",
    "size and modulo": """(float[b, s] x) => (float[N, M] y)
        <int64 two = {2}, int64[1] zero = {0}, int64[1] single = {1}> {
            n = Size(x)  r = Mod(n, two)  e = Sub(n, r)  f = Add(e, r)  f1 = Unsqueeze(f, zero)
            one = ConstantOfShape<value = int64[1] {1}>(single)  to = Concat<axis=0>(f1, one)  y = Reshape(x, to) }""",
    "the larger of a size and one": """(float[b, s] x) => (float[N, M] y)
        <int64[1] one = {1}> { s = Shape(x)  m = Max(s, one)  y = Expand(x, m) }""",
    "padding to a multiple": """(float[b, s] x) => (float[N, M] y)
        <int64[1] i1 = {1}, int64[1] four = {4}, int64[1] zero = {0}, int64[3] head = {0, 0, 0}> {
            s = Shape(x)  n = Gather(s, i1)  neg = Neg(n)  gap = Mod(neg, four)  pads = Concat<axis=0>(head, gap)
            y = Pad(x, pads) }""",
    "upsampled by its own size": """(float[b, s] x) => (float[N, M] y)
        <int64[2] twice = {1, 2}> { s = Shape(x)  to = Mul(s, twice)  half = Div(to, twice)  y = Expand(x, half) }""",
}


def forward(proto: Any) -> Forward:
    loaded = load(proto)
    found = Forward(loaded, Declarations(loaded))
    found.run()
    return found


@pytest.mark.parametrize("name", CHAINS)
def test_chains_give_what_execution_gives(name: str) -> None:
    proto = model(CHAINS[name])
    found = forward(proto)
    inner = [output for node in proto.graph.node for output in node.output]
    del proto.graph.output[:]
    for output in inner:
        proto.graph.output.add(name=output)
    letters = sorted({d.dim_param for x in proto.graph.input for d in x.type.tensor_type.shape.dim if d.dim_param})
    checked = 0
    for sizes in product((2, 3, 8), repeat=len(letters)):
        at = dict(zip(letters, sizes, strict=True))
        fed = {
            x.name: np.ones([at.get(d.dim_param, d.dim_value) for d in x.type.tensor_type.shape.dim],
                            {1: np.float32, 7: np.int64}[x.type.tensor_type.elem_type])
            for x in proto.graph.input
        }  # fmt: skip
        for output, result in zip(inner, ReferenceEvaluator(proto).run(None, fed), strict=True):
            value = found.values[output]
            assert tuple(evaluate(dim, at) for dim in value.shape) == np.shape(result)
            assert value.dtype == str(np.asarray(result).dtype)
            if value.value is not None:
                known = [x if isinstance(x, bool | float) else evaluate(x, at) for x in value.value]
                assert known == np.asarray(result).ravel().tolist()
                checked += 1
    assert checked or name in ("a window at the end", "split sizes")
    assert not found.system.pending


@pytest.mark.parametrize(
    ("op", "a", "b", "value"),
    [
        # ONNX divides integers toward zero; floats that came from shapes stay exact where the quotient is whole
        ("Div", "int64 a = {7}", "int64 b = {-2}", -3),
        ("Div", "int64 a = {-7}", "int64 b = {2}", -3),
        ("Div", "float a = {7.0}", "float b = {2.0}", 3.5),
        ("Div", "float a = {1.0}", "float b = {0.0}", None),
        ("Mod", "int64 a = {-7}", "int64 b = {4}", 1),
        ("Max", "int64 a = {3}", "int64 b = {5}", 5),
        ("Min", "int64 a = {3}", "int64 b = {5}", 3),
        ("Equal", "int64 a = {3}", "int64 b = {3}", True),
        ("Less", "int64 a = {3}", "int64 b = {5}", True),
        ("GreaterOrEqual", "int64 a = {3}", "int64 b = {5}", False),
        ("LessOrEqual", "int64 a = {5}", "int64 b = {5}", True),
        ("Greater", "int64 a = {5}", "int64 b = {5}", False),
    ],
)  # fmt: skip
def test_numbers(op: str, a: str, b: str, value: Any) -> None:
    proto = model(f"(float[2] x) => (float[1] y) <{a}, {b}> {{ y = {op}(a, b) }}")
    assert forward(proto).values["y"].value == (value,)
    if value is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (result,) = ReferenceEvaluator(proto).run(None, {"x": np.ones(2, np.float32)})
        assert result == value


def values(text: str) -> dict[str, Any]:
    found = forward(model(text))
    shown = {name: value.value for name, value in found.values.items() if value.value is not None}
    return {name: tuple(map(str, entries)) for name, entries in shown.items()} | {
        "conditions": tuple(map(str, found.system.conditions))
    }


def test_integers_cast_to_floats_divide_as_floats() -> None:
    found = values("""(float[7, s] x) => (float[N] y) <int64 i = {0}, int64 j = {1}, int64 two = {2}> {
        sh = Shape(x)  n = Gather(sh, i)  s = Gather(sh, j)  f = Cast<to=1>(n)  t = Cast<to=1>(two)  q = Div(f, t)
        r = Sqrt(f)  g = Cast<to=1>(s)  u = Div(f, r)  c = Ceil(q)  y = Cast<to=7>(c) }""")
    assert (found["q"], found["r"], found["y"]) == (("3.5",), (str(7**0.5),), ("4",))


def test_fractions_of_sizes_are_rounded_to_sizes() -> None:
    found = values("""(float[b, s] x) => (float[N] y)
        <int64 i = {1}, float half = {0.5}, float third = {0.33333334}, float two = {2.0}, int64[1] zero = {0}> {
        sh = Shape(x)  s = Gather(sh, i)  f = Cast<to=1>(s)  h = Mul(half, f)  cut = Cast<to=7>(h)  low = Floor(h)
        d = Div(f, two)  up = Ceil(d)  t = Mul(f, third)  part = Floor(t)  q = Mul(h, half)  quarter = Cast<to=6>(q)
        whole = Mul(h, two)  y = Identity(whole) }""")
    assert (found["cut"], found["low"], found["up"]) == (("(s//2)",), ("(s//2)",), ("((s + 1)//2)",))
    assert (found["part"], found["quarter"], found["y"]) == (("(s//3)",), ("(s//4)",), ("s",))


def test_a_fraction_of_a_size_is_no_size() -> None:
    profile = walk(
        graph("""(float[b, s] x) => (float[N] y)
        <int64 i = {1}, float half = {0.5}, float none = {0.0}, float one = {1.0}> {
        sh = Shape(x)  s = Gather(sh, i)  f = Cast<to=1>(s)  h = Mul(half, f)  y = Range(none, h, one) }""")
    )
    assert [str(dim) for dim in profile.outputs["y"] or ()] == ["N"]


def test_what_sizes_decide_stays_open_and_what_they_cannot_is_decided() -> None:
    found = values("""(float[b, s] x) => (float[N] y) <int64 i = {1}, int64 zero = {0}, int64 nine = {9}> {
        sh = Shape(x)  s = Gather(sh, i)  none = Equal(s, zero)  nine_of_them = Equal(s, nine)  some = Greater(s, zero)
        short = Less(s, nine)  picked = Where(none, zero, s)  open = Where(short, zero, s)  there = Cast<to=9>(s)
        not_none = Not(none)  y = Identity(some) }""")
    assert (found["none"], found["some"], found["not_none"], found["there"]) == (
        ("False",), ("True",), ("True",), ("True",)
    )  # fmt: skip
    assert (found["nine_of_them"], found["short"], found["open"]) == (("None",), ("None",), ("None",))
    assert found["picked"] == ("s",)
    assert found["conditions"] == ()


@pytest.mark.parametrize("order", ["s, most", "most, s"])
def test_clipped_sizes_are_the_size_on_a_condition(order: str) -> None:
    found = values(f"""(float[b, s] x) => (float[N] y) <int64 i = {{1}}, int64 most = {{512}}> {{
        sh = Shape(x)  s = Gather(sh, i)  low = Min({order})  y = Max({order}) }}""")
    assert (found["low"], found["y"]) == (("s",), ("s",))
    assert found["conditions"] == ("s <= 512", "s >= 512")


def test_a_float_beside_a_size_is_no_error() -> None:
    found = values("""(float[b, s] x) => (float[N] y) <int64 i = {1}, float half = {0.5}> {
        sh = Shape(x)  s = Gather(sh, i)  f = Cast<to=1>(s)  a = Add(f, half)  m = Mul(f, half)  d = Sub(half, f)
        y = Less(m, half)  g = Greater(f, half)  p = Neg(m)  b = Cast<to=9>(m) }""")
    assert all(found[name] == ("None",) for name in "adygpb")


def test_a_size_divided_by_nothing_is_unknown() -> None:
    found = values("""(float[b, s] x) => (float[N] y) <int64 i = {1}, int64 zero = {0}, int64 minus = {-2}> {
        sh = Shape(x)  s = Gather(sh, i)  q = Div(s, zero)  y = Div(s, minus) }""")
    assert (found["q"], found["y"]) == (("None",), ("-(s//2)",))


def test_shapes_computed_from_contents_are_those_the_file_declares() -> None:
    profile = walk(graph("(float[b, 4] x, int64[2] n) => (float[N, M] y) { y = Reshape(x, n) }"))
    assert profile.complete
    assert [str(dim) for dim in profile.outputs["y"] or ()] == ["N", "M"]


def test_long_tensors_carry_no_values() -> None:
    found = forward(
        model("""(float[b] x) => (float[N] y) <int64 zero = {0}, int64 many = {65}, int64 one = {1}> {
        r = Range(zero, many, one)  f = Cast<to=1>(r)  y = Add(x, f) }""")
    )
    assert (found.values["r"].value, found.values["r"].limit) == (None, 65)


@pytest.mark.parametrize(
    ("dtype", "size"),
    [("float32", 4), ("float64", 8), ("float16", 2), ("bfloat16", 2), ("float8_e4m3fn", 1), ("float8_e8m0fnu", 1),
     ("float6_e2m3fn", 1), ("float4_e2m1fn", 1), ("int64", 8), ("uint16", 2), ("int8", 1), ("uint4", 1), ("int2", 1),
     ("bool", 1), ("complex64", 8), ("complex128", 16), ("string", 1), ("", 1)],
)  # fmt: skip
def test_bytes_of_an_element(dtype: str, size: int) -> None:
    assert itemsize(dtype) == size
