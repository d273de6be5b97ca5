"""Options that make no sense, and outputs nobody can write."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

BUDGETS = ["", " ", "0", "0.0", "-1e15", "nan", "inf", "-inf", "1e400", "10**400", "9**9**9**9", "2**5000", "1/0",
           "abc", "1e15 FLAP", "1,000", "1_000", "1e15+", "C", "[1]", "__import__('os')", "(" * 300 + "1" + ")" * 300,
           "1e308*10", "(-1)**0.5", "True"]  # fmt: skip


SAYS = {
    "--budget": "is no budget; write for example 1e21, 100T, 1PF-day or 8xh100:3d",
    "--unique": "is no positive number; write for example 512, 60k or 1.28M",
    "--batch-size": "is no positive number; write for example 512, 60k or 1.28M",
}


@pytest.mark.parametrize("option", SAYS)
@pytest.mark.parametrize("text", BUDGETS)
def test_numbers_that_are_none(cli: Cli, seed_cnn: Path, option: str, text: str) -> None:
    budget = () if option == "--budget" else ("--budget=1e15",)
    answer = cli("estimate", seed_cnn, *budget, f"{option}={text}")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"scalecalc: {option}: '{text.strip()}' {SAYS[option]}\n"


@pytest.mark.parametrize("text", ["1", "1e60", "2*10**14", "1e15/3", "sqrt(1e30)"])
def test_numbers_that_are(cli: Cli, seed_cnn: Path, text: str) -> None:
    answer = cli("estimate", seed_cnn, "--budget", text, "--format", "json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.json["budget"]["compute"] > 0


@pytest.mark.parametrize("text", ["1e-300", "0.5", "1e61", "1e308"])
def test_budgets_beyond_reason(cli: Cli, seed_cnn: Path, text: str) -> None:
    answer = cli("estimate", seed_cnn, "--budget", text)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"scalecalc: --budget: {text} is no budget; give from 1 to 1e60 FLOP, such as 1e21\n"


USAGE = [
    # arguments, what stderr says
    (("estimate", "MODEL"), "Missing option '--budget'"),
    (("estimate", "MODEL", "--budget"), "Option '--budget' requires an argument"),
    (("estimate", "--budget", "1e15"), "Missing argument 'MODEL'"),
    (("inspect",), "Missing argument 'MODEL'"),
    (("inspect", "MODEL", "--nonsense"), "No such option: --nonsense"),
    (("inspect", "MODEL", "--budget", "1"), "No such option: --budget"),
    (("inspect", "MODEL", "another"), "another: no such file or directory"),
    (("diff", "MODEL", "MODEL", "another"), "unexpected extra argument"),
    (("diff", "MODEL"), "Missing argument 'NEW'"),
    (("nonsense",), "No such command 'nonsense'"),
    (("--nonsense",), "No such option: --nonsense"),
    (("inspect", "MODEL", "--format", "xml"), "--format: no format 'xml'; use one of table, json, csv, markdown"),
    (("estimate", "MODEL", "--budget", "1", "--format", ""), "--format: no format ''"),
    (("laws", "--format", "xml"), "--format: no format 'xml'"),
    (("ops", "--format", "xml"), "--format: no format 'xml'"),
    (("laws", "show"), "Missing argument 'NAME'"),
    (("laws", "show", "nonsense"), "no law 'nonsense'; scalecalc laws lists them"),
    (("laws", "nonsense"), "No such command 'nonsense'"),
]


@pytest.mark.parametrize(("arguments", "says"), USAGE, ids=[" ".join(arguments) for arguments, _ in USAGE])
def test_usage(cli: Cli, seed_cnn: Path, arguments: tuple[str, ...], says: str) -> None:
    answer = cli(*(seed_cnn if argument == "MODEL" else argument for argument in arguments))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("scalecalc: ")
    assert answer.err.count("\n") == 1
    assert says in answer.err


@pytest.mark.parametrize("command", [("inspect", "MODEL"), ("estimate", "MODEL", "--budget", "1"), ("formula", "MODEL"),
                                     ("laws",), ("ops",), ("laws", "show", "seed-exponential")])  # fmt: skip
def test_unwritable_outputs(cli: Cli, seed_cnn: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    arguments = [seed_cnn if argument == "MODEL" else argument for argument in command]
    for target, says in (
        (tmp_path / "missing/out", "cannot write: No such file or directory"),
        (tmp_path, "cannot write: Is a directory"),
        (Path(__file__) / "out", "cannot write: Not a directory"),
    ):
        answer = cli(*arguments, "--output", target)
        assert (answer.code, answer.out, answer.err) == (
            2, "", f"scalecalc: {target}: {says}; choose another --output\n")  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_no_half_written_file_is_left(cli: Cli, seed_cnn: Path, tmp_path: Path) -> None:
    old = tmp_path / "out"
    old.write_text("precious")
    assert cli("inspect", seed_cnn, "--format", "xml", "--output", old).code == 2
    assert cli("inspect", tmp_path / "missing", "--output", old).code == 2
    assert (old.read_text(), list(tmp_path.iterdir())) == ("precious", [old])
    assert cli("inspect", seed_cnn, "--output", old).code == 0
    assert old.read_text().startswith("seed_cnn.onnx")


def test_outputs_behind_links_and_devices(cli: Cli, seed_cnn: Path, tmp_path: Path) -> None:
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(file)
    assert cli("inspect", seed_cnn, "--output", link).code == 0
    assert link.is_symlink()
    assert file.read_text().startswith("seed_cnn.onnx")
    assert cli("inspect", seed_cnn, "--output", os.devnull).code == 0
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_file_s_permissions_follow_the_umask(cli: Cli, seed_cnn: Path, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        cli("inspect", seed_cnn, "--output", tmp_path / "out")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640
