"""Random small networks: formulas over batch, sequence, height and width against walks made with numbers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from scalecalc.errors import ShapeError
from scalecalc.walk import Profile, walk
from tests.walk.graphs import load, model

GROUPS = ("params", "forward", "training", "memory")
UNARY = ("Relu", "Sigmoid", "Tanh", "Gelu", "Softplus", "HardSwish", "Exp")


class Writer:
    """Lines of a graph's text form, with the weights its nodes use."""

    def __init__(self, data: st.DataObject) -> None:
        self.data, self.lines, self.weights, self.count = data, [], [], 0

    def pick(self, *choices: Any) -> Any:
        return self.data.draw(st.sampled_from(choices))

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        self.count += 1
        text = ", ".join(f"{name} = {list(v) if isinstance(v, tuple) else v}" for name, v in attributes.items())
        self.lines.append(f"v{self.count} = {op}{f'<{text}>' if text else ''}({', '.join(inputs)})")
        return f"v{self.count}"

    def weight(self, *shape: int) -> str:
        self.weights.append(f"float[{', '.join(map(str, shape))}] w{len(self.weights)}")
        return f"w{len(self.weights) - 1}"

    def ints(self, *values: int) -> str:
        self.weights.append(f"int64[{len(values)}] i{len(self.weights)} = {{{', '.join(map(str, values))}}}")
        return f"i{len(self.weights) - 1}"

    def text(self, inputs: str, y: str) -> str:
        weights = f"<{', '.join(self.weights)}>" if self.weights else ""
        return f"({inputs}) => (float[N] out) {weights} {{ {' '.join(self.lines)} out = Identity({y}) }}"


def cnn(data: st.DataObject) -> str:
    """Convolutions, pools, norms and residuals over (batch, channels, height, width), then a head."""
    w = Writer(data)
    x, channels = "x", 3
    for _ in range(data.draw(st.integers(1, 4))):
        match w.pick("conv", "depthwise", "pool", "norm", "unary", "residual", "concat"):
            case "conv":
                wide, kernel, stride = w.pick(2, 4), w.pick(1, 2, 3), w.pick(1, 2)
                inputs = (x, w.weight(wide, channels, kernel, kernel), *([w.weight(wide)] if w.pick(0, 1) else []))
                x, channels = w.add("Conv", *inputs, strides=(stride,) * 2, pads=(w.pick(0, 1),) * 4), wide
            case "depthwise":
                x = w.add("Conv", x, w.weight(channels, 1, 3, 3), group=channels, pads=(1, 1, 1, 1))
            case "pool":
                op, size = w.pick("MaxPool", "AveragePool"), w.pick(2, 3)
                x = w.add(op, x, kernel_shape=(size,) * 2, strides=(2, 2), ceil_mode=w.pick(0, 1))
            case "norm":
                x = w.add("BatchNormalization", x, *(w.weight(channels) for _ in range(4)))
            case "unary":
                x = w.add(w.pick(*UNARY), x)
            case "residual":
                inner = w.add("Conv", x, w.weight(channels, channels, 3, 3), pads=(1, 1, 1, 1))
                x = w.add(w.pick("Add", "Mul"), x, inner)
            case "concat":
                x, channels = w.add("Concat", x, w.add("Relu", x), axis=1), 2 * channels
    if w.pick("global", "mean") == "global":
        x = w.add("Flatten", w.add("GlobalAveragePool", x))
    else:
        x = w.add("ReduceMean", x, w.ints(2, 3), keepdims=0)
    return w.text("float[batch, 3, h, w] x", w.add("Gemm", x, w.weight(channels, 5), w.weight(5)))


def transformer(data: st.DataObject) -> str:
    """Attention and feed-forward blocks over tokens, heads split by the shape arithmetic exporters write."""
    w = Writer(data)
    heads, width = w.pick(1, 2), w.pick(2, 4)
    d = heads * width
    x = w.add("Gather", w.weight(11, d), "x")
    for _ in range(data.draw(st.integers(1, 2))):
        h = w.add("LayerNormalization", x, w.weight(d), w.weight(d)) if w.pick(0, 1) else x
        if w.pick("attention", "feed-forward") == "attention":
            if w.pick(0, 1):
                fused = w.add("MatMul", h, w.weight(d, 3 * d))
                w.count += 3
                names = [f"v{w.count - 2 + i}" for i in range(3)]
                w.lines.append(f"{', '.join(names)} = Split<axis = -1>({fused}, {w.ints(d, d, d)})")
            else:
                names = [w.add("MatMul", h, w.weight(d, d)) for _ in range(3)]
            if w.pick(0, 1):
                to = w.ints(0, 0, heads, width)
            else:
                shape = w.add("Shape", x, start=0, end=2)
                to = w.add("Concat", shape, w.ints(heads, width), axis=0)
            q, k, v = (w.add("Transpose", w.add("Reshape", n, to), perm=p)
                       for n, p in zip(names, ((0, 2, 1, 3), (0, 2, 3, 1), (0, 2, 1, 3)), strict=True))  # fmt: skip
            scores = w.add("Softmax", w.add("MatMul", q, k))
            mixed = w.add("Transpose", w.add("MatMul", scores, v), perm=(0, 2, 1, 3))
            h = w.add("MatMul", w.add("Reshape", mixed, w.ints(0, 0, -1)), w.weight(d, d))
        else:
            up = w.add(w.pick(*UNARY), w.add("Add", w.add("MatMul", h, w.weight(d, 3 * d)), w.weight(3 * d)))
            h = w.add("MatMul", up, w.weight(3 * d, d))
        x = w.add("Add", x, h)
    return w.text("int64[batch, seq] x", w.add("MatMul", x, w.weight(d, 11)))


