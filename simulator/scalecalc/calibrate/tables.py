"""Tables of runs from files: CSV, JSON lines or Parquet, read row by row and never larger than fits can use."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

from scalecalc.calibrate.tape import Array
from scalecalc.errors import FileError, nearest, one_line

MOST_ROWS = 50_000
"""Observations a fit takes."""
MOST_COLUMNS = 1_000
LONGEST = 1_000_000
"""Characters of a line."""
SEPARATORS = ",;\t"
"""Of cells, the usual one first."""
LEAST, MOST = 1e-100, 1e100
"""Numbers whose products can still be computed."""
NESTED = "..."
"""Stands for a list or an object: it is no number where one is needed."""

Cell = str | float | int | bool | None


@dataclass(frozen=True)
class Table:
    """Cells as they stand in a file.

    Attributes:
        source: the file's name, for messages.
        names: of the columns.
        rows: a cell for every column.
        lines: where each row stands: its line, or its number in a Parquet file.
    """

    source: str
    names: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    lines: Sequence[int]

    def texts(self, name: str) -> list[str]:
        """A column as texts."""
        index = self.names.index(name)
        return ["" if row[index] is None else str(row[index]).strip() for row in self.rows]

    def numbers(self, name: str) -> Array:
        """A column of positive finite numbers, (n).

        Raises:
            FileError: a cell is none, with its line.
        """
        index = self.names.index(name)
        values = np.empty(len(self.rows))
        for place, (row, line) in enumerate(zip(self.rows, self.lines, strict=True)):
            values[place] = self._number(name, row[index], line)
        return values

    def _number(self, name: str, cell: Cell, line: int) -> float:
        where, said = f"{self.source}:{line}", f"'{str(cell).strip():.40}'"
        if cell is None or not str(cell).strip():
            raise FileError(f"{name} is empty", where=where, todo="fill it in, or remove the row")
        try:
            value = math.nan if isinstance(cell, bool) else float(cell)
        except (TypeError, ValueError, OverflowError):
            raise FileError(f"{name} is {said}, no number", where=where, todo="correct it") from None
        if not math.isfinite(value) or isinstance(cell, bool):
            raise FileError(f"{name} is {said}, no finite number", where=where, todo="correct it, or remove the row")
        if value <= 0:
            raise FileError(f"{name} is {said}, not above 0", where=where, todo="correct it, or remove the row")
        if not LEAST <= value <= MOST:
            what = f"{name} is {said}, beyond {LEAST:g} to {MOST:g}"
            raise FileError(what, where=where, todo="correct it, or give it in another unit")
        return value

    def where(self, conditions: Mapping[str, str]) -> Table:
        """The rows whose cells have these values.

        Raises:
            FileError: no such column, or no such row.
        """
        places = self.places(conditions)
        rows, lines = [self.rows[place] for place in places], [self.lines[place] for place in places]
        return Table(self.source, self.names, rows, lines)

    def places(self, conditions: Mapping[str, str]) -> Sequence[int]:
        """Which rows these are.

        Raises:
            FileError: as for `where`.
        """
        found: Sequence[int] = range(len(self.rows))
        for name, wanted in conditions.items():
            if name not in self.names:
                raise FileError(f"has no column '{name:.60}'", where=self.source, todo=nearest(name, self.names))
            index, before = self.names.index(name), found
            found = [place for place in before if _same(self.rows[place][index], wanted)]
            if not found:
                cells = list(dict.fromkeys(str(self.rows[place][index]) for place in before))
                todo = nearest(wanted, cells, f"it has {', '.join(cells[:6])}{' ...' if len(cells) > 6 else ''}")
                raise FileError(f"no row with {name} = {wanted:.60}", where=self.source, todo=todo)
        return found


def _same(cell: Cell, wanted: str) -> bool:
    return str(cell).strip() == wanted


def read(path: str | Path) -> Table:
    """A table from a file; which format tells its ending: .csv (also .tsv, .txt), .jsonl (.ndjson), .parquet.

    Raises:
        FileError: it cannot be read, is no table, or has more than MOST_ROWS rows.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in READERS:
        known = ", ".join(READERS)
        raise FileError(f"ends in '{ending:.20}'", where=str(path), todo=f"give a table that ends in one of {known}")
    try:
        names, rows = READERS[ending](path)
        return _table(str(path), names, rows)
    except OSError as error:
        raise FileError(f"cannot be read ({error.strerror or error})", where=str(path), todo="check the path") from None
    except UnicodeDecodeError:
        raise FileError("is not UTF-8 text", where=str(path), todo="save it as UTF-8") from None


def _table(source: str, names: Sequence[str], rows: Iterable[tuple[int, Sequence[Cell]]]) -> Table:
    cells: list[Sequence[Cell]] = []
    lines: list[int] = []
    for line, row in rows:
        if len(cells) == MOST_ROWS:
            what = f"has more than {MOST_ROWS:,} rows"
            raise FileError(what, where=source, todo="keep each run's last row, or every tenth checkpoint")
        cells.append(row)
        lines.append(line)
    if not cells:
        raise FileError("has no rows", where=source, todo="give a table with a row per run")
    return Table(source, tuple(names), cells, lines)


