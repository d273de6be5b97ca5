"""Differences of models: by hand, and on random pairs to the last unit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalecalc.dims import total
from scalecalc.errors import UsageError
from scalecalc.estimate.difference import Difference, difference
from scalecalc.estimate.matching import match
from scalecalc.estimate.thresholds import threshold
from scalecalc.walk import walk
from tests.walk.graphs import graph, load, model
from tests.walk.test_random_graphs import cnn, mlp, transformer

OLD = """(float[n, 4] x) => (float[n, 2] y) <float[4, 8] w1, float[8, 8] w2, float[8, 2] w3>
{ a = MatMul(x, w1) b = Relu(a) c = MatMul(b, w2) d = Tanh(c) y = MatMul(d, w3) }"""
WIDER = """(float[n, 4] x) => (float[n, 2] y) <float[4, 8] w1, float[8, 16] w2, float[16, 2] w3>
{ a = MatMul(x, w1) b = Relu(a) c = MatMul(b, w2) d = Tanh(c) y = MatMul(d, w3) }"""
DEEPER = """(float[n, 4] x) => (float[n, 2] y)
<float[4, 8] w1, float[8, 6] v, float[6, 8] u, float[8, 8] w2, float[8, 2] w3>
{ a = MatMul(x, w1) b = Relu(a) e = MatMul(b, v) f = MatMul(e, u) c = MatMul(f, w2) d = Tanh(c) y = MatMul(d, w3) }"""


def compared(old: str, new: str, **sizes: int) -> Difference:
    return difference(walk(graph(old)), walk(graph(new)), sizes=sizes)


def moved(found: Difference, path: str) -> dict[tuple[str, str], tuple[str, int | None]]:
    """Kind and name of the nodes with a change of a figure: its formula and value."""
    return {
        (change.kind, change.node.name): (str(change.deltas[path].formula), change.deltas[path].value)
        for change in found.changes
        if change.node is not None and change.deltas[path].formula != 0
    }


def test_a_wider_layer() -> None:
    """8 more columns of 8 rows in one weight, 8 more rows of 2 in the next."""
    found = compared(OLD, WIDER, n=3)
    assert moved(found, "params.trainable") == {
        ("changed", "MatMul_2"): ("64", 64),
        ("changed", "MatMul_4"): ("16", 16),
    }
    assert moved(found, "forward.macs") == {
        ("changed", "MatMul_2"): ("64*n", 192),
        ("changed", "MatMul_4"): ("16*n", 48),
    }
    assert moved(found, "forward.vector_flops") == {("changed", "Tanh_3"): ("8*n", 24)}
    macs = found.totals["forward.macs"]
    assert (str(macs.formula), macs.before, macs.after, macs.value) == ("80*n", 3 * 112, 3 * 192, 240)
    assert macs.ratio == 240 / 336
    assert found.totals["params.trainable"].value == 80
    assert [(group.op_type, group.before, group.after) for group in found.by_op] == [
        ("MatMul", 3, 3), ("Relu", 1, 1), ("Tanh", 1, 1), ("", 0, 0),
    ]  # fmt: skip


def test_a_deeper_model() -> None:
    """Two products of 8 x 6; the nodes behind them have other numbers in their names and are the same nodes."""
    found = compared(OLD, DEEPER)
    assert moved(found, "params.trainable") == {("added", "MatMul_2"): ("48", 48), ("added", "MatMul_3"): ("48", 48)}
    kinds = [change.kind for change in found.changes[:-1]]
    assert kinds == ["same", "same", "added", "added", "changed", "same", "same"]
    assert moved(found, "memory.activations") == {  # each product keeps what it reads; Relu keeps the first anyway
        ("added", "MatMul_3"): ("24*n", 24),
        ("changed", "MatMul_4"): ("32*n", 32),
    }
    back = compared(DEEPER, OLD)
    assert moved(back, "forward.macs") == {
        ("removed", "MatMul_2"): ("-48*n", -48),
        ("removed", "MatMul_3"): ("-48*n", -48),
    }


def test_another_operator_under_the_same_name() -> None:
    old, new = model(OLD), model(OLD.replace("Relu", "Gelu"))
    old.graph.node[1].name = new.graph.node[1].name = "act"
    found = difference(walk(load(old)), walk(load(new)))
    assert moved(found, "forward.vector_flops") == {("changed", "act"): ("32*n", 32)}  # 5 instead of 1 for each of 8


def test_nothing_changed() -> None:
    found = compared(OLD, OLD)
    assert {change.kind for change in found.changes} == {"same"}
    assert all(delta.formula == 0 and delta.value == 0 for delta in found.totals.values())


def test_tensors_no_node_uses_are_no_node_s_change() -> None:
    unused = OLD.replace("float[8, 2] w3>", "float[8, 2] w3, float[5] unused>")
    found = compared(OLD, unused)
    assert found.by_node("params.total")[-1].value == 5
    assert all(delta.value == 0 for delta in found.by_node("params.total")[:-1])


def table(rows: int) -> str:
    return f"""(int64[n, seq] x) => (float[n, seq, 4] y) <float[9, 4] t, float[{rows}, 4] p, int64 zero = {{0}},
    int64 one = {{1}}, int64[1] axis = {{0}}> {{ e = Gather(t, x) s = Shape(x) l = Gather(s, one)
    r = Range(zero, l, one) q = Gather(p, r) y = Add(e, q) }}"""


def test_a_size_nobody_sets_is_one_both_models_take() -> None:
    found = compared(table(16), table(12))
    assert (found.before.settled.sizes["seq"], found.after.settled.sizes["seq"]) == (12, 12)
    assert "seq 12 in both (--set seq=)" in found.assumptions
    assert found.totals["forward.vector_flops"].value == 0
    assert found.totals["params.positional"].value == -16
    with pytest.raises(UsageError, match="the model needs seq <= 12"):
        compared(table(16), table(12), seq=13)
    with pytest.raises(UsageError, match=r"no symbol 'sequ' in either model; did you mean seq\?"):
        compared(table(16), table(12), sequ=3)


def test_a_size_of_one_model_only() -> None:
    static = OLD.replace("[n,", "[3,")
    found = compared(static, OLD, n=3)
    assert found.totals["forward.macs"].value == 0
    assert str(found.totals["forward.macs"].formula) == "112*n - 336"
    assert {change.kind for change in found.changes} == {"same"}  # at these sizes


NETS = (cnn, transformer, mlp)


@settings(max_examples=25, deadline=None)
@given(st.data(), st.sampled_from(NETS), st.sampled_from(NETS))
def test_changes_by_node_are_the_change(data: st.DataObject, first, second) -> None:
    """Of every figure, as formulas and as numbers, by node and by operator."""
    found = compared(first(data), second(data))
    for path, whole in found.totals.items():
        parts = found.by_node(path)
        assert total((1, part.formula) for part in parts) == whole.formula
        if whole.value is not None:
            assert sum(part.value or 0 for part in parts) == whole.value
            assert whole.value == (whole.after or 0) - (whole.before or 0)
    for path in found.by_op[0].deltas:
        groups = [group.deltas[path] for group in found.by_op]
        assert total((1, group.formula) for group in groups) == found.totals[path].formula
    for side in (0, 1):
        inner = [pair[side] for pair in found.pairs[:-1] if pair[side] is not None]
        assert sorted(inner) == list(range(len((found.before, found.after)[side].profile.nodes)))


def test_thousands_of_renamed_nodes() -> None:
    """A chain of 5,000 nodes with other names and 10 more of them: linear, not a comparison of all with all."""

    def chain(length: int, name: str) -> str:
        lines = [f"v{i + 1} = {'MatMul' if i % 2 else 'Relu'}(v{i}{', w' if i % 2 else ''})" for i in range(length)]
        return f"(float[n, 4] v0) => (float[n, 4] v{length}) <float[4, 4] w> {{ {' '.join(lines)} }}"

    old, new = load(model(chain(5000, "a"))), load(model(chain(5010, "b")))
    for place, node in enumerate(new.nodes):
        node.name = f"renamed_{place}"
    found = difference(walk(old), walk(new))
    assert match(found.before, found.after)[:3] == [(0, 0), (1, 1), (2, 2)]
    assert sum(change.kind == "added" for change in found.changes) == 10
    assert found.totals["forward.macs"].value == 5 * 16


# Thresholds


MET = [
    # condition, before, after, met
    ("macs>+5%", 100, 106, True),
    ("macs>+5%", 100, 105, False),
    ("macs<+5%", 100, 104, True),
    ("macs<-5%", 100, 94, True),
    ("macs<-5%", 100, 95, False),
    ("macs>-5%", 100, 94, False),
    ("macs > +0.1 %", 1000, 1002, True),
    ("macs>+0%", 100, 101, True),
    ("macs>+0%", 100, 100, False),
    ("macs>+5%", 0, 1, True),
    ("macs<-5%", 0, 1, False),
    ("macs>+5%", 0, 0, False),
    ("macs>+1e2", 100, 201, True),
    ("macs>+1e2", 100, 200, False),
    ("macs<-3", 10, 6, True),
    ("params>25e6", 0, 25_000_001, True),
    ("params>25e6", 99_000_000, 25_000_000, False),
    ("params<10", 5, 9, True),
    ("forward.macs>.5", 0, 1, True),
]


@pytest.mark.parametrize(("text", "before", "after", "met"), MET, ids=[f"{t} {a}-{b}" for t, a, b, _ in MET])
def test_thresholds(text: str, before: int, after: int, met: bool) -> None:
    assert threshold(text).is_met(before, after) is met


def test_thresholds_are_exact() -> None:
    """A third of a percent more than 10 %: floats of such sizes could not tell."""
    assert threshold("macs>+10%").number == Fraction(1, 10)
    assert not threshold("macs>+10%").is_met(10**20, 11 * 10**19)
    assert threshold("macs>+10%").is_met(10**20, 11 * 10**19 + 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "macs",
        "macs>",
        ">5",
        "macs>5%",
        "macs>=5",
        "macs=5",
        "macs>+5%%",
        "macs>five",
        "macs>1e9999",
        "macs>--5",
        "a>b>1",
    ],
)
def test_malformed_thresholds(text: str) -> None:
    with pytest.raises(UsageError, match="is no condition; write for example"):
        threshold(text)
