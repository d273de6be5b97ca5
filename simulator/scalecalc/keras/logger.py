"""A Keras callback that writes one row for each `fit`: what was trained on how much, and what came of it."""

from __future__ import annotations

import math
import os
import platform
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from scalecalc import __version__
from scalecalc.errors import UsageError, one_line
from scalecalc.keras.cost import cost_of

FIELDS = {
    "run": "a name of its own",
    "model": "the model's name",
    "N_total": "trainable parameters",
    "N_non_embedding": "those without embeddings of tokens and positions",
    "N_linear": "those that are operands of contractions",
    "N_active": "those one sample meets: fewer than all in mixtures of experts",
    "C": "training FLOPs of all steps, as C_count counts them",
    "C_count": "exact: matrix FLOPs forward and backward of this model; or 6N_total*D, where `note` says why",
    "D": "samples seen, repeats included",
    "U": "distinct samples of the training data",
    "sample": "what D and U count: example, token, or second of audio",
    "batch_size": "examples of one step",
    "steps": "optimiser steps",
    "epochs": "passes over the training data, as far as training went",
    "loss": "when training has ended: of the test data if given, else of the validation data, else as train_loss",
    "loss_of": "test, validation or training",
    "train_loss": "mean of the last epoch's batches, as Keras reports it",
    "best_epoch": "epoch of the least validation loss (of training without validation data), from 1",
    "best_loss": "that loss",
    "generalisation_gap": "loss less train_loss",
    "seconds": "of wall clock from the start of training to its end",
    "seed": "of the random numbers, where it is known",
    "started": "date and time, UTC",
    "versions": "of what trained it",
    "note": "what could not be counted, and what was assumed",
}
"""Columns of a row; `train_NAME`, `validation_NAME`, `test_NAME` of every metric follow, then the caller's."""


RATES = ("learning_rate", "lr")
"""What some versions of Keras put among metrics."""


