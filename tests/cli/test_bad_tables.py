"""Tables of runs that are wrong in every way: one line that says what, where and what to do, and 2."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_process import process

HEAD = "N_total,tokens_seen,loss"
POINTS = [(n, d, 2 + 400 / n**0.35 + 2000 / d**0.37) for n in (1e7, 1e8, 1e9) for d in (1e9, 1e10, 1e11)]
LINES = [f"{n!r},{d!r},{y!r}" for n, d, y in POINTS]
GOOD = "\n".join([HEAD, *LINES, ""])
OBJECTS = [json.dumps({"N_total": n, "tokens_seen": d, "loss": y}) for n, d, y in POINTS]


def with_cell(text: str) -> str:
    """A table whose first N is something else."""
    return GOOD.replace("10000000.0", text, 1)


WRONG: dict[str, tuple[str | bytes, str]] = {
    "zero.csv": (with_cell("0"), ":2: N_total is '0', not above 0"),
    "negative.csv": (with_cell("-1e7"), "not above 0"),
    "nan.csv": (with_cell("nan"), "no finite number"),
    "inf.csv": (with_cell("-inf"), "no finite number"),
    "beyond.csv": (with_cell("1e400"), "no finite number"),
    "large.csv": (with_cell("1e200"), "beyond 1e-100 to 1e+100"),
    "small.csv": (with_cell("1e-310"), "beyond 1e-100 to 1e+100"),
    "text.csv": (with_cell("ten"), "is 'ten', no number"),
    "nul.csv": (with_cell("1\0"), "no number"),
    "formula.csv": (with_cell("=1+1"), "is '=1+1', no number"),
    "decimals.csv": (with_cell('"1,5"'), "is '1,5', no number"),
    "blank.csv": (with_cell(""), "is empty; fill it in"),
    "performance.csv": (GOOD.replace("loss", "lss"), "is it lss? write --column P=lss"),
    "parameters.csv": ("parms,loss\n1,2\n", "is it parms? write --column N=parms"),
    "nothing.csv": ("loss\n3\n2\n", "no column of"),
    "one-row.csv": ("\n".join([HEAD, LINES[0]]), "1 run for the 5 coefficients of separable"),
    "one-n.csv": ("\n".join([HEAD, *(f"1e8,{d},{2 + 2000 / d**0.37}" for d in (1e9, 3e9, 1e10, 3e10, 1e11, 3e11))]),
                  "every run has N = 1e+08: separable needs several"),
    "twice.csv": (GOOD + LINES[-1], "lines 10 and 11 are the same run twice"),
    "empty.csv": ("", "is empty"),
    "head.csv": (HEAD, "has no rows"),
    "comments.csv": ("# a\n#b\n", "is empty"),
    "bars.csv": (GOOD.replace(",", "|"), "no column of"),
    "ragged.csv": (GOOD + "1,2\n", ":11: 2 cells under 3 column names"),
    "columns.csv": (GOOD.replace("tokens_seen", "loss"), "two columns are called 'loss'"),
    "many.csv": (",".join(f"c{k}" for k in range(5000)), "has 5,000 columns"),
    "unclosed.csv": (GOOD + '"1,2\n', "unexpected end of data"),
    "cell.csv": (with_cell("1" * 200_000), "field larger than field limit"),
    "line.csv": (with_cell("1" * 2_000_000), ":2: a line of more than 1,000,000 characters"),
    "latin.csv": (GOOD.replace("loss", "l\xdf").encode("latin-1"), "is not UTF-8 text"),
    "mixed.csv": (GOOD.encode() + "é".encode() + b"\xe9", "is not UTF-8 text"),
    "wide.csv": (GOOD.encode("utf-16"), "is not UTF-8 text"),
    "packed.csv": (gzip.compress(GOOD.encode()), "is not UTF-8 text"),
    "packed.csv.gz": (gzip.compress(GOOD.encode()), "ends in '.gz'"),
    "garbage.csv": (bytes(range(255, -1, -1)) * 40, "is not UTF-8 text"),
    "garbage.jsonl": (bytes(range(255, -1, -1)) * 40, "is not UTF-8 text"),
    "garbage.parquet": (bytes(range(256)) * 40, "is no Parquet file"),
    "empty.parquet": (b"", "is no Parquet file"),
    "escape.csv": (GOOD.replace("loss", "\x1b[31mlss"), "tokens_seen, ?[31mlss"),
    "counts.csv": (f"N_count,N,D,loss\ntotal,{LINES[0]}\nlinear,{LINES[1]}\n",
                   "N_count has total and linear: counts are mixed"),
    "compute.csv": (f"C,{HEAD}\n" + "\n".join(
        f"{k * n * d!r},{line}" for k, line, (n, d, _) in zip([6, 9], LINES[:2], POINTS[:2], strict=True)
    ), "counts are mixed"),
    "nested.jsonl": ('{"N_total": {"a": 1}, "loss": 3}', ":1: N_total is '...', no number"),
    "deep.jsonl": ("[" * 100_000, ":1: is no JSON object"),
    "digits.jsonl": ('{"N_total": ' + "9" * 5000 + ', "loss": 3}', ":1: is no JSON object"),
    "digits-2.jsonl": ('{"N_total": ' + "9" * 1000 + ', "loss": 3}', "no number"),
    "constant.jsonl": ('{"N_total": Infinity, "loss": 3}', "no finite number"),
    "boolean.jsonl": ('{"N_total": true, "loss": 3}', "no finite number"),
    "array.jsonl": (json.dumps([{"N": 1, "loss": 2}], indent=1), ":1: is no JSON object"),
    "lacking.jsonl": ("\n".join([*OBJECTS, '{"N_total": 1e8, "loss": 3}']), ":10: tokens_seen is empty"),
    "same.csv": ("\n".join([HEAD, *(f"{n},{d},2.5" for n, d, _ in POINTS)]), "do not determine the coefficients"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_table_that_is_wrong(cli: Cli, tmp_path: Path, name: str) -> None:
    content, said = WRONG[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    law = tmp_path / "law.yaml"
    answer = cli("calibrate", path, "--law", "separable", "--draws", 10, "-o", law)
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert answer.err.startswith("scalecalc: ")
    assert answer.err[:-1].isprintable()
    assert said in answer.err
    assert not law.exists()


RIGHT: dict[str, str | bytes] = {
    "bom.csv": b"\xef\xbb\xbf" + GOOD.encode(),
    "crlf.csv": GOOD.replace("\n", "\r\n"),
    "cr.csv": GOOD.replace("\n", "\r"),
    "semicolons.csv": GOOD.replace(",", ";"),
    "tabs.csv": GOOD.replace(",", "\t"),
    "quoted.csv": "\n".join([f"{HEAD},note", *(f'{line},"a\nb, ""c"""' for line in LINES)]),
    "beside.jsonl": "\n".join(line.replace("{", '{"more": {"a": [1]}, ', 1) for line in OBJECTS),
    "texts.jsonl": "\n".join(json.dumps({k: str(v) for k, v in json.loads(line).items()}) for line in OBJECTS),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_table_that_is_only_written_otherwise(cli: Cli, tmp_path: Path, name: str) -> None:
    content = RIGHT[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    answer = cli("calibrate", path, "--law", "separable", "--draws", 0, "--format", "json")
    assert (answer.code, answer.err) == (0, "")
    values = {name: found["value"] for name, found in answer.json["law"]["coefficients"].items()}
    assert values == pytest.approx({"A": 400, "B": 2000, "E": 2, "alpha": 0.35, "beta": 0.37}, rel=1e-6)


def test_a_folder_and_no_file(cli: Cli, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path / "folder.csv"):
        if path.stem == "folder":
            path.mkdir()
        answer = cli("calibrate", path)
        assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
        assert "cannot be read" in answer.err


def test_damaged_parquet_is_one_line(cli: Cli, tmp_path: Path) -> None:
    """Every byte of the file's pages and tail turned over in its turn, at some forty places."""
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "x.parquet"
    names = HEAD.split(",")
    parquet.write_table(pyarrow.table({name: [p[k] for p in POINTS] for k, name in enumerate(names)}), path)
    data = path.read_bytes()
    codes = set()
    for place in range(0, len(data), len(data) // 40):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        answer = cli("calibrate", path, "--law", "power", "--draws", 0)
        codes.add(answer.code)
        assert answer.code == 0 or (answer.out, answer.err.count("\n")) == ("", 1), answer.err
    assert codes <= {0, 2}
    assert 2 in codes


def test_outputs_that_cannot_be_written(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(GOOD)
    arguments = ("calibrate", path, "--law", "power", "--draws", 0)
    if os.path.exists("/dev/full"):
        with open("/dev/full", "w") as full:
            run = process(*arguments, stdout=full, stderr=-1, capture_output=False)
        assert (run.returncode, run.stderr.count("\n")) == (2, 1)
        assert "cannot write to stdout" in run.stderr
    for option, place, said in (
        ("-o", tmp_path / "none/fit.yaml", "choose another --output"), ("--plot", path, "choose another --plot"),
        ("--plot", "/dev/null/x", "choose another --plot"),
    ):  # fmt: skip
        answer = cli(*arguments, option, place)
        assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
        assert said in answer.err


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(GOOD)
    read, write = os.pipe()
    os.close(read)
    run = process("calibrate", path, "--law", "power", "--draws", 0, stdout=write, stderr=-1, capture_output=False)
    os.close(write)
    assert (run.returncode, run.stderr) == (0, "")