def _csv(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The head, and rows as they are read: lines that start with # are comments."""
    rows = _csv_rows(path)
    _, names = next(rows, (0, []))
    names = [name.strip() for name in names]
    if not any(names):
        raise FileError("is empty", where=str(path), todo="give a table with column names in its first row")
    _named(names, str(path))
    return names, _fitting(rows, len(names), str(path))


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = _lines(file, str(path))
        counted = _Counter(lines)
        texts = iter(counted)
        head = next((text for text in texts if text.strip()), "")
        separator = next((mark for mark in SEPARATORS if mark in head), ",")
        reader = csv.reader(chain([head], texts), delimiter=separator, strict=True)
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    yield counted.line, row
        except csv.Error as error:
            raise FileError(str(error), where=f"{path}:{counted.line}", todo="write plain CSV") from None


class _Counter:
    """Lines that are no comments, and the number of the last one."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines, self.line = lines, 0

    def __iter__(self) -> Iterator[str]:
        for text in self.lines:
            self.line += 1
            if not text.startswith("#"):
                yield text


def _lines(file: IO[str], source: str) -> Iterator[str]:
    """Lines no longer than LONGEST: a file without any is not read into memory."""
    number = 0
    while text := file.readline(LONGEST):
        number += 1
        if len(text) == LONGEST:
            raise FileError(f"a line of more than {LONGEST:,} characters", where=f"{source}:{number}", todo="split it")
        yield text


def _fitting(rows: Iterator[tuple[int, list[str]]], width: int, source: str) -> Iterator[tuple[int, list[str]]]:
    for line, row in rows:
        if len(row) != width:
            what = f"{len(row)} cells under {width} column names"
            raise FileError(what, where=f"{source}:{line}", todo="give every row a cell per column")
        yield line, row


def _named(names: Sequence[str], source: str) -> None:
    if len(names) > MOST_COLUMNS:
        raise FileError(f"has {len(names):,} columns", where=source, todo="keep those of the runs")
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise FileError(f"two columns are called '{twice[0]:.60}'", where=source, todo="rename one")


def _json_lines(path: Path) -> tuple[list[str], Iterator[tuple[int, list[Cell]]]]:
    """The keys of the first object, and the values under them."""
    objects = _objects(path)
    first = next(objects, None)
    if first is None:
        raise FileError("is empty", where=str(path), todo="give one JSON object per line")
    names = list(first[1])
    _named(names, str(path))

    def rows() -> Iterator[tuple[int, list[Cell]]]:
        yield first[0], [first[1][name] for name in names]
        for line, found in objects:
            # what the first line lacks is no column; what another one lacks is empty
            yield line, [found.get(name) for name in names]

    return names, rows()


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig") as file:
        for line, text in enumerate(_lines(file, str(path)), 1):
            if not text.strip():
                continue
            try:
                found = json.loads(text)
            except (ValueError, RecursionError):
                raise FileError("is no JSON object", where=f"{path}:{line}", todo="write one per line") from None
            if not isinstance(found, dict):
                raise FileError("is no JSON object", where=f"{path}:{line}", todo="write one per line")
            yield line, {name: NESTED if isinstance(value, dict | list) else value for name, value in found.items()}


def _parquet(path: Path) -> tuple[list[str], Iterator[tuple[int, list[Cell]]]]:
    """Columns of plain values, batch by batch."""
    from importlib import import_module

    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        what = "Parquet needs pyarrow, which is not installed"
        raise FileError(what, where=str(path), todo="pip install 'scalecalc[parquet]', or give CSV") from None
    with _parquet_errors(path):
        file = parquet.ParquetFile(path)
        names = [field.name for field in file.schema_arrow]
    if file.metadata.num_rows > MOST_ROWS:
        what = f"has {file.metadata.num_rows:,} rows, more than {MOST_ROWS:,}"
        raise FileError(what, where=str(path), todo="keep each run's last row, or every tenth checkpoint")
    _named(names, str(path))
    nested = import_module("pyarrow").types.is_nested
    plain = [field.name for field in file.schema_arrow if not nested(field.type)]

    def rows() -> Iterator[tuple[int, list[Cell]]]:
        line = 0
        with _parquet_errors(path):
            for batch in file.iter_batches(batch_size=4096, columns=plain):
                columns = {name: batch.column(name).to_pylist() for name in plain}
                for place in range(batch.num_rows):
                    line += 1
                    yield line, [columns[name][place] if name in columns else NESTED for name in names]

    return names, rows()


@contextmanager
def _parquet_errors(path: Path) -> Iterator[None]:
    """What pyarrow says of a file that is none, or breaks off."""
    from importlib import import_module

    arrow = import_module("pyarrow")
    try:
        yield
    except (arrow.ArrowException, ValueError, KeyError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the file system
        what = f"is no Parquet file ({one_line(str(error)):.160})"
        raise FileError(what, where=str(path), todo="check the file") from None


READERS: Mapping[str, Callable[[Path], tuple[list[str], Iterator[tuple[int, Sequence[Cell]]]]]] = {
    ".csv": _csv, ".tsv": _csv, ".txt": _csv, ".jsonl": _json_lines, ".ndjson": _json_lines, ".parquet": _parquet,
}  # fmt: skip
"""How a file is read, by its ending."""
