"""Explanations: the parts are the figure, the conventions are those that count."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalecalc.dims import total
from scalecalc.errors import UsageError
from scalecalc.estimate import inspect
from scalecalc.estimate.explanation import CONVENTIONS, TERMS, Explanation, explain
from scalecalc.estimate.quantities import quantities
from scalecalc.walk import walk
from tests.walk.graphs import graph
from tests.walk.test_random_graphs import cnn, mlp, transformer

NET = """(float[n, 3, 8, 8] x) => (float[n, 5] y) <float[4, 3, 3, 3] stem, float[4, 4, 3, 3] mid, float[4, 5] head>
{ a = Conv(x, stem) b = Relu(a) c = Conv(b, mid) d = GlobalAveragePool(c) e = Flatten(d) y = MatMul(e, head) }"""


def explained(text: str, quantity: str, *, most: int = 20, **sizes: int) -> Explanation:
    return explain(inspect(walk(graph(text)), sizes=sizes), quantity, most=most)


def test_macs() -> None:
    """36 places x 4 x 27, 16 places x 4 x 36, 4 x 5."""
    found = explained(NET, "macs", n=2)
    assert found.path == "forward.macs"
    assert [(part.name, part.kind, part.detail, str(part.quantity.formula)) for part in found.parts] == [
        ("Conv_0", "Conv", "n x 4 x 6 x 6", "3888*n"),
        ("Conv_2", "Conv", "n x 4 x 4 x 4", "2304*n"),
        ("MatMul_5", "MatMul", "n x 5", "20*n"),
    ]
    groups = {group.kind: (group.count, str(group.quantity.formula), group.rule) for group in found.groups}
    assert groups["Conv"][:2] == (2, "6192*n")
    assert groups["Conv"][2].startswith("One dot product of length C_in/group")
    assert groups["MatMul"][:2] == (1, "20*n")
    assert (found.others, found.rest.formula) == (0, 0)


def test_the_rest_is_a_part() -> None:
    found = explained(NET, "macs", most=1)
    assert [part.name for part in found.parts] == ["Conv_0"]
    assert (found.others, str(found.rest.formula)) == (2, "2324*n")


def test_a_first_layer_costs_less_backward() -> None:
    found = explained(NET, "training.matrix_flops")
    assert found.terms.keys() == {"forward.matrix_flops", "training.backward_matrix_flops"}
    assert "1 node costs less than 2x forward here: Conv_0" in found.conventions
    assert any("the model's inputs need none" in line for line in found.conventions)
    shares = {part.name: str(part.quantity.formula) for part in found.parts}
    assert shares["Conv_0"] == f"{2 * 2 * 3888}*n"  # forward and for the weight
    assert shares["Conv_2"] == f"{3 * 2 * 2304}*n"  # for the weight and for the input, too


def test_parameters_are_tensors_with_roles() -> None:
    found = explained(NET, "params")
    assert [(part.name, part.kind, part.detail, part.quantity.formula) for part in found.parts] == [
        ("mid", "other", "4 x 4 x 3 x 3", 144),
        ("stem", "other", "4 x 3 x 3 x 3", 108),
        ("head", "head", "4 x 5", 20),
    ]
    assert [(group.kind, group.count, group.quantity.formula) for group in found.groups] == [
        ("other", 2, 252), ("head", 1, 20),
    ]  # fmt: skip


def test_activations_are_tensors_and_who_keeps_them() -> None:
    """The input and each product's operand in float32; Relu keeps its output, which the next Conv reads."""
    found = explained(NET, "activations")
    assert {part.name: (part.detail, str(part.quantity.formula)) for part in found.parts} == {
        "x": ("for Conv_0", f"{4 * 3 * 64}*n"),
        "b": ("for Relu_1", f"{4 * 4 * 36}*n"),
        "d": ("for MatMul_5", f"{4 * 4}*n"),
    }


def test_a_lower_bound_says_what_is_missing() -> None:
    text = "(float[n, 4] x) => (float[n, 4] y) <float[4, 4] w> { a = MatMul(x, w) y = com.acme.Foo(a) }"
    found = explained(text, "macs")
    assert found.quantity.lower_bound
    assert "a lower bound: without Foo (1)" in found.conventions


def test_a_layer_s_vector_flops_have_the_layer_s_rule() -> None:
    text = """(float[n, 4] x) => (float[n, 4] y)
    <float[4, 4] w, float r = {1.4142135}, float o = {1.0}, float h = {0.5}>
    { a = MatMul(x, w) b = Div(a, r) c = Erf(b) d = Add(c, o) e = Mul(a, d) y = Mul(e, h) }"""
    found = explained(text, "forward.vector_flops")
    (group,) = found.groups
    assert (group.kind, str(group.quantity.formula)) == ("Mul in Gelu", "20*n")  # 5 for each of 4
    assert "erf" in group.rule


@settings(max_examples=20, deadline=None)
@given(st.data(), st.sampled_from((cnn, transformer, mlp)))
def test_groups_and_parts_are_the_figure(data: st.DataObject, net) -> None:
    inspection = inspect(walk(graph(net(data))))
    for path, quantity in quantities(inspection.profile).items():
        found = explain(inspection, path, most=3)
        assert total((1, group.quantity.formula) for group in found.groups) == quantity.formula
        sums = [part.quantity.formula for part in found.parts] + [found.rest.formula]
        assert total((1, share) for share in sums) == quantity.formula
        assert sum(group.count for group in found.groups) == len(found.parts) + found.others
        if found.terms:
            assert total((1, term.formula) for term in found.terms.values()) == quantity.formula


def test_every_figure_has_a_convention() -> None:
    paths = quantities(walk(graph(NET)))
    assert {path for path in paths if not path.startswith("params.")} == CONVENTIONS.keys()
    assert TERMS.keys() <= paths.keys()


def test_unknown_figures() -> None:
    with pytest.raises(UsageError, match=r"--explain: no quantity 'mac'; did you mean forward.macs\?"):
        explained(NET, "mac")
