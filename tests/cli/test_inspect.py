"""The views of `inspect`: the same cost by block, by node and by operator, in every format, on any terminal."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest

from scalecalc import profile
from scalecalc.estimate import inspect
from scalecalc.report.inspection import show
from scalecalc.report.lines import HOT, MOST_LINES, SIBLINGS
from scalecalc.report.views import View
from tests.cli.conftest import Cli
from tests.cli.test_contract import COLUMNS, from_markdown
from tests.cli.test_tables import UNSET, Terminal
from tests.estimate.test_tree import chain, perceptron
from tests.walk.graphs import model

NETWORK = (("in", 8), ("h.0", 8), ("h.1", 8), ("h.2", 8), ("out.big", 32), ("out.small", 3))
HEADS = {
    "node": ["node", "op_type", "outputs", *COLUMNS, "status", "module"],
    "block": ["path", "kind", "level", "count", "nodes", "output", *COLUMNS],
    "op": ["op_type", "count", *COLUMNS],
}
TOTALS = {
    # column: where the document has the total
    "params": ("params", "trainable", 1), "macs": ("forward", "macs", 1),
    "backward_macs": ("training", "backward_matrix_flops", 2), "vector_flops": ("forward", "vector_flops", 1),
    "backward_vector_flops": ("training", "backward_vector_flops", 1), "bytes": ("forward", "bytes", 1),
    "kept_bytes": ("memory", "activations", 1),
}  # fmt: skip


@pytest.fixture
def network(save) -> Path:
    return save(perceptron(*NETWORK), "network.onnx")


def table(cli: Cli, path: Path, *options: str, form: str = "csv") -> list[dict[str, str]]:
    """Rows of a CSV or Markdown output by their heads."""
    answer = cli("inspect", path, "--format", form, *options)
    assert (answer.code, answer.err) == (0, "")
    head, *rows = list(csv.reader(io.StringIO(answer.out))) if form == "csv" else from_markdown(answer.out)
    return [dict(zip(head, row, strict=True)) for row in rows]


def tree_of(out: str) -> list[str]:
    """The lines of the tree, without head and total."""
    lines = out.splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("module "))
    last = next(index for index, line in enumerate(lines) if line.startswith("total "))
    return lines[first + 1 : last]


@pytest.mark.parametrize("form", ["csv", "markdown"])
@pytest.mark.parametrize("by", HEADS)
@pytest.mark.parametrize("model", ["network", "seed_cnn"])
def test_every_view_sums_to_the_totals(
    cli: Cli, request: pytest.FixtureRequest, model: str, by: str, form: str
) -> None:
    path = request.getfixturevalue(model)
    document = cli("inspect", path, "--format", "json").json
    rows = table(cli, path, "--by", by, form=form)
    assert list(rows[0]) == HEADS[by]
    if by == "block":  # the innermost ones: those no deeper one follows
        deeper = [int(row["level"]) for row in rows[1:]] + [0]
        leaves = [row for row, below in zip(rows, deeper, strict=True) if below <= int(row["level"])]
        summed = ([row for row in rows if row["level"] == "1"], leaves)
    else:
        summed = (rows,)
    for lines in summed:
        for column, (group, name, factor) in TOTALS.items():
            assert factor * sum(int(row[column]) for row in lines) == document[group][name]["value"], column
        if by != "node":
            assert sum(int(row["nodes" if by == "block" else "count"]) for row in lines) == document["model"]["nodes"]


def test_blocks_as_json(cli: Cli, network: Path) -> None:
    document = cli("inspect", network, "--format", "json", "--set", "n=2").json
    blocks = {block["path"]: block for block in document["blocks"]}
    hidden = blocks["h.0-2"]
    assert (hidden["count"], hidden["level"], hidden["nodes"], hidden["output"]) == (3, 1, 6, ["n", 8])
    assert hidden["params"] == {"formula": "192", "value": 192, "lower_bound": False}
    assert hidden["macs"] == {"formula": "192*n", "value": 384, "lower_bound": False}
    assert (blocks["h.0-2.fc"]["count"], blocks["h.0-2.fc"]["kind"], blocks["h.0-2.fc"]["level"]) == (3, "MatMul", 2)
    assert {node["module"] for node in document["nodes"]} >= {"h.0", "h.1.fc", "out.big"}
    assert [(entry["op_type"], entry["count"]) for entry in document["operators"]] == [("MatMul", 6), ("Relu", 6)]


def test_the_tree(cli: Cli, network: Path) -> None:
    """Sums in the row of a repeated block, one of it below."""
    lines = tree_of(cli("inspect", network).out)
    assert [line[:10].rstrip() for line in lines] == [
        "in", "├ fc", "└ (own)",
        "h.0-2  x3", "└ each", "  ├ fc", "  └ (own)",
        "out", "├ big", "│ ├ fc", "│ └ (own)", "└ small", "  ├ fc", "  └ (own)",
    ]  # fmt: skip
    assert re.search(r"^h\.0-2  x3 .* 192 +192 MAC ", lines[3])
    assert re.search(r"^└ each .* 64 +64 MAC ", lines[4])


DEPTHS = [("1", 4), ("2", 10), ("3", 14), ("all", 14), ("999999999", 14)]


@pytest.mark.parametrize(("depth", "lines"), DEPTHS)
def test_depth(cli: Cli, network: Path, depth: str, lines: int) -> None:
    """`each` is a line of its own under a repeated block."""
    assert len(tree_of(cli("inspect", network, "--depth", depth).out)) == lines
    levels = {int(row["level"]) for row in table(cli, network, "--by", "block", "--depth", depth)}
    assert max(levels) == min(3, int(depth) if depth != "all" else 3)


SORTS = [
    # what, the first level's blocks in that order
    ("macs", ["out", "h.0-2", "in"]),  # 352, 192, 64 per sample
    ("params", ["out", "h.0-2", "in"]),
    ("vector", ["out", "h.0-2", "in"]),  # Relus of 35, 24, 8
    ("kept", ["out", "h.0-2", "in"]),  # Relus' outputs, and the model's input: 4*35, 4*24, 4*16 bytes
    ("name", ["h.0-2", "in", "out"]),
]


@pytest.mark.parametrize(("sort", "expected"), SORTS)
def test_sort(cli: Cli, network: Path, sort: str, expected: list[str]) -> None:
    rows = table(cli, network, "--by", "block", "--sort", sort)
    assert [row["path"] for row in rows if row["level"] == "1"] == expected
    drawn = [line.split("  ")[0] for line in tree_of(cli("inspect", network, "--sort", sort).out)]
    assert [name for name in drawn if name in expected] == expected
    column = {"macs": "macs", "params": "params", "vector": "vector_flops", "kept": "kept_bytes"}.get(sort)
    for by in ("node", "op"):
        found = table(cli, network, "--by", by, "--sort", sort)
        keys = [-int(row[column]) if column else row[HEADS[by][0]] for row in found]
        assert keys == sorted(keys)
        assert len(keys) == {"node": 12, "op": 2}[by]


def test_without_a_sort_rows_keep_the_graph_s_order(cli: Cli, network: Path) -> None:
    assert [row["node"] for row in table(cli, network)][:3] == ["/in/fc/MatMul", "/in/Relu", "/h.0/fc/MatMul"]
    assert [row["path"] for row in table(cli, network, "--by", "block")][:3] == ["in", "in.fc", "in.(own)"]


BAD = [
    # options, what stderr says
    (("--by", "layer"), "--by: no view 'layer'; use one of block, node, op"),
    (("--by", ""), "--by: no view ''; use one of block, node, op"),
    (("--sort", "flops"), "--sort: nothing to sort by is called 'flops'; use one of macs, params, kept, vector, name"),
    *((("--depth", text), f"--depth: '{text}' is no depth; use 1, 2, ... or all")
      for text in ("0", "-1", "1.5", "x", "", "٣", "1e3", "1" * 10, "ALL")),
]  # fmt: skip


@pytest.mark.parametrize(("options", "says"), BAD, ids=[" ".join(options)[:20] for options, _ in BAD])
def test_choices_that_are_none(cli: Cli, network: Path, options: tuple[str, ...], says: str) -> None:
    for form in ("table", "json", "csv"):
        answer = cli("inspect", network, *options, "--format", form)
        assert (answer.code, answer.out, answer.err) == (2, "", f"scalecalc: {says}\n")


def test_formulas_where_a_size_is_missing(cli: Cli, save) -> None:
    path = save(UNSET.replace("4,3,3,3", "4,3,7,7"))  # 4*3*7*7 products for every output of (h - 6) x (v - 6)
    (row,) = table(cli, path, "--by", "block")
    assert (row["params"], row["macs"]) == ("588", "588*n*h*v - 3528*n*h - 3528*n*v + 21168*n")
    (line,) = tree_of(cli("inspect", path).out)
    assert " a formula " in line  # too long for a cell
    assert " n x 4 x (h - 6) x (v - 6) " in line
    assert "%" not in line


def printed(path: Path, monkeypatch: pytest.MonkeyPatch, width: int, view: View) -> list[str]:
    """Lines on a terminal of a width, without colours."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", "NO_COLOR": "1", "COLUMNS": str(width)}.items():
        monkeypatch.setenv(name, value)
    file = Terminal()
    show(inspect(profile(path)), file, view)
    return re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue()).splitlines()


