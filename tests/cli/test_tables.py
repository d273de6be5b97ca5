"""Tables for people: golden texts, units, width, colours.

The texts in `golden/` are what the commands below print; after a change that is meant, write them anew with
`GOLDEN=write python -m pytest tests/cli/test_tables.py` and read the difference before committing it.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import onnx
import pytest

from scalecalc.report.blocks import Block
from scalecalc.report.terminal import PLAIN_WIDTH, show_blocks, show_table
from tests.cli.conftest import Cli
from tests.cli.corpus import GRAPHS
from tests.cli.test_contract import LANGUAGE
from tests.walk.graphs import model

GOLDEN = Path(__file__).parent / "golden"
COMMANDS = {
    # file: arguments
    "estimate_seed_cnn.txt": ("estimate", "SEED", "--budget", "1e15"),
    "estimate_seed_cnn_2e15.txt": ("estimate", "SEED", "--budget", "2e15", "--unique", "60000", "--set", "batch=64"),
    "inspect_seed_cnn.txt": ("inspect", "SEED"),
    "inspect_seed_cnn_nodes.txt": ("inspect", "SEED", "--by", "node"),
    "inspect_resnet50.txt": ("inspect", "RESNET"),
    "estimate_language.txt": (
        *("estimate", "LANGUAGE", "--budget", "1e12", "--task", "language-modeling", "--tokenizer", "gpt2"),
    ),
    "estimate_unset.txt": ("estimate", "UNSET", "--budget", "1e12"),
    "estimate_devices.txt": (
        "estimate",
        "SEED",
        "--budget",
        "1xt4:10m",
        "--dataset",
        "mnist",
        "--batch-size",
        "128",
        "--count",
        "all",
    ),
    "estimate_causal.txt": ("estimate", "DECODER", "--budget", "1e12", "--attention", "causal", "--unique", "1M"),
    "optimal.txt": (
        *(
            "optimal",
            "--budget",
            "1e21",
            "--params",
            "124M",
            "--stop-below",
            ".01",
            "--target-loss",
            "2.4",
            "--isoflop",
        ),
        *("--inference-tokens", "1T", "--law", "besiroglu-2024", "--law", "kaplan-2020-joint"),
        *("--law", "cerebras-gpt-2023", "--law", "kaplan-2020-n"),
    ),
    "optimal_seed_cnn.txt": (
        *("optimal", "--budget", "1e14", "--model", "SEED", "--stop-below", ".01", "--target-loss", ".93"),
        *("--law", "seed-exponential"),
    ),
    "laws_show_seed.txt": ("laws", "show", "seed-exponential"),
}
UNSET = "(float[n,3,h,v] x) => (float[n,4,a,b] y) <float[4,3,3,3] w> { y = Conv(x, w) }"


@pytest.fixture
def printed(cli: Cli, seed_cnn: Path, save):
    """The output of one of COMMANDS."""
    resnet = Path(onnx.__file__).parent / "backend/test/data/light/light_resnet50.onnx"
    files = {
        "SEED": seed_cnn,
        "RESNET": resnet,
        "LANGUAGE": save(LANGUAGE, "language.onnx"),
        "UNSET": save(UNSET, "unset.onnx"),
        "DECODER": save(GRAPHS["language"], "decoder.onnx"),
    }

    def show(name: str) -> str:
        answer = cli(*(files.get(argument, argument) for argument in COMMANDS[name]))
        assert (answer.code, answer.err) == (0, "")
        out = answer.out
        for path in files.values():
            out = out.replace(str(path), path.name)
        return out

    return show


@pytest.mark.parametrize("name", COMMANDS)
def test_golden(printed, name: str) -> None:
    out = printed(name)
    if os.environ.get("GOLDEN") == "write":
        (GOLDEN / name).write_text(out, encoding="utf-8")
    assert out == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_no_trailing_blanks_no_colours_no_overlong_lines(printed, name: str) -> None:
    lines = printed(name).splitlines()
    assert all(line == line.rstrip() for line in lines)
    assert not any("\x1b" in line or "\t" in line for line in lines)
    if name.startswith("estimate"):
        assert max(map(len, lines)) <= PLAIN_WIDTH


UNITS = r"(k|M|G|T|P|E)?(MAC|FLOP|B)\b"


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.startswith("estimate")])
def test_every_number_of_the_cost_blocks_has_a_unit(printed, name: str) -> None:
    out = printed(name)
    compute = out[out.index("2 COMPUTE") : out.index("4 GENERALISATION")]
    rows = [line for line in compute.splitlines() if re.search(r"  (forward|backward|training|memory)  ", line)]
    assert len(rows) == 4
    for row in rows:
        value = re.split(r"\s{2,}", row.replace("3 EFFICIENCY", "").strip())[1]
        assert value == "-" or re.search(UNITS, value), row


def test_a_long_name_gets_a_line_of_its_own(cli: Cli, save) -> None:
    path = save(UNSET, "a_model_with_a_very_long_name_indeed.onnx")
    lines = cli("inspect", path).out.splitlines()
    assert lines[0] == "a_model_with_a_very_long_name_indeed.onnx"
    assert lines[1].startswith(" " * 18 + "ONNX opset 23, 1 node")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def colours(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "60", **environment}.items():
        monkeypatch.setenv(name, value)
    file = Terminal()
    show_blocks([Block("1 SIZE", [["trainable", "34,826", "a remark " * 20]])], file)
    show_table(("node", "MACs"), [("conv", "1")], file)
    return file.getvalue()


def test_a_terminal_has_bold_and_its_own_width(monkeypatch: pytest.MonkeyPatch) -> None:
    out = colours(monkeypatch)
    assert "\x1b[1m" in out
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert max(len(line.rstrip()) for line in plain.splitlines()) <= 60
    assert "34,826" in plain


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    out = colours(monkeypatch, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", out)


def test_a_pipe_never_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    file = io.StringIO()
    show_table(("node", "MACs"), [("conv[1]", "1")], file)
    assert file.getvalue() == "node       MACs\nconv[1]    1\n"


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "[/]", "a:smile:b", "[red", "a\\[b]"])
def test_names_are_no_markup(text: str) -> None:
    file = io.StringIO()
    show_blocks([Block(text, [[text], [text, text]])], file)
    show_table((text,), [(text,)], file, footer=(text,))
    assert file.getvalue().count(text) == 7


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_names_cannot_write_to_the_terminal(cli: Cli, save, form: str) -> None:
    proto = model("(float[n,4] x) => (float[n,4] y) { a = Relu(x) y = com.acme.Foo(a) }")
    proto.graph.node[0].name = "a\nb\x1b[31m\x07"
    proto.graph.node[1].op_type = "Foo\x1b[2J\n"
    answer = cli("inspect", save(proto), "--format", form)
    assert answer.code == 0
    assert "\x1b" not in answer.out + answer.err
    assert "\x07" not in answer.out
    assert answer.err.count("\n") == 1
