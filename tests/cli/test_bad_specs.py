"""Specifications at the command line: one line that says where, exit 2; pipes; models that come with the package."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Answer, Cli
from tests.frontends.wrong_specs import WRONG, layers

COMMANDS = pytest.mark.parametrize("command", ["inspect", "estimate", "formula"])
GOOD = layers("dense: 10")


def asked(cli: Cli, command: str, model: Path | str, *rest: str) -> Answer:
    return cli(command, model, *(("--budget", "1e15") if command == "estimate" else ()), *rest)


def refused(answer: Answer) -> str:
    """The one line of exit 2."""
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("scalecalc: ")
    assert answer.err.endswith("\n")
    assert answer.err.count("\n") == 1
    assert "; " in answer.err, "what to do"
    return answer.err


@pytest.mark.parametrize("what", WRONG)
def test_wrong_specifications(cli: Cli, tmp_path: Path, what: str) -> None:
    text, says = WRONG[what]
    path = tmp_path / "m.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    err = refused(cli("inspect", path))
    assert err.startswith(f"scalecalc: {path}")
    assert says in err


@COMMANDS
def test_what_is_no_file(cli: Cli, tmp_path: Path, command: str) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    for name, says in (("pipe", "is not a regular file"), ("folder", "is a directory"), ("none", "No such file")):
        assert says in refused(asked(cli, command, tmp_path / f"{name}.yaml"))


@COMMANDS
def test_a_variant_of_a_file(cli: Cli, tmp_path: Path, command: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(GOOD + "variants:\n  big: {symbols: {d_model: 128}}\n")
    assert asked(cli, command, f"{path}:big").code == 0
    assert "no variant 'bog'; did you mean big?" in refused(asked(cli, command, f"{path}:bog"))


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch):
    return lambda content: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


@COMMANDS
def test_pipes(cli: Cli, pipe, seed_cnn: Path, command: str) -> None:
    """A specification and an ONNX file are told apart by their bytes."""
    for content in (GOOD.encode(), seed_cnn.read_bytes()):
        pipe(content)
        answer = asked(cli, command, "-")
        assert (answer.code, answer.err) == (0, "")
        assert answer.out


WRONG_PIPES = [
    (b"", "stdin: is empty"),
    (b"\n \n", "stdin: is empty"),
    (b"hello", "stdin:1: a mapping is wanted"),
    (layers("dence: 3").encode(), "stdin:9: layers[0]: no layer 'dence'"),
    (b"\0" * 100, "stdin: the file is cut short or damaged"),
    (b"\x08\x0a", "stdin: there is no graph in it"),
    (b"x" * 1_100_000, "stdin: is larger than 1,000,000 bytes"),
]


@pytest.mark.parametrize(("content", "says"), WRONG_PIPES)
def test_wrong_pipes(cli: Cli, pipe, content: bytes, says: str) -> None:
    pipe(content)
    assert says in refused(cli("inspect", "-"))


def test_no_pipe(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert "stdin is closed" in refused(cli("inspect", "-"))


def test_names_nobody_knows(cli: Cli) -> None:
    assert "no model of that name; did you mean gpt2?" in refused(cli("inspect", "gptt2"))
    assert "gpt2 has no variant 'xxl'; did you mean xl?" in refused(cli("inspect", "gpt2:xxl"))


def test_sizes_that_do_not_fit(cli: Cli) -> None:
    err = refused(cli("inspect", "gpt2", "--set", "d_model=7"))
    assert "symbols.d_head: d_model / n_head is no size at d_model 7, n_head 12; set d_head too" in err