@dataclass
class RunLogger:
    """Writes a row when training ends; a run that is interrupted leaves none.

    Args:
        path: `.csv` or `.jsonl`; rows are appended.
        samples: examples in the training data; U is unknown without.
        batch_size: as given to `fit` (Keras takes 32 unless told).
        seed: what random numbers were seeded with; `keras.utils.set_random_seed` is noticed.
        sizes: of dimensions the model leaves open, by name: `{"seq": 128}`.
        name: of the run.
        test_data: inputs and targets, or a data set: the trained model is evaluated on it, after the callbacks before
            this one (which may restore the best weights).
        columns: of the caller, such as width or learning rate, the same ones in every row; read when it is written.

    Raises:
        UsageError: another ending, a size that is none, or a column there is already.
    """

    path: str | os.PathLike[str]
    samples: int | None = None
    batch_size: int = 32
    seed: int | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    name: str = ""
    test_data: Any = None
    columns: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from scalecalc.appending import ending_of

        ending_of(self.path)
        for option, value in (("samples", self.samples), ("batch_size", self.batch_size)):
            if value is not None and value < 1:
                raise UsageError(f"{option} is {value}", where="RunLogger", todo="give a number above 0")
        if taken := sorted(FIELDS.keys() & self.columns.keys()):
            todo = "give it as seed=" if taken == ["seed"] else "name it otherwise"
            raise UsageError(f"a row has its own {', '.join(taken)}", where="RunLogger", todo=todo)
        self.model: Any = None
        self.params: Mapping[str, Any] = {}
        self._restart()

    def _restart(self) -> None:
        self._epochs: list[dict[str, float]] = []
        self._steps: list[int] = []
        self._notes: list[str] = []
        self._batch = self._before = 0
        self._clock, self._started = time.perf_counter(), datetime.now(UTC)

    # --- what Keras calls

    def set_model(self, model: Any) -> None:
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        self.params = params

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self._restart()
        self._before = self._iterations()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        self._batch = batch + 1

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self._epochs.append({name: float(value) for name, value in (logs or {}).items()})
        self._steps.append(self._stepped())
        self._batch = 0

    def _stepped(self) -> int:
        """Steps of the epoch that ends: with `steps_per_execution`, Keras counts full executions in its batches."""
        limit = self.params.get("steps")
        if not limit:  # a data set of unknown size: the optimiser knows, on every backend that keeps it up to date
            limit = self._iterations() - self._before - sum(self._steps)
        return min(self._batch, limit) if limit > 0 else self._batch

    def _iterations(self) -> int:
        return int(getattr(getattr(self.model, "optimizer", None), "iterations", 0))

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        from scalecalc.appending import append

        if self._epochs:
            seconds = time.perf_counter() - self._clock
            append(self.path, self.row(seconds, self._tested()))

    def _tested(self) -> dict[str, float]:
        """Loss and metrics of the test data; unknown where evaluation fails, as the run is worth its row."""
        if self.test_data is None:
            return {}
        data = self.test_data if isinstance(self.test_data, tuple | list) else (self.test_data,)
        size = {"batch_size": self.batch_size} if len(data) > 1 else {}  # data sets have their own
        try:
            found = self.model.evaluate(*data, verbose=0, return_dict=True, **size)
        except Exception as error:
            self._notes.append(one_line(f"no test results: {type(error).__name__}: {error!s:.200}"))
            return {name: math.nan for name in self._epochs[-1] if not name.startswith("val_") and name not in RATES}
        return {name: float(value) for name, value in found.items()}

    def __getattr__(self, name: str) -> Any:
        """Nothing to do at every other moment Keras calls."""
        if name.startswith("on_"):
            return lambda *arguments, **options: None
        raise AttributeError(name)

    # --- the row

    def row(self, seconds: float, tested: Mapping[str, float] | None = None) -> dict[str, object]:
        """The row of the epochs so far, by FIELDS.

        Args:
            seconds: they took.
            tested: loss and metrics of the test data, by name.
        """
        tested = tested or {}
        cost = cost_of(self.model, self.sizes)
        examples = [self._examples(steps) for steps in self._steps]
        seen = _whole(sum(examples) * cost.per_example)
        n = cost.params["N_total"] or 0
        flops = 6 * n * seen if cost.flops is None else sum(map(self._flops(cost.flops), self._steps))
        unique = None if self.samples is None else _whole(self.samples * cost.per_example)
        return {
            "run": self.name or uuid.uuid4().hex[:12], "model": getattr(self.model, "name", ""), **cost.params,
            "C": flops, "C_count": "6N_total*D" if cost.flops is None else "exact", "D": seen, "U": unique,
            "sample": cost.sample, "batch_size": self.batch_size, "steps": sum(self._steps),
            "epochs": len(self._epochs), **self._results(tested), "seconds": round(seconds, 3),
            "seed": _seed() if self.seed is None else self.seed,
            "started": self._started.isoformat(timespec="seconds"), "versions": _versions(),
            "note": "; ".join(filter(None, [cost.note, self._passes(), *self._notes])),
            **self._metrics(tested), **self.columns,
        }  # fmt: skip

    def _examples(self, steps: int) -> int:
        """Seen in an epoch of so many steps: its last batch may be smaller."""
        full = steps * self.batch_size
        return self.samples if self.samples is not None and full - self.batch_size < self.samples < full else full

    def _passes(self) -> str:
        """What is odd where an epoch is no pass over the samples: Keras tells nobody how large its batches are."""
        steps = self.params.get("steps")
        if not steps or self.samples is None or steps == -(-self.samples // self.batch_size):
            return ""
        return f"an epoch of {steps} steps of {self.batch_size} is no pass over {self.samples} examples: D counts steps"

    def _flops(self, step: Callable[[int], int]) -> Callable[[int], int]:
        def epoch(steps: int) -> int:
            last = self._examples(steps) - (steps - 1) * self.batch_size
            return (steps - 1) * step(self.batch_size) + step(last)

        return epoch

    def _results(self, tested: Mapping[str, float]) -> dict[str, object]:
        last = self._epochs[-1]
        validated, train = "val_loss" in last, last.get("loss")
        losses = [epoch.get("val_loss" if validated else "loss", math.inf) for epoch in self._epochs]
        best = min(range(len(losses)), key=lambda k: math.inf if math.isnan(losses[k]) else losses[k])
        of = "test" if tested else "validation" if validated else "training"
        loss = tested.get("loss", math.inf) if tested else losses[-1]
        return {
            "loss": loss, "loss_of": of, "train_loss": train, "best_epoch": best + 1, "best_loss": losses[best],
            "generalisation_gap": loss - train if of != "training" and train is not None else None,
        }  # fmt: skip

    def _metrics(self, tested: Mapping[str, float]) -> dict[str, float]:
        found = {}
        for name, value in self._epochs[-1].items():
            of, metric = ("validation", name.removeprefix("val_")) if name.startswith("val_") else ("train", name)
            if metric not in RATES and (metric != "loss" or (of == "validation" and tested)):
                found[f"{of}_{metric}"] = value
        found.update({f"test_{name}": value for name, value in tested.items() if name != "loss"})
        return found


def _whole(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _seed() -> int | None:
    """What Keras was seeded with, if its version tells."""
    keras = sys.modules.get("keras")
    getter = getattr(getattr(keras, "utils", None), "get_random_seed", None)
    if getter is None:
        getter = getattr(sys.modules.get("keras.src.utils.rng_utils"), "get_random_seed", None)
    found = getter() if getter is not None else None
    return found if isinstance(found, int) else None


def _versions() -> str:
    """Of this package, Python, Keras and what computes for it."""
    found = [f"scalecalc {__version__}", f"python {platform.python_version()}"]
    backend = getattr(getattr(sys.modules.get("keras"), "backend", None), "backend", lambda: "tensorflow")()
    for name in ("keras", backend):
        if version := getattr(sys.modules.get(name), "__version__", None):
            found.append(f"{name} {version}")
    return "; ".join(found)