WIDTHS = [
    (160, ["output", "params", "MACs", "share", "kept", "backward", "MACs", "forward", "vector"]),
    (120, ["output", "params", "MACs", "share", "kept"]),
    (100, ["kind", "params", "MACs", "share", "kept"]),
    (80, ["params", "MACs", "share", "kept"]),
    (60, ["params", "MACs", "share"]),
]


@pytest.mark.parametrize("by", ["block", "node", "op"])
@pytest.mark.parametrize(("width", "columns"), WIDTHS)
def test_terminals(seed_cnn: Path, monkeypatch: pytest.MonkeyPatch, width: int, columns: list[str], by: str) -> None:
    lines = printed(seed_cnn, monkeypatch, width, View(by))
    assert max(len(line.rstrip()) for line in lines) <= width
    head = next(line for line in lines if line.startswith(("module ", "node ", "operator ")))
    if by == "block":
        assert head.split()[-len(columns) :] == columns
    assert "34,826" in next(line for line in lines if line.startswith("total "))


def test_long_names_are_cut_in_the_middle(save, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "a_module_with_a_name_that_goes_on_and_on_and_does_not_end_before_the_line_does"
    path = save(perceptron((name, 4), ("b", 4)))
    row = next(line for line in printed(path, monkeypatch, 80, View()) if line.startswith("a_module"))
    assert re.match(r"a_module\w+…\w+_does  +", row)
    assert len(row.rstrip()) <= 80


@pytest.mark.parametrize(("encoding", "letters"), [("ascii", "`-|#"), ("cp1252", "`-|#"), ("utf-8", "└├█")])
def test_streams_without_the_letters_get_others(network: Path, encoding: str, letters: str) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    show(inspect(profile(network)), file, View())
    file.flush()
    assert set(letters) <= set(raw.getvalue().decode(encoding))


def test_bars(cli: Cli, save) -> None:
    """8*2, 2*24 and 24*1 of 88 MACs in eighths of a full bar's 8 characters: 11.6, 34.9 and 17.5 of 64."""
    out = cli("inspect", save(perceptron(("a", 2), ("b", 24), ("c", 1)))).out
    bars = {line.split()[0]: re.search(r"([█▉▊▋▌▍▎▏]*) +([\d.]+) %", line) for line in tree_of(out)}
    assert {name: bars[name].groups() for name in "abc"} == {
        "a": ("█▌", "18.2"), "b": ("████▍", "54.5"), "c": ("██▏", "27.3"),
    }  # fmt: skip


def test_hot_spots(cli: Cli, network: Path) -> None:
    out = cli("inspect", network).out
    block = out[out.index("HOT SPOTS") : out.index("ASSUMED")].replace("HOT SPOTS", "").splitlines()
    assert [line.split(", ")[0].strip() for line in block if "MACs" in line] == [
        "42.1 % of MACs", "31.6 % of MACs", "15.8 % of MACs", "10.5 % of MACs",
    ]  # fmt: skip  # 256, 3*64, 96, 64 of 608
    assert [line.split()[-1] for line in block[:1]] == ["out.big.fc"]
    assert block[1].endswith("h.0-2.fc  x3")
    assert any("of kept bytes" in line for line in block)


def test_many_modules_are_bounded(cli: Cli, save) -> None:
    """The smallest are one line, so that the lines still sum to the total."""
    many = MOST_LINES + 50
    path = save(perceptron(*((f"m{index}.only", 4 + index % 3) for index in range(many)), ("big", 100)))
    lines = tree_of(cli("inspect", path).out)
    assert len(lines) == SIBLINGS
    assert lines[-1].startswith(f"({many + 1 - (SIBLINGS - 1)} more)")
    assert lines[-2].startswith("big ")
    params = [re.search(r" ([0-9,]+) +[0-9.]+ k?MAC ", line) for line in lines]
    shown = sum(int(found[1].replace(",", "")) for found in params if found)
    assert shown == sum(int(row["params"]) for row in table(cli, path))
    assert len(tree_of(cli("inspect", path, "--depth", "all").out)) <= MOST_LINES
    assert len(table(cli, path, "--by", "block")) == 3 * (many + 1)


@pytest.mark.parametrize("options", [(), ("--sort", "kept")])
def test_many_nodes_are_bounded(cli: Cli, save, options: tuple[str, ...]) -> None:
    path = save(chain(MOST_LINES + 1))
    out = cli("inspect", path, "--by", "node", *options).out
    assert len(out.splitlines()) < HOT + 30
    first = "first " if options else ""
    assert f"the {first}{HOT} of {MOST_LINES + 1} nodes" in out
    assert "--format csv or json has all" in out


def test_depth_all_is_bounded(cli: Cli, save) -> None:
    layers = ((f"a{group}.b.c{index}", 4 + group + index % 3) for group in range(9) for index in range(20))
    out = cli("inspect", save(perceptron(*layers)), "--depth", "all").out
    assert len(tree_of(out)) <= MOST_LINES
    assert "levels of 3: more would be over 200 lines; --by block --format csv has all" in out


def test_shape_arithmetic_is_left_out(cli: Cli, save) -> None:
    path = save("(float[n,4] x) => (float[n,4] y) { s = Shape(x) a = Relu(x) y = Reshape(a, s) }")
    assert [line.split()[0] for line in tree_of(cli("inspect", path).out)] == ["Relu_1"]
    assert [row["path"] for row in table(cli, path, "--by", "block")] == ["Relu_1", "(own)"]


def test_layers_that_share_a_tensor_are_one_row_all_the_same(cli: Cli, save) -> None:
    """Both multiply by what the model is given (kept once: 8 floats) and by what they make (8 floats each)."""
    proto = model("""(float[n,8] x, float[n,8] by) => (float[n,8] y) <float[8,8] u, float[8,8] v, float[8,8] w> {
        i = MatMul(x, u) a = MatMul(i, v) b = Mul(a, by) c = MatMul(b, w) y = Mul(c, by) }""")
    for node, name in zip(proto.graph.node, ("/in/A", "/h.0/A", "/h.0/B", "/h.1/A", "/h.1/B"), strict=True):
        node.name = name
    path = save(proto)
    _, layers, each = tree_of(cli("inspect", path).out)
    assert layers.startswith("h.0-1  x2 ")
    assert re.search(r" ~ 48 B ", each)  # x of its MatMul, and `by` in one of two: (32 + 32 + 32) / 2
    assert re.search(r" 96 B ", layers)


def test_views_of_an_unknown_operator(cli: Cli, save) -> None:
    path = save("(float[n,4] x) => (float[n,4] y) <float[4,4] w> { a = MatMul(x, w) y = com.acme.Foo(a) }")
    for by in ("block", "node", "op"):
        out = cli("inspect", path, "--by", by).out
        (line,) = [line for line in out.splitlines() if line.startswith("Foo")]
        assert line.split().count("?") >= 5
        assert re.search(r"^total .* >= 16 MAC ", out, re.MULTILINE)
    document: Any = cli("inspect", path, "--format", "json").json
    assert [entry["macs"]["lower_bound"] for entry in document["blocks"]] == [False, True]
    assert [entry["params"]["lower_bound"] for entry in document["operators"]] == [False, False]
