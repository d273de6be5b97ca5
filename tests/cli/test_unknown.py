"""Operators without a rule: an answer, one warning, lower bounds everywhere, never a silent 0."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Cli

GRAPHS: dict[str, tuple[str, list[dict[str, Any]], list[str], int]] = {
    # where the unknown operator stands: graph, unsupported, unreached, MACs known at least
    "first": (
        "(float[n,4] x) => (float[n,2] y) <float[4,2] w> { a = com.acme.Foo(x)  y = MatMul(a, w) }",
        [{"domain": "com.acme", "op_type": "Foo", "count": 1}], ["MatMul_1"], 0,
    ),
    "first, its shape declared": (
        "(float[n,4] x) => (float[n,2] y) <float[4,2] w, float[n,4] a> { a = com.acme.Foo(x)  y = MatMul(a, w) }",
        [{"domain": "com.acme", "op_type": "Foo", "count": 1}], [], 8,
    ),
    "middle": (
        "(float[n,4] x) => (float[n,2] y) <float[4,2] w> { a = MatMul(x, w) b = Nonsense(a)  c = Relu(b) y = Tanh(c) }",
        [{"domain": "", "op_type": "Nonsense", "count": 1}], ["Relu_2", "Tanh_3"], 8,
    ),
    "last": (
        "(float[n,4] x) => (float[n,2] y) <float[4,2] w> { a = MatMul(x, w)  y = com.acme.Foo(a) }",
        [{"domain": "com.acme", "op_type": "Foo", "count": 1}], [], 8,
    ),
    "all": (
        "(float[n,4] x) => (float[n,2] y) <float[4,2] w> { a = com.acme.Foo(x, w)  b = com.acme.Foo(a)  y = Bar(b) }",
        [{"domain": "com.acme", "op_type": "Foo", "count": 2}, {"domain": "", "op_type": "Bar", "count": 1}], [], 0,
    ),
    "a known name in another domain": (
        "(float[n,4] x) => (float[n,2] y) <float[4,2] w> { y = com.acme.MatMul(x, w) }",
        [{"domain": "com.acme", "op_type": "MatMul", "count": 1}], [], 0,
    ),
}  # fmt: skip
NOT_OF_NODES = {"optimizer_flops", "matrix_flops_causal"}
PLACES = pytest.mark.parametrize("place", GRAPHS)


@PLACES
def test_json(cli: Cli, save, place: str) -> None:
    graph, unsupported, unreached, macs = GRAPHS[place]
    answer = cli("estimate", save(graph), "--budget", "1e15", "--format", "json")
    assert answer.code == 0
    document = answer.json
    assert (document["unsupported"], document["unreached"]) == (unsupported, unreached)
    training = {name for name, q in document["training"].items() if isinstance(q, dict) and q["lower_bound"]}
    assert training == {name for name in document["training"] if "flops" in name} - NOT_OF_NODES
    assert all(q["lower_bound"] for q in document["forward"].values())
    assert document["memory"]["activations"]["lower_bound"]
    assert document["forward"]["macs"]["value"] == macs
    assert document["params"]["total"] == {"formula": "8", "value": 8, "lower_bound": False}
    assert document["budget"]["upper_bound"] is True
    assert "before you rely on any figure but the parameters" in document["verdict"]
    assert any("lower bounds" in line for line in document["assumptions"])


@PLACES
@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
@pytest.mark.parametrize("command", ["inspect", "estimate"])
def test_one_warning(cli: Cli, save, place: str, form: str, command: str) -> None:
    graph, unsupported, unreached, _ = GRAPHS[place]
    budget = ("--budget", "1e15") if command == "estimate" else ()
    answer = cli(command, save(graph), *budget, "--format", form)
    listed = ", ".join(f"{u['domain']}:{u['op_type']}".lstrip(":") + f" ({u['count']})" for u in unsupported)
    assert answer.code == 0
    assert answer.err.startswith(f"scalecalc: warning: no rule for {listed}")
    assert answer.err.endswith(": figures are lower bounds\n")
    assert answer.err.count("\n") == 1
    assert ("unreached" in answer.err) == bool(unreached)


@PLACES
def test_tables_say_at_least(cli: Cli, save, place: str) -> None:
    graph, unsupported, unreached, _ = GRAPHS[place]
    path = save(graph)
    out = cli("estimate", path, "--budget", "1e15", "--set", "n=1").out
    costs = [line for line in out.splitlines() if line.startswith(" ") or line.startswith(("2", "3"))]
    costs = [line for line in costs if any(f"  {word}" in line for word in ("forward ", "backward ", "training ",
                                                                            "vector: ", "activations "))]  # fmt: skip
    assert len(costs) == 5
    assert all(" at least " in line for line in costs)
    assert f"{sum(u['count'] for u in unsupported)} without a rule" in out
    assert "every operator known" not in out
    table = cli("inspect", path).out
    rows = [line.split() for line in table.splitlines() if "?" in line]
    assert len([row for row in rows if row.count("?") >= 5]) == sum(u["count"] for u in unsupported) + len(unreached)
    for name in unreached:
        assert name in table


@PLACES
@pytest.mark.parametrize("command", ["inspect", "estimate"])
def test_strict(cli: Cli, save, place: str, command: str) -> None:
    graph = GRAPHS[place][0]
    budget = ("--budget", "1e15") if command == "estimate" else ()
    path = save(graph)
    answer = cli(command, path, *budget, "--strict")
    assert (answer.code, answer.err.count("\n")) == (3, 1)
    assert answer.err.startswith("scalecalc: model: no rule for ")
    assert answer.err.endswith('; add a rule with @op("...") or drop --strict\n')
    assert answer.out == cli(command, path, *budget).out


def test_what_a_budget_buys_is_an_upper_bound(cli: Cli, save) -> None:
    out = cli("estimate", save(GRAPHS["last"][0]), "--budget", "1e6", "--set", "n=1").out
    assert "1.00e6 FLOP buy at most 31,250 examples" in out  # 8 MACs: 16 FLOP forward, 16 back into the weight


def test_nodes_are_marked(cli: Cli, save) -> None:
    nodes = cli("inspect", save(GRAPHS["middle"][0]), "--format", "json").json["nodes"]
    assert [node["status"] for node in nodes] == ["known", "unsupported", "unreached", "unreached"]
    assert nodes[1]["outputs"] == [None]


def test_a_node_without_a_rule_has_no_figures(cli: Cli, save) -> None:
    path = save(GRAPHS["a known name in another domain"][0])
    (node,) = cli("inspect", path, "--format", "json").json["nodes"]
    assert node["status"] == "unsupported"
    assert node["macs"] == {"formula": None, "value": None, "lower_bound": True}
    row = cli("inspect", path, "--format", "csv").out.splitlines()[1].split(",")
    assert row[3:] == ["8", "", "", "", "", "", "", "unsupported", ""]  # its weight is there, whatever it does
