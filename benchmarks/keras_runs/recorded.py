"""The recorded rows as runs a law can be fitted to: which rows, which columns, in which counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import numpy as np

from benchmarks.keras_runs.grid import HERE
from scalecalc.calibrate import tables
from scalecalc.calibrate.reading import Reading, runs_of
from scalecalc.calibrate.stated import Stated
from scalecalc.calibrate.tables import Table

ROWS = HERE / "rows"
ERROR = "error_rate"
"""A column that is added: one less the accuracy of the weights with the least validation loss."""
SHARES = (ERROR, "test_accuracy", "best_test_accuracy")
"""Columns of shares of 1; the others are losses."""
Row = Mapping[str, str]
Test = Callable[[Row], bool]
NONE: Test = lambda row: False  # noqa: E731


@cache
def table(domain: str) -> Table:
    """All rows of a domain, with their error rates."""
    found = tables.read(ROWS / f"{domain}.csv")
    place = found.names.index("best_test_accuracy")
    rows = [[*row, f"{1 - float(str(row[place])):.9g}"] for row in found.rows]
    return replace(found, source=f"benchmarks/keras_runs/rows/{domain}.csv", names=(*found.names, ERROR), rows=rows)


def rows(domain: str, test: Test = lambda row: True) -> list[Row]:
    """Rows by column, as texts."""
    found = table(domain)
    every = [dict(zip(found.names, map(str, row), strict=True)) for row in found.rows]
    return [row for row in every if test(row)]


def reading(
    domain: str, test: Test, performance: str, *, over: str = "N D C", count: str = "total", held: Test = NONE
) -> Reading:  # fmt: skip
    """Runs in the counts of a law.

    Args:
        domain: of the rows.
        test: which of its rows.
        performance: column.
        over: what laws may take of N, D, U and C; without D, distinct examples U stand for it.
        count: of N.
        held: which of them are predicted, not fitted.
    """
    whole = table(domain)
    chosen = [place for place, row in enumerate(rows(domain)) if test(row)]
    wanted, distinct = over.split(), "U" in over and "D" not in over
    keep = [place for place, name in enumerate(whole.names)
            if name.split("_")[0] not in {*"NDUC"} - {*wanted} or name == "C_count"]  # fmt: skip
    part = Table(
        whole.source, tuple(whole.names[place] for place in keep),
        [[whole.rows[row][place] for place in keep] for row in chosen], [whole.lines[row] for row in chosen],
    )  # fmt: skip
    columns = {"P": performance, "run": "run"}
    columns.update({"N": f"N_{count}"} if "N" in wanted else {})
    columns.update({"D": "U"} if distinct else {})
    stated = Stated(
        columns, n_count=count if "N" in wanted else None, d_meaning="unique" if distinct else "seen",
        c_count="exact" if "C" in wanted else None, unit="fraction" if performance in SHARES else "nat",
        sample=None if wanted == ["C"] else "token" if domain == "text" else "example",
    )  # fmt: skip
    found = runs_of(part, stated)
    mask = np.array([held(row) for row in rows(domain, test)])
    return found.without(mask) if mask.any() else found
