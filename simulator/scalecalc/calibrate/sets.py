"""Runs that come with the package: `@chinchilla` and others, each with its counts and its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scalecalc.calibrate.reading import Reading, runs_of
from scalecalc.calibrate.stated import Costs, Stated
from scalecalc.calibrate.tables import Table, read
from scalecalc.errors import UsageError, nearest
from scalecalc.loading import shipped_yaml

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class RunSet:
    """A published table of runs.

    Attributes:
        name: without the @.
        title, source: what they are, from where.
        stated: how it counts.
        drop_highest: observations its publication leaves out, the highest losses first.
        one_of: columns that tell several curves apart; a fit is of one.
    """

    name: str
    title: str
    source: str
    stated: Stated
    drop_highest: int = 0
    one_of: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Its table."""
        return DATA / f"{self.name}.csv"


def run_sets() -> dict[str, RunSet]:
    """Every set by name."""
    return {name: _set(name, dict(fields)) for name, fields in shipped_yaml(DATA / "sets.yaml").items()}


def _set(name: str, fields: dict[str, Any]) -> RunSet:
    stated = Stated(**{key: fields[key] for key in fields.keys() & Stated.__dataclass_fields__.keys()})
    return RunSet(
        name, fields["title"], fields["source"], replace(stated, corpus=tuple(stated.corpus)),
        fields.get("drop_highest", 0), tuple(fields.get("one_of", ())),
    )  # fmt: skip


def open_runs(
    source: str, stated: Stated | None = None, where: Mapping[str, str] | None = None, costs: Costs | None = None,
    held_out: Mapping[str, str] | None = None,
) -> tuple[Reading, RunSet | None]:  # fmt: skip
    """Runs from a file, or from a set by its @name.

    Args:
        source: as typed.
        stated: what the user says of the table; comes before what a set says of itself.
        where: cells the rows must have, by column.
        costs: as for `reading.runs_of`.
        held_out: cells of rows that are to be predicted, not fitted, by column.

    Raises:
        UsageError: there is no such set, or several curves to choose from.
        FileError: the file is no table of runs.
    """
    stated = stated or Stated()
    if not source.startswith("@"):
        return _parted(read(source).where(where or {}), stated, costs, held_out), None
    known = run_sets()
    found = known.get(source[1:])
    if found is None:
        todo = nearest(source, [f"@{name}" for name in known])
        raise UsageError(f"no runs '{source:.60}' come with the package", todo=todo)
    table = replace(read(found.path).where(where or {}), source=source)
    _one(table, found)
    # the set's own word, where the user says nothing else
    both = replace(found.stated, **{k: v for k, v in vars(stated).items() if v not in (None, (), {})})
    return _parted(table, both, costs, held_out), found


def _parted(table: Table, stated: Stated, costs: Costs | None, held_out: Mapping[str, str] | None) -> Reading:
    reading = runs_of(table, stated, costs)
    if not held_out:
        return reading
    mask = np.zeros(len(reading.runs), bool)
    mask[list(table.places(held_out))] = True
    if mask.all():
        raise UsageError("every row is held out", where="--held-out", todo="leave some to be fitted")
    return reading.without(mask)


def _one(table: Table, found: RunSet) -> None:
    """One curve of a set that holds several."""
    if not found.one_of:
        return
    columns = [table.texts(name) for name in found.one_of]
    curves = list(dict.fromkeys(zip(*columns, strict=True)))
    if len(curves) > 1:
        open_ones = [name for name, texts in zip(found.one_of, columns, strict=True) if len(set(texts)) > 1]
        first = dict(zip(found.one_of, curves[0], strict=True))
        todo = "choose one: " + " ".join(f"--where {name}={first[name]}" for name in open_ones)
        raise UsageError(f"holds {len(curves)} curves", where=table.source, todo=todo)
