"""Parameters and training FLOPs of every model of the grid, read four ways: they must be equal.

    python -m benchmarks.keras_runs.check_costs [--write]

The ways: the specification that the grid is planned with, the model's own configuration as `RunLogger` reads it, the
`.keras` file, and the ONNX export; beside them the parameters that Keras counts. Needs the extra `keras`; exit code 1
where two ways differ. `--write` records the table as `costs.csv`.
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.keras_runs.grid import HERE, cost, counted, declared
from benchmarks.keras_runs.models import build, label

Cost = tuple[int, int]


def sizes() -> list[tuple[str, float, int]]:
    """Every model: domain, width, depth."""
    return sorted({(run.domain, run.width, run.depth) for run in declared()})


def of_file(path: Path) -> Cost:
    """Parameters and training FLOPs of an example by the walk of a file."""
    from scalecalc.frontends.opening import read
    from scalecalc.walk import walk

    return counted(walk(read(path)))


def of_configuration(model: Any) -> Cost:
    """The same of what `RunLogger` reads."""
    from scalecalc.frontends.keras import parse
    from scalecalc.walk import walk

    return counted(walk(parse(model.to_json().encode(), model.name)))


def readings(domain: str, width: float, depth: int) -> Iterator[tuple[str, Cost]]:
    """Each way with what it says."""
    import keras
    import numpy as np

    from benchmarks.keras_runs.training import inputs

    keras.utils.set_random_seed(0)
    model = build(domain, width, depth)
    model.compile("sgd", "mse")
    shape = (2, *model.inputs[0].shape[1:])
    x = inputs(domain, np.ones(shape, np.uint8))
    model.fit(x, np.ones((2, *model.outputs[0].shape[1:])), verbose=0)  # exporters drop biases that are zero
    yield "specification", cost(domain, width, depth)
    yield "configuration", of_configuration(model)
    with tempfile.TemporaryDirectory() as folder:
        model.save(file := Path(folder) / "model.keras")
        yield "keras file", of_file(file)
        model.export(file := Path(folder) / "model.onnx", format="onnx", verbose=False)
        yield "onnx", of_file(file)
    yield "keras counts", (model.count_params(), cost(domain, width, depth)[1])


def main(arguments: list[str]) -> int:
    """Print the table; 1 where two ways differ."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    table, wrong = [], 0
    for domain, width, depth in sizes():
        found = dict(readings(domain, width, depth))
        wrong += len(set(found.values())) > 1
        (params, flops), name = found["onnx"], f"{domain} {label(width, depth)}"
        print(f"{name:14} {params:9,} parameters {flops:13,} FLOPs", *([found] if len(set(found.values())) > 1 else []))
        table.append({"model": name, "params": params, "training_flops_per_example": flops})
    if "--write" in arguments and not wrong:
        with open(HERE / "costs.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
