"""`diff`, `inspect --explain` and several files as one model, as they are typed."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest

from tests.cli.conftest import Answer, Cli
from tests.cli.corpus import corpus
from tests.cli.fuzz import damage
from tests.walk.graphs import model

OLD = """(float[n, 4] x) => (float[n, 2] y) <float[4, 8] w, float[8, 2] v>
{ a = MatMul(x, w) b = Relu(a) y = MatMul(b, v) }"""
NEW = """(float[n, 4] x) => (float[n, 2] y) <float[4, 8] w, float[8, 8] u, float[8, 2] v>
{ a = MatMul(x, w) b = Relu(a) c = MatMul(b, u) y = MatMul(c, v) }"""


@pytest.fixture
def pair(save) -> tuple[Path, Path]:
    """48 MACs and weights an example, and 112."""
    return save(OLD, "old.onnx"), save(NEW, "new.onnx")


# diff


def test_json(cli: Cli, pair: tuple[Path, Path]) -> None:
    answer = cli("diff", *pair, "--format", "json", "--set", "n=3")
    assert (answer.code, answer.err) == (0, "")
    found = answer.json
    assert found["command"] == "diff"
    assert found["before"]["forward"]["macs"] == {"formula": "48*n", "value": 144, "lower_bound": False}
    assert found["after"]["forward"]["macs"]["value"] == 336
    assert found["change"]["forward"]["macs"] == {"formula": "64*n", "value": 192, "ratio": 192 / 144, "exact": True}
    (added,) = found["nodes"]["added"]
    assert (added["name"], added["op_type"], added["before"]) == ("MatMul_2", "MatMul", None)
    assert added["change"]["params"]["trainable"]["value"] == 64
    assert found["nodes"]["removed"] == []
    for group, names in found["change"].items():
        for name, delta in names.items():
            nodes = [node["change"].get(group, {}).get(name) for kind in found["nodes"].values() for node in kind]
            if None not in nodes:
                assert sum(node["value"] for node in nodes) == delta["value"]


@pytest.mark.parametrize("by", ["node", "op"])
def test_csv_adds_up(cli: Cli, pair: tuple[Path, Path], by: str) -> None:
    answer = cli("diff", *pair, "--format", "csv", "--by", by)
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    total = rows.pop()
    assert total["change"] == "total"
    for column in list(total)[3:]:
        assert sum(int(row[column]) for row in rows) == int(total[column])
    assert total["forward.macs"] == "64"


def test_markdown_and_table_say_the_same(cli: Cli, pair: tuple[Path, Path]) -> None:
    cells = [cell.strip() for cell in cli("diff", *pair, "--format", "markdown").out.splitlines()[2].split("|")]
    assert cells[1:6] == ["added", "MatMul_2", "MatMul", "64", "64"]
    table = cli("diff", *pair).out
    assert "old -> new" in table
    assert "3 and 4 nodes: 1 added, 0 removed, 1 changed, 2 as they were" in table  # the last product keeps c
    assert "+133.3 %" in table


THRESHOLDS = [
    # conditions, exit code, what stderr says
    ([], 0, ""),
    (["macs>+200%"], 0, ""),
    (["macs>+5%"], 1, "--fail-if: macs>+5%: forward.macs rose by 64 (133.3 %), from 48 to 112"),
    (["macs<+5%", "params>+10"], 1, "params>+10: params.trainable rose by 64 (133.3 %), from 48 to 112"),
    (["training.matrix_flops>+1", "macs>+1"], 1, "training.matrix_flops>+1: training.matrix_flops rose by 384"),
    (["matrix_flops>+5%"], 2, "--fail-if: 'matrix_flops' may be forward.matrix_flops or training.matrix_flops"),
    (["mac>+5%"], 2, "--fail-if: no quantity 'mac'; did you mean forward.macs?"),
    (["macs>5%"], 2, "--fail-if: 'macs>5%' is no condition; write for example macs>+5%"),
]


@pytest.mark.parametrize(("conditions", "code", "says"), THRESHOLDS, ids=[" ".join(c) for c, _, _ in THRESHOLDS])
def test_thresholds(cli: Cli, pair: tuple[Path, Path], conditions: list[str], code: int, says: str) -> None:
    """The result stands on stdout all the same, unless the question made no sense."""
    options = [part for condition in conditions for part in ("--fail-if", condition)]
    answer = cli("diff", *pair, *options)
    assert answer.code == code
    assert says in answer.err
    assert answer.err.count("\n") == (code != 0)
    assert ("DIFFERENCE" in answer.out) == (code != 2)


def test_a_threshold_on_what_has_no_value(cli: Cli, save) -> None:
    path = save("(float[n, t, 4] x) => (float[n, t, 4] y) <float[4, 4] w> { y = MatMul(x, w) }")
    answer = cli("diff", path, path, "--fail-if", "macs>+1")
    assert (answer.code, answer.out) == (2, "")
    assert "forward.macs has no value; give sizes: --set t=" in answer.err
    assert cli("diff", path, path, "--fail-if", "macs>+1", "--set", "t=5").code == 0


BAD = [
    (["--by", "block"], "--by: no by 'block'; use one of node, op"),
    (["--format", "xml"], "--format: no format 'xml'"),
    (["--set", "m=3"], "--set: no symbol 'm' in either model; their symbols are n"),
    (["--set", "zzz=3"], "--set: no symbol 'zzz' in either model; their symbols are n"),
    (["--shape", "q=1,4"], "no input 'q'"),
    (["--fail-if", ""], "is no condition"),
]


@pytest.mark.parametrize(("options", "says"), BAD, ids=[" ".join(options) for options, _ in BAD])
def test_bad_options(cli: Cli, pair: tuple[Path, Path], options: list[str], says: str) -> None:
    answer = cli("diff", *pair, *options)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err
    assert answer.err.count("\n") == 1


def test_a_missing_file_is_named(cli: Cli, pair: tuple[Path, Path], tmp_path: Path) -> None:
    answer = cli("diff", pair[0], tmp_path / "none.onnx")
    assert (answer.code, answer.out) == (2, "")
    assert "none.onnx: no such file" in answer.err


def test_strict_comes_before_thresholds(cli: Cli, save) -> None:
    old = save("(float[n, 4] x) => (float[n, 4] y) <float[4, 4] w> { y = MatMul(x, w) }", "old.onnx")
    new = save(
        "(float[n, 4] x) => (float[n, 4] y) <float[4, 4] w> { a = MatMul(x, w) y = com.acme.Foo(a) }", "new.onnx"
    )
    loose = cli("diff", old, new, "--fail-if", "macs<1")
    assert loose.code == 0
    assert "warning: no rule for com.acme:Foo (1)" in loose.err
    assert "differences of costs miss theirs" in loose.out
    assert cli("diff", old, new, "--strict", "--set", "n=2").code == 3


def test_names_cannot_write_to_the_terminal(cli: Cli, save) -> None:
    proto = model(NEW)
    proto.graph.node[2].name = "a\nb\x1b[31m"
    for form in ("table", "markdown"):
        answer = cli("diff", save(OLD, "old.onnx"), save(proto, "new.onnx"), "--format", form)
        assert answer.code == 0
        assert "\x1b" not in answer.out


def test_what_is_neither_zero_nor_a_number(cli: Cli, save) -> None:
    """Without sizes the change stays a formula."""
    text = "(float[n, t, 4] x) => (float[n, t, {0}] y) <float[4, {0}] w> {{ y = MatMul(x, w) }}"
    answer = cli("diff", save(text.format(4), "old.onnx"), save(text.format(6), "new.onnx"))
    assert answer.code == 0
    assert "8*n*t" in answer.out


# --explain


def rows_of(answer: Answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.out)))


def test_explain_adds_up(cli: Cli, pair: tuple[Path, Path]) -> None:
    answer = cli("inspect", pair[1], "--explain", "training.matrix_flops", "--format", "csv", "--set", "n=3")
    assert (answer.code, answer.err) == (0, "")
    rows = rows_of(answer)
    (total,) = [int(row["value"]) for row in rows if row["level"] == "total"]
    # 112 MACs forward; backward once for each weight, and again for all but the first layer's input
    assert total == 3 * 2 * (112 + 112 + 64 + 16)
    assert sum(int(row["value"]) for row in rows if row["level"] == "group") == total
    assert sum(int(row["value"]) for row in rows if row["level"] in ("part", "rest")) == total


def test_explain_as_json_and_table(cli: Cli, pair: tuple[Path, Path]) -> None:
    found = cli("inspect", pair[1], "--explain", "macs", "--format", "json").json
    assert (found["command"], found["quantity"], found["formula"], found["value"]) == (
        "explain", "forward.macs", "112*n", 112,
    )  # fmt: skip
    assert [part["value"] for part in found["parts"]] == [64, 32, 16]
    assert found["groups"][0]["kind"] == "MatMul"
    table = cli("inspect", pair[1], "--explain", "macs").out
    assert "forward.macs of new" in table
    assert "1 MAC = 2 FLOPs" in table


def test_explain_many_parts(cli: Cli, save) -> None:
    chain = " ".join(f"v{i + 1} = MatMul(v{i}, w)" for i in range(43))
    path = save(f"(float[n, 4] v0) => (float[n, 4] v43) <float[4, 4] w> {{ {chain} }}")
    assert "... and 23 more nodes" in cli("inspect", path, "--explain", "macs").out
    rows = rows_of(cli("inspect", path, "--explain", "macs", "--format", "csv"))
    assert [row["value"] for row in rows if row["level"] == "rest"] == [str(23 * 16)]


@pytest.mark.parametrize(
    ("quantity", "says"),
    [
        ("mac", "--explain: no quantity 'mac'; did you mean forward.macs?"),
        ("matrix_flops", "--explain: 'matrix_flops' may be forward.matrix_flops or training.matrix_flops"),
    ],
)
def test_explain_what_is_no_figure(cli: Cli, pair: tuple[Path, Path], quantity: str, says: str) -> None:
    answer = cli("inspect", pair[0], "--explain", quantity)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err


# Several files


def test_several_files(cli: Cli, save) -> None:
    first = save("(float[n, 4] x) => (float[n, 8] h) <float[4, 8] w> { h = MatMul(x, w) }", "first.onnx")
    second = save("(float[n, 8] h) => (float[n, 2] y) <float[8, 2] v> { y = MatMul(h, v) }", "second.onnx")
    for command in (("inspect",), ("estimate", "--budget", "1e9")):
        found = cli(*command, first, second, "--format", "json").json
        assert found["model"]["name"] == "first+second"
        assert found["forward"]["macs"]["formula"] == "48*n"
    stated = cli("inspect", first, second, "--join", "h=h", "--format", "json").json
    assert stated["notes"] == ["h feeds h of second"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--join", "hh"], "--join: 'hh' is not OUTPUT=INPUT"),
        (["--join", "=h"], "--join: '=h' is not OUTPUT=INPUT"),
        (["--join", "g=x"], "--join: no output 'g'; use one of y"),
        ([], "no output fits an input: outputs y float32[n, 2] before, inputs x float32[n, 4] of old"),
    ],
)
def test_files_that_do_not_fit(cli: Cli, pair: tuple[Path, Path], options: list[str], says: str) -> None:
    answer = cli("inspect", pair[1], pair[0], *options)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err
    assert "--join" in answer.err
    assert answer.err.count("\n") == 1


def test_a_failing_walk_names_all_files(cli: Cli, save) -> None:
    first = save("(float[n, 4] x) => (float[n, m] h) { h = Relu(x) }", "first.onnx")
    second = save("(float[n, k] h) => (float[n, 2] y) <float[5, 2] v> { y = MatMul(h, v) }", "second.onnx")
    answer = cli("inspect", first, second)
    assert answer.code == 2
    assert "first.onnx + " in answer.err
    assert "second/MatMul_0" in answer.err


# Damaged files


def ask(cli: Cli, base: Path, damaged: Path, rng: random.Random) -> Answer:
    commands = (
        ["diff", base, damaged, "--by", rng.choice(["node", "op"])],
        ["diff", damaged, base, "--fail-if", "macs>+1%"],
        ["inspect", damaged, "--explain", rng.choice(["params", "training.matrix_flops", "activations", "bytes"])],
        ["inspect", base, damaged],
        ["inspect", damaged, base.with_name("head.onnx")],
    )
    return cli(*rng.choice(commands), "--format", rng.choice(["table", "json", "csv", "markdown"]))


@pytest.mark.parametrize("index", range(len(corpus())))
def test_damaged_structure(cli: Cli, save, index: int) -> None:
    """Answered, or refused in one line: never a traceback. What they give is fed to another file."""
    rng = random.Random(index)
    base = save(corpus()[index], "base.onnx")
    head = model("(float[n] y) => (float[n] z) { z = Relu(y) }")
    head.graph.input[0].type.tensor_type.ClearField("shape")  # takes every y
    save(head, "head.onnx")
    for _ in range(40):
        answer = ask(cli, base, save(damage(corpus()[index], rng), "damaged.onnx"), rng)
        assert answer.code in (0, 1, 2)
        assert bool(answer.out) == (answer.code != 2)
        lines = answer.err.splitlines()
        assert all(line.startswith("scalecalc: ") for line in lines)
        assert sum("warning: " not in line for line in lines) == (answer.code != 0)
