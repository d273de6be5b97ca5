"""What is said of a table of runs: which columns are what, in which counts; and what a model says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scalecalc.calibrate.columns import SAYS, plain
from scalecalc.calibrate.tables import Table
from scalecalc.errors import FileError, UsageError

N_COUNTS = ("total", "non_embedding", "linear", "active", "unknown")
D_MEANINGS = ("seen", "unique", "unknown")
SAMPLES = ("token", "example", "second")
C_COUNTS = ("6N_total*D", "6N_nonemb*D", "6N_linear*D", "exact", "unknown")


@dataclass(frozen=True)
class ModelCost:
    """What a run's model says of itself.

    Attributes:
        params: by the counts of laws.
        flops: training matrix FLOPs per sample.
        sample: what that is.
        task: what the model is for, None where nobody knows.
    """

    params: Mapping[str, float]
    flops: float
    sample: str
    task: str | None = None


Costs = Callable[[str, bool], ModelCost]
"""The cost of a model by its name, or by its file where that is allowed: no path in a table is opened unasked."""


@dataclass(frozen=True)
class Stated:
    """What the user says of a table.

    Attributes:
        columns: by role (`columns.ROLES`).
        n_count, d_meaning, c_count: how its N, D and C count; None to be inferred.
        sample: of D; None to be inferred.
        task, metric, unit, corpus: what was trained and what the performance is.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    n_count: str | None = None
    d_meaning: str | None = None
    c_count: str | None = None
    sample: str | None = None
    task: str | None = None
    metric: str | None = None
    unit: str | None = None
    corpus: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for option, value, known in (
            ("--N-count", self.n_count, N_COUNTS), ("--D-meaning", self.d_meaning, D_MEANINGS),
            ("--C-count", self.c_count, C_COUNTS), ("--sample", self.sample, SAMPLES),
        ):  # fmt: skip
            if value is not None and value not in known:
                raise UsageError(f"no count '{value:.40}'", where=option, todo=f"use one of {', '.join(known)}")


def said_by(table: Table, stated: Stated) -> dict[str, Any]:
    """What columns state row by row, where the user states nothing.

    Raises:
        FileError: a column states several counts.
    """
    known: dict[str, Sequence[str]] = {
        "n_count": N_COUNTS, "d_meaning": D_MEANINGS, "c_count": C_COUNTS, "sample": SAMPLES,
    }  # fmt: skip
    found: dict[str, Any] = {}
    for name in table.names:
        about = SAYS.get(plain(name))
        if about is None:
            continue
        texts = list(dict.fromkeys(table.texts(name)))
        if about == "loss_of" and stated.metric not in (None, "loss"):
            continue
        if about == "sample" and not set(texts) <= set(SAMPLES):
            continue  # of something else: samples have numbers
        if len(texts) > 1:
            what = f"{name} has {' and '.join(texts[:3])}: counts are mixed"
            raise FileError(what, where=table.source, todo=f"choose rows: --where {name}={texts[0]}")
        if about in known and getattr(stated, about) is None and texts[0] in known[about]:
            found[about] = texts[0]
    return found
