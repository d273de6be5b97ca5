"""The article's recipe, trained, exported and executed: its test accuracy, and how far onnxruntime is from Keras.

    python -m benchmarks.keras_runs.recipe [--data FOLDER] [--cache FOLDER]

Exit code 1 where fewer than ACCURACY of the test images are told right, or the export's test loss differs by more than
APART. Of single probabilities a few in 100,000 differ by more: each program rounds its sums in an order of its own, and
is as far from the result in double precision. Needs the extra `keras` and onnxruntime; takes three minutes of one core.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.keras_runs.grid import declared
from benchmarks.keras_runs.run_grid import CACHE
from benchmarks.keras_runs.sources import folder_of
from scalecalc.errors import ScalecalcError

ACCURACY, APART = 0.985, 1e-6


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, print both figures; the exit code."""
    parser = argparse.ArgumentParser("recipe", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="with the data: plain files or packages")
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="FOLDER", help=f"for fetched data [{CACHE}]")
    options = parser.parse_args(arguments)
    try:
        folder = folder_of("images", options.cache, options.data)
    except ScalecalcError as error:
        print(f"recipe: {error}", file=sys.stderr)
        return error.exit_code
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    from benchmarks.keras_runs.data import load
    from benchmarks.keras_runs.training import train

    run = next(run for run in declared(["images"]) if run.grid == "c")
    assert run.rate is not None
    with tempfile.TemporaryDirectory() as place:
        model = train(run, run.rate, folder, Path(place) / "row.csv")
        test = load("images", folder).test
        accuracy, apart = compare(model, test.x.astype("float32") / 255, test.y, Path(place) / "model.onnx")
    return int(accuracy < ACCURACY or apart > APART)


def compare(model: Any, x: Any, y: Any, path: Path) -> tuple[float, float]:
    """What part of the examples the exported model tells right, and how far its loss is from Keras's; both printed."""
    import numpy as np
    import onnxruntime

    wanted = model.predict(x, verbose=0)
    model.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path)
    (found,) = session.run(None, {session.get_inputs()[0].name: x})
    accuracy = float((found.argmax(-1) == y).mean())
    ours, theirs = (float(-np.log(np.take_along_axis(p, y[:, None], 1), dtype=float).mean()) for p in (found, wanted))
    apart = np.abs(found - wanted)
    print(f"{100 * accuracy:.2f} % of {len(x):,} test images are told right by the export in onnxruntime")
    print(f"test loss {ours:.9f}, of Keras {theirs:.9f}: {abs(ours - theirs):.1e} apart")
    print(
        f"probabilities: {100 * (apart <= APART).mean():.3f} % of {apart.size:,} within {APART:g} of Keras's, "
        f"the furthest {apart.max():.1e} apart, the mean {apart.mean():.1e}"
    )
    return accuracy, abs(ours - theirs)


if __name__ == "__main__":
    sys.exit(main())
