"""From a table to runs: every variable in a stated count, what follows from others computed, the rest assumed aloud."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scalecalc.calibrate.columns import SAYS, better, near_role, plain, recognise, sample_of
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.stated import D_MEANINGS, N_COUNTS, Costs, ModelCost, Stated, said_by
from scalecalc.calibrate.tables import Table
from scalecalc.calibrate.tape import Array
from scalecalc.errors import FileError, ScalecalcError, UsageError, one_line

SIX = {"total": "6N_total*D", "non_embedding": "6N_nonemb*D", "linear": "6N_linear*D"}
MOST_UNUSED = 8
"""Names of columns without a role that are listed."""
NEAR, FAR = 0.01, 0.05
"""A C within the first of 6*N*D is it, beyond the second it is another count."""


@dataclass(frozen=True)
class Reading:
    """Runs with everything that was found out about them.

    Attributes:
        runs: in the counts `runs.conventions` state.
        better: lower or higher performance.
        unit: of the performance.
        task, corpus: what was trained on what; None and empty where nobody says.
        se: standard errors of the performance, None where no column has them.
        facts: one line each: what a variable is.
        assumptions: one line each, with the option that changes it.
        replicates: observations that share all variables with an earlier one.
        held: observations that are to be predicted, not fitted.
    """

    runs: Runs
    better: str
    unit: str
    task: str | None
    corpus: tuple[str, ...]
    se: Array | None
    facts: tuple[str, ...]
    assumptions: tuple[str, ...]
    replicates: int
    held: Reading | None = None

    def chosen(self, mask: NDArray[np.bool_]) -> Reading:
        """Some of the observations."""
        return replace(self, runs=self.runs.chosen(mask), se=None if self.se is None else self.se[mask])

    def without(self, mask: NDArray[np.bool_]) -> Reading:
        """The others fitted, those observations held out."""
        return replace(self.chosen(~mask), held=self.chosen(mask))


def runs_of(table: Table, stated: Stated | None = None, costs: Costs | None = None) -> Reading:
    """The runs of a table.

    Args:
        table: its cells.
        stated: what the user says of it.
        costs: the cost of models that a column names.

    Raises:
        FileError: cells that are no positive numbers, the same run twice, counts that are mixed.
        UsageError: a column that is missing, or may be several things.
    """
    return _Reader(table, stated or Stated(), costs).reading()


class _Reader:
    def __init__(self, table: Table, stated: Stated, costs: Costs | None) -> None:
        self.table, self.costs = table, costs
        self.stated = stated = replace(stated, **said_by(table, stated))
        self.columns = recognise(table.names, stated.columns, table.source, stated.n_count, stated.metric)
        self.values: dict[str, Array] = {}
        self.conventions: dict[str, dict[str, str]] = {}
        self.facts: list[str] = []
        self.assumptions: list[str] = []

    def reading(self) -> Reading:
        of, table, stated = self.columns.of, self.table, self.stated
        for symbol in ("N", "D", "U", "C"):
            if symbol in of:
                self.values[symbol] = table.numbers(of[symbol])
        observed = table.numbers(of["P"])
        models = self._models()
        self._parameters(models)
        self._data(models)
        self._compute(models)
        if not {"N", "D", "C"} & self.values.keys():
            todo = near_role("N", table.names)
            raise UsageError(f"no column of {table.source} is N, D or C", where="--column", todo=todo)
        groups = self._groups()
        replicates = self._replicates(observed)
        values: dict[str, Array] = {
            symbol: self.values[symbol] for symbol in ("N", "D", "U", "C") if symbol in self.values
        }
        metric = stated.metric or of["P"].strip().lower()
        runs = Runs(values, observed, groups, metric, self.conventions, table.source, self._beside())
        unused = [name for name in table.names if name not in of.values() and plain(name) not in SAYS]
        if unused:
            more = f" and {len(unused) - MOST_UNUSED} more" if len(unused) > MOST_UNUSED else ""
            self.facts.append(f"not used: {', '.join(unused[:MOST_UNUSED])}{more} (--column)")
        direction = better(metric) if stated.metric else better(of["P"])
        unit, task = stated.unit or _unit(direction, observed), stated.task or self._task(models)
        if unit == "unknown":
            self.assumptions.append(f"{metric} has no unit: its figures stand as they are (--unit, such as nat/token)")
        if task is None:
            self.assumptions.append("the law is for any models like these: nobody says what was trained (--task)")
        return Reading(
            runs, direction, unit, task, stated.corpus, table.numbers(of["se"]) if "se" in of else None,
            tuple(self.facts), tuple(self.assumptions), replicates,
        )  # fmt: skip

    # --- what counts how

    def _beside(self) -> dict[str, Array]:
        """What no law takes: left out where a cell is none, as nothing depends on it."""
        found = {}
        for role in ("steps", "train"):
            if role in self.columns.of:
                with suppress(FileError):
                    found[role] = self.table.numbers(self.columns.of[role])
        return found

    def _models(self) -> list[ModelCost] | None:
        """Each row's model, where a column names it and something is missing that it knows."""
        name = self.columns.of.get("model")
        if name is None or self.costs is None:
            return None
        wanted = "model" in self.columns.given or (self.stated.c_count == "exact" and "C" not in self.values)
        if "N" in self.values and not wanted:
            return None
        texts = self.table.texts(name)
        known: dict[str, ModelCost] = {}
        for text, line in zip(texts, self.table.lines, strict=True):
            if text in known:
                continue
            try:
                known[text] = self.costs(text, "model" in self.columns.given)
            except ScalecalcError as error:
                if not wanted:
                    self.assumptions.append(
                        f"{name} is a label: '{text:.40}' is no known model (--column model={name} to have it read)"
                    )
                    return None
                where = f"{self.table.source}:{line}"
                raise FileError(f"{name} '{text:.60}': {one_line(str(error))}", where=where) from None
        return [known[text] for text in texts]

    def _parameters(self, models: list[ModelCost] | None) -> None:
        named = self.columns.count("N")
        count = self.stated.n_count or (named if named in N_COUNTS else None)
        if "N" not in self.values and models is not None:
            count = count if count in models[0].params else "total"
            self.values["N"] = np.array([model.params[count or "total"] for model in models])
            self.facts.append(f"N: {count} parameters of the models named in {self.columns.of['model']}")
        elif "N" in self.values:
            if count is None:
                count = "total"
                self.assumptions.append("N counts all parameters (--N-count total or non_embedding)")
            self.facts.append(f"N: {count} parameters, column {self.columns.of['N']}")
        if "N" in self.values:
            self.conventions["N"] = {"count": count or "total"}

    def _data(self, models: list[ModelCost] | None) -> None:
        stated, of = self.stated, self.columns.of
        sample = stated.sample or next((s for role in ("D", "U") if role in of and (s := sample_of(of[role]))), None)
        sample = sample or (models[0].sample if models else None)
        if "D" not in self.values and {"N", "C"} <= self.values.keys():
            self.values["D"] = self.values["C"] / (6 * self.values["N"])
            meaning = "seen"
            self.facts.append("D = C/(6*N): no column has it")
        elif "D" in self.values:
            named = self.columns.count("D")
            meaning = stated.d_meaning or (named if named in D_MEANINGS else None) or ""
            if not meaning:
                meaning = "seen"
                if "U" not in self.values:
                    self.assumptions.append("D counts samples seen, repeats included (--D-meaning seen or unique)")
            self.facts.append(f"D: {sample or 'sample'}s {meaning}, column {of['D']}")
        if "D" in self.values or "U" in self.values:
            if sample is None:
                sample = "token" if "N" in self.values else "example"
                self.assumptions.append(f"a sample of D is one {sample} (--sample token, example or second)")
            if "D" in self.values:
                self.conventions["D"] = {"sample": sample, "meaning": meaning}
        if "U" in self.values:
            self.conventions["U"] = {"sample": sample or "token", "meaning": "unique"}
            self.facts.append(f"U: distinct {sample}s, column {of['U']}")

    def _compute(self, models: list[ModelCost] | None) -> None:
        stated = self.stated.c_count
        n_count = self.conventions.get("N", {}).get("count", "total")
        if "C" in self.values:
            count = stated or self._compared(n_count)
            self.facts.append(f"C: {count}, column {self.columns.of['C']}")
        elif "D" in self.values and models is not None and stated in (None, "exact"):
            count = "exact"
            self.values["C"] = self.values["D"] * np.array([model.flops for model in models])
            self.facts.append("C = D x training matrix FLOPs per sample of the models named")
        elif self.conventions.get("D", {}).get("meaning") == "unique":
            return  # how often they are seen, nobody says
        elif {"N", "D"} <= self.values.keys() and n_count in SIX and stated != "exact":
            count = SIX[n_count]
            self.values["C"] = 6 * self.values["N"] * self.values["D"]
            self.facts.append(f"C = 6*N*D, N {n_count}: no column has it")
        elif stated == "exact":
            todo = f"{near_role('model', self.table.names)}, or give a column of C"
            raise UsageError("exact C needs to know the models", where="--C-count", todo=todo)
        else:
            return
        self.conventions["C"] = {"count": count, "attention": "full" if models else "unknown", "unit": "FLOP"}

    def _compared(self, n_count: str) -> str:
        """The count of a column of C beside 6*N*D."""
        if not {"N", "D"} <= self.values.keys() or "D" not in self.columns.of:
            if "D" in self.values:  # which was made so
                return SIX.get(n_count, "unknown")
            self.assumptions.append("C counts all training FLOPs exactly (--C-count exact or 6N_total*D)")
            return "exact"
        ratio = self.values["C"] / (self.values["N"] * self.values["D"])
        off = np.abs(ratio / 6 - 1)
        if (off <= NEAR).all():
            return SIX.get(n_count, "unknown")
        if len(off) > 1 and (off <= 1e-6).any() and (off > FAR).any():
            same, other = int(np.argmin(off)), int(np.argmax(off))
            lines = self.table.lines
            what = (
                f"C is 6*N*D on line {lines[same]} but {ratio[other]:.3g}*N*D on line {lines[other]}: counts are mixed"
            )
            todo = "give one count, or say which: --C-count exact or 6N_total*D"
            raise FileError(what, where=self.table.source, todo=todo)
        self.assumptions.append(
            f"C is {ratio.min():.3g} to {ratio.max():.3g} N*D, not 6: taken as exact FLOPs (--C-count exact or unknown)"
        )
        return "exact"

    # --- which rows are one run

    def _groups(self) -> NDArray[np.int64]:
        of = self.columns.of
        labels = [self.table.texts(of[role]) for role in ("run", "seed") if role in of]
        if "run" not in of:
            if self._lineages() < len(self.table.rows):
                self.assumptions.append("every row is a run of its own, none a checkpoint (--column run=NAME)")
            return np.arange(len(self.table.rows))
        _, groups = np.unique(["\x1f".join(parts) for parts in zip(*labels, strict=True)], return_inverse=True)
        found: NDArray[np.int64] = groups.astype(np.int64)
        count = int(found.max()) + 1
        if count < len(found):
            self.facts.append(
                f"runs: {count:,} by column {of['run']}; the other rows are their checkpoints or replicates"
            )
        return found

    def _lineages(self) -> int:
        """How many different models of one size (and seed) there are, at most."""
        of = self.columns.of
        keys = [self.table.texts(of[role]) for role in ("model", "seed", "N") if role in of]
        return len(set(zip(*keys, strict=True))) if keys else len(self.table.rows)

    def _replicates(self, observed: Array) -> int:
        """How many observations have the variables of an earlier one.

        Raises:
            FileError: one has its performance too: it is the same run twice.
        """
        of = self.columns.of
        labels: list[Sequence[object]] = [self.table.texts(of[r]) for r in ("run", "seed", "model") if r in of]
        variables = list(zip(*self.values.values(), strict=True))
        seen: dict[object, int] = {}
        for place, key in enumerate(zip(variables, observed.tolist(), *labels, strict=True)):
            if (first := seen.setdefault(key, place)) != place:
                lines = self.table.lines
                what = f"lines {lines[first]} and {lines[place]} are the same run twice"
                raise FileError(what, where=self.table.source, todo="remove one, or tell them apart in a column seed")
        return len(variables) - len(set(variables))

    def _task(self, models: list[ModelCost] | None) -> str | None:
        return models[0].task if models else None


def _unit(direction: str, observed: Array) -> str:
    """Of a performance without one: shares where more is better."""
    if direction == "lower":
        return "unknown"
    return "fraction" if observed.max() <= 1 else "percent" if observed.max() <= 100 else "unknown"


def digest(runs: Runs) -> str:
    """SHA-256 of the runs: a line per observation with every variable and the performance, sorted; which are of one
    run does not count.
    """
    names = sorted(runs.columns)
    rows = zip(*(runs.columns[name].tolist() for name in names), runs.observed.tolist(), strict=True)
    lines = sorted(",".join(f"{value!r}" for value in row) for row in rows)
    text = "\n".join([",".join([*names, runs.metric]), *lines])
    return hashlib.sha256(text.encode()).hexdigest()
