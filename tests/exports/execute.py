"""Run exports with onnxruntime at the sizes of their counts, and note the shapes that come out.

    python tests/exports/execute.py [DIRECTORY] [NAME ...]

An exporter may fix a size the model leaves open; then the file fails here or gives other shapes. Sidecars get
`executed`: one entry per size, `{sizes, outputs: {name: shape}}`, or `{sizes, failed}`.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

DTYPES = {"tensor(float)": "float32", "tensor(int64)": "int64", "tensor(int32)": "int32"}
ROOT = Path(__file__).resolve().parents[2]


def number(dimension: int | str, sizes: dict[str, int]) -> int:
    """A dimension at sizes; names may be added, as in `past+seq`."""
    if isinstance(dimension, int):
        return dimension
    return sum(int(part) if part.isdigit() else sizes[part] for part in re.split(r"\s*\+\s*", dimension))


def feed(session: Any, sizes: dict[str, int]) -> dict[str, Any]:
    """Random inputs; masks hide nothing and token numbers are small."""
    generator, inputs = np.random.default_rng(0), {}
    for value in session.get_inputs():
        shape = tuple(number(dimension, sizes) for dimension in value.shape)
        if "mask" in value.name:
            inputs[value.name] = np.ones(shape, DTYPES[value.type])
        elif "float" in value.type:
            inputs[value.name] = generator.normal(size=shape).astype("float32")
        else:
            inputs[value.name] = generator.integers(0, 999, shape).astype(DTYPES[value.type])
    return inputs


def executed(path: Path, rows: list[dict[str, int]]) -> list[dict[str, Any]]:
    """The shapes of one file's outputs at each of these sizes."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        return [{"sizes": {}, "failed": f"{type(error).__name__}: {error}".splitlines()[0][:240]}]
    found: list[dict[str, Any]] = []
    names = [value.name for value in session.get_outputs()]
    for sizes in rows:
        try:
            values = session.run(names, feed(session, sizes))
            shapes = {name: list(value.shape) for name, value in zip(names, values, strict=True)}
            found.append({"sizes": sizes, "outputs": shapes})
        except Exception as error:
            found.append({"sizes": sizes, "failed": f"{type(error).__name__}: {error}".splitlines()[0][:240]})
    return found


def main() -> None:
    """Run those exports whose sidecar has no `executed` yet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", nargs="?", type=Path, default=ROOT / "build" / "exports")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    for name in arguments.names or sorted(path.stem for path in arguments.directory.glob("*.json")):
        sidecar = arguments.directory / f"{name}.json"
        record = json.loads(sidecar.read_text())
        if "executed" in record or "failed" in record["export"]:
            continue
        rows = executed(sidecar.with_suffix(".onnx"), [row["sizes"] for row in record["counts"]])
        sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), "executed": rows}) + "\n")
        print(f"{name:32} {next((row['failed'] for row in rows if 'failed' in row), 'ok')}", flush=True)


if __name__ == "__main__":
    main()
