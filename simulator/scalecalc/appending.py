"""Rows appended to CSV or JSON lines: all of a row at once, or nothing."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from scalecalc.errors import FileError, UsageError

ENDINGS = (".csv", ".jsonl")


def ending_of(path: str | os.PathLike[str]) -> str:
    """Which of ENDINGS a file has.

    Raises:
        UsageError: another one.
    """
    found = Path(path).suffix.lower()
    if found not in ENDINGS:
        raise UsageError(f"'{found}' is no kind of table", where=os.fspath(path), todo=f"use {' or '.join(ENDINGS)}")
    return found


def append(path: str | os.PathLike[str], row: Mapping[str, object]) -> None:
    """Append a row; the file is made with its header where there is none.

    Rows are written by one call each, one writer after the other, and taken back where the disk is full: whoever is
    killed leaves whole rows.

    Args:
        path: `.csv` or `.jsonl`.
        row: by column; None and NaN are empty cells of CSV and null in JSON.

    Raises:
        FileError: it cannot be written, or has other columns.
        UsageError: another ending.
    """
    ending = ending_of(path)
    cells = {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in row.items()}
    try:
        with _locked(path) as (handle, size):
            text = json.dumps(cells) + "\n" if ending == ".jsonl" else _csv(path, size, cells)
            if size and not _ended(path):
                text = "\n" + text
            _write(handle, size, text.encode())
    except OSError as error:
        raise FileError(error.strerror or str(error), where=os.fspath(path), todo="give a file to write to") from None


@contextmanager
def _locked(path: str | os.PathLike[str]) -> Iterator[tuple[int, int]]:
    """A file for appending and its size, nobody else writing."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        try:
            import fcntl
        except ImportError:  # not on Windows
            pass
        else:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle, os.fstat(handle).st_size
    finally:
        os.close(handle)


def _ended(path: str | os.PathLike[str]) -> bool:
    """Whether the last line is a whole one: editors and other programs may leave it open."""
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _write(handle: int, size: int, data: bytes) -> None:
    done = 0
    try:
        done = os.write(handle, data)
    finally:
        if done < len(data):
            with suppress(OSError):
                os.truncate(handle, size)
    if done < len(data):
        raise OSError("the disk is full")


def _csv(path: str | os.PathLike[str], size: int, cells: Mapping[str, object]) -> str:
    """The row, after the header in a new file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(cells), lineterminator="\n")
    if size == 0:
        writer.writeheader()
    else:
        with open(path, encoding="utf-8", newline="") as file:
            head = next(csv.reader(file), [])
        if other := sorted(set(cells) ^ set(head)):
            what = f"its columns differ from this row's: {', '.join(other)[:120]}"
            raise FileError(what, where=os.fspath(path), todo="use another file, or one that ends in .jsonl")
        writer.fieldnames = head
    writer.writerow(cells)
    return text.getvalue()
