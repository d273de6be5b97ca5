"""Rows are appended whole or not at all."""

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scalecalc.appending import append
from scalecalc.errors import FileError, UsageError

WRITER = """
import sys
from scalecalc.appending import append
for i in range(int(sys.argv[2])):
    append(sys.argv[1], {"writer": sys.argv[3], "i": i, "text": "a, long \\"text\\" " * 200})
"""


def writer(path: Path, rows: int, name: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(rows), name])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_first_row_makes_the_header_and_others_follow_it(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    append(path, {"a": 1, "b": "x,y", "c": None})
    append(path, {"c": 2.5, "a": float("nan"), "b": "é"})
    assert path.read_text(encoding="utf-8") == 'a,b,c\n1,"x,y",\n,é,2.5\n'


def test_json_lines_keep_types_and_may_differ(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    append(path, {"a": 1, "b": None})
    append(path, {"a": float("inf"), "z": "x"})
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"a": 1, "b": None},
        {"a": None, "z": "x"},
    ]


def test_other_columns_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    append(path, {"a": 1, "b": 2})
    before = path.read_bytes()
    with pytest.raises(FileError, match="differ from this row's: b, c"):
        append(path, {"a": 1, "c": 2})
    assert path.read_bytes() == before


@pytest.mark.parametrize(("name", "text"), [("a.csv", "x,y\n1,2"), ("a.jsonl", '{"x": 1, "y": 2}')])
def test_a_last_line_that_is_left_open_is_ended_first(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    append(path, {"x": 3, "y": 4})
    assert path.read_text().splitlines() == [*text.splitlines(), "3,4" if name == "a.csv" else '{"x": 3, "y": 4}']


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"use \.csv or \.jsonl"):
        append(tmp_path / "runs.txt", {"a": 1})
    with pytest.raises(FileError, match=r"missing/runs\.csv"):
        append(tmp_path / "missing" / "runs.csv", {"a": 1})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.symlink_to("/dev/full")
    with pytest.raises(FileError, match="No space left"):
        append(path, {"a": 1})


def test_a_killed_writer_leaves_whole_rows(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    process = writer(path, 10**9, "killed")
    deadline = time.monotonic() + 20
    while not (path.exists() and path.stat().st_size > 500_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert path.read_bytes().endswith(b"\n")
    rows = read(path)
    assert [row["i"] for row in rows] == [str(i) for i in range(len(rows))]
    assert len({row["text"] for row in rows}) == 1


def test_writers_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    for process in [writer(path, 100, name) for name in "abc"]:
        assert process.wait() == 0
    rows = read(path)
    for name in "abc":
        assert [row["i"] for row in rows if row["writer"] == name] == [str(i) for i in range(100)]
    assert len(rows) == 300
