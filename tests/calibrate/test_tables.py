"""Tables from files: formats, and every way in which one can be wrong."""

from __future__ import annotations

import importlib
import json
import tracemalloc
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from scalecalc.calibrate import tables
from scalecalc.errors import FileError

ROWS = [(1e9, 2.5, "a"), (2e9, 2.25, "b")]


def test_the_same_rows_from_every_format(tmp_path: Path) -> None:
    csv, tsv, lines = tmp_path / "x.csv", tmp_path / "x.tsv", tmp_path / "x.jsonl"
    csv.write_text("# where they come from\nN, loss ,name\n" + "".join(f"{n},{y},{s}\n\n" for n, y, s in ROWS))
    tsv.write_text("N\tloss\tname\n" + "".join(f"{n}\t{y}\t{s}\n" for n, y, s in ROWS))
    lines.write_text("".join(json.dumps({"N": n, "loss": y, "name": s, "more": [1]}) + "\n" for n, y, s in ROWS))
    for path in (csv, tsv, lines):
        found = tables.read(path)
        assert found.names[:3] == ("N", "loss", "name")
        assert found.numbers("N").tolist() == [1e9, 2e9]
        assert found.numbers("loss").tolist() == [2.5, 2.25]
        assert found.texts("name") == ["a", "b"]
    assert tables.read(csv).lines == [3, 5]
    with pytest.raises(FileError, match=r"more is '\.\.\.', no number"):
        tables.read(lines).numbers("more")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_cells_are_separated_as_the_head_is(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"# a, b; c\n\nN{mark}loss\n1e9{mark}2.5\n")
    found = tables.read(path)
    assert (found.names, found.lines) == (("N", "loss"), [4])


def test_parquet(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "x.parquet"
    columns: dict[str, Any] = {"N": [1e9, 2e9], "loss": [2.5, 2.25], "name": ["a", "b"], "more": [[1], [2]]}
    parquet.write_table(pyarrow.table(columns), path)
    found = tables.read(path)
    assert found.names == ("N", "loss", "name", "more")
    with pytest.raises(FileError, match=r"x\.parquet:1: more is '\.\.\.', no number"):
        found.numbers("more")
    assert found.numbers("loss").tolist() == [2.5, 2.25]
    parquet.write_table(pyarrow.table({**columns, "N": [datetime(2026, 1, 1)] * 2}), path)
    with pytest.raises(FileError, match="N is '2026-01-01 00:00:00', no number"):
        tables.read(path).numbers("N")
    path.write_bytes(b"PAR1 is not all there is")
    with pytest.raises(FileError, match="no Parquet file"):
        tables.read(path)


def test_parquet_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(FileError, match=r"pip install 'scalecalc\[parquet\]'"):
        tables.read(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "x.csv: is empty"),
        ("N,loss\n", "x.csv: has no rows"),
        ("N,loss\n1,2\n1\n", "x.csv:3: 1 cells under 2 column names"),
        ("N,N\n1,2\n", "two columns are called 'N'"),
        ("# one\nN,loss\n1,abc\n", "x.csv:3: loss is 'abc', no number"),
        ("N,loss\n1,0\n", "x.csv:2: loss is '0', not above 0"),
        ("N,loss\n1,-2\n", "x.csv:2: loss is '-2', not above 0"),
        ("N,loss\n1,NaN\n", "x.csv:2: loss is 'NaN', no finite number"),
        ("N,loss\n1,1e999\n", "x.csv:2: loss is '1e999', no finite number"),
        ("N,loss\n1,\n", "x.csv:2: loss is empty"),
        ('N,loss\n1,"2\n', "unexpected end of data"),
        (b"N,loss\n1,\xff\n", "is not UTF-8"),
    ],
)
def test_bad_csv(tmp_path: Path, content: str | bytes, said: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileError) as caught:
        tables.read(path).numbers("loss")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("[1, 2]\n", ":1: is no JSON object"),
        ('{"loss": 1}\n{"loss": \n', ":2: is no JSON object"),
        ('{"loss": 1}\n{"N": 2}\n', ":2: loss is empty"),
        ('{"loss": true}\n', ":1: loss is 'True', no finite number"),
        ('{"loss": 1}\n' + "[" * 100_000 + "\n", ":2: is no JSON object"),
    ],
)
def test_bad_json_lines(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(content)
    with pytest.raises(FileError) as caught:
        tables.read(path).numbers("loss")
    assert said in str(caught.value)


def test_what_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="ends in"):
        tables.read(tmp_path / "x.xlsx")
    with pytest.raises(FileError, match="cannot be read"):
        tables.read(tmp_path / "x.csv")


def test_ten_million_rows_are_refused_without_reading_them(tmp_path: Path) -> None:
    """2 rows of 10 bytes repeated: 100 MB are never in memory."""
    path = tmp_path / "x.csv"
    with path.open("w") as file:
        file.write("N,loss\n")
        for _ in range(100):
            file.write("1000000,2.5\n" * 100_000)
    tracemalloc.start()
    with pytest.raises(FileError, match="has more than 50,000 rows"):
        tables.read(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 60e6


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("N,loss\n" + "1" * 3_000_000)
    with pytest.raises(FileError, match="a line of more than 1,000,000 characters"):
        tables.read(path)


def test_rows_of_one_value(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("task,N\nA,1\nB,2\nA,3\n")
    found = tables.read(path)
    assert found.where({"task": "A"}).numbers("N").tolist() == [1, 3]
    with pytest.raises(FileError, match="no row with task = C; it has A, B"):
        found.where({"task": "C"})
    with pytest.raises(FileError, match="has no column 'tasks'; did you mean task"):
        found.where({"tasks": "A"})