def mlp(data: st.DataObject) -> str:
    """Layers over (batch, seq, features), rows sliced, padded and stacked between them."""
    w = Writer(data)
    x, d = "x", 6
    for _ in range(data.draw(st.integers(1, 4))):
        match w.pick("dense", "unary", "split", "slice", "pad", "fold", "gate"):
            case "dense":
                wide = w.pick(2, 6)
                x, d = w.add("Add", w.add("MatMul", x, w.weight(d, wide)), w.weight(wide)), wide
            case "unary":
                x = w.add(w.pick(*UNARY), x)
            case "split":
                x = w.add("Concat", x, w.add("Tanh", x), axis=1)
            case "slice":
                x = w.add("Slice", x, w.ints(0), w.ints(2**63 - 1), w.ints(1), w.ints(w.pick(1, 2)))
            case "pad":
                x = w.add("Pad", x, w.ints(0, 1, 0, 0, 2, 0))
            case "fold":
                rows = w.add("MatMul", w.add("Reshape", x, w.ints(-1, d)), w.weight(d, d))
                x = w.add("Reshape", rows, w.add("Shape", x))
            case "gate":
                x = w.add("Mul", x, w.add("Sigmoid", w.add("ReduceMean", x, w.ints(1))))
    return w.text("float[batch, seq, 6] x", w.add("MatMul", x, w.weight(d, 3)))


def counts(profile: Profile, sizes: dict[str, int]) -> dict[str, int | None]:
    return {f"{group}.{name}": q.value(sizes) for group in GROUPS for name, q in getattr(profile, group).items()}


def check(text: str, sizes: dict[str, int]) -> None:
    proto = model(text)
    loaded = load(proto)
    formulas = walk(loaded)
    assert formulas.complete
    assert set(formulas.symbols) <= set(sizes)
    try:
        numbers = walk(loaded, sizes=sizes)
    except ShapeError:  # too small for a window: the formulas name it as a condition
        assert any(" >= " in line for line in formulas.conditions)
        return
    assert not numbers.symbols
    assert counts(formulas, sizes) == counts(numbers, {})
    assert sum(node.macs for node in numbers.nodes) == numbers.forward["macs"].formula  # type: ignore[misc]
    assert 0 <= numbers.training["backward_matrix_flops"].formula <= 2 * numbers.forward["matrix_flops"].formula  # type: ignore[operator]
    shape = [sizes.get(d.dim_param, d.dim_value) for d in proto.graph.input[0].type.tensor_type.shape.dim]
    dtype = np.int64 if "int64[batch" in text else np.float32
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # windows of padding alone have no mean
        (out,) = ReferenceEvaluator(proto).run(None, {"x": np.ones(shape, dtype)})
    assert numbers.outputs["out"] == out.shape
    family = walk(loaded, family=True)
    assert not family.pending
    hints = {s.name: s.hint for s in family.symbols.values() if s.hint is not None}
    assert counts(family, {**hints, **sizes}) == counts(numbers, {})


SIZE = st.integers(1, 13)


@settings(deadline=None, max_examples=60)
@given(st.data(), st.fixed_dictionaries({"batch": SIZE, "h": SIZE, "w": SIZE}))
def test_cnns(data: st.DataObject, sizes: dict[str, int]) -> None:
    check(cnn(data), sizes)


@settings(deadline=None, max_examples=60)
@given(st.data(), st.fixed_dictionaries({"batch": SIZE, "seq": SIZE}))
def test_transformers(data: st.DataObject, sizes: dict[str, int]) -> None:
    check(transformer(data), sizes)


@settings(deadline=None, max_examples=60)
@given(st.data(), st.fixed_dictionaries({"batch": SIZE, "seq": SIZE}))
def test_mlps(data: st.DataObject, sizes: dict[str, int]) -> None:
    check(mlp(data), sizes)
