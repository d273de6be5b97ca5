"""Valid graphs of many operators, and random damage to their structure: for `test_fuzz.py`."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper

from scalecalc.ops import OPERATORS
from tests.walk.graphs import model

GRAPHS = {
    "vision": """(float[n,3,"h","w"] x) => (float[n,10] y)
      <float[8,3,3,3] w1, float[8] s, float[8] b, float[8] m, float[8] v, float[8,4,2,2] w2, float[10,4] w3,
       float[10] b3, int64[8] pads, float[4] scales> {
        a = Conv<strides=[2,2], pads=[1,1,1,1], kernel_shape=[3,3], group=1>(x, w1)
        c = BatchNormalization<epsilon=0.00001>(a, s, b, m, v)
        d = Relu(c)
        e = MaxPool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1], ceil_mode=0>(d)
        f = ConvTranspose<strides=[2,2], output_padding=[0,0]>(e, w2)
        g = LeakyRelu<alpha=0.1>(f)
        p = AveragePool<kernel_shape=[2,2], auto_pad="SAME_UPPER">(g)
        q = LRN<size=5>(p)
        r = GlobalAveragePool(q)
        t = Flatten<axis=1>(r)
        u = Gemm<transB=1, alpha=1.0>(t, w3, b3)
        y = Softmax<axis=-1>(u)
      }""",
    "language": """(int64[n,s] ids) => (float[n,s,50] y)
      <float[50,16] table, float[64,16] places, float[16] g, float[16] b, float[16,48] wqkv, float[16,16] wo,
       float[16,32] w1, float[32] b1, float[32,16] w2> {
        e = Gather<axis=0>(table, ids)
        sh = Shape(ids)
        i1 = Constant<value = int64 {1}>()
        zero = Constant<value = int64 {0}>()
        len = Gather<axis=0>(sh, i1)
        pos = Range(zero, len, i1)
        p = Gather(places, pos)
        x = Add(e, p)
        last = Constant<value = int64[1] {-1}>()
        mean = ReduceMean<keepdims=1>(x, last)
        d = Sub(x, mean)
        two = Constant<value = float {2.0}>()
        dd = Pow(d, two)
        var = ReduceMean<keepdims=1>(dd, last)
        eps = Constant<value = float {0.00001}>()
        ve = Add(var, eps)
        sd = Sqrt(ve)
        nn = Div(d, sd)
        ng = Mul(nn, g)
        nb = Add(ng, b)
        qkv = MatMul(nb, wqkv)
        q, k, v = Split<axis=-1, num_outputs=3>(qkv)
        hs = Constant<value = int64[4] {0, 0, 4, 4}>()
        qh = Reshape(q, hs)
        kh = Reshape(k, hs)
        vh = Reshape(v, hs)
        qt = Transpose<perm=[0,2,1,3]>(qh)
        kt = Transpose<perm=[0,2,3,1]>(kh)
        vt = Transpose<perm=[0,2,1,3]>(vh)
        qk = MatMul(qt, kt)
        scale = Constant<value = float {2.0}>()
        sc = Div(qk, scale)
        ss = Concat<axis=0>(lenv, lenv)
        lenv = Unsqueeze(len, zerov)
        zerov = Constant<value = int64[1] {0}>()
        ones = ConstantOfShape<value = float[1] {1.0}>(ss)
        tri = Trilu<upper=0>(ones)
        mask = Cast<to=9>(tri)
        low = Constant<value = float {-10000.0}>()
        masked = Where(mask, sc, low)
        att = Softmax<axis=-1>(masked)
        av = MatMul(att, vt)
        at = Transpose<perm=[0,2,1,3]>(av)
        flat = Constant<value = int64[3] {0, 0, 16}>()
        ar = Reshape(at, flat)
        ao = MatMul(ar, wo)
        r = Add(x, ao)
        h = MatMul(r, w1)
        hb = Add(h, b1)
        rt = Constant<value = float {1.41421356}>()
        hd = Div(hb, rt)
        er = Erf(hd)
        one = Constant<value = float {1.0}>()
        e1 = Add(er, one)
        he = Mul(hb, e1)
        half = Constant<value = float {0.5}>()
        ge = Mul(he, half)
        o = MatMul(ge, w2)
        ro = Add(r, o)
        tt = Transpose<perm=[1,0]>(table)
        y = MatMul(ro, tt)
      }""",
    "shapes": """(float[n,6,s] x, int64[n,s] i) => (float[a,b] y, float[c] z, int64[e] k, float[f,g] t)
      <float[6,6] w> {
        st = Constant<value_ints=[0,1]>()
        en = Constant<value_ints=[9223372036854775807,5]>()
        ax = Constant<value_ints=[0,1]>()
        sp = Constant<value_ints=[1,2]>()
        a1 = Slice(x, st, en, ax, sp)
        pd = Constant<value_ints=[0,0,1,0,0,1]>()
        a2 = Pad<mode="constant">(a1, pd)
        rep = Constant<value_ints=[1,2,1]>()
        a3 = Tile(a2, rep)
        one = Constant<value_ints=[1]>()
        a4 = Unsqueeze(a3, one)
        a5 = Squeeze(a4, one)
        kk = Constant<value_ints=[2]>()
        a6, a7 = TopK<axis=1, largest=1>(a5, kk)
        a8 = Cast<to=1>(a7)
        a9 = Concat<axis=1>(a6, a8)
        b1 = ReduceSum<keepdims=0>(a9, kk)
        b2 = Einsum<equation="ij,kj->ik">(b1, b1)
        b3 = CumSum(b2, zero)
        zero = Constant<value_int=0>()
        b4 = ReduceMax<keepdims=1>(b3, one)
        sz = Shape<start=0, end=2>(b3)
        b5 = Expand(b4, sz)
        dp = Constant<value_int=7>()
        vals = Constant<value_floats=[0.0,1.0]>()
        oh = OneHot<axis=-1>(i, dp, vals)
        om = ReduceMean<keepdims=0>(oh, one)
        y = Add(b5, b5)
        fl = Flatten<axis=2>(om)
        zz = Reshape(b5, neg)
        neg = Constant<value_ints=[-1]>()
        z = Identity(zz)
        am = ArgMax<axis=1, keepdims=0>(b5)
        k = Identity(am)
        dd = DepthToSpace<blocksize=2>(img)
        i4 = Constant<value_ints=[1,4,3,3]>()
        img = ConstantOfShape<value = float[1] {2.0}>(i4)
        sd = SpaceToDepth<blocksize=2>(dd)
        gn = GatherND<batch_dims=0>(w, idx)
        idx = Constant<value = int64[2,1] {0, 1}>()
        su = ScatterND(w, idx, gn)
        ge = GatherElements<axis=0>(su, idx)
        ey = EyeLike<k=0>(su)
        t = MatMul(ey, w)
      }""",
    "types": """(float[n,8] x) => (float[n,4] y, bool[n,8] z)
      <int8[8,4] wq, float[] sc, int8[] zp, float[8] g, float[8] b, float[8] slope> {
        q = QuantizeLinear<axis=1>(x, sc, zp)
        m = MatMulInteger(q, wq, zp, zp)
        mf = Cast<to=1>(m)
        wd = DequantizeLinear(wq, sc, zp)
        mm = MatMul(x, wd)
        y = Sum(mf, mm, mm)
        ln = LayerNormalization<axis=-1, epsilon=0.00001>(x, g, b)
        rn = RMSNormalization<axis=-1>(ln, g)
        pr = PRelu(rn, slope)
        lo = Constant<value_float=0.0>()
        cl = Clip(pr, lo)
        dr, dm = Dropout(cl)
        ge = Gelu<approximate="tanh">(dr)
        el = Elu<alpha=1.0>(ge)
        le = LessOrEqual(el, lo)
        nt = Not(le)
        z = And(nt, le)
      }""",
}
OLD = """(float[n,4,"h","w"] x) => (float[a,b] y) <float[6,4] w, float[6] bias, float[4] sc, float[4] up> {
        a = Slice<starts=[0], ends=[4], axes=[1]>(x)
        b = Pad<pads=[0,0,1,1,0,0,1,1], value=0.0>(a)
        c = Upsample<mode="nearest">(b, up)
        d = Clip<min=0.0, max=6.0>(c)
        e = ReduceMean<axes=[2,3], keepdims=1>(d)
        f = Squeeze<axes=[2,3]>(e)
        g = Unsqueeze<axes=[0]>(f)
        h = Squeeze<axes=[0]>(g)
        i, j = Split<axis=1, split=[2,2]>(h)
        k = Concat<axis=1>(i, j)
        l, m = TopK<axis=1, k=4>(k)
        o = Dropout<ratio=0.1>(l)
        y = Gemm<transB=1>(o, w, bias)
      }"""
NUMBERS = (0, 1, -1, 2, 3, 7, -7, 64, 65, 1000, 2**31 - 1, 2**31, 2**53, 2**62, 2**63 - 1, -(2**63))
TEXTS = ("", "SAME_UPPER", "VALID", "linear", "ij,jk->ik", "...ij->", "->", "a" * 300, "\n\r\x00", "1", "ü")
NAMES = ("n", "s", "", "?", "unk__7", "a b", "n*2", "n/0", "n//2", "2**99", "s-9", "-n", "floor(n/3)", "x.y", "é", "0x")
SIZES = (0, 1, 2, 3, 5, 6, 64, 1 << 20, 2**40, 2**62, -1, -5)


def corpus() -> list[ModelProto]:
    """The valid models."""
    return [*(model(text, 23) for text in GRAPHS.values()), model(OLD, 9)]


def damage(proto: ModelProto, rng: random.Random) -> ModelProto:
    """A copy with one to four random wrongs."""
    broken = ModelProto()
    broken.CopyFrom(proto)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        rng.choice(WRONGS)(broken.graph, rng)
        if rng.random() < 0.02:
            broken.opset_import[0].version = rng.choice((0, 6, 7, 9, 11, 12, 13, 17, 18, 23, 99, -1, 2**40))
    return broken


def _node(graph: GraphProto, rng: random.Random) -> NodeProto:
    return rng.choice(graph.node) if graph.node else graph.node.add(op_type="Relu")


def _value(graph: GraphProto, rng: random.Random) -> str:
    names = [name for node in graph.node for name in (*node.input, *node.output)]
    return rng.choice([*names, *(i.name for i in graph.input), *(i.name for i in graph.initializer), "", "nothing"])


def _content(rng: random.Random) -> Any:
    return rng.choice((
        lambda: rng.choice(NUMBERS),
        lambda: [rng.choice(NUMBERS) for _ in range(rng.randrange(6))] or helper.make_tensor("t", 7, [0], []),
        lambda: [rng.randrange(-2, 4) for _ in range(rng.randrange(1, 6))],
        lambda: rng.choice((0.0, -1.5, float("nan"), float("inf"), 1e300)),
        lambda: [rng.choice((0.5, float("nan"), -float("inf")))] * rng.randrange(1, 4),
        lambda: rng.choice(TEXTS),
        lambda: [rng.choice(TEXTS)] * rng.randrange(1, 3),
        lambda: _tensor(rng),
        lambda: helper.make_graph([], "body", [], []),
    ))()  # fmt: skip


def _tensor(rng: random.Random, name: str = "t") -> TensorProto:
    kind = rng.choice((1, 1, 6, 7, 7, 7, 9, 10, 11, 16, 3))
    shape = [rng.choice((0, 1, 1, 2, 3, 4)) for _ in range(rng.randrange(4))]
    count = 1
    for size in shape:
        count *= size
    pool = (0, 1) if kind == 9 else (0, 1, 2, 127) if kind == 3 else (0, 1, -1, 2, 3, 5, 2**31 - 1)
    if kind == 7:
        pool = NUMBERS
    if kind in (1, 11) and rng.random() < 0.2:
        pool = (float("nan"), float("inf"), -float("inf"))
    if kind in (10, 16):
        pool = (0, 1, 2)
    return helper.make_tensor(name, kind, shape, [rng.choice(pool) for _ in range(count)])


def _set_attribute(graph: GraphProto, rng: random.Random) -> None:
    node = _node(graph, rng)
    own = [attribute.name for attribute in node.attribute]
    operator = OPERATORS.get((node.domain, node.op_type))
    known = sorted(operator.attributes) if operator else []
    name = rng.choice([*own, *known, "axis", "axes"])
    _drop(node, name)
    node.attribute.append(helper.make_attribute(name, _content(rng)))
    if rng.random() < 0.1:
        node.attribute[-1].type = rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14))


def _drop(node: NodeProto, name: str) -> None:
    kept = [attribute for attribute in node.attribute if attribute.name != name]
    del node.attribute[:]
    node.attribute.extend(kept)


def _drop_attribute(graph: GraphProto, rng: random.Random) -> None:
    node = _node(graph, rng)
    if node.attribute:
        _drop(node, rng.choice(node.attribute).name)


def _change_inputs(graph: GraphProto, rng: random.Random) -> None:
    node = _node(graph, rng)
    inputs = list(node.input)
    match rng.randrange(5):
        case 0 if inputs:
            inputs.pop(rng.randrange(len(inputs)))
        case 1 if inputs:
            inputs[rng.randrange(len(inputs))] = _value(graph, rng)
        case 2:
            inputs.insert(rng.randrange(len(inputs) + 1), _value(graph, rng))
        case 3:
            rng.shuffle(inputs)
        case _:
            inputs = []
    del node.input[:]
    node.input.extend(inputs)


def _change_outputs(graph: GraphProto, rng: random.Random) -> None:
    node = _node(graph, rng)
    outputs = list(node.output)
    match rng.randrange(4):
        case 0 if outputs:
            outputs.pop()
        case 1:
            outputs += [f"extra{i}" for i in range(rng.choice((1, 2, 5)))]
        case 2 if outputs:
            outputs[0] = rng.choice(("", _value(graph, rng)))
        case _:
            outputs = []
    del node.output[:]
    node.output.extend(outputs)


def _change_operator(graph: GraphProto, rng: random.Random) -> None:
    node = _node(graph, rng)
    domain, name = rng.choice([*sorted(OPERATORS), ("", "LSTM"), ("", "If"), ("", "Loop"), ("com.acme", "Swish")])
    node.op_type = name
    node.domain = domain if rng.random() < 0.9 else rng.choice(("com.acme", "ai.onnx.ml"))


def _change_tensor(graph: GraphProto, rng: random.Random) -> None:
    if not graph.initializer:
        return
    tensor = rng.choice(graph.initializer)
    match rng.randrange(5):
        case 0:
            tensor.CopyFrom(_tensor(rng, tensor.name))
        case 1:
            tensor.data_type = rng.choice((0, 1, 2, 6, 7, 8, 9, 10, 14, 16, 22, 99))
        case 2:
            dims = list(tensor.dims)
            rng.shuffle(dims)
            del tensor.dims[:]
            tensor.dims.extend([*dims[: rng.randrange(len(dims) + 1)], *[rng.choice(SIZES)] * rng.randrange(3)])
        case 3 if tensor.dims:
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(SIZES)
        case _:
            tensor.raw_data = tensor.raw_data[: rng.randrange(len(tensor.raw_data) + 1)]


def _change_constant(graph: GraphProto, rng: random.Random) -> None:
    nodes = [node for node in graph.node if node.op_type == "Constant"]
    if nodes:
        node = rng.choice(nodes)
        del node.attribute[:]
        form = rng.choice(("value", "value", "value_ints", "value_int", "value_float", "value_strings", "other"))
        content = _tensor(rng) if form == "value" else _content(rng)
        node.attribute.append(helper.make_attribute(form, content))


def _change_type(graph: GraphProto, rng: random.Random) -> None:
    infos = [*graph.input, *graph.output, *graph.value_info]
    if not infos:
        return
    kind = rng.choice(infos).type
    dims = kind.tensor_type.shape.dim
    match rng.randrange(5):
        case 0:
            kind.tensor_type.elem_type = rng.choice((0, 1, 7, 8, 9, 16, 99))
        case 1 if dims:
            dims[rng.randrange(len(dims))].dim_value = rng.choice(SIZES)
        case 2 if dims:
            dims[rng.randrange(len(dims))].dim_param = rng.choice(NAMES)
        case 3:
            dims.add().dim_param = rng.choice(NAMES)
        case _:
            kind.tensor_type.ClearField("shape")


def _change_nodes(graph: GraphProto, rng: random.Random) -> None:
    nodes = list(graph.node)
    match rng.randrange(4):
        case 0 if nodes:
            nodes.pop(rng.randrange(len(nodes)))
        case 1:
            rng.shuffle(nodes)
        case 2:
            nodes.append(helper.make_node(rng.choice(sorted(OPERATORS))[1], [_value(graph, rng)], ["new"]))
            graph.output.add().name = "new"
        case _:
            nodes = nodes[: rng.randrange(len(nodes) + 1)]
    kept = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)


def _bare_attribute(graph: GraphProto, rng: random.Random) -> None:
    """An attribute whose stated kind holds nothing."""
    node = _node(graph, rng)
    operator = OPERATORS.get((node.domain, node.op_type))
    name = rng.choice(sorted(operator.attributes) if operator and operator.attributes else ["axis"])
    _drop(node, name)
    node.attribute.append(AttributeProto(name=name, type=rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13))))


WRONGS: tuple[Callable[[GraphProto, random.Random], None], ...] = (
    _set_attribute, _set_attribute, _set_attribute, _bare_attribute, _drop_attribute, _change_inputs, _change_inputs,
    _change_outputs, _change_operator, _change_operator, _change_tensor, _change_tensor, _change_constant,
    _change_constant, _change_type, _change_type, _change_nodes,
)  # fmt: skip
