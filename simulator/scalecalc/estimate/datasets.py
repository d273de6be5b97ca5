"""Data sets by name: how many distinct samples they hold, from which publication."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from scalecalc.errors import UsageError
from scalecalc.loading import entry_of, shipped_yaml
from scalecalc.walk.task import Task

DATA = Path(__file__).parent / "data/datasets.yaml"
LISTED = "scalecalc datasets lists them"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A training set as its publication describes it.

    Attributes:
        samples: how many of each unit: `example`, `token`, `second` (of audio).
        tokenizer: which the tokens were counted with; "" where none are.
        about: the publication rounds the count.
        modality, task: what it is made for.
        corpus: the name laws give it.
        classes: of a classification.
        source, year: its publication.
        note: what the count leaves out.
        aliases: other names for it.
    """

    name: str
    samples: Mapping[str, int]
    modality: str
    task: str
    year: int
    source: str
    tokenizer: str = ""
    corpus: str = ""
    classes: int | None = None
    about: bool = False
    note: str = ""
    aliases: tuple[str, ...] = ()

    def unique(self, task: Task) -> int:
        """Distinct samples, as a model of that task counts them.

        Raises:
            UsageError: the data are of another kind, or nobody counted what the model counts.
        """
        if task.modality is not None and task.modality != self.modality:
            others = [d.name for d in datasets().values() if d.modality == task.modality and task.sample in d.samples]
            todo = "give --unique, or --task if the guess is wrong"
            if others:
                todo = f"use for example {', '.join(others[:4])}, or {todo}"
            raise UsageError(
                f"{self.name} is of modality {self.modality}, the model's is {task.modality}",
                where="--dataset",
                todo=todo,
            )
        if task.sample not in self.samples:
            counted = " and ".join(f"{unit}s" for unit in self.samples)
            raise UsageError(f"{self.name} is counted in {counted}, the model's samples are {task.sample}s",
                             where="--dataset", todo=f"give --unique in {task.sample}s")  # fmt: skip
        return self.samples[task.sample]


@cache
def datasets() -> Mapping[str, Dataset]:
    """Every data set, by name."""
    found = {}
    for name, entry in shipped_yaml(DATA)["datasets"].items():
        entry = {**entry, "samples": MappingProxyType(entry["samples"]), "aliases": tuple(entry.get("aliases", ()))}
        found[name] = Dataset(name, **{**entry, "corpus": entry.get("corpus", name)})
    return MappingProxyType(found)


def usual(task: Task) -> Dataset | None:
    """A data set people train such a model on: the first of its task, and of as many classes."""
    for found in datasets().values():
        fits = found.task == task.name and task.sample in found.samples
        if fits and (task.classes is None or found.classes == task.classes):
            return found
    return None


def dataset(name: str) -> Dataset:
    """A data set by its name or an alias, in any case.

    Raises:
        UsageError: no such data set.
    """
    return entry_of(datasets().values(), name, what="data set", where="--dataset", listed=LISTED)
